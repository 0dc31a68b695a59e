"""How SQLite is asked: one errand for each statement, and nothing left behind by those who gave up."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.sqlite import Connection
from multisite.errors import DatabaseAway


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "things.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
    connection.close()
    return path


@pytest_asyncio.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{file}")
    yield made
    await made.close()


@pytest.fixture
def errands(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What connections have their threads do."""
    sent: list[object] = []
    send = Connection._execute

    async def noted(
        self: Connection, work: Callable[..., object], *words: object, **options: object
    ) -> object:
        sent.append(work)
        return await send(self, work, *words, **options)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Connection, "_execute", noted)
    return sent


THINGS = sa.table("things", sa.column("id", sa.Integer), sa.column("name", sa.Text))


async def test_a_statement_is_one_errand_and_so_is_a_commit(
    database: Database, errands: list[object]
) -> None:
    async with database.write() as connection:
        await connection.execute(sa.insert(THINGS), [{"name": "one"}, {"name": "two"}])
    errands.clear()

    async with database.read() as connection:
        assert (await connection.execute(sa.select(THINGS.c.name))).scalars().all() == ["one", "two"]
    assert len(errands) == 1  # nothing to roll back

    errands.clear()
    async with database.write() as connection:
        renamed = sa.update(THINGS).values(name="three").where(THINGS.c.id == 1)
        assert (await connection.execute(renamed)).rowcount == 1
        added = sa.insert(THINGS).values(name="four").returning(THINGS.c.id)
        assert (await connection.execute(added)).scalar_one() == 3
    assert len(errands) == 3  # BEGIN IMMEDIATE and the first, the second, COMMIT


async def test_where_nothing_is_done_nothing_is_begun(
    database: Database, errands: list[object], file: Path
) -> None:
    async with database.write() as connection:
        await connection.execute(sa.insert(THINGS).values(name="one"))
    errands.clear()
    async with database.write():
        pass
    with suppress(LookupError):
        async with database.write():
            raise LookupError
    assert not errands
    async with database.read() as connection:  # on the same connection, which begins nothing late
        await connection.execute(sa.select(THINGS.c.name))
        other = sqlite3.connect(file, isolation_level=None, timeout=0)
        other.execute("BEGIN IMMEDIATE")
        other.close()


async def test_what_was_not_committed_is_rolled_back(database: Database, file: Path) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(sa.insert(THINGS).values(name="one"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()

    async with database.write() as connection:
        assert (await connection.execute(sa.select(sa.func.count()).select_from(THINGS))).scalar() == 0
    with sqlite3.connect(file, timeout=0) as other:
        other.execute("INSERT INTO things (name) VALUES ('two')")
    other.close()


async def test_a_transaction_that_nobody_waits_for_any_more_keeps_no_lock(
    database: Database, file: Path, errands: list[object]
) -> None:
    """Who began it gave up while another process held the lock; the thread got it later.

    SQLAlchemy closes a connection then. One that went back to the pool would begin a transaction there.
    """
    async with database.write() as connection:  # the connection that will be used again
        await connection.execute(sa.insert(THINGS).values(name="first"))
    other = sqlite3.connect(file, isolation_level=None, timeout=0)
    other.execute("BEGIN IMMEDIATE")

    async def begin() -> None:
        async with database.write() as connection:
            await connection.execute(sa.insert(THINGS).values(name="nobody's"))
            raise AssertionError("the lock was held by another one")

    errands.clear()
    waiting = asyncio.create_task(begin())
    while not errands:  # noqa: ASYNC110 - until its BEGIN was handed to the thread
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)  # it is told while the thread waits for the lock
    other.execute("COMMIT")
    with pytest.raises(asyncio.CancelledError):
        await waiting

    async with asyncio.timeout(10):
        async with database.read() as connection:
            assert (await connection.execute(sa.select(THINGS.c.name))).scalars().all() == ["first"]
        other.execute("PRAGMA busy_timeout = 5000")
        other.execute("INSERT INTO things (name) VALUES ('second')")
        async with database.write() as connection:
            await connection.execute(sa.insert(THINGS).values(name="third"))
    other.close()


async def test_what_the_driver_says_arrives(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.insert(THINGS).values(name="one"))
    with pytest.raises(sa.exc.IntegrityError):
        async with database.write() as connection:
            await connection.execute(sa.insert(THINGS).values(name="one"))
    with pytest.raises(DatabaseAway, match="no such table: nowhere"):
        async with database.read() as connection:
            await connection.execute(sa.text("SELECT * FROM nowhere"))
    async with database.read() as connection:
        assert (await connection.execute(sa.select(THINGS.c.name))).scalars().all() == ["one"]
