"""Migrations make the tables of `tables.py`, and nothing else touches a schema that it does not know."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from multisite.db import quota_tables as quota_tables  # noqa: PLC0414 - its tables belong to the metadata
from multisite.db import schema
from multisite.db.engine import Database, parse_url, sync_engine
from multisite.db.tables import metadata
from multisite.errors import DatabaseAway


def execute(url: str, *statements: str) -> None:
    engine = sync_engine(parse_url(url))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def test_migrations_make_exactly_the_tables_of_the_code(empty_url: str) -> None:
    schema.upgrade(empty_url)

    engine = sync_engine(parse_url(empty_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()

    assert differences == []


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    assert schema.upgrade(empty_url)[0] is None
    before, after = schema.upgrade(empty_url)
    assert before == after
    schema.check(empty_url)


def test_a_newer_schema_is_refused_and_left_as_it_is(empty_url: str) -> None:
    schema.upgrade(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")

    for attempt in (schema.upgrade, schema.check):
        with pytest.raises(DatabaseAway, match=r"has schema 9999, which is newer .*install the newer"):
            attempt(empty_url)
    execute(empty_url, f"UPDATE alembic_version SET version_num = '{schema._head()}'")  # noqa: S608
    schema.check(empty_url)


def test_a_database_that_was_never_upgraded_names_the_command(empty_url: str, database_kind: str) -> None:
    if database_kind == "sqlite":
        sqlite3.connect(parse_url(empty_url).database or "").execute(
            "CREATE TABLE other (a)"
        ).connection.close()
    with pytest.raises(
        DatabaseAway, match=r"has schema none, this multisite needs .*; run: multisite db upgrade"
    ):
        schema.check(empty_url)


def damaged(path: Path) -> str:
    """A SQLite file whose head is well and whose tables are not."""
    url = f"sqlite:///{path}"
    schema.upgrade(url)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.executemany(
        "INSERT INTO leases VALUES (?, ?, '2026-11-22 12:00:00')", [(str(n), "x" * 100) for n in range(2000)]
    )
    connection.commit()
    connection.close()
    content = bytearray(path.read_bytes())
    content[-40000:-4096] = b"\xa5" * (40000 - 4096)
    path.write_bytes(content)
    return url


def test_a_file_that_is_damaged_inside_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAway, match=r"is damaged .*; restore it from a backup") as caught:
        schema.check(damaged(tmp_path / "m.sqlite"))
    assert "\n" not in caught.value.detail


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.sqlite"
    path.write_bytes(b"no database at all, but long enough to look at\n" * 100)
    for attempt in (schema.upgrade, schema.check):
        with pytest.raises(DatabaseAway, match="is damaged"):
            attempt(f"sqlite:///{path}")


async def test_damage_that_comes_while_the_service_runs_is_one_sentence(tmp_path: Path) -> None:
    url = damaged(tmp_path / "m.sqlite")
    database = Database(url)
    with pytest.raises(DatabaseAway, match="is damaged"):
        async with database.read() as connection:
            (await connection.execute(sa.text("SELECT * FROM leases"))).all()
    await database.close()


@pytest.mark.parametrize("place", ["absent/m.sqlite", "file/m.sqlite"])
def test_a_place_where_no_file_can_be_is_one_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DatabaseAway, match=f"{place} cannot be used: unable to open database file"):
        schema.upgrade(f"sqlite:///{tmp_path}/{place}")


def test_a_server_that_is_away_is_one_sentence_without_the_password() -> None:
    url = "postgresql://multisite:geheim@127.0.0.1:9/multisite"
    for attempt in (schema.upgrade, schema.check):
        with pytest.raises(DatabaseAway, match="cannot be used") as caught:
            attempt(url)
        assert "geheim" not in caught.value.detail
        assert "\n" not in caught.value.detail
