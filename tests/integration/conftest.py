"""The service over a real database, without regions.

Every test that asks for `database_url` runs on SQLite and on PostgreSQL (`tests/postgresql.py`), with a
database of its own. `service` is the whole application over it; its regions are never called: rows are put in
through the stores.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from multisite.clock import FixedClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.engine import durable
from tests.integration.service import Service, opened
from tests.postgresql import Server


@pytest.fixture(params=["sqlite", "postgresql"])
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
def empty_url(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without tables."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/multisite.sqlite"
        return
    server: Server = request.getfixturevalue("postgresql")
    url = server.empty()
    yield url
    server.drop(url)


@pytest.fixture
def database_url(
    database_kind: str, tmp_path: Path, template: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """A database with all tables and no rows."""
    if database_kind == "sqlite":
        path = tmp_path / "multisite.sqlite"
        path.write_bytes(template.read_bytes())
        yield f"sqlite:///{path}"
        return
    server: Server = request.getfixturevalue("postgresql")
    url = server.upgraded()
    yield url
    server.drop(url)


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
