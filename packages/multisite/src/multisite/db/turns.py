"""Processes take turns: a lock that ends with the process that holds it.

PostgreSQL keeps it for the time of a transaction. On SQLite there is one process only, which has nobody to
wait for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zlib import crc32

import sqlalchemy as sa

from multisite.db.engine import Database


@asynccontextmanager
async def in_turn(database: Database, name: str) -> AsyncIterator[None]:
    """Wait until no other process is in a block of this name. Raises `DatabaseAway`."""
    if database.url.get_backend_name() == "sqlite":
        yield
        return
    async with database.write() as connection:
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(crc32(name.encode()))))
        yield
