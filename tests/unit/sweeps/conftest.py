"""The scheduler with all around it: sweeps that are noted, regions in memory, parts and a lease by word."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from multisite import settings
from multisite.clock import FixedClock
from multisite.db.lease import Lease
from multisite.regions.health import HealthBook, HealthRecord
from multisite.regions.model import Region
from multisite.regions.status import ServiceRow
from multisite.sweeps.scheduler import Scheduler
from multisite.sweeps.sharing import Move, Sharing
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

    def drop(self, _region_id: int) -> list[asyncio.Task[None]]:
        return []

    def client(self, region: Region) -> str:
        return region.name

    def services(self, _region: Region) -> list[str]:
        return ["compute", "volume"]


@dataclass
class Store:
    """Regions in memory, and the health that was written."""

    shares: "Shares"
    regions: list[Region] = field(default_factory=lambda: [ONE, TWO])
    written: list[HealthRecord] = field(default_factory=list)
    failure: Exception | None = None

    async def select(self) -> list[Region]:
        if self.failure:
            raise self.failure
        return self.regions

    async def swept_by(self, name: str) -> list[Region]:
        assert name == self.shares.name
        return [each for each in await self.select() if each.enabled and self.shares.ours(each.id)]

    async def services(self) -> dict[int, list[ServiceRow]]:
        return {}

    async def write_health(self, records: list[HealthRecord], _fence: object) -> bool:
        if self.failure:
            raise self.failure
        self.written += records
        return True


@dataclass
class Shares:
    """Which regions are ours: all but the `others`, until we are told to `move`."""

    others: set[int] = field(default_factory=set)
    move: Move = field(default_factory=Move)
    alive: bool = True
    busy: set[int] = field(default_factory=set)
    events: list[str] = field(default_factory=list)
    name: str = "us"
    fence: None = None
    enabled: int = 2

    def ours(self, region_id: int | None) -> bool:
        return region_id not in self.others

    @property
    def held(self) -> set[int]:
        return {1, 2} - self.others

    async def look(self, busy: Any) -> Move:
        self.busy = set(busy)
        move, self.move = self.move, Move()
        return move

    async def give(self, region_ids: Any) -> None:
        self.others |= set(region_ids)

    async def take(self, region_ids: Any) -> None:
        self.others -= set(region_ids)

    def lose(self) -> None:
        self.others = {1, 2}

    async def leave(self) -> None:
        self.events.append("left")


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
    shares: Shares
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
    sweeps, shares, lease = Sweeps(), Shares(), Held()
    store = Store(shares)
    scheduler = Scheduler(
        cast("Sweeper", sweeps),
        cast("Any", store),
        HealthBook(),
        cast("Sharing", shares),
        cast("Lease", lease),
        replace(settings.load(files=[]).sweep, jitter=0.0),
        clock,
    )
    return World(scheduler, sweeps, store, shares, lease, clock)
