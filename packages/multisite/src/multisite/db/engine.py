"""The database: one file of SQLite, or PostgreSQL.

SQLite runs in WAL mode, so readers never wait for the writer; a writing transaction begins with BEGIN
IMMEDIATE, so that two writers queue (up to `BUSY_TIMEOUT`) instead of failing half-way. No transaction is
held open across a call to a region.
"""

import hashlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import sqlalchemy as sa
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from multisite.db.room import Room, why_unwritable
from multisite.db.sqlite import Connection
from multisite.errors import ConfigurationError, DatabaseAway, DatabaseUnwritable

BUSY_TIMEOUT = 30.0
#: Seconds that a transaction may stand open with nothing done in it.
STANDSTILL = 5.0
#: KiB of the file that each of SQLite's connections keeps; with its default of 2000 a page of a listing over
#: 173,000 items reads most of its rows from the file again.
SQLITE_CACHE = 16384
_BUSY = "all connections to the database are in use, and none became free in time"

_ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
#: How SQLite says that the file is no database (any more).
_DAMAGE = re.compile(r"malformed|not a database|disk image")
_SYNC_DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


class _Undone(Exception):
    """Rolls a transaction back."""


class Database:
    """Transactions on one database, for the event loop that uses it first.

    An `owner` is a process whose sessions others may end (`end_sessions`), and whose transactions PostgreSQL
    ends when nothing happens in them for long: one that stands still keeps no lock that others wait for.
    """

    def __init__(self, url: str, room: Room | None = None, *, owner: str | None = None) -> None:
        self.url = parse_url(url)
        self.room = room or Room()
        self._sqlite = self.url.get_backend_name() == "sqlite"
        self._engine = _make_engine(self.url, sqlite=self._sqlite)
        if owner:
            own_sessions(self._engine.sync_engine, owner)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that reads."""
        try:
            async with self._engine.connect() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise describe(self.url, error) from error
        except sa.exc.TimeoutError as error:
            raise DatabaseAway(_BUSY) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes; committed at the end of the block, rolled back on an error.

        Raises `DatabaseUnwritable` while the disk is full or the database read-only.
        """
        self.room.enter()
        failure: sa.exc.DBAPIError | None = None
        try:
            async with self._engine.connect() as connection:
                if self._sqlite:
                    _driven(connection).begin_immediate()
                    yield connection
                    await connection.commit()
                else:
                    async with connection.begin():
                        yield connection
        except sa.exc.IntegrityError:
            raise
        except sa.exc.TimeoutError as error:
            raise DatabaseAway(_BUSY) from error
        except sa.exc.DBAPIError as error:
            failure = error
        if failure is None:
            self.room.wrote()
            return
        described = describe(self.url, failure)
        if isinstance(described, DatabaseUnwritable):
            self.room.failed(described)
        raise described from failure

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is rolled back at the end of the block: to see what a change would lead to."""
        with suppress(_Undone):
            async with self.write() as connection:
                yield connection
                raise _Undone

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


def parse_url(url: str) -> sa.URL:
    """A SQLAlchemy URL for `[database] connection`.

    Raises `ConfigurationError` for a database that multisite does not run on.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError) as error:
        raise ConfigurationError("[database] connection is not a database URL") from error
    if backend not in _ASYNC_DRIVERS:
        raise ConfigurationError(f"[database] connection: {backend} is not served; use sqlite or postgresql")
    return parsed


def own_sessions(engine: sa.Engine, owner: str) -> None:
    """Mark an engine's sessions as those of a process; SQLite has one process only."""
    if engine.dialect.name != "postgresql":
        return

    def prepare(connection: Any, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET idle_in_transaction_session_timeout = {int(STANDSTILL * 1000)}")
        cursor.execute(f"SET application_name = '{session_name(owner)}'")
        cursor.close()
        connection.commit()

    sa.event.listen(engine, "connect", prepare)


def session_name(owner: str) -> str:
    """What the sessions of a process are called in `pg_stat_activity`."""
    return f"multisite-{hashlib.blake2b(owner.encode(), digest_size=12).hexdigest()}"


async def end_sessions(connection: AsyncConnection, owner: str) -> None:
    """End all sessions of a process that is dead or stands still, and with them the locks that it holds."""
    if connection.dialect.name == "postgresql":
        theirs = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        )
        await connection.execute(theirs, {"name": session_name(owner)})


def sync_engine(url: sa.URL) -> sa.Engine:
    """An engine without asyncio, for migrations."""
    return sa.create_engine(url.set(drivername=_SYNC_DRIVERS[url.get_backend_name()]))


def _make_engine(url: sa.URL, *, sqlite: bool) -> AsyncEngine:
    options: dict[str, Any] = {
        "json_serializer": _dumps,
        "json_deserializer": from_json,  # a quarter of what the standard library takes
        "pool_pre_ping": not sqlite,
    }
    if sqlite:
        options["connect_args"] = {"timeout": BUSY_TIMEOUT, "async_creator_fn": Connection}
    engine = create_async_engine(url.set(drivername=_ASYNC_DRIVERS[url.get_backend_name()]), **options)
    if sqlite:
        sa.event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _driven(connection: AsyncConnection) -> Connection:
    """SQLite's own connection behind one of SQLAlchemy's."""
    sync = connection.sync_connection
    driven = sync.connection.driver_connection if sync is not None else None
    assert isinstance(driven, Connection)  # noqa: S101 - `_make_engine` says so
    return driven


def _prepare_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA cache_size=-{SQLITE_CACHE}")
    cursor.close()
    # The driver's own BEGIN is DEFERRED and comes late; `Database.write` has BEGIN IMMEDIATE.
    connection.isolation_level = None


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def describe(url: sa.URL, error: sa.exc.DBAPIError) -> DatabaseAway:
    """The driver's error as one sentence, without the password."""
    where = url.database if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)
    reason = str(error.orig).splitlines()[0]
    unwritable = why_unwritable(url, error.orig)
    if unwritable:
        return DatabaseUnwritable(
            f"the database {where} cannot be written: {unwritable} ({reason})", unwritable
        )
    if isinstance(error.orig, sqlite3.DatabaseError) and _DAMAGE.search(reason):
        return DatabaseAway(f"the database {where} is damaged ({reason}); restore it from a backup")
    return DatabaseAway(f"the database {where} cannot be used: {reason}")
