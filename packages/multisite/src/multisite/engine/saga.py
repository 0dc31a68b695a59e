"""A part of an operation as a row of steps, each with what undoes it.

    async def run(saga: Saga) -> Json:
        group = await saga.do(make_group, undo=delete_group)
        await saga.do(partial(fill_group, group), undo=None)
        return group

Steps are done at least once: one that a crash cut off is done again, so it looks for its own result before
it acts. What a step returned is kept; run again after a crash, the saga gets it without doing the step. When
a step fails, or a cancel was asked for, what was done is undone in reverse. The step that failed is undone,
too: it may have been done although its answer was lost. Its undo gets `None` for a result, and looks.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.engine.executors import Fence, Fenced
from multisite.engine.model import Failure, Json, Operation
from multisite.engine.writes import RegionWrite
from multisite.errors import DatabaseAway, MultisiteError
from multisite.openstack.client import Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.users import Reply

if TYPE_CHECKING:
    from multisite.engine.runner import Runner

LOG = logging.getLogger(__name__)

T = TypeVar("T")
Do = Callable[["Step"], Awaitable[Json]]
#: Gets what the step returned, `None` where it failed.
Undo = Callable[["Step", Json], Awaitable[None]]

#: Attempts at undoing one step, and seconds between the first two (then twice as long each time).
UNDO_ATTEMPTS = 4
UNDO_PAUSE = 0.5
#: Seconds between two looks whether the database is back.
DATABASE_PAUSE = 0.5
#: Seconds between two looks whether we live.
SILENCE_PAUSE = 0.1


class StepError(MultisiteError):
    """A step cannot be done; raise it in one, with a stable code and a sentence."""

    def __init__(self, code: str, detail: str, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.failure = Failure(code, detail, request_id)


class StepFailed(Exception):
    """A step of the saga failed; what was done has to be undone."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


class Cancelled(Exception):
    """A cancel was asked for; what was done has to be undone."""


class UndoFailed(Exception):
    """A step could not be undone; `step` is its number, from which undoing can go on."""

    def __init__(self, failure: Failure, step: int) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.step = step


@dataclass(frozen=True, slots=True)
class Step:
    """What a step may use: what it is part of, and the way to write to regions."""

    saga: "Saga"
    name: str

    @property
    def operation(self) -> Operation:
        """The operation, with its arguments and for whom it is."""
        return self.saga.operation

    @property
    def part(self) -> str:
        """The part's name: a region's."""
        return self.saga.part

    async def stored(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Write to our own database, unless we were taken for dead; waits while the database is away."""
        return await self.saga.stored(work)

    async def once(self, work: Callable[[AsyncConnection], Awaitable[Json]]) -> Json:
        """Write to our own database exactly once, however often this step is done; plain JSON.

        What `work` returned is stored in its own transaction, and given again. Waits while the database is
        away; does nothing when we were taken for dead.
        """
        store, operation = self.saga.runner.store, self.saga.operation
        return await self.saga.stored(
            lambda connection: store.remember(connection, operation.id, self.part, self.name, work)
        )

    async def write(self, target: Target, write: RegionWrite) -> Reply:
        """Write to a region, and into the journal. Raises `StepError`.

        It is sent once. Where its answer was lost, the error's code is `answer-lost`: look in the region.
        """
        return await self.saga.runner.writer.write(self, target, write)


@dataclass(slots=True)
class Saga:
    """The row of steps of one part, as it is run by one process."""

    runner: "Runner"
    operation: Operation
    part: str
    fence: Fence
    steps: int
    _done: int = 0
    _undos: list[tuple[str, Undo, Json]] = field(default_factory=list)

    async def do(self, step: Do, *, undo: Undo | None = None) -> Json:
        """Do a step, or give what it returned before; plain JSON. `undo` takes back what it did.

        Raises `StepFailed` or `Cancelled`: let them pass.
        """
        name = _name_of(step)
        outcome = await self.runner.durable.step(name, partial(self._attempt, name, step))
        if "cancelled" in outcome:
            raise Cancelled
        if undo is not None:
            self._undos.append((name, undo, outcome.get("result")))
        if "failure" in outcome:
            raise StepFailed(Failure(**outcome["failure"]))
        self._done += 1
        return outcome["result"]

    async def undo(self) -> None:
        """Undo in reverse what was done. Raises `UndoFailed` at the first step that cannot be."""
        while self._undos:
            name, undo, result = self._undos.pop()
            outcome = await self.runner.durable.step(
                f"undo {name}", partial(self._attempt_undo, f"undo {name}", undo, result)
            )
            if "failure" in outcome:
                raise UndoFailed(Failure(**outcome["failure"]), outcome["step"])

    async def stored(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Write to our own database behind the fence; waits while the database is away. Raises `Fenced`."""

        async def fenced(connection: AsyncConnection) -> T:
            await self.fence.check(connection)
            return await work(connection)

        return await wait_to_store(self.runner.store.database, fenced, self.operation.id)

    def may_send(self) -> bool:
        """Whether anything may be sent to regions, as far as we know now."""
        return self.runner.executors.may_send(self.fence)

    async def until_it_may_send(self) -> None:
        """Wait for the next beat, which tells whether we live. Raises `Fenced` where we do not."""
        while not self.may_send():
            if self.runner.executors.fence != self.fence:
                raise Fenced(f"executor {self.fence.executor} was taken for dead")
            await asyncio.sleep(SILENCE_PAUSE)

    def now(self) -> datetime:
        """The time."""
        return self.runner.clock.now()

    async def _attempt(self, name: str, step: Do) -> dict[str, Any]:
        """A step's outcome as JSON: errors of ours must come back the same after a crash."""
        percent = min(99, self._done * 100 // max(1, self.steps))
        cancelled = await self.stored(
            lambda connection: self.runner.store.advance(
                connection, self.operation.id, self.part, name, percent
            )
        )
        if cancelled:
            return {"cancelled": True}
        try:
            return {"result": await step(Step(self, name))}
        except Exception as error:  # noqa: BLE001 - told by `failure_of`, with a traceback where it is a bug
            return {"failure": _document(failure_of(error, self.operation, self.part, name))}

    async def _attempt_undo(self, name: str, undo: Undo, result: Json) -> dict[str, Any]:
        number = self.runner.durable.step_number
        pause = UNDO_PAUSE
        for attempt in range(1, UNDO_ATTEMPTS + 1):
            try:
                await self.stored(
                    lambda connection: self.runner.store.advance(
                        connection, self.operation.id, self.part, name, 99
                    )
                )
                await undo(Step(self, name), result)
            except Exception as error:  # noqa: BLE001 - as above
                failure = failure_of(error, self.operation, self.part, name)
                if attempt == UNDO_ATTEMPTS:
                    return {"failure": _document(failure), "step": number}
            else:
                return {"result": None}
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")


async def wait_to_store(
    database: Database, work: Callable[[AsyncConnection], Awaitable[T]], operation_id: str
) -> T:
    """Write to our own database, as soon as it can be written: that it is away is no failure of the work."""
    told = False
    while True:
        try:
            async with database.write() as connection:
                return await work(connection)
        except DatabaseAway as error:
            if not told:
                LOG.log(error.log_level, "operation %s waits: %s", operation_id, error.detail)
            told = True
        await asyncio.sleep(DATABASE_PAUSE)


def failure_of(error: Exception, operation: Operation, part: str, step: str) -> Failure:
    """An exception of a step as a failure; what nobody foresaw is a bug, and goes to the log."""
    if isinstance(error, StepError):
        return error.failure
    if isinstance(error, MultisiteError | RegionCallError):
        return Failure(error.code, error.detail)
    LOG.error("operation %s, %s: %s stumbled", operation.id, part, step, exc_info=error)
    return Failure("internal-error", f"{step} stumbled: {type(error).__name__}; the log has more")


def _document(failure: Failure) -> dict[str, Any]:
    return {"code": failure.code, "detail": failure.detail, "request_id": failure.request_id}


def _name_of(step: Do) -> str:
    function = step.func if isinstance(step, partial) else step
    return str(getattr(function, "__name__", type(step).__name__)).strip("_").replace("_", " ")
