"""Sums over regions: fresh figures only, and what is missing by name (design record 0001)."""

from collections.abc import Iterable, Mapping, Sequence

from multisite.capacity.model import (
    Capacity,
    CapacityTotals,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    RegionCapacity,
    VolumeSummary,
)
from multisite.regions.model import READ_SERVICES
from multisite.regions.states import MISSING_STATES, Missing, State, complete_by_service


def totals(regions: Sequence[RegionCapacity]) -> CapacityTotals:
    """Sums over what is fresh; what is stale or unreachable is missing, and named."""

    def fresh(service: str) -> list[RegionCapacity]:
        return [region for region in regions if region.services[service].state is State.FRESH]

    absent = missing(regions)
    return CapacityTotals(
        placement=_placement([region.placement for region in fresh("placement") if region.placement]),
        compute=_compute([region.compute for region in fresh("compute") if region.compute]),
        volume=_volume([region.volume for region in fresh("volume") if region.volume]),
        network=_network([region.network for region in fresh("network") if region.network]),
        image=_image([region.image for region in fresh("image") if region.image]),
        complete=not absent,
        missing=absent,
        complete_by_service=complete_by_service(READ_SERVICES, absent),
    )


def missing(regions: Sequence[RegionCapacity]) -> tuple[Missing, ...]:
    """The (region, service) pairs whose figures are not known now."""
    return tuple(
        Missing(region.region, service, region.services[service].state)
        for region in regions
        for service in READ_SERVICES
        if region.services[service].state in MISSING_STATES
    )


def _placement(parts: Sequence[PlacementSummary]) -> PlacementSummary:
    return PlacementSummary(
        resources=_by_class(part.resources for part in parts),
        shared=_by_class(part.shared for part in parts),
        providers=sum(part.providers for part in parts),
    )


def _by_class(parts: Iterable[Mapping[str, Capacity]]) -> dict[str, Capacity]:
    sums: dict[str, Capacity] = {}
    for part in parts:
        for name, capacity in part.items():
            sums[name] = sums[name] + capacity if name in sums else capacity
    return dict(sorted(sums.items()))


def _compute(parts: Sequence[ComputeSummary]) -> ComputeSummary:
    return ComputeSummary(
        services_up=sum(part.services_up for part in parts),
        services_down=sum(part.services_down for part in parts),
        services_disabled=sum(part.services_disabled for part in parts),
        hosts=sum(part.hosts for part in parts),
        hosts_available=sum(part.hosts_available for part in parts),
        running_servers=sum(part.running_servers or 0 for part in parts),
    )


def _volume(parts: Sequence[VolumeSummary]) -> VolumeSummary:
    return VolumeSummary(
        total=round(sum(part.total for part in parts), 2),
        free=round(sum(part.free for part in parts), 2),
        provisioned=round(sum(part.provisioned for part in parts), 2),
        provisioned_limit=round(sum(part.provisioned_limit for part in parts), 2),
        pools=sum(part.pools for part in parts),
        pools_unlimited=sum(part.pools_unlimited for part in parts),
        pools_unknown=sum(part.pools_unknown for part in parts),
        services_up=sum(part.services_up for part in parts),
        services_down=sum(part.services_down for part in parts),
    )


def _network(parts: Sequence[NetworkSummary]) -> NetworkSummary:
    whole = NetworkSummary()
    for part in parts:
        whole = NetworkSummary(
            external_ipv4=whole.external_ipv4 + part.external_ipv4,
            external_ipv6=whole.external_ipv6 + part.external_ipv6,
            tenant_ipv4=whole.tenant_ipv4 + part.tenant_ipv4,
            tenant_ipv6=whole.tenant_ipv6 + part.tenant_ipv6,
            networks=whole.networks + part.networks,
        )
    return whole


def _image(parts: Sequence[ImageSummary]) -> ImageSummary:
    stores: dict[str, int] = {}
    for part in parts:
        for name, size in part.stores.items():
            stores[name] = stores.get(name, 0) + size
    return ImageSummary(
        images=sum(part.images for part in parts), bytes=sum(part.bytes for part in parts), stores=stores
    )
