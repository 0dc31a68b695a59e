"""Schedules: each tick once, whatever the clocks of the processes say."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.tables import schedule_ticks
from multisite.engine.schedules import Schedule, Scheduling

BEGIN = datetime(2026, 11, 22, 0, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)
EVERY = {"often": 300, "hourly": 3600, "odd": 1007}


class Process:
    """One process with a clock that is wrong by `skew`, and what it began."""

    def __init__(self, database: Database, name: str, skew: timedelta) -> None:
        self.clock = FixedClock(BEGIN + skew)
        self.begun: Counter[str] = Counter()
        schedules = [Schedule(each, every, self._begin(each)) for each, every in EVERY.items()]
        self.scheduling = Scheduling(database, self.clock, name, schedules)

    def _begin(self, name: str) -> Callable[[AsyncConnection], Awaitable[str]]:
        async def begin(_: AsyncConnection) -> str:
            self.begun[name] += 1
            return f"operation of {name}"

        return begin


async def claimed(database: Database) -> dict[str, list[int]]:
    """The ticks that were begun, by schedule."""
    query = sa.select(schedule_ticks.c.schedule, schedule_ticks.c.tick).order_by(schedule_ticks.c.tick)
    found: dict[str, list[int]] = {name: [] for name in EVERY}
    async with database.read() as connection:
        for name, tick in await connection.execute(query):
            found[name].append(tick)
    return found


@pytest.mark.parametrize("skew", [0, 40, 400], ids="clocks differ by {} s".format)
async def test_each_tick_of_a_day_is_begun_once_by_two_processes(
    database: Database, second_database: Database, skew: int
) -> None:
    ahead = timedelta(seconds=skew)
    processes = [Process(database, "one", ahead), Process(second_database, "two", timedelta())]
    now = BEGIN
    step = timedelta(seconds=30)
    while now < BEGIN + DAY:
        await asyncio.gather(*(process.scheduling.look() for process in processes))
        for process in processes:
            process.clock.advance(step)
        now += step
    begun = sum((process.begun for process in processes), Counter[str]())
    last = (now - step + ahead).timestamp()
    for name, numbers in (await claimed(database)).items():
        assert numbers == list(range(numbers[0], int(last // EVERY[name]) + 1)), "none is left out"
        assert BEGIN.timestamp() // EVERY[name] <= numbers[0] <= (BEGIN + ahead).timestamp() // EVERY[name]
        assert begun[name] == len(numbers), "each was begun once"


async def test_a_clock_that_goes_back_begins_nothing_twice(database: Database) -> None:
    process = Process(database, "one", timedelta())
    assert [name for name, _ in await process.scheduling.look()] == list(EVERY)
    again = Process(database, "two", timedelta(hours=-3))
    assert await again.scheduling.look() == []
    again.clock.advance(timedelta(hours=3, minutes=1))
    assert "hourly" not in dict(await again.scheduling.look())


async def test_ticks_that_nobody_saw_are_not_made_up_for(database: Database) -> None:
    process = Process(database, "one", timedelta())
    await process.scheduling.look()
    later = Process(database, "two", timedelta(hours=5))
    await later.scheduling.look()
    assert later.begun == dict.fromkeys(EVERY, 1)


async def test_a_tick_whose_beginning_failed_is_begun_again(database: Database) -> None:
    times = 0

    async def begin(_: AsyncConnection) -> str:
        nonlocal times
        times += 1
        if times == 1:
            raise RuntimeError("no room")
        return "operation"

    scheduling = Scheduling(database, FixedClock(BEGIN), "one", [Schedule("once", 60, begin)])
    with pytest.raises(RuntimeError):
        await scheduling.look()
    assert [name for name, _ in await scheduling.look()] == ["once"]
