"""A full disk, a read-only database: writing waits, reading goes on, the log stays short."""

import logging
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg.errors
import pytest
import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db.engine import Database, describe, parse_url
from multisite.db.room import RETRY, STEADY, Room
from multisite.db.sqlite import Connection
from multisite.db.tables import tracked_projects
from multisite.errors import DatabaseAway, DatabaseUnwritable
from tests.integration.service import Answer, opened


class Disk:
    """A disk of so many pages, under one SQLite file."""

    def __init__(self, database: Database) -> None:
        self.pages = 1_000_000
        self.read_only = False
        self.writes = 0
        sa.event.listen(database._engine.sync_engine, "before_cursor_execute", self._limit)

    def _limit(self, connection: sa.Connection, cursor: Any, *_: Any) -> None:
        driven = connection.connection.driver_connection
        assert isinstance(driven, Connection)
        begins, driven._beginning = driven._beginning, False  # a disk is what it is before one writes to it
        cursor.execute(f"PRAGMA max_page_count={self.pages}")
        cursor.execute(f"PRAGMA query_only={int(self.read_only)}")
        driven._beginning = begins
        self.writes += begins


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def database(database_url: str, clock: FixedClock) -> AsyncIterator[Database]:
    made = Database(database_url, Room(clock))
    yield made
    await made.close()


@pytest.fixture
def disk(database: Database) -> Disk:
    return Disk(database)


async def write(database: Database, clock: FixedClock, size: int = 200_000) -> None:
    async with database.write() as connection:
        await connection.execute(
            sa.insert(tracked_projects).values(
                project_id=str(clock.now()), name="x" * size, asked_at=clock.now()
            )
        )


async def rows(database: Database) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(tracked_projects)) or 0)


async def test_a_full_disk_stops_writing_and_it_goes_on_when_there_is_room(
    database: Database, disk: Disk, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    await write(database, clock)
    disk.pages = 1
    clock.advance(timedelta(seconds=1))
    for _ in range(30):
        with pytest.raises(DatabaseUnwritable, match=r"cannot be written: its disk is full"):
            await write(database, clock)
        assert await rows(database) == 1, "reading goes on"
    assert len(caplog.records) == 1
    assert "nothing is written until it can be, reading goes on" in caplog.text
    assert database.room.trouble == "its disk is full"

    disk.pages = 1_000_000
    clock.advance(timedelta(seconds=RETRY))
    await write(database, clock)
    assert await rows(database) == 2
    assert database.room.trouble == ""
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    clock.advance(timedelta(seconds=STEADY))
    await write(database, clock)
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


async def test_while_it_is_full_one_write_each_while_tries(
    database: Database, disk: Disk, clock: FixedClock
) -> None:
    await write(database, clock)
    disk.pages, disk.writes = 1, 0
    for _ in range(60):
        clock.advance(timedelta(seconds=1))
        with pytest.raises(DatabaseUnwritable):
            await write(database, clock)
    assert disk.writes == 6


async def test_a_disk_that_is_nearly_full_fills_no_log(
    database: Database, disk: Disk, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    await write(database, clock)
    for _ in range(50):
        disk.pages = 1
        clock.advance(timedelta(seconds=RETRY))
        with pytest.raises(DatabaseUnwritable):
            await write(database, clock)
        clock.advance(timedelta(seconds=RETRY))
        disk.pages = 1_000_000
        await write(database, clock)
    assert len(caplog.records) == 1


async def test_a_read_only_database_is_named_as_one(database_url: str, clock: FixedClock) -> None:
    database = Database(database_url, Room(clock))
    sa.event.listen(
        database._engine.sync_engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only=ON")
    )
    with pytest.raises(DatabaseUnwritable, match=r"it is read-only \(attempt to write a readonly database\)"):
        await write(database, clock)
    assert await rows(database) == 0
    await database.close()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.errors.DiskFull("could not extend file"), DatabaseUnwritable),
        (psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), DatabaseUnwritable),
        (psycopg.errors.ConnectionTimeout("no answer"), DatabaseAway),
        (sqlite3.OperationalError("database is locked"), DatabaseAway),
    ],
)
def test_what_the_drivers_say(error: Exception, kind: type[Exception]) -> None:
    found = describe(parse_url("postgresql://u@h/n"), sa.exc.DBAPIError("INSERT", {}, error))
    assert type(found) is kind


async def test_the_health_check_says_so_and_the_api_reads_on(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    async def create() -> Answer:
        return await service.call("POST", "/v1/regions", body={"name": "porto", "credential": "c"})

    async with opened(database_url, tmp_path, clock) as service:
        service.app.state.sweep_status = lambda: "running"
        disk = Disk(service.assembly.database)
        disk.read_only = True
        refused = await create()
        answer = await service.call("GET", "/healthcheck", None)

        assert (refused.status, refused.error["code"]) == (503, "database-unwritable")
        assert (await service.call("GET", "/v1/capacity")).status == 200
        assert answer.status == 200
        assert answer.json == {
            "status": "degraded",
            "database": "read-only",
            "keystone": "unavailable",
            "sweep": "running",
            "regions": 0,
            "detail": "Nothing can be written to the database: it is read-only. Reading goes on.",
        }
        disk.read_only = False
        clock.advance(timedelta(seconds=RETRY))
        assert (await create()).status == 201
        assert (await service.call("GET", "/healthcheck", None)).json["status"] == "ok"


async def test_the_loop_of_the_sweep_says_it_once(
    database_url: str, tmp_path: Path, clock: FixedClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(database_url, tmp_path, clock) as service:
        await service.add("oslo", "compute")
        await service.assembly.loop.run(service.assembly.engine.executors.enter())
        disk = Disk(service.assembly.region_database)
        disk.read_only = True

        async def ticks() -> None:
            for _ in range(40):
                clock.advance(timedelta(seconds=1))
                await service.assembly.scheduler._tick_safely()

        await service.assembly.loop.run(ticks())
        disk.read_only = False

    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "it is read-only" in told[0]
    assert service.assembly.scheduler.status.failures > 10
