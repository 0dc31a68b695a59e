"""The line in front of the database: what many reads found is stored in few transactions.

Whoever has read something puts it in the line and may go on reading; while one transaction is under way the
line grows, and the next one takes what fits. One read is in one transaction whatever its size: a crash leaves
it whole or not there. Nobody may be far ahead of the database: with `FULL` rows in the line, those who come
wait, so that a first read of thousands of regions does not fill the memory.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from multisite.db.engine import Database
from multisite.inventory.writing import Outcome, write_outcomes

#: Rows of one transaction, unless one read alone has more: others want to write, too.
MOST_ROWS = 2000
#: Rows in the line from which on those who come wait.
FULL = 10_000
#: How long others may join before a transaction begins (seconds).
GATHERING = 0.05


@dataclass(frozen=True, slots=True)
class _Waiting:
    outcome: Outcome
    stored: "asyncio.Future[bool]"


class InventoryWriter:
    """The line; lives on one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._line: list[_Waiting] = []
        self._rows = 0
        self._room = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def put(self, outcome: Outcome) -> "asyncio.Future[bool]":
        """Put an outcome in the line; returns when there is room.

        What it returns tells whether the outcome was stored (not so for a region that is gone or another
        now), or raises `DatabaseAway`.
        """
        while self._rows >= FULL:
            self._room.clear()
            await self._room.wait()
        stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._line.append(_Waiting(outcome, stored))
        self._rows += outcome.weight
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write_all())
        return stored

    async def _write_all(self) -> None:
        while self._line:
            await asyncio.sleep(GATHERING)
            batch = self._next()
            try:
                async with self._database.write() as connection:
                    there = await write_outcomes(connection, [each.outcome for each in batch])
            except asyncio.CancelledError:
                for each in [*batch, *self._line]:
                    each.stored.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - told to everyone whose outcome was not stored
                _tell(batch, error)
            else:
                _tell(batch, there)
            finally:
                self._rows -= sum(each.outcome.weight for each in batch)
                self._room.set()

    def _next(self) -> list[_Waiting]:
        """As many from the line's front as fit into one transaction, and one at least."""
        rows, number = 0, 0
        for number, each in enumerate(self._line):
            rows += each.outcome.weight
            if number and rows > MOST_ROWS:
                break
        else:
            number = len(self._line)
        batch, self._line = self._line[:number], self._line[number:]
        return batch


def _tell(batch: Sequence[_Waiting], told: Exception | set[int]) -> None:
    for each in batch:
        if each.stored.done():
            continue  # whoever waited was cancelled
        if isinstance(told, Exception):
            each.stored.set_exception(told)
        else:
            each.stored.set_result(each.outcome.region.id in told)
