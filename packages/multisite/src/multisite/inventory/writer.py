"""Writes what many reads of the inventory found, in few transactions.

Whoever has read something puts it in the line and may go on reading, but not far ahead of the database: a
first read of thousands of regions must not fill the memory.
"""

import asyncio
from collections.abc import Sequence

from multisite.db.engine import Database
from multisite.db.line import Bounds, Line
from multisite.engine.executors import standing
from multisite.inventory.writing import Outcome, write_outcomes

#: Of rows.
BOUNDS = Bounds(most=2000, full=10_000, gathering=0.05)


class InventoryWriter:
    """Stores outcomes in one database; lives on one event loop."""

    def __init__(self, database: Database, bounds: Bounds = BOUNDS) -> None:
        self._database = database
        self._line = Line(self._write, bounds)

    async def put(self, outcome: Outcome) -> "asyncio.Future[bool]":
        """Put an outcome in the line; returns when there is room.

        What it returns tells whether the outcome was stored (not so for a region that is gone or another
        now, or when this process was taken for dead), or raises `DatabaseAway`.
        """
        return await self._line.put(outcome, outcome.weight)

    async def close(self) -> None:
        """Let what waits be stored."""
        await self._line.close()

    async def _write(self, outcomes: Sequence[Outcome]) -> Sequence[bool]:
        async with self._database.write() as connection:
            ours = await standing(connection, outcomes)
            there = await write_outcomes(connection, ours) if ours else set()
        stored = {id(outcome) for outcome in ours if outcome.region.id in there}
        return [id(outcome) in stored for outcome in outcomes]
