"""One computation for all who ask at about the same time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from multisite.capacity.shared import Shared
from multisite.clock import FixedClock


class Work:
    """Counts how often it is done; waits for `go`, and fails where it shall."""

    def __init__(self) -> None:
        self.times = 0
        self.go = asyncio.Event()
        self.go.set()
        self.fails = False

    async def __call__(self) -> int:
        self.times += 1
        number = self.times
        await self.go.wait()
        if self.fails:
            raise RuntimeError("no database")
        return number


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, tzinfo=UTC))


async def test_those_who_ask_together_share_one_computation(clock: FixedClock) -> None:
    work = Work()
    shared = Shared(work, 1, clock)
    assert await asyncio.gather(*(shared.get("a") for _ in range(5))) == [1] * 5
    clock.advance(timedelta(seconds=0.5))
    assert await shared.get("a") == 1


async def test_it_is_computed_anew_when_it_is_old_or_for_another_version(clock: FixedClock) -> None:
    work = Work()
    shared = Shared(work, 1, clock)
    assert await shared.get("a") == 1
    assert await shared.get("b") == 2
    clock.advance(timedelta(seconds=1))
    assert await shared.get("b") == 3
    shared.forget()
    assert await shared.get("b") == 4


async def test_without_a_time_nobody_gets_what_was_computed_before(clock: FixedClock) -> None:
    shared = Shared(Work(), 0, clock)
    assert [await shared.get("a"), await shared.get("a")] == [1, 2]


async def test_who_gives_up_does_not_end_it_for_the_others(clock: FixedClock) -> None:
    work = Work()
    work.go.clear()
    shared = Shared(work, 1, clock)
    first, second = (asyncio.create_task(shared.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    work.go.set()
    assert await second == 1


async def test_a_failure_is_told_to_those_who_waited_and_to_nobody_else(clock: FixedClock) -> None:
    work = Work()
    work.fails = True
    shared = Shared(work, 1, clock)
    with pytest.raises(RuntimeError):
        await shared.get("a")
    work.fails = False
    assert await shared.get("a") == 2
