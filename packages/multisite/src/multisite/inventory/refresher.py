"""Keeps the inventory fresh; lives on the region loop.

Each region is read once in an interval: its services at the same time, the kinds of a service one after
the other. A kind whose read fails keeps its rows, its mark, and gets the error; the kinds beside it are
stored as usual. Reads of one region never overlap, since each is the difference to what is stored: the next
one begins when all that the last one found is stored.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from multisite.clock import Clock
from multisite.engine.executors import Fence, Fencing, unfenced
from multisite.errors import MultisiteError
from multisite.inventory import grants
from multisite.inventory.kinds import KINDS, Kind
from multisite.inventory.model import Reading, Sync
from multisite.inventory.projects import Names, Projects
from multisite.inventory.reading import Reader
from multisite.inventory.store import InventoryStore, Stored
from multisite.inventory.writer import InventoryWriter
from multisite.inventory.writing import Outcome
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.regions.home import Clients as RegionClients
from multisite.regions.model import Region
from multisite.regions.states import CallError
from multisite.settings import InventorySettings

LOG = logging.getLogger(__name__)

#: Share of the interval by which the reads of many regions are spread.
JITTER = 0.1
#: Seconds within which a full listing of one kind has to end.
FILL_DEADLINE = 900.0
#: Regions whose stored state is read at once: more only wait for the database, each on a connection.
STORED_AT_ONCE = 4


class Clients(RegionClients, Protocol):
    """Gives the client of a region, and the address of its Keystone."""

    def keystone(self, region: Region) -> str:
        """The address of the Keystone of its credential. Raises `RegionCallError`."""
        ...


@dataclass(slots=True)
class RefreshStatus:
    """What the metrics tell of the refresh."""

    reads: int = 0
    failures: int = 0
    changed_items: int = 0


@dataclass(frozen=True, slots=True)
class _Work:
    """One refresh of one region; `outcomes` tell when what was read is stored."""

    region: Region
    client: RegionClient
    stored: Stored
    names: Names
    fence: Fence | None
    outcomes: "list[asyncio.Future[bool]]" = field(default_factory=list)


@dataclass(slots=True)
class InventoryRefresher:
    """Reads all kinds of all regions and stores what differs."""

    clients: Clients
    store: InventoryStore
    projects: Projects
    settings: InventorySettings
    at_once: int
    deadline: float
    clock: Clock
    fencing: Fencing = unfenced
    status: RefreshStatus = field(default_factory=RefreshStatus)
    _due: dict[int, float] = field(default_factory=dict)
    _members_due: dict[int, float] = field(default_factory=dict)
    _locks: dict[int, asyncio.Lock] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _scheduled_reads: dict[int, asyncio.Task[None]] = field(default_factory=dict)
    _slots: asyncio.Semaphore | None = None
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(STORED_AT_ONCE))
    _writer: InventoryWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = InventoryWriter(self.store.database)

    async def periodic(self, regions: Sequence[Region]) -> None:
        """Start the reads that are due; they run on their own."""
        if not self.settings.enabled:
            return
        now = self.clock.monotonic()
        self._forget({region.id for region in regions})
        for region in regions:
            if now >= self._due.get(region.id, float("-inf")):
                self._due[region.id] = float("inf")  # until this read has ended
                self._scheduled_reads[region.id] = self._spawn(self._scheduled(region))

    def drop(self, region_id: int) -> Collection[asyncio.Task[None]]:
        """End the read of a region that another process reads from now on; what is ending."""
        self._due.pop(region_id, None)
        reading = self._scheduled_reads.pop(region_id, None)
        if reading is None:
            return []
        reading.cancel()
        return [reading]

    async def read_now(self, regions: Sequence[Region], kinds: Sequence[Kind], deadline: float) -> None:
        """Read kinds of `regions`; what takes longer than `deadline` goes on in the background."""
        tasks = [self._spawn(self._refresh(region, kinds)) for region in regions]
        if tasks:
            await asyncio.wait(tasks, timeout=deadline)

    async def stop(self) -> None:
        """End the reads that are under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _forget(self, present: Collection[int]) -> None:
        for memory in (self._due, self._members_due, self._locks, self._scheduled_reads):
            for region_id in [region_id for region_id in memory if region_id not in present]:
                del memory[region_id]

    async def _scheduled(self, region: Region) -> None:
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.at_once)
        started = self.clock.monotonic()
        try:
            async with self._slots:
                started = self.clock.monotonic()
                await self._refresh(region, KINDS)
        finally:
            wait = self.settings.interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
            self._due[region.id] = started + wait

    async def _refresh(self, region: Region, kinds: Sequence[Kind]) -> None:
        try:
            async with self._locks.setdefault(region.id, asyncio.Lock()):
                await self._read_region(region, kinds)
        except MultisiteError as error:
            self.status.failures += 1
            LOG.log(error.log_level, "region %s: the inventory was not stored: %s", region.name, error.detail)
        except Exception:
            self.status.failures += 1
            LOG.exception("region %s: the read of the inventory stumbled", region.name)

    async def _read_region(self, region: Region, kinds: Sequence[Kind]) -> None:
        client, fence = self.clients.client(region), self.fencing()
        names = await self._names(region, client)
        async with self._asking:
            stored = await self.store.stored(region.id, [kind.name for kind in kinds])
        work = _Work(region, client, stored, names, fence)
        by_service: dict[str, list[Kind]] = {}
        for kind in kinds:
            by_service.setdefault(kind.service, []).append(kind)
        try:
            await asyncio.gather(*(self._service(work, some) for some in by_service.values()))
        finally:
            told = await asyncio.gather(*work.outcomes, return_exceptions=True)
        for each in told:
            if isinstance(each, BaseException):
                raise each

    async def _names(self, region: Region, client: RegionClient) -> Names:
        try:
            return await self.projects.of(region.id, self.clients.keystone(region), client)
        except RegionCallError as error:
            LOG.info("region %s: no names of projects: %s", region.name, error.detail)
            return {}

    async def _service(self, work: _Work, kinds: Sequence[Kind]) -> None:
        """Read the kinds of one service, until it does not answer."""
        for number, kind in enumerate(kinds):
            error = await self._kind(work, kind)
            if error is not None and error.code not in {"unexpected-answer", "forbidden", "not-found"}:
                for rest in kinds[number + 1 :]:
                    await self._store(work, rest, error)
                return

    async def _kind(self, work: _Work, kind: Kind) -> CallError | None:
        self.status.reads += 1
        sync = work.stored.syncs.get(kind.name, Sync())
        try:
            async with asyncio.timeout(FILL_DEADLINE if sync.full_at is None else self.deadline):
                reading = await self._read(work, kind, sync)
        except RegionCallError as failure:
            error = CallError(failure.code, failure.detail)
        except TimeoutError:
            error = CallError("timeout", f"reading all {kind.plural} took too long")
        except GARBAGE as failure:
            error = CallError("unexpected-answer", what_is_odd(failure))
        else:
            await self._store(work, kind, reading)
            self.status.changed_items += len(reading.changed) + len(reading.gone)
            return None
        self.status.failures += 1
        noted = error
        if error.code == "breaker-open" and sync.error_code and sync.failed_at:
            noted = CallError(sync.error_code, sync.error_detail)  # what opened it says more
        await self._store(work, kind, noted)
        return error

    async def _store(self, work: _Work, kind: Kind, found: Reading | CallError) -> None:
        now = self.clock.now()
        if isinstance(found, Reading):
            outcome = Outcome(
                work.region, kind.name, now, reading=found, project_names=work.names, fence=work.fence
            )
        else:
            outcome = Outcome(work.region, kind.name, now, error=found, fence=work.fence)
        work.outcomes.append(await self._writer.put(outcome))

    async def _read(self, work: _Work, kind: Kind, sync: Sync) -> Reading:
        known = work.stored.known[kind.name]
        now = self.clock.now()
        reader = Reader(work.client, kind, known, sync, now, self.settings.full_interval)
        reading = await reader.read()
        extra = _EXTRA.get(kind.name)
        if extra:
            await extra(self, work, reading)
        return reading

    async def _network_grants(self, work: _Work, reading: Reading) -> None:
        reading.grants = await grants.of_networks(work.client)
        reading.granted_kinds = tuple(grants.RBAC_KINDS.values())

    async def _image_grants(self, work: _Work, reading: Reading) -> None:
        """The members of images: of those that changed, and now and then of all that are shared."""
        now = self.clock.monotonic()
        asked = {key for key, item in reading.changed.items() if item.attributes["visibility"] == "shared"}
        reading.granted_ids = frozenset(reading.changed)
        everything = now >= self._members_due.get(work.region.id, float("-inf"))
        if everything and work.stored.known["image"]:
            stored = await self.store.ids_of_images(work.region.id, "shared")
            asked |= stored - reading.gone - reading.changed.keys()
            reading.granted_ids |= asked
        reading.grants = await grants.of_images(work.client, asked)
        reading.granted_kinds = ("image",)
        if everything:
            self._members_due[work.region.id] = now + self.settings.full_interval


_EXTRA: dict[str, Callable[[InventoryRefresher, _Work, Reading], Awaitable[None]]] = {
    "network": InventoryRefresher._network_grants,  # noqa: SLF001 - its own table
    "image": InventoryRefresher._image_grants,  # noqa: SLF001
}
