"""Use of a project over regions: what it uses, what its limits are, what is left (requirement C1).

A resource is named (service, the service's own spelling): `compute/cores`, `volume/gigabytes`,
`network/floatingip`, `image/image_size_total`. A limit of -1 is unlimited, as in every OpenStack API.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from multisite.regions.states import Freshness, Missing, State

UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class ResourceUsage:
    """Use of one resource; `used` is `None` where a service tells only the limit (keypairs).

    `ram` is in MiB, `gigabytes` in GiB, `image_size_total` in bytes as we sum them.
    `limit` is `None` where the service knows none, -1 for unlimited. `left` is
    limit - used - reserved: negative over the limit, `None` when unlimited or unknown.
    """

    used: int | None
    reserved: int = 0
    limit: int | None = None
    left: int | None = None


def resource_usage(used: int | None, limit: int | None, reserved: int = 0) -> ResourceUsage:
    """A `ResourceUsage` with what is left of it."""
    bounded = limit is not None and limit != UNLIMITED and used is not None
    left = limit - used - reserved if bounded else None  # type: ignore[operator]
    return ResourceUsage(used, reserved, limit, left)


def total_usage(parts: Iterable[ResourceUsage]) -> ResourceUsage:
    """The sum over regions: unlimited if any is, unknown if any is unknown."""
    parts = list(parts)
    limits = [part.limit for part in parts]
    uses = [part.used for part in parts if part.used is not None]
    limit: int | None
    if any(value is None for value in limits):
        limit = None
    elif UNLIMITED in limits:
        limit = UNLIMITED
    else:
        limit = sum(value for value in limits if value is not None)
    used = sum(uses) if len(uses) == len(parts) else None
    return resource_usage(used, limit, sum(part.reserved for part in parts))


@dataclass(frozen=True, slots=True)
class RegionUsage:
    """What a project uses in one region. `found` is false where the region's Keystone lacks the project."""

    region: str
    state: State
    found: bool = True
    services: Mapping[str, Freshness] = field(default_factory=dict)
    resources: Mapping[str, ResourceUsage] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Sums over the fresh regions."""

    resources: Mapping[str, ResourceUsage]
    complete: bool
    missing: tuple[Missing, ...] = ()
    complete_by_service: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProjectUsage:
    """What a project uses, region by region and in total."""

    project_id: str
    project_name: str | None
    domain_name: str | None
    regions: tuple[RegionUsage, ...]
    totals: UsageTotals


@dataclass(frozen=True, slots=True)
class ProjectUsageRow:
    """One project in a listing: its totals."""

    project_id: str
    project_name: str | None
    domain_name: str | None
    resources: Mapping[str, ResourceUsage]
    complete: bool
    missing: tuple[Missing, ...] = ()
    complete_by_service: Mapping[str, bool] = field(default_factory=dict)
