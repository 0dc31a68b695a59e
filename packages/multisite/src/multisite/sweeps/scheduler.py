"""When each region is read.

One loop looks at what is due: a sweep per region and interval (with jitter, so that a thousand regions do not
fall due at once), a probe per service that was not heard from, a flush of the health book, and whatever other
periodic work was handed in. It reads the regions that this process holds (`sharing`) and no others; work that
is for all regions together is done by the one process that has the lease for it. The loop survives every
failure of a region or of the database, and says so in the log.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from multisite.clock import Clock
from multisite.db.lease import Lease
from multisite.errors import MultisiteError
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.probes import probe
from multisite.sweeps.sharing import Sharing
from multisite.sweeps.sweeper import Sweeper

LOG = logging.getLogger(__name__)

#: Seconds between two looks at what is due, if the regions are not shared out more often.
TICK = 1.0

#: Seconds that the end of a sweep which was cut off is waited for.
PATIENCE = 5.0

#: Periodic work of other domains, called at every tick with regions.
Periodic = Callable[[Sequence[Region]], Awaitable[None]]
#: Ends what other domains read of a region (by id) that is ours no more; what is ending.
Drop = Callable[[int], Collection["asyncio.Task[None]"]]


@dataclass(slots=True)
class _Plan:
    """What is planned for one region; times are monotonic."""

    region: Region
    sweep_at: float
    probe_at: float
    task: asyncio.Task[None] | None = None
    probing: asyncio.Task[None] | None = None


@dataclass(slots=True)
class SchedulerStatus:
    """What the health check and the metrics tell of the loop.

    `regions` are swept by this process, of `enabled` that all processes share.
    """

    regions: int = 0
    enabled: int = 0
    last_tick_at: float = float("-inf")
    sweeps: int = 0
    failures: int = 0


@dataclass(slots=True)
class Scheduler:
    """Runs sweeps and probes; lives on the region loop.

    `periodic` work gets the regions that this process sweeps, and `drop` those that it does no more; work
    `together` gets all regions, in one process only.
    """

    sweeper: Sweeper
    store: RegionStore
    book: HealthBook
    sharing: Sharing
    totals: Lease
    settings: SweepSettings
    clock: Clock
    tick: float = TICK
    periodic: Sequence[Periodic] = ()
    together: Sequence[Periodic] = ()
    drop: Sequence[Drop] = ()
    status: SchedulerStatus = field(default_factory=SchedulerStatus)
    _plans: dict[int, _Plan] = field(default_factory=dict)
    _ending: set["asyncio.Task[Any]"] = field(default_factory=set)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(50))

    async def run(self) -> None:
        """Work until cancelled; `stop` tidies up afterwards."""
        self._slots = asyncio.Semaphore(self.settings.regions_at_once)
        while True:
            await self._tick_safely()
            await asyncio.sleep(min(self.tick, TICK))

    async def stop(self) -> None:
        """End what is under way, and give the regions up: nobody need wait for our end."""
        await self._if_it_can_be(self._flush)
        await self._ended(list(self._plans))
        await self._if_it_can_be(self.sharing.leave)
        await self._if_it_can_be(self.totals.release)

    def lose(self) -> None:
        """Drop everything at once: this process was taken for dead, and others sweep its regions."""
        if self._plans:
            LOG.warning("%d regions are swept by other processes from now on", len(self._plans))
        self._end(list(self._plans))
        self.book.take_changes()
        self.sharing.lose()

    async def _if_it_can_be(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except MultisiteError as error:
            LOG.log(error.log_level, "the end is not tidy: %s", error.detail)

    async def _tick_safely(self) -> None:
        try:
            await self._tick()
        except MultisiteError as error:
            self.status.failures += 1
            LOG.log(error.log_level, "the sweep waits: %s", error.detail)
        except Exception:
            self.status.failures += 1
            LOG.exception("the sweep stumbled and goes on")

    async def _tick(self) -> None:
        self.status.last_tick_at = self.clock.monotonic()
        if not self.sharing.alive:
            return  # others may sweep our regions already: the engine finds out
        await self._flush()
        await self._share()
        await self._reload()
        now = self.clock.monotonic()
        for plan in self._plans.values():
            self._start_due(plan, now)
        await self._work(self.periodic, [plan.region for plan in self._plans.values()])
        if await self.totals.hold():
            await self._work(
                self.together, [region for region in await self.store.select() if region.enabled]
            )

    async def _work(self, kinds: Iterable[Periodic], regions: Sequence[Region]) -> None:
        for work in kinds:
            await work(regions)

    async def _flush(self) -> None:
        records = self.book.take_changes()
        if records:
            try:
                if not await self.store.write_health(records, self.sharing.fence):
                    LOG.warning("what calls taught is not stored: this process was taken for dead")
            except MultisiteError:
                self.book.give_back(records)
                raise

    async def _share(self) -> None:
        """Take and give up regions, where that is due; one that goes is swept no more before it is free."""
        move = await self.sharing.look(self._busy())
        if move.give:
            await self._ended(move.give)
            await self.sharing.give(move.give)
        await self.sharing.take(move.take)
        self.status.regions, self.status.enabled = len(self.sharing.held), self.sharing.enabled

    def _busy(self) -> Collection[int]:
        return {region_id for region_id, plan in self._plans.items() if plan.task and not plan.task.done()}

    async def _reload(self) -> None:
        """Follow what operators changed, and what we hold: new regions, changed ones, those that are gone."""
        regions = {region.id: region for region in await self.store.swept_by(self.sharing.name)}
        self._end([region_id for region_id in self._plans if region_id not in regions])
        now = self.clock.monotonic()
        if any(region_id not in self._plans for region_id in regions):
            await self._load_health(regions)
        for region in regions.values():
            plan = self._plans.get(region.id)
            if plan is None:
                self._plans[region.id] = _Plan(region, now, now + self.settings.health_interval)
            elif plan.region.generation != region.generation:
                self.sweeper.forget(region.id, plan.region.name)
                plan.region, plan.sweep_at = region, now

    async def _load_health(self, regions: dict[int, Region]) -> None:
        for region_id, rows in (await self.store.services()).items():
            if region_id in regions and region_id not in self._plans:
                self.book.load(regions[region_id].name, rows)

    async def _ended(self, region_ids: Iterable[int]) -> None:
        """As `_end`, and wait for what was under way; not for ever."""
        self._end(region_ids)
        if self._ending:
            await asyncio.wait(self._ending, timeout=PATIENCE)

    def _end(self, region_ids: Iterable[int]) -> None:
        """Plan nothing more for regions, and end what is under way; it is in `_ending` until it has ended."""
        for region_id in region_ids:
            plan = self._plans.pop(region_id, None)
            if plan is None:
                continue
            tasks = [task for task in (plan.task, plan.probing) if task]
            for drop in (self.sweeper.drop, *self.drop):
                tasks += drop(region_id)
            for task in tasks:
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
            self.sweeper.forget(region_id, plan.region.name)
            self.book.forget(plan.region.name)

    def _start_due(self, plan: _Plan, now: float) -> None:
        if now >= plan.sweep_at and (plan.task is None or plan.task.done()):
            plan.sweep_at = now + self._spread(plan.region.sweep_interval or self.settings.interval)
            plan.task = asyncio.create_task(self._sweep(plan.region))
        if now >= plan.probe_at and (plan.probing is None or plan.probing.done()):
            plan.probe_at = now + self._spread(self.settings.health_interval / 3)
            plan.probing = asyncio.create_task(self._probe(plan))

    def _spread(self, interval: float) -> float:
        return interval * random.uniform(1 - self.settings.jitter, 1 + self.settings.jitter)  # noqa: S311

    async def _sweep(self, region: Region) -> None:
        async with self._slots:
            try:
                await self.sweeper.sweep(region)
                self.status.sweeps += 1
            except MultisiteError as error:
                self.status.failures += 1
                LOG.log(error.log_level, "region %s: the sweep was lost: %s", region.name, error.detail)
            except Exception:
                self.status.failures += 1
                LOG.exception("region %s: the sweep stumbled", region.name)

    async def _probe(self, plan: _Plan) -> None:
        try:
            await self._probe_silent(plan)
        except Exception:
            LOG.exception("region %s: the probes stumbled", plan.region.name)

    async def _probe_silent(self, plan: _Plan) -> None:
        """Probe the services that were not heard from; a region of which one is back is swept at once."""
        region, now = plan.region, self.clock.now()
        client = self.sweeper.client(region)
        silent = [
            service
            for service in self.sweeper.services(region)
            if self.book.silent(region.name, service, now, self.settings.health_interval)
        ]
        down = {service for service in silent if self.book.failing(region.name, service)}
        answers = await asyncio.gather(*(probe(client, service) for service in silent))
        if any(answer and service in down for service, answer in zip(silent, answers, strict=True)):
            plan.sweep_at = self.clock.monotonic()
