"""One sweep of one region: read every service at once, store what came.

Each service has a deadline of its own, and whatever goes wrong with one stays with it: a region that
lies, hangs or answers garbage costs its own figures and nobody else's. The zones of Placement's
providers come from Nova's answer of the same sweep, or from the last one where Nova does not answer.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import TypeVar

from multisite.capacity.details import ComputeDetail, PlacementDetail
from multisite.capacity.documents import Detail, Summary
from multisite.capacity.model import placement_summary
from multisite.capacity.readers import compute, image, network, placement, volume
from multisite.capacity.readers.subnet_pools import PoolMemory
from multisite.capacity.store import Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import Clock
from multisite.engine.executors import Fence, Fencing, unfenced
from multisite.errors import MultisiteError
from multisite.openstack.breaker import Breaker
from multisite.openstack.client import RegionClient, Regions, Target
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.regions.discovery import endpoints, target_of, with_versions
from multisite.regions.model import READ_SERVICES, Endpoint, Region
from multisite.regions.states import CallError
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.probes import probe

LOG = logging.getLogger(__name__)

D = TypeVar("D", bound=Detail)

#: Versions of services change with upgrades: asked for this often (seconds).
VERSION_AGE = 3600.0
#: A service whose version could not be read is asked again after this long (seconds).
VERSION_RETRY = 30.0


@dataclass(slots=True)
class _Memory:
    """What is remembered of one region between sweeps; losing it costs only calls."""

    target: Target
    inventories: placement.InventoryMemory
    pools: PoolMemory
    compute: ComputeDetail | None = None
    services: dict[str, str] = field(default_factory=dict)
    versions_at: float = float("-inf")
    known: dict[str, Endpoint] = field(default_factory=dict)
    known_until: float = float("-inf")
    images_at: float = float("-inf")
    odd: set[str] = field(default_factory=set)


class Sweeper:
    """Reads regions and stores what it read; lives on the region loop."""

    def __init__(
        self,
        clients: Regions,
        regions: RegionStore,
        capacity: ObservationWriter,
        settings: SweepSettings,
        clock: Clock,
        fencing: Fencing = unfenced,
    ) -> None:
        self._clients = clients
        self._regions = regions
        self._capacity = capacity
        self._settings = settings
        self._clock = clock
        self._fencing = fencing
        self._memories: dict[int, _Memory] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        self._following: dict[Target, asyncio.Task[None]] = {}

    async def sweep(self, region: Region, *, images: bool = False) -> None:
        """Read one region and store it; callers at the same time share one sweep.

        `images` reads the list of images even before its interval is over.
        """
        running = self._running.get(region.id)
        if running is None or running.done():
            running = asyncio.create_task(self._sweep(region, images=images))
            self._running[region.id] = running
        await asyncio.shield(running)

    async def sweep_now(self, regions: list[Region], deadline: float) -> None:
        """Read several regions at once; those that take longer than `deadline` go on in the background.

        A sweep that is under way may have read something before it changed: it is waited for, and another one
        follows it, which all who wait share.
        """
        if regions:
            tasks = [asyncio.create_task(self._sweep_after(region)) for region in regions]
            await asyncio.wait(tasks, timeout=deadline)

    async def stop(self) -> None:
        """End the sweeps that are under way; those are shielded from whoever waited for them."""
        tasks = [*self._following.values(), *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._capacity.close()

    def client(self, region: Region) -> RegionClient:
        """The client of a region."""
        return self._clients.client(target_of(region))

    def services(self, region: Region) -> list[str]:
        """The services of a region as last discovered; before that, those whose figures are read."""
        return sorted(self._memory(region).services) or list(READ_SERVICES)

    def forget(self, region_id: int, name: str) -> None:
        """Drop what is remembered of a region that was deleted, or is another one now."""
        self._memories.pop(region_id, None)
        self._running.pop(region_id, None)
        self._clients.forget(name)

    def drop(self, region_id: int) -> Collection[asyncio.Task[None]]:
        """End the sweep of a region that another process sweeps from now on; what is ending."""
        running = self._running.pop(region_id, None)
        if running is None:
            return []
        running.cancel()
        return [running]

    async def _sweep_after(self, region: Region) -> None:
        """Read one region in a sweep that begins now or later; failures are told in the log."""
        target, running = target_of(region), self._running.get(region.id)
        following = self._following.get(target)
        if following is None and running is not None and not running.done():
            following = asyncio.create_task(self._follow(region, running))
            self._following[target] = following
        try:
            await (asyncio.shield(following) if following else self.sweep(region, images=True))
        except MultisiteError as error:
            LOG.log(error.log_level, "region %s: the sweep was lost: %s", region.name, error.detail)
        except Exception:
            LOG.exception("region %s: the sweep stumbled", region.name)

    async def _follow(self, region: Region, running: asyncio.Task[None]) -> None:
        await asyncio.wait([running])
        del self._following[target_of(region)]
        await self.sweep(region, images=True)

    async def _sweep(self, region: Region, *, images: bool) -> None:
        client, fence = self.client(region), self._fencing()
        memory = self._memory(region)
        await self._discover(client, region, memory, fence)
        reads = [
            self._observe(client, "placement", lambda: placement.read(client, memory.inventories), _later),
            self._observe(client, "compute", lambda: compute.read(client), compute.summarize),
            self._observe(client, "volume", lambda: volume.read(client), volume.summarize),
            self._observe(client, "network", lambda: network.read(client, memory.pools), network.summarize),
        ]
        now = self._clock.monotonic()
        if images or now - memory.images_at >= self._settings.image_interval:
            reads.append(self._observe(client, "image", lambda: image.read(client), image.summarize))
        results = [result for result in await asyncio.gather(*reads) if result is not None]
        if any(result.service == "image" and result.error is None for result in results):
            memory.images_at = now
        _tell(region, memory, results)
        await self._capacity.write(region.id, self._placed(results, memory), memory.target, fence)

    async def _observe(
        self,
        client: RegionClient,
        service: str,
        read: Callable[[], Awaitable[D]],
        summarize: Callable[[D], Summary | None],
    ) -> Observation | None:
        """One service's observation.

        `None` where nothing was learned: the region does not have the service, or its breaker is open, or
        the one trial call that a half-open breaker admits failed (its health has that).
        """
        if client.breaker(service) is not Breaker.CLOSED and not await probe(client, service):
            return None
        try:
            async with asyncio.timeout(self._settings.deadline):
                detail = await read()
                return Observation(service, self._clock.now(), summarize(detail), detail)
        except RegionCallError as error:
            if error.code in {"no-endpoint", "breaker-open"}:
                return None
            failure = CallError(error.code, error.detail)
        except TimeoutError:
            failure = CallError("timeout", f"reading took longer than {self._settings.deadline:g} s")
        except GARBAGE as error:
            failure = CallError("unexpected-answer", what_is_odd(error))
        return Observation(service, self._clock.now(), error=failure)

    def _placed(self, results: list[Observation], memory: _Memory) -> list[Observation]:
        """The results, with Placement's providers in their zones and summed."""
        for result in results:
            if isinstance(result.detail, ComputeDetail):
                memory.compute = result.detail
        placed = []
        for result in results:
            if isinstance(result.detail, PlacementDetail):
                detail = placement.place(result.detail, memory.compute)
                summary = placement_summary(detail.providers)
                placed.append(Observation(result.service, result.at, summary, detail))
            else:
                placed.append(result)
        return placed

    async def _discover(
        self, client: RegionClient, region: Region, memory: _Memory, fence: Fence | None
    ) -> None:
        """Store the region's services when its catalog changed or their versions are old."""
        try:
            found = await endpoints(client)
        except RegionCallError as error:
            LOG.info("region %s: no catalog: %s", region.name, error.detail)
            return
        urls = {endpoint.type: endpoint.url for endpoint in found}
        now = self._clock.monotonic()
        if urls == memory.services and now < memory.versions_at:
            return
        if urls != memory.services or now >= memory.known_until:
            memory.known, memory.known_until = {}, now + VERSION_AGE
        asked = await with_versions(client, [each for each in found if each.type not in memory.known])
        memory.known |= {each.type: each for each in asked if each.version}
        found = [memory.known.get(each.type, each) for each in found]
        async with self._regions.database.write() as connection:
            if fence is not None and not await fence.stands(connection):
                return
            await self._regions.replace_services(connection, region.id, found, memory.target)
        memory.services = urls
        memory.versions_at = now + (VERSION_AGE if _complete(found) else VERSION_RETRY)

    def _memory(self, region: Region) -> _Memory:
        memory, target = self._memories.get(region.id), target_of(region)
        if memory is None or memory.target != target:
            inventories = placement.InventoryMemory(self._clock, self._settings.inventory_age)
            pools = PoolMemory(self._clock, self._settings.image_interval)
            memory = self._memories[region.id] = _Memory(target, inventories, pools)
        return memory


def _complete(found: list[Endpoint]) -> bool:
    return all(endpoint.version for endpoint in found)


def _tell(region: Region, memory: _Memory, results: list[Observation]) -> None:
    """A line in the log when a service begins to answer what cannot be, and one when it ends."""
    for result in results:
        odd = result.error is not None and result.error.code == "unexpected-answer"
        if odd and result.error and result.service not in memory.odd:
            memory.odd.add(result.service)
            LOG.warning("region %s: %s: %s", region.name, result.service, result.error.detail)
        elif result.error is None and result.service in memory.odd:
            memory.odd.remove(result.service)
            LOG.info("region %s: %s answers as it should again", region.name, result.service)


def _later(_: PlacementDetail) -> None:
    """Placement is summed when its providers are in their zones."""
