"""Runs one part of an operation from its beginning to its end, again and again until it got there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.engine.durable import Durable
from multisite.engine.executors import Executors, Fence
from multisite.engine.kinds import Kinds
from multisite.engine.model import Failure, Operation, State
from multisite.engine.saga import Cancelled, Saga, StepFailed, UndoFailed, failure_of, wait_to_store
from multisite.engine.store import OperationStore
from multisite.engine.writer import Writer

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs parts; lives on the loop on which `Durable` was launched."""

    store: OperationStore
    durable: Durable
    executors: Executors
    kinds: Kinds
    writer: Writer
    clock: Clock
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _running: set["asyncio.Task[Any]"] = field(default_factory=set)

    async def run(self, operation_id: str, part: str, attempt: int) -> None:
        """Do one part. Whatever happens, it ends in a state that says so; `Fenced` goes through."""
        if self._stopping.is_set():
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - we run
        self._running.add(task)
        try:
            await self._do(operation_id, part, attempt)
        finally:
            self._running.discard(task)

    async def stop(self) -> None:
        """Cut off what runs; another process, or the next one, goes on with it."""
        self._stopping.set()
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _do(self, operation_id: str, part: str, attempt: int) -> None:
        fence = self.executors.fence
        operation = await self._begin(fence, operation_id, part, attempt)
        if operation is None:
            return
        kind = self.kinds.get(operation.kind)
        if kind is None:
            failure = Failure("unknown-kind", f"this multisite knows no operation {operation.kind!r}")
            saga = Saga(self, operation, part, fence, 1)
            await self._end(saga, State.FAILED, failure=failure)
            return
        saga = Saga(self, operation, part, fence, kind.steps)
        try:
            result = await kind.run(saga)
        except Cancelled:
            await self._undo(saga, State.CANCELLED, None)
        except StepFailed as error:
            await self._undo(saga, State.FAILED, error.failure)
        except Exception as error:  # noqa: BLE001 - told by `failure_of`
            await self._undo(saga, State.FAILED, failure_of(error, operation, part, kind.name))
        else:
            await self._end(saga, State.SUCCEEDED, result=result)

    async def _begin(self, fence: Fence, operation_id: str, part: str, attempt: int) -> Operation | None:
        async def work(connection: AsyncConnection) -> Operation | None:
            await fence.check(connection)
            return await self.store.begin(connection, operation_id, part, attempt, self.clock.now())

        return await wait_to_store(self.store.database, work, operation_id)

    async def _undo(self, saga: Saga, state: State, failure: Failure | None) -> None:
        if await saga.stored(
            lambda connection: self.store.undoing(connection, saga.operation.id, saga.part, self.clock.now())
        ):
            state = State.CANCELLED  # also where a step failed meanwhile: what was asked for is done
        try:
            await saga.undo()
        except UndoFailed as error:
            first = f" after: {failure.detail}" if failure else " after a cancel"
            failure = Failure(error.failure.code, error.failure.detail + first, error.failure.request_id)
            await self._end(saga, State.ROLLBACK_FAILED, failure=failure, undo_from=error.step)
        else:
            await self._end(saga, state, failure=failure)

    async def _end(
        self,
        saga: Saga,
        state: State,
        *,
        result: object = None,
        failure: Failure | None = None,
        undo_from: int | None = None,
    ) -> None:
        end: Callable[[AsyncConnection], Awaitable[None]] = partial(
            self.store.end,
            operation_id=saga.operation.id,
            part=saga.part,
            state=state,
            now=self.clock.now(),
            result=result,
            failure=failure,
            undo_from=undo_from,
        )
        await saga.stored(end)
