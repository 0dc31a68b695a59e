"""Which regions this process sweeps: the processes share them out by rows of one table.

Nobody deals them out. Each process looks every few seconds at who lives and who has what: it takes free
regions until it has its fair part, and gives surplus ones up for others to take. A row is the right to sweep
a region; it counts as long as its process lives, and goes with it (`engine/executors.py` deletes both in one
transaction). So a region is swept by one process at a time, a dead one's regions move when it is buried, and
a new process has its fair part after two looks: one of the others, which give up, and one of its own.
"""

import logging
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db.engine import Database
from multisite.db.tables import executors as living_executors
from multisite.db.tables import regions, sweep_leases
from multisite.engine.executors import Executors, Fence

LOG = logging.getLogger(__name__)

_L = sweep_leases.c

Draw = Callable[[Sequence[int], int], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Move:
    """What a process has to change: regions (by id) to take, and to give up."""

    take: frozenset[int] = frozenset()
    give: frozenset[int] = frozenset()


def fair_part(regions: int, processes: int) -> int:
    """How many of so many regions a process sweeps at most."""
    return -(-regions // max(1, processes))


def move(
    name: str,
    enabled: Collection[int],
    living: Collection[str],
    holders: Mapping[int, str],
    busy: Collection[int] = (),
    draw: Draw = random.sample,
) -> Move:
    """What the process `name` has to change to have its fair part.

    `holders` says who has which region. Of what is free any are taken, so that processes which look at the
    same time seldom want the same; of what is too much those that are not `busy` go first.
    """
    wanted = set(enabled)
    ours = {region for region, holder in holders.items() if holder == name}
    unwanted, ours = ours - wanted, ours & wanted
    room = fair_part(len(wanted), len({name, *living})) - len(ours)
    if room < 0:
        surplus = sorted(ours, key=lambda region: (region in busy, region))[:-room]
        return Move(give=frozenset(unwanted.union(surplus)))
    held = {region for region, holder in holders.items() if holder in living}
    free = sorted(wanted - held - ours)
    return Move(frozenset(draw(free, min(room, len(free)))), frozenset(unwanted))


class Sharing:
    """This process's regions; lives on the region loop. `every` is in seconds."""

    def __init__(self, database: Database, executors: Executors, clock: Clock, every: float) -> None:
        self._database = database
        self._executors = executors
        self._clock = clock
        self._every = every
        self._look_at = float("-inf")
        self._processes = 0
        self._left = False
        #: The regions (by id) that this process may sweep, as of its last look.
        self.held: frozenset[int] = frozenset()
        #: How many are enabled.
        self.enabled = 0

    @property
    def name(self) -> str:
        """This process."""
        return self._executors.name

    @property
    def fence(self) -> Fence:
        """What has to be asked before anything is stored."""
        return self._executors.fence

    @property
    def alive(self) -> bool:
        """Whether nobody can have taken our regions, as far as we know: ask before a sweep begins."""
        return self._executors.alive

    async def look(self, busy: Collection[int]) -> Move:
        """What has to change, if it is time to look: `give` up what it says once that is swept no more.

        It is time every so often, and at once when a process has come or gone.
        """
        now, processes = self._clock.monotonic(), self._executors.count
        if now < self._look_at and (processes == self._processes or self._left):
            return Move()
        self._look_at, self._processes = now + self._every, processes
        async with self._database.read() as connection:
            living = await self._executors.living(connection)
            query = sa.select(_L.region_id, _L.executor)
            holders = {row.region_id: row.executor for row in await connection.execute(query)}
            enabled = set(await connection.scalars(sa.select(regions.c.id).where(regions.c.enabled)))
        self.enabled = len(enabled)
        self.held = frozenset(region for region, holder in holders.items() if holder == self._executors.name)
        return move(self._executors.name, enabled, living, holders, busy)

    async def give(self, region_ids: Collection[int]) -> None:
        """Give regions up; nothing of them may be under way any more."""
        self.held -= frozenset(region_ids)
        if region_ids:
            async with self._database.write() as connection:
                await connection.execute(
                    sa.delete(sweep_leases).where(
                        _L.executor == self._executors.name, _L.region_id.in_(region_ids)
                    )
                )
            LOG.info("regions given up: %d; this process has %d now", len(region_ids), len(self.held))

    async def take(self, region_ids: Collection[int]) -> None:
        """Take regions that are free; where others were quicker, it is time to look again."""
        if not region_ids:
            return
        fence = self._executors.fence
        async with self._database.write() as connection:
            if not await fence.stands(connection):
                return
            dead = _L.executor.not_in(sa.select(living_executors.c.id))
            await connection.execute(sa.delete(sweep_leases).where(dead))
            taken = frozenset(await connection.scalars(_claim(connection, self._executors.name, region_ids)))
        self.held |= taken
        if taken:
            LOG.info("regions taken: %d; this process has %d now", len(taken), len(self.held))
        if len(taken) < len(region_ids):
            self._look_at = float("-inf")

    def lose(self) -> None:
        """We were taken for dead: nothing is ours any more."""
        self.held = frozenset()
        self._look_at = float("-inf")

    async def leave(self) -> None:
        """Give all regions up, and take none for a while: this process ends."""
        self._look_at, self._left = float("inf"), True
        await self.give(self.held)


def _claim(connection: AsyncConnection, name: str, region_ids: Collection[int]) -> Any:
    """In the order of their ids, so that two who claim the same regions do not wait for each other."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(sweep_leases)
    free = (
        sa.select(regions.c.id, sa.literal(name))
        .where(regions.c.id.in_(region_ids), regions.c.enabled)
        .order_by(regions.c.id)
    )
    claim = insert.from_select(["region_id", "executor"], free)
    return claim.on_conflict_do_nothing(index_elements=["region_id"]).returning(_L.region_id)
