"""How much is stored of each region, and how old it is: for the metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.tables import inventory_items, inventory_syncs, regions


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of one enabled region: how many items are stored; when it was read, and failed, last."""

    region: str
    kind: str
    items: int
    observed_at: datetime | None
    failing: bool


async def inventory_figures(database: Database) -> Sequence[KindFigures]:
    """The kinds that were tried to read; items are counted in an index."""
    columns, synced = inventory_items.c, inventory_syncs.c
    counted = (
        sa.select(columns.region_id, columns.kind, sa.func.count().label("number"))
        .group_by(columns.region_id, columns.kind)
        .subquery()
    )
    query = (
        sa.select(regions.c.name, synced.kind, counted.c.number, synced.observed_at, synced.failed_at)
        .join(regions, regions.c.id == synced.region_id)
        .outerjoin(counted, (counted.c.region_id == synced.region_id) & (counted.c.kind == synced.kind))
        .where(
            regions.c.enabled.is_(True),
            sa.or_(synced.error_code.is_(None), synced.error_code != "no-endpoint"),
        )
        .order_by(regions.c.name, synced.kind)
    )
    async with database.read() as connection:
        rows = await connection.execute(query)
        return [KindFigures(row[0], row[1], row[2] or 0, row[3], row[4] is not None) for row in rows]
