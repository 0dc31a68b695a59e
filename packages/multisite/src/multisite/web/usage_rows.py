"""A project's use as rows: what is used, of which limit, what is left, in the resource's own unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from multisite.usage.model import UNLIMITED, ResourceUsage
from multisite.web import figures

#: What the table of all regions shows of each; everything else is on the region's own page.
MAIN = (
    "compute/instances",
    "compute/cores",
    "compute/ram",
    "volume/gigabytes",
    "network/floatingip",
    "image/image_size_total",
)

_LABELS = {
    "compute/instances": "Servers",
    "compute/cores": "VCPU",
    "compute/ram": "Memory",
    "compute/key_pairs": "Key pairs",
    "volume/volumes": "Volumes",
    "volume/snapshots": "Snapshots",
    "volume/gigabytes": "Volume space",
    "volume/backups": "Backups",
    "volume/backup_gigabytes": "Backup space",
    "network/network": "Networks",
    "network/subnet": "Subnets",
    "network/port": "Ports",
    "network/router": "Routers",
    "network/floatingip": "Floating IPs",
    "network/security_group": "Security groups",
    "network/security_group_rule": "Security group rules",
    "image/image_count_total": "Images",
    "image/image_size_total": "Image space",
}
_SERVICES = ("compute", "volume", "network", "image")
_NEARLY_FULL = 90.0


@dataclass(frozen=True, slots=True)
class Use:
    """One resource of a project. `full_share` is percent of the limit, `None` where there is no limit.

    `left` is empty where there is nothing to subtract: no limit, or use or limit not known.
    """

    name: str
    label: str
    used: str
    limit: str
    left: str
    full_share: float | None
    limit_known: bool = True

    @property
    def width(self) -> str:
        """SVG width of the bar."""
        value = self.full_share or 0.0
        return f"{max(value, 0.8) if value else 0.0:.1f}"

    @property
    def tight(self) -> bool:
        """Whether little or nothing is left."""
        return self.full_share is not None and self.full_share >= _NEARLY_FULL


def label(name: str) -> str:
    """What a resource is called in a heading."""
    return _LABELS.get(name, name)


def use(name: str, usage: ResourceUsage) -> Use:
    """One resource in words; reserved counts as used, as it does for the limit."""
    text = _text(name)
    taken = None if usage.used is None else usage.used + usage.reserved
    bounded = usage.limit is not None and usage.limit != UNLIMITED and taken is not None
    return Use(
        name=name,
        label=label(name),
        used=text(taken),
        limit="unlimited" if usage.limit == UNLIMITED else text(usage.limit),
        left="" if usage.left is None else text(usage.left),
        full_share=figures.share(float(taken or 0), float(usage.limit or 0)) if bounded else None,
        limit_known=usage.limit is not None,
    )


def main_uses(resources: Mapping[str, ResourceUsage]) -> tuple[Use | None, ...]:
    """The columns of the table of regions; `None` where a region does not tell."""
    return tuple(use(name, resources[name]) if name in resources else None for name in MAIN)


def grouped(resources: Mapping[str, ResourceUsage]) -> dict[str, list[Use]]:
    """All resources by service, ours first and in our order, then whatever else a region has."""
    names = [*(name for name in _LABELS if name in resources), *sorted(set(resources) - set(_LABELS))]
    services = [*_SERVICES, *sorted({_service(name) for name in names} - set(_SERVICES))]
    groups = {
        service: [use(name, resources[name]) for name in names if _service(name) == service]
        for service in services
    }
    return {service: uses for service, uses in groups.items() if uses}


def main_labels() -> list[str]:
    """The headings of the table of regions."""
    return [label(name) for name in MAIN]


def _service(name: str) -> str:
    return name.partition("/")[0]


def _text(name: str) -> Callable[[float | None], str]:
    if name == "compute/ram":
        return figures.from_mebibytes
    if name.startswith(("volume/gigabytes", "volume/backup_gigabytes")):
        return figures.from_gibibytes
    if name == "image/image_size_total":
        return figures.from_bytes
    return figures.count
