"""Work that is begun every so often, once by all processes together.

Time is cut into *ticks*: numbers of whole intervals since 1970. Whoever first sees that a tick has come
writes its row, and enqueues the operation in the same transaction; for all others the row is there already.
A clock that is wrong makes ticks come early or late, never twice. Ticks that passed while nobody ran are not
made up for: only the newest one is begun.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db.engine import Database
from multisite.db.tables import schedule_ticks

_T = schedule_ticks.c
#: Rows of old ticks are kept for so long.
KEEP = timedelta(days=8)


@dataclass(frozen=True, slots=True)
class Schedule:
    """What to begin every `every` seconds; `begin` enqueues an operation and answers its id."""

    name: str
    every: float
    begin: Callable[[AsyncConnection], Awaitable[str | None]]

    def tick(self, now: datetime) -> int:
        """The number of the newest tick."""
        return int(now.timestamp() // self.every)


class Scheduling:
    """The schedules of this process; call `look` once a second."""

    def __init__(
        self, database: Database, clock: Clock, executor: str, schedules: Sequence[Schedule]
    ) -> None:
        self._database = database
        self._clock = clock
        self._executor = executor
        self._schedules = list(schedules)
        self._seen: dict[str, int] = {}

    def add(self, schedule: Schedule) -> None:
        """Keep one more."""
        self._schedules.append(schedule)

    async def look(self) -> Sequence[tuple[str, int]]:
        """Begin what is due and nobody began: schedules and ticks."""
        begun = []
        for schedule in self._schedules:
            tick = schedule.tick(self._clock.now())
            if self._seen.get(schedule.name, -1) >= tick:
                continue
            if await self._claim(schedule, tick):
                begun.append((schedule.name, tick))
            self._seen[schedule.name] = tick
        return begun

    async def _claim(self, schedule: Schedule, tick: int) -> bool:
        now = self._clock.now()
        async with self._database.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(
                schedule_ticks
            )
            newer = await connection.scalar(
                sa.select(sa.func.max(_T.tick)).where(_T.schedule == schedule.name)
            )
            if newer is not None and newer >= tick:
                return False
            claimed = await connection.execute(
                insert.values(schedule=schedule.name, tick=tick, at=now, executor=self._executor)
                .on_conflict_do_nothing(index_elements=["schedule", "tick"])
                .returning(_T.tick)
            )
            if claimed.first() is None:
                return False
            operation_id = await schedule.begin(connection)
            if operation_id:
                await connection.execute(
                    sa.update(schedule_ticks)
                    .where(_T.schedule == schedule.name, _T.tick == tick)
                    .values(operation_id=operation_id)
                )
            await connection.execute(
                sa.delete(schedule_ticks).where(_T.schedule == schedule.name, _T.at < now - KEEP)
            )
        return True
