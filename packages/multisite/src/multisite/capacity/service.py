"""Capacity of all regions, from what sweeps stored.

A listing is two queries and some adding up; no region is called unless the user asks for `fresh`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from multisite.capacity import fit, policies
from multisite.capacity.details import (
    CapacityDetail,
    ComputeDetail,
    ImageDetail,
    NetworkDetail,
    PlacementDetail,
    VolumeDetail,
)
from multisite.capacity.documents import Detail, Summary
from multisite.capacity.model import (
    CapacityTotals,
    CapacityWarning,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    RegionCapacity,
    VolumeSummary,
)
from multisite.capacity.shared import Shared
from multisite.capacity.store import CapacityStore
from multisite.capacity.totals import totals
from multisite.clock import Clock
from multisite.policy import Policy
from multisite.regions.model import READ_SERVICES, Region
from multisite.regions.service import RegionService
from multisite.regions.status import RegionView
from multisite.requester import Requester

S = TypeVar("S", bound=Summary)


class Reader(Protocol):
    """Reads regions now."""

    async def read_now(self, regions: list[Region]) -> None:
        """Read the regions; returns at its deadline at the latest."""
        ...


@dataclass(frozen=True, slots=True)
class CapacityListing:
    """Capacity region by region, and in total."""

    regions: tuple[RegionCapacity, ...]
    totals: CapacityTotals


class CapacityService:
    """Capacity, for users."""

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        store: CapacityStore,
        regions: RegionService,
        reader: Reader,
        policy: Policy,
        thresholds: Mapping[str, float],
        clock: Clock,
        *,
        shared_for: float = 0,
    ) -> None:
        """`shared_for`: seconds for which those who ask for all regions share a listing."""
        self._shared: Shared[CapacityListing] = Shared(self._compute, shared_for, clock)
        self._store = store
        self._regions = regions
        self._reader = reader
        self._policy = policy
        self._thresholds = thresholds
        self._clock = clock

    async def list(
        self, requester: Requester, *, names: Sequence[str] = (), fresh: bool = False
    ) -> CapacityListing:
        """Capacity of all regions, or of those called `names`; `fresh` reads them first, in bounded time."""
        self._policy.require(requester, policies.LIST)
        if fresh:
            views = await self._regions.views(names)
            await self._reader.read_now([view.region for view in views if view.region.enabled])
            self._shared.forget()
        return await self.listing(names)

    async def listing(self, names: Sequence[str] = ()) -> CapacityListing:
        """The same, whoever asks: for metrics. What operators changed is in it at once."""
        if names:
            return await self._compute(names)
        return await self._shared.get(await self._regions.version())

    async def _compute(self, names: Sequence[str] = ()) -> CapacityListing:
        views = await self._regions.views(names)
        summaries = await self._store.summaries(names)
        now = self._clock.now()
        regions = tuple(
            region_capacity(view, summaries.get(view.region.id, {}), self._thresholds, now) for view in views
        )
        return CapacityListing(regions, totals(regions))

    async def fits(self, region: Region) -> Mapping[str, int]:
        """How many more servers of each flavor (by its id) fit into a region at most, whoever asks."""
        details = await self._store.details(region.id)
        placement, compute = details.get("placement"), details.get("compute")
        if not isinstance(placement, PlacementDetail) or not isinstance(compute, ComputeDetail):
            return {}
        return {flavor.id: fit.fits(flavor, placement.providers).fits for flavor in compute.flavors}

    async def show(self, requester: Requester, name: str, *, fresh: bool = False) -> CapacityDetail:
        """One region with its providers, hosts, pools, networks, stores and what fits. Raises `NotFound`."""
        self._policy.require(requester, policies.SHOW)
        region = (await self._regions.views([name]))[0].region
        if fresh and region.enabled:
            await self._reader.read_now([region])
        listing = await self.listing([name])
        details = await self._store.details(region.id)
        return _detail(listing.regions[0], details)


def region_capacity(
    view: RegionView, summaries: Mapping[str, Summary], thresholds: Mapping[str, float], now: datetime
) -> RegionCapacity:
    """One region's capacity, with warnings unless it is in maintenance or disabled."""

    def of(kind: type[S]) -> S | None:
        return next((item for item in summaries.values() if isinstance(item, kind)), None)

    capacity = RegionCapacity(
        region=view.region.name,
        state=view.state,
        services={name: view.services[name] for name in READ_SERVICES},
        placement=of(PlacementSummary),
        compute=of(ComputeSummary),
        volume=of(VolumeSummary),
        network=of(NetworkSummary),
        image=of(ImageSummary),
    )
    maintenance = view.region.maintenance
    if not view.region.enabled or (maintenance and maintenance.active(now)):
        return capacity
    return replace(capacity, warnings=tuple(warnings(capacity, thresholds)))


def warnings(capacity: RegionCapacity, thresholds: Mapping[str, float]) -> Iterable[CapacityWarning]:
    """The resources of which less than their threshold (percent) is free."""
    for resource, threshold in sorted(thresholds.items()):
        share = _percent_free(capacity, resource)
        if share is not None and share < threshold:
            yield CapacityWarning(resource, round(share, 1), threshold)


def _percent_free(capacity: RegionCapacity, resource: str) -> float | None:
    if resource == "volume":
        free, whole = (capacity.volume.free, capacity.volume.total) if capacity.volume else (0, 0)
    elif resource == "external_ipv4":
        count = capacity.network.external_ipv4 if capacity.network else None
        free, whole = (count.free, count.total) if count else (0, 0)
    else:
        figures = capacity.placement.resources.get(resource) if capacity.placement else None
        free, whole = (figures.free, figures.usable) if figures else (0, 0)
    return 100 * free / whole if whole else None


def _detail(region: RegionCapacity, details: Mapping[str, Detail]) -> CapacityDetail:
    detail = CapacityDetail(region)
    placement, compute = details.get("placement"), details.get("compute")
    if isinstance(placement, PlacementDetail):
        detail = replace(detail, providers=placement.providers)
    if isinstance(compute, ComputeDetail):
        flavors = tuple(fit.fits(flavor, detail.providers) for flavor in compute.flavors)
        detail = replace(detail, hosts=compute.hosts, flavors=flavors)
    for part in details.values():
        if isinstance(part, VolumeDetail):
            detail = replace(detail, pools=part.pools)
        elif isinstance(part, NetworkDetail):
            detail = replace(detail, networks=part.networks, subnet_pools=part.subnet_pools)
        elif isinstance(part, ImageDetail):
            detail = replace(detail, stores=part.stores)
    return detail
