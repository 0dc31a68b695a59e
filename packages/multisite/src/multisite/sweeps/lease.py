"""Which of several processes sweeps: a row with a holder and an end.

The holder renews it well before it ends; when the holder dies, the next one to look takes it over. A
process that runs alone takes it too, so that one and many behave the same.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from multisite.clock import Clock
from multisite.db.engine import Database
from multisite.db.tables import leases


class Lease:
    """The lease called `name`, for `holder` (unique per process), for `seconds` at a time."""

    def __init__(self, database: Database, clock: Clock, *, name: str, holder: str, seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._holder = holder
        self._span = timedelta(seconds=seconds)
        self._held_until = clock.now() - self._span

    async def hold(self) -> bool:
        """Take or renew the lease; whether it is ours now. Costs a write only in its last two thirds."""
        now = self._clock.now()
        if self._held_until - now > self._span * 2 / 3:
            return True
        async with self._database.write() as connection:
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(leases)
            values = {"holder": self._holder, "expires_at": now + self._span}
            taken = await connection.execute(
                insert.values(name=self._name, **values)
                .on_conflict_do_update(
                    index_elements=["name"],
                    set_=values,
                    where=(leases.c.holder == self._holder) | (leases.c.expires_at <= now),
                )
                .returning(leases.c.holder)
            )
            ours = taken.first() is not None
        self._held_until = now + self._span if ours else now - self._span
        return ours

    async def release(self) -> None:
        """Give the lease up, so that another process need not wait for its end."""
        self._held_until = self._clock.now() - self._span
        async with self._database.write() as connection:
            await connection.execute(
                sa.delete(leases).where(leases.c.name == self._name, leases.c.holder == self._holder)
            )
