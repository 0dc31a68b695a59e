"""A write of a saga: not sent while it is not known whether we live, and never by a former incarnation."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from multisite.clock import FixedClock, SystemClock
from multisite.engine.executors import Executors, Fenced
from multisite.engine.saga import SILENCE_PAUSE, Saga, Step
from multisite.engine.writer import Writer
from multisite.engine.writes import RegionWrite
from multisite.openstack.client import Target
from multisite.openstack.once import Silenced
from multisite.openstack.users import Reply

WRITE = RegionWrite("north", "network", "POST", ("security-groups",), "make group web")
TARGET = Target("north", "north", "lab", "public")


BEAT = timedelta(seconds=5)


def executor(clock: FixedClock) -> Executors:
    """A process in its first incarnation, which has just beaten."""
    database: Any = None
    made = Executors(database, clock, name="one", ttl=20)
    made._incarnation, made._beaten_at = 1, clock.monotonic()
    return made


@dataclass
class Calls:
    """In place of regions: sends while the process may."""

    sent: int = 0
    tries: int = 0
    meanwhile: Callable[[], None] = lambda: None
    may_send: Callable[[], bool] = lambda: True
    regions: Any = field(init=False)

    def __post_init__(self) -> None:
        async def access() -> Any:
            return SimpleNamespace(token="t")

        self.regions = SimpleNamespace(client=lambda _: SimpleNamespace(access=access))

    def client(self, *words: Any) -> "Calls":
        """A client of a region; the last word says whether we may send."""
        self.may_send = words[-1]
        return self

    async def write(self, *words: Any, **more: Any) -> Reply:
        """One call, before which something happens."""
        del words, more
        self.tries += 1
        self.meanwhile()
        if not self.may_send():
            raise Silenced("not now")
        self.sent += 1
        return Reply({}, None, 201)


def step_of(executors: Executors) -> Step:
    """A step that begins now."""
    operation: Any = SimpleNamespace(
        id="o1", project_id="p", user_id="u", user_name="olga", request_id="req-1"
    )
    runner: Any = SimpleNamespace(executors=executors)
    return Step(Saga(runner, operation, "north", executors.fence, 1), "make")


async def write(calls: Calls, executors: Executors) -> Reply:
    journal: Any = None
    calls_: Any = calls
    return await Writer(calls_, journal, SystemClock()).write(step_of(executors), TARGET, WRITE)


async def test_one_that_lives_sends_once(clock: FixedClock) -> None:
    calls = Calls()
    assert (await write(calls, executor(clock))).status == 201
    assert (calls.sent, calls.tries) == (1, 1)


async def test_one_that_beats_late_waits_and_sends(clock: FixedClock) -> None:
    executors, calls = executor(clock), Calls()
    clock.advance(5 * BEAT)
    writing = asyncio.create_task(write(calls, executors))
    await asyncio.sleep(2 * SILENCE_PAUSE)
    assert (calls.sent, calls.tries, writing.done()) == (0, 1, False)

    executors._beaten_at = clock.monotonic()

    assert (await writing).status == 201
    assert (calls.sent, calls.tries) == (1, 2)


async def test_what_was_begun_before_a_new_incarnation_is_not_sent_by_it(clock: FixedClock) -> None:
    """It stood still between its look at the database and its first byte, and lives again since."""
    executors = executor(clock)

    def begin_anew() -> None:
        executors._incarnation += 1

    calls = Calls(meanwhile=begin_anew)
    with pytest.raises(Fenced):
        await write(calls, executors)
    assert executors.alive
    assert calls.sent == 0
