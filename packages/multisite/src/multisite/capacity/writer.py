"""Writes what sweeps read, many regions in one transaction, and documents only where they changed.

A transaction of its own for each region costs more than reading the region does. So whoever has something to
store puts it in a line; while one transaction is under way the line grows, and the next one takes all of it.
What one region's sweep read is in one transaction all the same: a crash leaves it whole or not there.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.documents import to_text
from multisite.capacity.history.recorder import Recorder
from multisite.capacity.store import Observation
from multisite.db.engine import Database
from multisite.db.tables import observations
from multisite.db.upsert import upsert
from multisite.openstack.client import Target
from multisite.regions.store import reached

#: So many regions are stored in one transaction at most.
MOST_AT_ONCE = 200
#: How long others may join before a transaction begins (seconds).
GATHERING = 0.1

Key = tuple[int, str]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One region's results in the line, and who waits for them to be stored."""

    region_id: int
    target: Target | None
    results: Sequence[Observation]
    stored: "asyncio.Future[None]"


@dataclass(frozen=True, slots=True)
class _Document:
    """What was read of one service, as JSON text."""

    at: datetime
    summary: bytes
    detail: bytes
    digest: str

    @classmethod
    def of(cls, result: Observation) -> "_Document":
        """The document of a success."""
        summary, detail = to_text(result.summary), to_text(result.detail)
        return cls(result.at, summary, detail, hashlib.blake2b(summary + detail, digest_size=16).hexdigest())

    def row(self, key: Key) -> Row:
        """The row to store."""
        return {
            "region_id": key[0],
            "service": key[1],
            "observed_at": self.at,
            "summary": json.loads(self.summary),
            "detail": json.loads(self.detail),
            "digest": self.digest,
        }


class ObservationWriter:
    """The line in front of one database; lives on one event loop."""

    def __init__(self, database: Database, history: Recorder | None = None) -> None:
        self._database = database
        self._history = history
        self._line: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def write(
        self, region_id: int, results: Sequence[Observation], target: Target | None = None
    ) -> None:
        """Store one sweep of one region; returns when it is committed. Raises `DatabaseAway`.

        A failure keeps the figures of the last success. What was read of a region that was deleted meanwhile,
        or is not reached as `target` any more, is dropped.
        """
        stored = asyncio.get_running_loop().create_future()
        self._line.append(_Waiting(region_id, target, results, stored))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write_all())
        await stored

    async def _write_all(self) -> None:
        while self._line:
            await asyncio.sleep(GATHERING)
            batch, self._line = self._line[:MOST_AT_ONCE], self._line[MOST_AT_ONCE:]
            try:
                await self._write_remembering(batch)
            except asyncio.CancelledError:
                for waiting in [*batch, *self._line]:
                    waiting.stored.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - told to everyone whose results were not stored
                _tell(batch, error)
            else:
                _tell(batch, None)

    async def _write_remembering(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._write(batch)
        except BaseException:
            if self._history:
                self._history.forget()
            raise

    async def _write(self, batch: Sequence[_Waiting]) -> None:
        async with self._database.write() as connection:
            known = await reached(connection, {waiting.region_id: waiting.target for waiting in batch})
            if self._history:
                sweeps = [(each.region_id, each.results) for each in batch if each.region_id in known]
                await self._history.record(connection, sweeps)
            read: dict[Key, _Document] = {}
            failed: list[Row] = []
            for waiting in batch:
                for result in waiting.results if waiting.region_id in known else ():
                    if result.error is None:
                        read[waiting.region_id, result.service] = _Document.of(result)
                    else:
                        failed.append(_failure(waiting.region_id, result))
            await _store(connection, read, await _digests(connection, known))
            if failed:
                await upsert(connection, observations, ("region_id", "service"), failed)


def _tell(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in batch:
        if waiting.stored.done():
            continue  # whoever waited was cancelled
        if error is None:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(error)


async def _store(
    connection: AsyncConnection, read: dict[Key, _Document], stored: dict[Key, str | None]
) -> None:
    """Write what is new; of what is stored already, only that it was seen again."""
    changed = [document.row(key) for key, document in read.items() if stored.get(key) != document.digest]
    if changed:
        await upsert(connection, observations, ("region_id", "service"), changed)
    again = [
        {"a_region": key[0], "a_service": key[1], "at": document.at}
        for key, document in read.items()
        if stored.get(key) == document.digest
    ]
    if again:
        await connection.execute(_SEEN_AGAIN, again)


async def _digests(connection: AsyncConnection, region_ids: set[int]) -> dict[Key, str | None]:
    query = sa.select(observations.c.region_id, observations.c.service, observations.c.digest)
    rows = await connection.execute(query.where(observations.c.region_id.in_(region_ids)))
    return {(region_id, service): digest for region_id, service, digest in rows}


_SEEN_AGAIN = (
    sa.update(observations)
    .where(
        observations.c.region_id == sa.bindparam("a_region"),
        observations.c.service == sa.bindparam("a_service"),
    )
    .values(observed_at=sa.bindparam("at"))
)


def _failure(region_id: int, result: Observation) -> Row:
    return {
        "region_id": region_id,
        "service": result.service,
        "failed_at": result.at,
        "error_code": result.error.code if result.error else None,
        "error_detail": result.error.detail if result.error else None,
    }
