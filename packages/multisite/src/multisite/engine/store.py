"""SQL of operations and their parts."""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import operation_parts, operations
from multisite.engine.model import ENDED, Failure, Json, JsonObject, Operation, Part, State, Wanted, state_of
from multisite.engine.rows import operations_of, part_of, uncounted
from multisite.requester import Requester

_O, _P = operations.c, operation_parts.c
_ENDED = [state.value for state in ENDED]


class OperationStore:
    """Operations in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def insert(  # noqa: PLR0913 - what an operation is made of
        self,
        connection: AsyncConnection,
        requester: Requester,
        kind: str,
        arguments: JsonObject,
        parts: Sequence[str],
        now: datetime,
        *,
        priority: int,
    ) -> str:
        """Write a new operation with its parts; its id. Without parts it has succeeded already."""
        operation_id = str(uuid.uuid4())
        done = not parts
        await connection.execute(
            sa.insert(operations).values(
                id=operation_id,
                kind=kind,
                state=(State.SUCCEEDED if done else State.QUEUED).value,
                arguments=dict(arguments),
                project_id=requester.project_id,
                user_id=requester.user_id,
                user_name=requester.user_name,
                request_id=requester.request_id,
                priority=priority,
                created_at=now,
                finished_at=now if done else None,
                generation=1,
            )
        )
        rows = [
            {
                "operation_id": operation_id,
                "name": name,
                "state": State.QUEUED.value,
                "percent": 0,
                "attempt": 1,
                "attempts": 0,
            }
            for name in parts
        ]
        if rows:
            await connection.execute(sa.insert(operation_parts), rows)
        return operation_id

    async def get(self, operation_id: str, project_id: str | None = None) -> Operation | None:
        """One operation; with a `project_id` only if it is that project's."""
        async with self.database.read() as connection:
            return await self.read(connection, operation_id, project_id)

    async def read(
        self, connection: AsyncConnection, operation_id: str, project_id: str | None = None
    ) -> Operation | None:
        """As `get`, in a transaction."""
        query = sa.select(operations).where(_O.id == operation_id)
        if project_id is not None:
            query = query.where(_O.project_id == project_id)
        row = (await connection.execute(query)).one_or_none()
        return (await operations_of(connection, [row]))[0] if row else None

    async def generation(self, operation_id: str) -> int | None:
        """What a watcher looks at: it grows with each change."""
        async with self.database.read() as connection:
            found = await connection.scalar(sa.select(_O.generation).where(_O.id == operation_id))
            return None if found is None else int(found)

    async def page(self, wanted: Wanted, limit: int, after: Operation | None) -> Sequence[Operation]:
        """Operations, the newest first, those `after` one of them."""
        query = sa.select(operations).order_by(_O.created_at.desc(), _O.id.desc()).limit(limit)
        if wanted.project_id is not None:
            query = query.where(_O.project_id == wanted.project_id)
        if wanted.user_id is not None:
            query = query.where(_O.user_id == wanted.user_id)
        if wanted.kinds:
            query = query.where(_O.kind.in_(wanted.kinds))
        if wanted.hidden:
            query = query.where(_O.kind.not_in(wanted.hidden))
        if wanted.states:
            query = query.where(_O.state.in_([state.value for state in wanted.states]))
        if wanted.region is not None:
            query = query.where(sa.exists().where(_P.operation_id == _O.id, _P.name == wanted.region))
        if after is not None:
            query = query.where(
                sa.tuple_(_O.created_at, _O.id)
                < sa.tuple_(sa.bindparam("at", after.created_at, _O.created_at.type), after.id)
            )
        async with self.database.read() as connection:
            return await operations_of(connection, list(await connection.execute(query)))

    async def parts(self, operation_id: str) -> Sequence[Part]:
        """The parts of an operation, by name."""
        query = sa.select(operation_parts).where(_P.operation_id == operation_id).order_by(_P.name)
        async with self.database.read() as connection:
            return [part_of(row) for row in await connection.execute(query)]

    async def begin(
        self, connection: AsyncConnection, operation_id: str, part: str, attempt: int, now: datetime
    ) -> Operation | None:
        """Mark a part as running; `None` where it ended, or a later attempt took its place.

        The operation is `uncounted`: counting all parts for each of them would be quadratic. A second run of
        the same attempt (after a crash) counts, too.
        """
        operation = await self._lock(connection, operation_id)
        if operation is None:
            return None
        open_ = sa.or_(_P.state.not_in(_ENDED), _P.attempt < attempt)
        state = sa.case((_P.undo_from.is_not(None), State.UNDOING.value), else_=State.RUNNING.value)
        began = await connection.execute(
            sa.update(operation_parts)
            .where(*_this(operation_id, part), _P.attempt <= attempt, open_)
            .values(
                state=state,
                attempt=attempt,
                attempts=_P.attempts + 1,
                started_at=sa.func.coalesce(_P.started_at, sa.bindparam("began", now, _P.started_at.type)),
                finished_at=None,
            )
        )
        if not began.rowcount:
            return None
        await self._settle(connection, operation_id, now)
        return uncounted(operation)

    async def advance(
        self, connection: AsyncConnection, operation_id: str, part: str, step: str, percent: int
    ) -> bool:
        """Say which step a part is at; whether a cancel was asked for."""
        asked = await connection.scalar(
            sa.update(operations)
            .where(_O.id == operation_id)
            .values(generation=_O.generation + 1)
            .returning(_O.cancel_requested_at)
        )
        await connection.execute(
            sa.update(operation_parts)
            .where(*_this(operation_id, part))
            .values(step=step[:255], percent=percent)
        )
        return asked is not None

    async def remember(
        self,
        connection: AsyncConnection,
        operation_id: str,
        part: str,
        key: str,
        work: Callable[[AsyncConnection], Awaitable[Json]],
    ) -> Json:
        """What `work` returned when it was done under this key; do it, if it was not."""
        await self._lock(connection, operation_id)
        memory = await connection.scalar(sa.select(_P.memory).where(*_this(operation_id, part)))
        known: dict[str, Json] = dict(memory or {})
        if key not in known:
            known[key] = await work(connection)
            await connection.execute(
                sa.update(operation_parts).where(*_this(operation_id, part)).values(memory=known)
            )
        return known[key]

    async def undoing(self, connection: AsyncConnection, operation_id: str, part: str, now: datetime) -> bool:
        """Say that a part is being undone; whether a cancel was asked for."""
        await self._lock(connection, operation_id)
        await connection.execute(
            sa.update(operation_parts).where(*_this(operation_id, part)).values(state=State.UNDOING.value)
        )
        await self._settle(connection, operation_id, now)
        asked = await connection.scalar(sa.select(_O.cancel_requested_at).where(_O.id == operation_id))
        return asked is not None

    async def end(  # noqa: PLR0913 - all that is told of an end
        self,
        connection: AsyncConnection,
        operation_id: str,
        part: str,
        state: State,
        now: datetime,
        *,
        result: Any = None,
        failure: Failure | None = None,
        undo_from: int | None = None,
    ) -> None:
        """Say how a part ended, and with the last one how the operation did."""
        await self._lock(connection, operation_id)
        values: dict[str, Any] = {
            "state": state.value,
            "result": result,
            "error_code": failure.code if failure else None,
            "error_detail": failure.detail if failure else None,
            "error_request_id": failure.request_id if failure else None,
            "undo_from": undo_from,
            "finished_at": now,
        }
        if state is State.SUCCEEDED:
            values |= {"percent": 100, "step": None}
        await connection.execute(
            sa.update(operation_parts)
            .where(*_this(operation_id, part), _P.state.not_in(_ENDED))
            .values(**values)
        )
        await self._settle(connection, operation_id, now)

    async def request_cancel(self, connection: AsyncConnection, operation_id: str, now: datetime) -> None:
        """Ask for a cancel; parts that have not begun are cancelled with that."""
        await self._lock(connection, operation_id)
        await connection.execute(
            sa.update(operations)
            .where(_O.id == operation_id, _O.cancel_requested_at.is_(None))
            .values(cancel_requested_at=now)
        )
        await connection.execute(
            sa.update(operation_parts)
            .where(_P.operation_id == operation_id, _P.state == State.QUEUED.value)
            .values(state=State.CANCELLED.value, finished_at=now)
        )
        await self._settle(connection, operation_id, now)

    async def queue_again(
        self, connection: AsyncConnection, operation_id: str, part: str, attempt: int, now: datetime
    ) -> bool:
        """Let a part whose last attempt ended wait for this one; `False` where it has begun already.

        What steps remembered is forgotten, unless this attempt goes on undoing what they did.
        """
        await connection.execute(
            sa.update(operations)
            .where(_O.id == operation_id)
            .values(cancel_requested_at=None, finished_at=None)
        )
        queued = await connection.execute(
            sa.update(operation_parts)
            .where(*_this(operation_id, part), _P.attempt < attempt, _P.state.in_(_ENDED))
            .values(
                state=State.QUEUED.value,
                attempt=attempt,
                percent=0,
                finished_at=None,
                error_code=None,
                error_detail=None,
                error_request_id=None,
                memory=sa.case((_P.undo_from.is_not(None), _P.memory), else_=sa.null()),
            )
        )
        await self._settle(connection, operation_id, now)
        return bool(queued.rowcount)

    async def attempts(self, connection: AsyncConnection, operation_id: str) -> Mapping[str, "Attempt"]:
        """The present attempt at each part, by name."""
        await self._lock(connection, operation_id)
        query = sa.select(_P.name, _P.state, _P.attempt, _P.undo_from).where(_P.operation_id == operation_id)
        return {
            name: Attempt(State(state), attempt, undo_from)
            for name, state, attempt, undo_from in await connection.execute(query)
        }

    async def finished_before(self, moment: datetime, most: int) -> Sequence[tuple[str, str, int]]:
        """Parts of operations that ended before a moment, as (operation id, name, attempt)."""
        old = (
            sa.select(_O.id)
            .where(_O.state.in_(_ENDED), _O.finished_at < moment)
            .order_by(_O.finished_at)
            .limit(most)
        )
        query = sa.select(_O.id, _P.name, _P.attempt).select_from(
            operations.outerjoin(operation_parts, _O.id == _P.operation_id)
        )
        async with self.database.read() as connection:
            rows = await connection.execute(query.where(_O.id.in_(old)))
            return [(operation_id, name or "", attempt or 0) for operation_id, name, attempt in rows]

    async def delete(self, operation_ids: Iterable[str]) -> None:
        """Forget operations."""
        async with self.database.write() as connection:
            await connection.execute(sa.delete(operations).where(_O.id.in_(list(operation_ids))))

    async def _lock(self, connection: AsyncConnection, operation_id: str) -> sa.Row[Any] | None:
        """Let nobody else change this operation until the transaction ends; its row, if it is there."""
        found = await connection.execute(
            sa.update(operations)
            .where(_O.id == operation_id)
            .values(generation=_O.generation + 1)
            .returning(operations)
        )
        row: sa.Row[Any] | None = found.one_or_none()
        return row

    async def _settle(self, connection: AsyncConnection, operation_id: str, now: datetime) -> None:
        """Give an operation the state that follows from its parts."""
        query = sa.select(_P.state).where(_P.operation_id == operation_id).distinct()
        state = state_of(State(each) for each in await connection.scalars(query))
        values: dict[str, Any] = {"state": state.value, "finished_at": now if state.ended else None}
        if state is not State.QUEUED:
            values["started_at"] = sa.func.coalesce(
                _O.started_at, sa.bindparam("started", now, _O.started_at.type)
            )
        await connection.execute(sa.update(operations).where(_O.id == operation_id).values(**values))


@dataclass(frozen=True, slots=True)
class Attempt:
    """The present attempt at a part; `undo_from` is the step at which undoing it failed."""

    state: State
    number: int
    undo_from: int | None


def _this(operation_id: str, part: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (_P.operation_id == operation_id, _P.name == part)
