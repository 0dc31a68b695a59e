"""How SQLite finds rows: it has no statistics, so what a filter leaves is counted before it is used.

A listing can walk its order's index and drop what does not fit, which is quick when much fits; or find what
fits by the index of a filter and sort it, which is quick when little does. `few` asks each filter alone,
from an index that has all it needs, for at most `FEW` rows: the first that has no more of them decides.
"""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.tables import inventory_addresses, inventory_items
from multisite.inventory.addresses import Wanted
from multisite.inventory.conditions import (
    HAVING_ADDRESSES,
    PORTS,
    contains,
    found_by,
    kinds_with_addresses_of,
    off_index,
    project_ids,
)
from multisite.inventory.kinds import Kind
from multisite.inventory.queries import Filters

#: So many rows are sorted after they were found; of more, those that come first are looked for in order.
FEW = 2000

_I = inventory_items.c
#: SQLite's own number of a row.
ROW: sa.ColumnElement[int] = sa.literal_column("inventory_items.rowid", sa.Integer)


async def few(connection: AsyncConnection, filters: Filters) -> Sequence[int] | None:
    """The rows (by number) that one of the filters leaves, if some filter leaves few."""
    async for query in _narrow(connection, filters):
        found = list((await connection.execute(query.limit(FEW + 1))).scalars())
        if len(found) <= FEW:
            return found
    return None


#: What of an item is large, and neither filtered nor sorted by.
_LARGE = frozenset({"addresses", "attributes", "version", "digest"})


def rows(numbers: Sequence[int]) -> sa.CTE:
    """The rows of these numbers, as a table that has no index: SQLite has nothing left to choose.

    It has the number of each (`number`), and what is filtered and sorted by.
    """
    listed = sa.select(sa.column("value", sa.Integer)).select_from(
        sa.func.json_each(json.dumps(list(numbers)))
    )
    kept = [column for column in _I if column.name not in _LARGE]
    found = sa.select(ROW.label("number"), *kept).where(ROW.in_(listed))
    return found.cte("few").prefix_with("MATERIALIZED")


def at_addresses(kind: Kind, wanted: Wanted) -> sa.Select[Any]:
    """The rows of a kind that have such addresses, of which there are few (`few_addresses`)."""
    columns = inventory_addresses.c
    found = sa.select(columns.region_id, columns.kind, columns.id, columns.port_id).where(
        found_by(inventory_addresses, wanted, kinds_with_addresses_of(kind))
    )
    some = found.cte("some").prefix_with("MATERIALIZED")
    if kind.name != "server":
        mine = (_I.id == some.c.id) & (_I.kind == kind.name) & (_I.region_id == some.c.region_id)
        return sa.select(ROW).select_from(some).join(inventory_items, mine)
    # By the index of ids, which has all of this; the key would lead to the rows.
    at_port = (
        (PORTS.c.id == some.c.port_id)
        & (off_index(PORTS.c.kind) == "port")
        & (off_index(PORTS.c.region_id) == some.c.region_id)
    )
    served = (_I.id == PORTS.c.device_id) & (_I.kind == "server") & (_I.region_id == PORTS.c.region_id)
    joined = some.join(PORTS, at_port).join(inventory_items, served)
    return sa.select(ROW).distinct().select_from(joined)


async def few_addresses(
    connection: AsyncConnection, wanted: Wanted, kinds: Collection[str], most: int = FEW
) -> bool:
    """Whether no more than `most` addresses are meant, of items of some kinds."""
    found = sa.select(sa.literal(1)).where(found_by(inventory_addresses, wanted, kinds))
    some = found.limit(most + 1).subquery()
    return (await connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= most


async def _narrow(connection: AsyncConnection, filters: Filters) -> AsyncIterator[sa.Select[Any]]:
    """Each filter by itself, the cheapest to ask first."""
    of_kind = sa.select(ROW).select_from(inventory_items).where(_I.kind == filters.kind.name)
    tenant = filters.project or (None if filters.sees_others else filters.tenant)
    if tenant is not None:
        yield of_kind.where(_I.project_id.in_(project_ids(tenant)))
    if filters.regions:
        yield of_kind.where(_I.region.in_(filters.regions))
    if filters.status is not None:
        yield of_kind.where(_I.status == filters.status)
    if filters.address is not None and filters.kind.name not in HAVING_ADDRESSES:
        yield of_kind.where(sa.false())
    elif filters.address is not None:
        of = kinds_with_addresses_of(filters.kind)
        if await few_addresses(connection, filters.address, of):
            yield at_addresses(filters.kind, filters.address)
    if filters.name:
        yield of_kind.where(contains(_I.folded_name, filters.name))
