"""By which indexes SQLite answers: without statistics an empty database is planned for like a full one."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import inventory_items
from multisite.inventory import plans
from multisite.inventory.addresses import wanted
from multisite.inventory.conditions import conditions
from multisite.inventory.kinds import ADDRESSED, BY_NAME
from multisite.inventory.listing import wanted as wanted_of
from multisite.inventory.queries import Filters


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'i.sqlite'}"
    schema.upgrade(url)
    database = Database(url)
    yield database
    await database.close()


async def plan(database: Database, query: sa.Select[Any]) -> list[str]:
    async with database.read() as connection:
        text = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")
        return [str(row.detail) for row in rows]


@pytest.mark.parametrize("kind", sorted(ADDRESSED))
@pytest.mark.parametrize("text", ["10.1.0.0/16", "10.1.2.3", "10.1.", "fa:16:3e:00:00:01"])
async def test_addresses_of_a_kind_are_found_in_an_index_that_has_all(
    database: Database, kind: str, text: str
) -> None:
    found = wanted(text)
    assert found is not None
    steps = await plan(database, plans.at_addresses(BY_NAME[kind], found))
    (leading,) = (step for step in steps if "inventory_addresses" in step)
    assert leading.startswith(
        "SEARCH inventory_addresses USING COVERING INDEX ix_inventory_addresses_by_value"
    )
    assert "(kind=? AND packed>? AND packed<?)" in leading


async def test_the_servers_of_ports_are_found_without_the_rows_of_those(database: Database) -> None:
    found = wanted("10.1.0.0/16")
    assert found is not None
    steps = await plan(database, plans.at_addresses(BY_NAME["server"], found))
    (ports,) = (step for step in steps if " ports " in step)
    assert ports.startswith("SEARCH ports USING COVERING INDEX ix_inventory_items_by_id")


async def test_a_row_asks_for_its_own_addresses_by_its_key(database: Database) -> None:
    filters = Filters(BY_NAME["subnet"], address=wanted("10.1.0.0/16"))
    query = wanted_of(inventory_items).where(*conditions(inventory_items, filters))
    steps = await plan(database, query)
    (own,) = (step for step in steps if step.startswith("SEARCH a "))
    assert "(region_id=? AND kind=? AND id=? AND address>?)" in own
