"""From CAPACITY and TOTALS of the API to rows of figures.

The API keeps each service's own words; here each becomes rows of total, reserved, usable, used and free in
one unit, which is what a table or a spreadsheet wants. What a service does not tell stays unknown. Units:
MEMORY_MB is MiB, DISK_GB and Cinder's figures are GiB, image data is bytes; the rest are counts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from osc_multisite.columns import Age, Bytes, Cell, Gibibytes, Measure, Mebibytes

Json = Mapping[str, Any]

FIGURES = ("total", "reserved", "usable", "used", "free")
FIGURE_TITLES = ("Total", "Reserved", "Usable", "Used", "Free")
#: Name and states of the row that sums the others; no region's name starts with a parenthesis.
TOTAL = "(total)"
COMPLETE = {True: "complete", False: "incomplete"}

_UNITS: dict[str, type[Measure]] = {"MEMORY_MB": Mebibytes, "DISK_GB": Gibibytes}
_ADDRESSES = ("external_ipv4", "external_ipv6", "tenant_ipv4", "tenant_ipv6")


def total_state(totals: Json, services: Iterable[str]) -> str:
    """Whether the figures of these services in a total are complete."""
    known = totals.get("complete_by_service") or {}
    return COMPLETE[all(known.get(service, totals["complete"]) for service in services)]


def unit_of(resource_class: str) -> type[Measure]:
    """The column for figures of a resource class of Placement."""
    return _UNITS.get(resource_class, Measure)


def oldest(services: Mapping[str, Json], shown: Iterable[str]) -> Age:
    """The age of the oldest figure of the services that are shown of a region."""
    ages = [services[name].get("age") for name in shown if name in services]
    return Age(max((age for age in ages if age is not None), default=None))


def whole(placement: Json | None, resource_class: str, figure: str) -> Measure:
    """A figure of a region with what sharing providers (a storage cluster, say) hold for it."""
    parts = [
        scope[resource_class][figure]
        for scope in ((placement or {}).get("resources") or {}, (placement or {}).get("shared") or {})
        if resource_class in scope
    ]
    return unit_of(resource_class)(sum(parts) if parts else None)


def number(part: Json | None, key: str, column: type[Measure] = Measure) -> Measure:
    """A figure of a part of CAPACITY that may never have been read."""
    return column(None if part is None else part.get(key))


def addresses(network: Json | None, kind: str, figure: str) -> Measure:
    """A count of addresses, which JSON carries as text because it may pass 2^53."""
    value = ((network or {}).get(kind) or {}).get(figure)
    return Measure(None if value is None else int(value))


def warnings_of(region: Json) -> Cell:
    """The resources that run short, by the service's own rule; totals have none."""
    return Warnings(region.get("warnings"))


class Warnings(Cell):
    """Resources of which less than the configured share is free."""

    def text(self, value: Iterable[Json]) -> str:
        """Each resource with what is left of it."""
        return ", ".join(f"{one['resource']} {one['percent_free']:g}% free" for one in value) or "-"


def resource_classes(regions: Iterable[Json]) -> set[str]:
    """The resource classes that some region has."""
    placements = [region["placement"] for region in regions if region["placement"] is not None]
    return {
        name
        for placement in placements
        for scope in ("resources", "shared")
        for name in placement.get(scope) or {}
    }


def resource_rows(
    placement: Json | None, classes: Iterable[str], *, zones: bool
) -> list[tuple[str | None, str, str | None, tuple[Measure, ...]]]:
    """(resource class, scope, zone, figures) of a region, or of each of its zones.

    Scope is `region`, `zone`, or `shared` for what sharing providers hold, which is in no zone.
    """
    wanted = list(classes)
    if placement is None:
        unknown = tuple(Measure(None) for _ in FIGURES)
        unnamed: list[str | None] = [None]
        return [(name, "region", None, unknown) for name in (wanted or unnamed)]
    scopes: list[tuple[str, str | None, Mapping[str, Json]]] = []
    if zones and placement.get("zones"):
        scopes += [("zone", zone, resources) for zone, resources in sorted(placement["zones"].items())]
    else:
        scopes.append(("region", None, placement.get("resources") or {}))
    scopes.append(("shared", None, placement.get("shared") or {}))
    return [
        (name, scope, zone, tuple(unit_of(name)(resources[name].get(figure)) for figure in FIGURES))
        for scope, zone, resources in scopes
        for name in (wanted or sorted(resources))
        if name in resources
    ]


def summary_rows(region: Json) -> list[tuple[str, str, str, tuple[Measure, ...]]]:
    """(service, resource, scope, figures) of everything that is known of a region."""
    rows = [
        ("placement", name or "-", scope, figures)
        for name, scope, _zone, figures in resource_rows(region.get("placement"), (), zones=False)
        if region.get("placement") is not None
    ]
    rows += [(service, resource, "region", figures) for service, resource, figures in _other_rows(region)]
    return rows


def _other_rows(region: Json) -> Iterable[tuple[str, str, tuple[Measure, ...]]]:
    compute, volume, network, image = (region.get(part) for part in ("compute", "volume", "network", "image"))
    if compute is not None:
        services = sum(compute[f"services_{state}"] for state in ("up", "down", "disabled"))
        yield "compute", "servers", _row(used=compute["running_servers"])
        yield "compute", "hosts", _row(total=compute["hosts"], usable=compute["hosts_available"])
        yield "compute", "services", _row(total=services, usable=compute["services_up"])
    if volume is not None:
        services = volume["services_up"] + volume["services_down"]
        yield "volume", "storage", _row(Gibibytes, total=volume["total"], free=volume["free"])
        yield (
            "volume",
            "provisioned",
            _row(Gibibytes, usable=volume["provisioned_limit"], used=volume["provisioned"]),
        )
        yield "volume", "services", _row(total=services, usable=volume["services_up"])
    if network is not None:
        for kind in _ADDRESSES:
            if network.get(kind):
                total, used, free = (int(network[kind][figure]) for figure in ("total", "used", "free"))
                yield "network", kind, _row(total=total, used=used, free=free)
        yield "network", "networks", _row(used=network["networks"])
    if image is not None:
        yield "image", "images", _row(used=image["images"])
        yield "image", "data", _row(Bytes, used=image["bytes"])


def _row(column: type[Measure] = Measure, **known: float | None) -> tuple[Measure, ...]:
    return tuple(column(known.get(figure)) for figure in FIGURES)
