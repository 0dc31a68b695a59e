"""Writes what sweeps read, many regions in one transaction, and documents only where they changed.

What a process read before it was taken for dead is dropped: others have read the same regions since.
"""

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
from multisite.db.line import Bounds, Line
from multisite.db.tables import observations
from multisite.db.upsert import upsert
from multisite.engine.executors import Fence, standing
from multisite.openstack.client import Target
from multisite.regions.store import reached

#: Of regions; a sweep waits until it is stored, so there are never more than are swept at once.
BOUNDS = Bounds(most=200, full=10_000, gathering=0.1)

Key = tuple[int, str]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Sweep:
    """What one sweep read of one region."""

    region_id: int
    target: Target | None
    results: Sequence[Observation]
    fence: Fence | None


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
    """Stores sweeps in one database; lives on one event loop."""

    def __init__(self, database: Database, history: Recorder | None = None) -> None:
        self._database = database
        self._history = history
        self._line = Line(self._write_remembering, BOUNDS)

    async def write(
        self,
        region_id: int,
        results: Sequence[Observation],
        target: Target | None = None,
        fence: Fence | None = None,
    ) -> None:
        """Store one sweep of one region; returns when it is committed. Raises `DatabaseAway`.

        A failure keeps the figures of the last success. What was read of a region that was deleted meanwhile,
        or is not reached as `target` any more, is dropped, and so is what the process behind `fence` read
        before it was taken for dead.
        """
        await (await self._line.put(_Sweep(region_id, target, results, fence)))

    async def close(self) -> None:
        """Let what waits be stored."""
        await self._line.close()

    async def _write_remembering(self, batch: Sequence[_Sweep]) -> Sequence[None]:
        try:
            await self._write(batch)
        except BaseException:
            if self._history:
                self._history.forget()
            raise
        return [None] * len(batch)

    async def _write(self, batch: Sequence[_Sweep]) -> None:
        async with self._database.write() as connection:
            # In one order, so that two processes that read the same regions do not wait for each other.
            batch = sorted(await standing(connection, batch), key=lambda sweep: sweep.region_id)
            known = await reached(connection, {sweep.region_id: sweep.target for sweep in batch})
            if self._history:
                sweeps = [(each.region_id, each.results) for each in batch if each.region_id in known]
                await self._history.record(connection, sweeps)
            read: dict[Key, _Document] = {}
            failed: list[Row] = []
            for sweep in batch:
                for result in sweep.results if sweep.region_id in known else ():
                    if result.error is None:
                        read[sweep.region_id, result.service] = _Document.of(result)
                    else:
                        failed.append(_failure(sweep.region_id, result))
            await _store(connection, read, await _digests(connection, known))
            if failed:
                await upsert(connection, observations, ("region_id", "service"), failed)


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
