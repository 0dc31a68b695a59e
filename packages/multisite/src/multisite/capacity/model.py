"""Capacity as values, and the arithmetic of it (requirement C1; rules in design record 0001).

Pure: plain numbers in, frozen dataclasses out, no I/O. MiB and GiB as Placement and Cinder count them.
Two kinds of figures are not plain integers: `usable` may have a fraction (allocation ratios do), and
addresses of IPv6 subnets pass 2^53, so they travel as decimal text (`BigCount`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from multisite.regions.states import Freshness, Missing, State

#: An integer of any size; a decimal string in JSON, because JSON numbers end at 2^53.
BigCount = Annotated[
    int,
    BeforeValidator(int),
    PlainSerializer(str, return_type=str),
]


def _tidy(number: float) -> int | float:
    """An integer where there is no fraction, else three decimals."""
    return int(number) if float(number).is_integer() else round(number, 3)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Figures of one resource class over a set of providers, in the class's own unit.

    `usable = Σ (total - reserved) × allocation_ratio`. `free` counts only providers that can take a
    server now; it is never negative.
    """

    total: int = 0
    reserved: int = 0
    usable: int | float = 0
    used: int = 0
    free: int | float = 0

    def __add__(self, other: "Capacity") -> "Capacity":
        return Capacity(
            self.total + other.total,
            self.reserved + other.reserved,
            _tidy(self.usable + other.usable),
            self.used + other.used,
            _tidy(self.free + other.free),
        )


@dataclass(frozen=True, slots=True)
class Inventory:
    """One resource class of one resource provider, as Placement keeps it."""

    total: int
    reserved: int = 0
    allocation_ratio: float = 1.0
    min_unit: int = 1
    max_unit: int = 2147483647
    step_size: int = 1

    @property
    def usable(self) -> float:
        """(total - reserved) × allocation_ratio, never negative."""
        return max(0.0, (self.total - self.reserved) * self.allocation_ratio)


@dataclass(frozen=True, slots=True)
class Provider:
    """A resource provider with its inventories, usages and place.

    `zone` is that of the root provider's host, `None` where no host is known (then the provider is
    outside every zone). `available` says whether new servers may land here.
    """

    uuid: str
    name: str
    root: str
    generation: int
    zone: str | None = None
    available: bool = True
    shared: bool = False
    inventories: Mapping[str, Inventory] = field(default_factory=dict)
    usages: Mapping[str, int] = field(default_factory=dict)


def capacity_of(providers: Iterable[Provider]) -> dict[str, Capacity]:
    """Capacity of a set of providers, per resource class."""
    total: dict[str, list[float]] = {}
    for provider in providers:
        for name, inventory in provider.inventories.items():
            usable, used = inventory.usable, provider.usages.get(name, 0)
            row = total.setdefault(name, [0, 0, 0.0, 0, 0.0, 0])
            row[0] += inventory.total
            row[1] += inventory.reserved
            row[2] += usable
            row[3] += used
            if provider.available:
                row[4] += usable
                row[5] += used
    return {
        name: Capacity(
            total=int(row[0]),
            reserved=int(row[1]),
            usable=_tidy(row[2]),
            used=int(row[3]),
            free=_tidy(max(0.0, row[4] - row[5])),
        )
        for name, row in sorted(total.items())
    }


@dataclass(frozen=True, slots=True)
class PlacementSummary:
    """A region's capacity by resource class: whole, per zone, and of sharing providers apart."""

    resources: Mapping[str, Capacity] = field(default_factory=dict)
    zones: Mapping[str, Mapping[str, Capacity]] = field(default_factory=dict)
    shared: Mapping[str, Capacity] = field(default_factory=dict)
    providers: int = 0


def placement_summary(providers: Iterable[Provider]) -> PlacementSummary:
    """Sum a region's providers: nested ones with their root's zone, sharing ones apart."""
    providers = list(providers)
    own = [provider for provider in providers if not provider.shared]
    zones: dict[str, list[Provider]] = {}
    for provider in own:
        if provider.zone is not None:
            zones.setdefault(provider.zone, []).append(provider)
    return PlacementSummary(
        resources=capacity_of(own),
        zones={zone: capacity_of(members) for zone, members in sorted(zones.items())},
        shared=capacity_of(provider for provider in providers if provider.shared),
        providers=len(providers),
    )


@dataclass(frozen=True, slots=True)
class ComputeSummary:
    """A region's nova services and hypervisors."""

    services_up: int = 0
    services_down: int = 0
    services_disabled: int = 0
    hosts: int = 0
    hosts_available: int = 0
    running_servers: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeSummary:
    """A region's Cinder pools, in GiB.

    `provisioned_limit = Σ total × max_over_subscription_ratio` of thin pools. Pools that report
    `infinite` or `unknown` are counted in `pools_unlimited` and `pools_unknown`, not summed.
    """

    total: float = 0
    free: float = 0
    provisioned: float = 0
    provisioned_limit: float = 0
    pools: int = 0
    pools_unlimited: int = 0
    pools_unknown: int = 0
    services_up: int = 0
    services_down: int = 0


@dataclass(frozen=True, slots=True)
class AddressCount:
    """Addresses of a set of subnets; `used` can exceed `total`, `free` is never negative."""

    total: BigCount = 0
    used: BigCount = 0
    free: BigCount = 0

    def __add__(self, other: "AddressCount") -> "AddressCount":
        return AddressCount(self.total + other.total, self.used + other.used, self.free + other.free)


@dataclass(frozen=True, slots=True)
class NetworkSummary:
    """IP availability: external and tenant networks, IPv4 and IPv6 apart."""

    external_ipv4: AddressCount = field(default_factory=AddressCount)
    external_ipv6: AddressCount = field(default_factory=AddressCount)
    tenant_ipv4: AddressCount = field(default_factory=AddressCount)
    tenant_ipv6: AddressCount = field(default_factory=AddressCount)
    networks: int = 0


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """Images of a region as we sum them: count, and bytes of their data."""

    images: int = 0
    bytes: int = 0
    stores: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CapacityWarning:
    """A resource of which less than the configured share is free."""

    resource: str
    percent_free: float
    threshold: float


@dataclass(frozen=True, slots=True)
class RegionCapacity:
    """What one region has and what of it is used; each part with its own freshness.

    A part is `None` when its service was never read. `services` maps a service to its freshness.
    """

    region: str
    state: State
    services: Mapping[str, Freshness] = field(default_factory=dict)
    placement: PlacementSummary | None = None
    compute: ComputeSummary | None = None
    volume: VolumeSummary | None = None
    network: NetworkSummary | None = None
    image: ImageSummary | None = None
    warnings: tuple[CapacityWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class CapacityTotals:
    """Sums over the fresh figures of all regions; `complete` is false when something is `missing`."""

    placement: PlacementSummary
    compute: ComputeSummary
    volume: VolumeSummary
    network: NetworkSummary
    image: ImageSummary
    complete: bool
    missing: tuple[Missing, ...] = ()
    complete_by_service: Mapping[str, bool] = field(default_factory=dict)
