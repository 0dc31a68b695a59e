"""When each region is read.

One loop looks once a second at what is due: a sweep per region and interval (with jitter, so that a
thousand regions do not fall due at once), a probe per service that was not heard from, a flush of the
health book, and whatever other periodic work was handed in. Only the process that holds the lease reads;
the loop survives every failure of a region or of the database, and says so in the log.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from multisite.clock import Clock
from multisite.errors import MultisiteError
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.lease import Lease
from multisite.sweeps.probes import probe
from multisite.sweeps.sweeper import Sweeper

LOG = logging.getLogger(__name__)

#: Seconds between two looks at what is due.
TICK = 1.0

#: Periodic work of other domains: called at every tick while the lease is held, with the enabled regions.
Periodic = Callable[[Sequence[Region]], Awaitable[None]]


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
    """What the health check and the metrics tell of the loop."""

    holds_lease: bool = False
    last_tick_at: float = float("-inf")
    sweeps: int = 0
    failures: int = 0


@dataclass(slots=True)
class Scheduler:
    """Runs sweeps and probes; lives on the region loop."""

    sweeper: Sweeper
    store: RegionStore
    book: HealthBook
    lease: Lease
    settings: SweepSettings
    clock: Clock
    periodic: Sequence[Periodic] = ()
    status: SchedulerStatus = field(default_factory=SchedulerStatus)
    _plans: dict[int, _Plan] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(50))

    async def run(self) -> None:
        """Work until cancelled; `stop` tidies up afterwards."""
        self._slots = asyncio.Semaphore(self.settings.regions_at_once)
        while True:
            await self._tick_safely()
            await asyncio.sleep(TICK)

    async def stop(self) -> None:
        """End what is under way, and give the lease up so that another process need not wait for its end."""
        tasks = [task for plan in self._plans.values() for task in (plan.task, plan.probing) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._flush()
            await self.lease.release()
        except MultisiteError as error:
            LOG.log(error.log_level, "the lease was not given up: %s", error.detail)

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
        await self._flush()
        self.status.holds_lease = await self.lease.hold()
        if not self.status.holds_lease:
            self._plans.clear()
            return
        await self._reload()
        now = self.clock.monotonic()
        for plan in self._plans.values():
            self._start_due(plan, now)
        regions = [plan.region for plan in self._plans.values()]
        for work in self.periodic:
            await work(regions)

    async def _flush(self) -> None:
        records = self.book.take_changes()
        if records:
            try:
                await self.store.write_health(records)
            except MultisiteError:
                self.book.give_back(records)
                raise

    async def _reload(self) -> None:
        """Follow what operators changed: new regions, changed ones, deleted ones."""
        regions = {region.id: region for region in await self.store.select() if region.enabled}
        for region_id in [region_id for region_id in self._plans if region_id not in regions]:
            self._drop(self._plans.pop(region_id))
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

    def _drop(self, plan: _Plan) -> None:
        for task in (plan.task, plan.probing):
            if task:
                task.cancel()
        self.sweeper.forget(plan.region.id, plan.region.name)
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
