"""The scheduler with all around it: sweeps that are noted, regions in memory, a lease that is a flag."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from multisite import settings
from multisite.clock import FixedClock
from multisite.regions.health import HealthBook, HealthRecord
from multisite.regions.model import Region
from multisite.regions.status import ServiceRow
from multisite.sweeps.lease import Lease
from multisite.sweeps.scheduler import Scheduler
from multisite.sweeps.sweeper import Sweeper

ONE = Region("one", "one", "c", id=1)
TWO = Region("two", "two", "c", id=2)


@dataclass
class Sweeps:
    """Notes what is swept; a region in `held` is not done before its event is set."""

    swept: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    failure: Exception | None = None

    async def sweep(self, region: Region) -> None:
        self.swept.append(region.name)
        if region.name in self.held:
            await self.held[region.name].wait()
        if self.failure:
            raise self.failure

    def forget(self, _region_id: int, name: str) -> None:
        self.forgotten.append(name)

    def client(self, region: Region) -> str:
        return region.name

    def services(self, _region: Region) -> list[str]:
        return ["compute", "volume"]


@dataclass
class Store:
    """Regions in memory, and the health that was written."""

    regions: list[Region] = field(default_factory=lambda: [ONE, TWO])
    written: list[HealthRecord] = field(default_factory=list)
    failure: Exception | None = None

    async def select(self) -> list[Region]:
        if self.failure:
            raise self.failure
        return self.regions

    async def services(self) -> dict[int, list[ServiceRow]]:
        return {}

    async def write_health(self, records: list[HealthRecord]) -> None:
        if self.failure:
            raise self.failure
        self.written += records


@dataclass
class Held:
    """A lease that is ours, or not."""

    ours: bool = True
    released: bool = False

    async def hold(self) -> bool:
        return self.ours

    async def release(self) -> None:
        self.released = True


@dataclass
class World:
    """The scheduler with everything around it."""

    scheduler: Scheduler
    sweeps: Sweeps
    store: Store
    lease: Held
    clock: FixedClock

    async def tick(self, after: float = 0.0) -> list[str]:
        """Move the clock, tick once, let what was started run; answers the names that were swept."""
        self.sweeps.swept.clear()
        self.clock.advance(timedelta(seconds=after))
        await self.scheduler._tick_safely()
        plans = self.scheduler._plans.values()
        tasks = [task for plan in plans for task in (plan.task, plan.probing) if task]
        waiting = {event for event in self.sweeps.held.values() if not event.is_set()}
        await asyncio.wait(tasks, timeout=0 if waiting else None) if tasks else None
        return sorted(self.sweeps.swept)


@pytest.fixture
def world(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> World:
    async def silence(_client: str, _service: str) -> bool:
        return False

    monkeypatch.setattr("multisite.sweeps.scheduler.probe", silence)
    sweeps, store, lease = Sweeps(), Store(), Held()
    scheduler = Scheduler(
        cast("Sweeper", sweeps),
        cast("Any", store),
        HealthBook(),
        cast("Lease", lease),
        replace(settings.load(files=[]).sweep, jitter=0.0),
        clock,
    )
    return World(scheduler, sweeps, store, lease, clock)
