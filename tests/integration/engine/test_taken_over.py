"""Several processes on one PostgreSQL: what one leaves undone, another does."""

import signal
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import SystemClock
from multisite.db.engine import STANDSTILL, Database
from multisite.db.tables import operations
from multisite.engine.executors import Executors
from multisite.engine.model import State
from tests.integration.engine.conftest import Desk, Nursery
from tests.integration.engine.executor import STEPS

BEAT, TTL = 0.2, 1.0
#: What a busy machine may add (seconds).
SLACK = 2.0
EVERYTHING = [f"+one-{number}" for number in range(1, STEPS + 1)]


@pytest.fixture
def database_kind() -> str:
    return "postgresql"


def begun(desk: Desk, operation_id: str, things: int = 2) -> None:
    """Wait until some of the things are there."""
    desk.until(lambda: len(desk.world.things) >= things)
    assert desk.operation(operation_id).state is State.RUNNING


def test_the_work_of_a_dead_process_is_taken_over_in_time(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.2)
    first = nursery.start(desk.orders("first", beat=BEAT, ttl=TTL))
    begun(desk, operation_id)
    second = nursery.start(desk.orders("second", beat=BEAT, ttl=TTL))
    desk.until(lambda: "second" in desk.executors())
    nursery.kill(first)
    took = desk.until(lambda: desk.parts(operation_id)[0].attempts == 2)
    assert took < TTL + BEAT + SLACK
    assert desk.wait(operation_id).state is State.SUCCEEDED
    assert desk.world.log == EVERYTHING
    nursery.kill(second)


def test_without_signs_of_life_that_are_missed_nobody_takes_over(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.2)
    first = nursery.start(desk.orders("first", beat=BEAT, ttl=TTL))
    begun(desk, operation_id)
    second = nursery.start(desk.orders("second", beat=BEAT, ttl=1000))
    desk.until(lambda: "second" in desk.executors())
    nursery.kill(first)
    with pytest.raises(AssertionError):
        desk.wait(operation_id, 4 * (TTL + BEAT))
    nursery.kill(second)


@pytest.mark.parametrize("fenced", [True, False])
def test_a_process_that_stood_still_writes_nothing_of_what_others_do(
    desk: Desk, nursery: Nursery, *, fenced: bool
) -> None:
    operation_id = desk.begin(pause=0.3)
    first = nursery.start(desk.orders("first", beat=BEAT, ttl=TTL, careless=True, unfenced=not fenced))
    begun(desk, operation_id)
    second = nursery.start(desk.orders("second", beat=BEAT, ttl=TTL, careless=True))
    desk.until(lambda: "second" in desk.executors())
    there = len(desk.world.things)
    desk.until(lambda: len(desk.world.things) > there)
    time.sleep(0.15)
    nursery.signal(first, signal.SIGSTOP)  # in the pause of a step, before it makes its thing
    desk.until(lambda: desk.parts(operation_id)[0].attempts == 2)
    there = len(desk.world.things)
    desk.until(lambda: len(desk.world.things) > there)
    nursery.signal(first, signal.SIGCONT)
    operation = desk.wait(operation_id)
    if not fenced:
        assert any(line.startswith("!") for line in desk.world.log), "it went on with its step"
        nursery.kill(second)
    else:
        assert operation.state is State.SUCCEEDED
        assert desk.world.log == EVERYTHING
        desk.until(lambda: "first" in desk.executors())
        nursery.kill(second)
        another = desk.begin(("two",))
        assert desk.wait(another).state is State.SUCCEEDED, "it works on under its next incarnation"
    nursery.kill(first)


def test_one_that_stands_still_amid_many_parts_holds_nobody_up(desk: Desk, nursery: Nursery) -> None:
    names = [f"part{number}" for number in range(20)]
    operation_id = desk.begin(names, pause=0.1)
    first = nursery.start(desk.orders("first", beat=BEAT, ttl=TTL))
    second = nursery.start(desk.orders("second", beat=BEAT, ttl=TTL))
    desk.until(lambda: {"first", "second"} <= desk.executors() and len(desk.world.things) > 20)
    nursery.signal(first, signal.SIGSTOP)  # some of its transactions are open, and wait for each other
    assert desk.until(lambda: "first" not in desk.executors()) < TTL + BEAT + SLACK
    assert desk.wait(operation_id, 60).state is State.SUCCEEDED
    nursery.signal(first, signal.SIGCONT)
    assert sorted(desk.world.log) == sorted(f"+{name}-{n}" for name in names for n in range(1, STEPS + 1))
    for pid in (first, second):
        nursery.kill(pid)


def test_locks_of_one_that_stands_still_end_with_it(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin()
    ghost = Database(desk.url, owner="ghost")
    executors = Executors(ghost, SystemClock(), name="ghost", ttl=TTL)

    async def stand_still() -> AsyncConnection:
        """Keep locks that all others need: that of the operation, and that of our own row."""
        await executors.enter()
        connection = await ghost._engine.connect()
        await executors.fence.check(connection)
        await connection.execute(sa.update(operations).values(generation=operations.c.generation + 1))
        return connection

    connection = desk.run(stand_still())
    second = nursery.start(desk.orders("second", beat=BEAT, ttl=TTL))
    desk.until(lambda: "second" in desk.executors())
    assert desk.until(lambda: "ghost" not in desk.executors()) < STANDSTILL
    assert desk.wait(operation_id).state is State.SUCCEEDED
    nursery.kill(second)
    desk.run(connection.invalidate())
    desk.run(connection.close())
    desk.run(ghost.close())


def test_one_that_ends_in_mid_work_lets_no_part_fail(desk: Desk, nursery: Nursery) -> None:
    names = [f"part{number}" for number in range(150)]
    operation_id = desk.begin(names, kind="busy")
    first = nursery.start(desk.orders("first", ttl=1000, beat=BEAT))
    desk.until(lambda: len(desk.world.log) > 20)
    nursery.signal(first, signal.SIGTERM)
    assert nursery.wait(first) == 0
    assert not desk.operation(operation_id).state.ended
    second = nursery.start(desk.orders("second", ttl=1000, beat=BEAT))
    operation = desk.wait(operation_id, 60)
    assert operation.state is State.SUCCEEDED, operation
    nursery.kill(second)


def test_a_process_that_ends_as_it_should_hands_over_at_once(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.2)
    first = nursery.start(desk.orders("first", ttl=1000, beat=BEAT))
    begun(desk, operation_id)
    second = nursery.start(desk.orders("second", ttl=1000, beat=BEAT))
    desk.until(lambda: "second" in desk.executors())
    nursery.signal(first, signal.SIGTERM)
    assert desk.wait(operation_id).state is State.SUCCEEDED
    assert desk.world.log == EVERYTHING
    assert nursery.wait(first) == 0
    nursery.kill(second)


def test_a_newer_multisite_goes_on_with_what_an_older_one_began(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.2)
    older = nursery.start(desk.orders("older", beat=BEAT, ttl=TTL))
    begun(desk, operation_id)
    nursery.kill(older)
    newer = nursery.start(desk.orders("newer", beat=BEAT, ttl=TTL, steps=STEPS + 1))
    assert desk.wait(operation_id).state is State.SUCCEEDED
    assert desk.world.log == [*EVERYTHING, f"+one-{STEPS + 1}"]
    nursery.kill(newer)


def test_a_part_of_another_form_waits_for_those_who_know_it(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.1)
    first = nursery.start(desk.orders("first", beat=BEAT, ttl=TTL))
    begun(desk, operation_id)
    other = nursery.start(desk.orders("other", beat=BEAT, ttl=TTL, form="multisite-2"))
    desk.until(lambda: "other" in desk.executors())
    nursery.kill(first)
    with pytest.raises(AssertionError):
        desk.wait(operation_id, 3 * (TTL + BEAT))
    third = nursery.start(desk.orders("third", beat=BEAT, ttl=TTL))
    assert desk.wait(operation_id).state is State.SUCCEEDED
    assert desk.world.log == EVERYTHING
    for pid in (other, third):
        nursery.kill(pid)
