"""The service over a real database, without regions.

Every test that asks for `database_url` runs on SQLite and, where MULTISITE_TEST_POSTGRESQL names a server
(postgresql://USER@HOST:PORT/NAME, a database that tests may empty), on PostgreSQL as well. `service` is the
whole application over it; its regions are never called: rows are put in through the stores.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db import schema
from multisite.db.engine import Database, parse_url, sync_engine
from multisite.db.tables import metadata
from multisite.engine import durable
from tests.integration.service import Service, opened

POSTGRESQL = os.environ.get("MULTISITE_TEST_POSTGRESQL", "")


@pytest.fixture(params=["sqlite", "postgresql"] if POSTGRESQL else ["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An upgraded SQLite file to copy: migrating once is enough."""
    path = tmp_path_factory.mktemp("template") / "multisite.sqlite"
    schema.upgrade(f"sqlite:///{path}")
    durable.migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/multisite.sqlite"
        return
    _drop_everything()
    yield POSTGRESQL
    _drop_everything()


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path, template: Path) -> str:
    """A database with all tables and no rows."""
    if database_kind == "sqlite":
        path = tmp_path / "multisite.sqlite"
        path.write_bytes(template.read_bytes())
        return f"sqlite:///{path}"
    schema.upgrade(POSTGRESQL)
    durable.migrate(POSTGRESQL)
    engine = sync_engine(parse_url(POSTGRESQL))
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(sa.delete(table))
    engine.dispose()
    return POSTGRESQL


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def second_database(database_url: str) -> AsyncIterator[Database]:
    """The same database, as another process sees it."""
    made = Database(database_url)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def service(database_url: str, tmp_path: Path, clock: FixedClock) -> AsyncIterator[Service]:
    async with opened(database_url, tmp_path, clock) as made:
        yield made


def _drop_everything() -> None:
    engine = sync_engine(parse_url(POSTGRESQL))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    engine.dispose()
