"""Processes that do durable work: who lives, and who may still write.

Each process has a row with a number, its *beat*, that it raises every few seconds. Everyone watches the beats
of the others by a clock of its own: one that does not change for `ttl` seconds belongs to a dead process, and
whoever sees that first deletes its row. No two clocks are ever compared, so wrong ones do no harm. Time in
which we could not look (the database was away, or we stood still) does not count against the others.

A process whose row is gone was taken for dead. Its *fence* refuses every write from then on: the row is
looked for in the very transaction of the write. It begins anew, with the next *incarnation*.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db.engine import Database, end_sessions
from multisite.db.tables import executors, sweep_leases

LOG = logging.getLogger(__name__)

_E = executors.c
#: Finds an executor's row, and keeps it there until the transaction ends; `Fence.row` is what it asks for.
STANDING = (
    sa.select(_E.id)
    .where(_E.id == sa.bindparam("executor"), _E.incarnation == sa.bindparam("incarnation"))
    .with_for_update(read=True, key_share=True)
)


class Fenced(asyncio.CancelledError):
    """This process was taken for dead, and others do its work: it must not write.

    A cancellation, so that no handler of business code swallows it, and DBOS stores nothing of it.
    """


@dataclass(frozen=True, slots=True)
class Fence:
    """Lets an executor's incarnation write as long as its row is there."""

    executor: str
    incarnation: int

    async def check(self, connection: AsyncConnection) -> None:
        """Raise `Fenced` unless we may write; until the transaction ends nobody can take us for dead."""
        if not await self.stands(connection):
            raise Fenced(f"executor {self.executor} was taken for dead")

    async def stands(self, connection: AsyncConnection) -> bool:
        """Whether we may write; until the transaction ends nobody can take us for dead.

        Our own beats do not wait for that: the lock keeps the row from being deleted, not from being raised.
        """
        return (await connection.execute(STANDING, self.row)).first() is not None

    @property
    def row(self) -> dict[str, Any]:
        """The parameters of `STANDING`."""
        return {"executor": self.executor, "incarnation": self.incarnation}


#: Gives the fence of work that begins now; `None` where there is none to ask.
Fencing = Callable[[], Fence | None]


def unfenced() -> None:
    """No fence: for whoever is the only process by nature."""


class Read(Protocol):
    """Something that was read of a region; `fence` is that of its reader when it began to read."""

    @property
    def fence(self) -> Fence | None:
        """What has to be asked before it is stored; `None` for nothing."""
        ...


R = TypeVar("R", bound=Read)


async def standing(connection: AsyncConnection, reads: Sequence[R]) -> list[R]:
    """What may be stored of this; what was read before we were taken for dead is told in the log."""
    fences = {read.fence for read in reads if read.fence is not None}
    fallen = {fence for fence in fences if not await fence.stands(connection)}
    kept = [read for read in reads if read.fence not in fallen]
    if len(kept) < len(reads):
        LOG.warning("%d reads are not stored: this process was taken for dead", len(reads) - len(kept))
    return kept


@dataclass(frozen=True, slots=True)
class _Seen:
    beat: int
    at: float


class Executors:
    """This process among the others. `beat` must be called every few seconds; `ttl` is in seconds.

    `database` is for this alone: a beat must not wait until others are done with their connections.
    """

    def __init__(self, database: Database, clock: Clock, *, name: str, ttl: float) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._ttl = ttl
        self._incarnation = 0
        self._beaten_at = float("-inf")
        self._looked_at = float("-inf")
        self._seen: dict[tuple[str, int], _Seen] = {}
        self._others = 0

    @property
    def name(self) -> str:
        """Our name, unique among all processes that ever were."""
        return self._name

    @property
    def fence(self) -> Fence:
        """What work that begins now has to ask before it writes."""
        return Fence(self._name, self._incarnation)

    @property
    def alive(self) -> bool:
        """Whether nobody can have taken us for dead, as far as we know: ask before beginning anything."""
        return self._clock.monotonic() - self._beaten_at < self._ttl

    def may_send(self, fence: Fence) -> bool:
        """Whether what began behind this fence may be sent now: ask right before each byte of it.

        Not so once we begin anew: what was begun before is done by whoever took it over.
        """
        return self.alive and fence == self.fence

    @property
    def count(self) -> int:
        """How many processes there are, with ours."""
        return self._others + 1

    async def enter(self) -> None:
        """Be one of the executors, in a new incarnation. On SQLite there is one: all others are dead."""
        self._incarnation += 1
        now = self._clock.now()
        only = self._database.url.get_backend_name() == "sqlite"
        async with self._database.write() as connection:
            await connection.execute(sa.delete(executors).where(sa.true() if only else _E.id == self._name))
            await connection.execute(
                sa.insert(executors).values(
                    id=self._name, incarnation=self._incarnation, beat=0, started_at=now, beat_at=now
                )
            )
        self._beaten_at = self._clock.monotonic()

    async def beat(self) -> bool:
        """Say that we live; `False` when we were taken for dead."""
        now = self._clock.monotonic()
        async with self._database.write() as connection:
            ours = await connection.execute(
                sa.update(executors)
                .where(_E.id == self._name, _E.incarnation == self._incarnation)
                .values(beat=_E.beat + 1, beat_at=self._clock.now())
            )
            if not ours.rowcount:
                return False
        self._beaten_at = now  # before the write began: others count from when it was stored
        return True

    async def look(self) -> None:
        """Look at the beats of the others; often, so that a death is counted from when it was."""
        now = self._clock.monotonic()
        query = sa.select(_E.id, _E.incarnation, _E.beat).where(_E.id != self._name)
        async with self._database.read() as connection:
            rows = [(name, incarnation, beat) for name, incarnation, beat in await connection.execute(query)]
        self._watch(rows, self._clock.monotonic(), afresh=now - self._looked_at > self._ttl / 2)
        self._looked_at = now

    async def bury(self) -> Sequence[str]:
        """Delete the rows of those that are dead, and free the regions that they swept; their names.

        Of several that do this at once, each row is the catch of one.
        """
        now = self._clock.monotonic()
        buried = []
        for (name, incarnation), seen in list(self._seen.items()):
            if now - seen.at < self._ttl:
                continue
            async with self._database.write() as connection:
                await end_sessions(connection, name)
            async with self._database.write() as connection:
                gone = await connection.execute(
                    sa.delete(executors).where(
                        _E.id == name, _E.incarnation == incarnation, _E.beat == seen.beat
                    )
                )
                if gone.rowcount:
                    await self._free(connection, name)
                    buried.append(name)
            del self._seen[name, incarnation]
        self._others = len(self._seen)
        if buried:
            LOG.warning("taken for dead, and its work taken over: %s", ", ".join(buried))
        return buried

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()

    async def leave(self) -> None:
        """Be no executor any more, so that nobody waits for us."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(executors).where(_E.id == self._name))
            await self._free(connection, self._name)
        self._beaten_at = float("-inf")

    async def living(self, connection: AsyncConnection) -> set[str]:
        """The names of all executors."""
        return set(await connection.scalars(sa.select(_E.id)))

    def _watch(self, rows: Sequence[tuple[str, int, int]], now: float, *, afresh: bool) -> None:
        before, self._seen = self._seen, {}
        self._others = len(rows)
        for name, incarnation, beat in rows:
            seen = before.get((name, incarnation))
            if afresh or seen is None or seen.beat != beat:
                seen = _Seen(beat, now)
            self._seen[name, incarnation] = seen

    async def _free(self, connection: AsyncConnection, name: str) -> None:
        await connection.execute(sa.delete(sweep_leases).where(sweep_leases.c.executor == name))
