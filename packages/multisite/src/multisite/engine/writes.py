"""Writes to regions: planned, done, and written down.

A `RegionWrite` says exactly what is to be written where. A list of them is what every dry run shows; doing
one leaves a row in the journal: who, in which operation and step, what was there before, what came of it. The
row is stored before the call goes out, in a transaction that asks the fence, so a process that was taken for
dead sends nothing, and a call whose answer nobody heard is found as `begun`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import operations, region_writes
from multisite.engine.model import Json

T = TypeVar("T")
_W = region_writes.c
_BEGIN = sa.insert(region_writes).returning(_W.id, sort_by_parameter_order=True)
_CONCLUDE = sa.update(region_writes).where(_W.id == sa.bindparam("number"))

#: What came of a write. `unknown`: it was sent, and no whole answer came.
BEGUN, DONE, REFUSED, FAILED, UNKNOWN, NOT_SENT = "begun", "done", "refused", "failed", "unknown", "not-sent"


@dataclass(frozen=True, slots=True)
class RegionWrite:
    """One write to one service of one region, as a dry run shows it.

    `path` are the segments after the API's version, `what` is a sentence for people, `before` what is there
    now and `after` what shall be there; both plain JSON. `body` is what is sent where `after` is not.
    """

    region: str
    service: str
    method: str
    path: Sequence[str]
    what: str
    before: Json = None
    after: Json = None
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    microversion: str | None = None

    @property
    def route(self) -> str:
        """The path as one text."""
        return "/" + "/".join(self.path)


@dataclass(frozen=True, slots=True)
class Author:
    """For whom a write is made, and in which step of which operation, if in one."""

    project_id: str | None
    user_id: str
    user_name: str
    request_id: str
    operation_id: str | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One row of the journal."""

    id: int
    at: datetime
    finished_at: datetime | None
    region: str
    service: str
    method: str
    path: str
    what: str
    before: Json
    after: Json
    project_id: str | None
    user_id: str
    user_name: str
    operation_id: str | None
    step: str | None
    request_id: str
    region_request_id: str | None
    outcome: str
    status: int | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a write."""

    outcome: str
    status: int | None = None
    region_request_id: str | None = None
    detail: str | None = None


class Journal:
    """The journal of writes in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def store(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do something in a transaction: for authors who have no other way."""
        async with self.database.write() as connection:
            return await work(connection)

    async def begin(
        self, connection: AsyncConnection, write: RegionWrite, author: Author, now: datetime
    ) -> int:
        """Write down what is about to be written; the number of the row."""
        [number] = await self.begin_all(connection, [write], author, now)
        return number

    async def begin_all(
        self, connection: AsyncConnection, writes: Sequence[RegionWrite], author: Author, now: datetime
    ) -> Sequence[int]:
        """Write down what is about to be written, one or more; the numbers of the rows, in their order."""
        rows = [
            {
                "at": now,
                "region": write.region,
                "service": write.service,
                "method": write.method,
                "path": write.route,
                "what": write.what,
                "before": write.before,
                "after": write.after,
                "project_id": author.project_id,
                "user_id": author.user_id,
                "user_name": author.user_name,
                "operation_id": author.operation_id,
                "step": author.step,
                "request_id": author.request_id,
                "outcome": BEGUN,
            }
            for write in writes
        ]
        return (await connection.scalars(_BEGIN, rows)).all() if rows else []

    async def conclude(
        self, connection: AsyncConnection, number: int, outcome: Outcome, now: datetime
    ) -> None:
        """Write down what came of it."""
        await self.conclude_all(connection, {number: outcome}, now)

    async def conclude_all(
        self, connection: AsyncConnection, outcomes: Mapping[int, Outcome], now: datetime
    ) -> None:
        """Write down what came of writes, by the numbers of their rows, one or more."""
        rows = [
            {
                "number": number,
                "outcome": outcome.outcome,
                "status": outcome.status,
                "region_request_id": outcome.region_request_id,
                "detail": outcome.detail,
                "finished_at": now,
            }
            for number, outcome in outcomes.items()
        ]
        if rows:
            await connection.execute(_CONCLUDE, rows)

    async def forget(self, before: datetime, most: int) -> int:
        """Forget the oldest writes from before a moment, `most` of them at once; how many those were.

        Those of operations that are kept stay. Of two processes at once, each has rows of its own.
        """
        kept = sa.exists().where(operations.c.id == _W.operation_id)
        old = sa.select(_W.id).where(_W.at < before, ~kept).order_by(_W.at, _W.id).limit(most)
        async with self.database.write() as connection:
            rows = old.with_for_update(skip_locked=True)
            gone = await connection.execute(sa.delete(region_writes).where(_W.id.in_(rows)))
            return gone.rowcount

    async def of_operation(self, operation_id: str, limit: int, after: int = 0) -> Sequence[WriteRecord]:
        """What an operation wrote, in order."""
        query = (
            sa.select(region_writes)
            .where(_W.operation_id == operation_id, _W.id > after)
            .order_by(_W.id)
            .limit(limit)
        )
        async with self.database.read() as connection:
            return [WriteRecord(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001
