"""SQL of history: one row per region and change, one per change of the totals; thinned in small bites."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.history.model import Figures, of_document, read, to_document
from multisite.db.engine import Database
from multisite.db.tables import capacity_history, capacity_history_totals, observations, regions
from multisite.db.upsert import upsert

#: So many rows are deleted in one transaction at most.
BITE = 1000
#: So many regions' last rows are read at once.
PAGE = 500
ROWS = capacity_history
TOTALS = capacity_history_totals


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a region's, or (with `region_id` 0) that of the totals over so many `regions`.

    `hourly` ones outlive the others: the first of each hour, and one that knows more than those before it.
    """

    region_id: int
    at: datetime
    hourly: bool
    resources: Mapping[str, Figures]
    regions: int | None = None


@dataclass(frozen=True, slots=True)
class LastRow:
    """A region's last row, if it has any, and when anything was last read of the region."""

    row: Row | None
    read_at: datetime | None


#: A region's id, a time, and how much of a resource was in use (percent), `None` for not known.
Share = tuple[int, datetime, float | None]


class HistoryStore:
    """Rows of history."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def insert(self, connection: AsyncConnection, rows: Sequence[Row]) -> None:
        """Write rows of regions; a clock that was set back overwrites."""
        if rows:
            values = [
                {
                    "region_id": row.region_id,
                    "at": row.at,
                    "hourly": row.hourly,
                    "figures": to_document(row.resources),
                }
                for row in rows
            ]
            await upsert(connection, ROWS, ("region_id", "at"), values)

    async def insert_totals(self, rows: Sequence[Row]) -> None:
        """Write rows of the totals."""
        values = [
            {
                "at": row.at,
                "hourly": row.hourly,
                "regions": row.regions,
                "figures": to_document(row.resources),
            }
            for row in rows
        ]
        async with self.database.write() as connection:
            await upsert(connection, TOTALS, ("at",), values)

    async def last(self, connection: AsyncConnection, region_ids: Collection[int]) -> dict[int, LastRow]:
        """The last row of each region."""
        rows = await self._last_rows(connection, region_ids)
        read = await self.read_at(connection, region_ids)
        return {region_id: LastRow(rows.get(region_id), read.get(region_id)) for region_id in region_ids}

    async def newest(self) -> dict[int, datetime]:
        """When the last row of each enabled region was written; without those that have none."""
        query = sa.select(regions.c.id, _newest()).where(regions.c.enabled)
        async with self.database.read() as connection:
            return {region_id: at for region_id, at in await connection.execute(query) if at is not None}

    async def last_rows(self, region_ids: Collection[int]) -> dict[int, Row]:
        """The last row of each of these regions, some hundreds at a time: others want the loop, too."""
        rows: dict[int, Row] = {}
        wanted = sorted(region_ids)
        for start in range(0, len(wanted), PAGE):
            async with self.database.read() as connection:
                rows |= await self._last_rows(connection, wanted[start : start + PAGE])
        return rows

    async def _last_rows(self, connection: AsyncConnection, region_ids: Collection[int]) -> dict[int, Row]:
        query = (
            sa.select(ROWS)
            .select_from(
                regions.join(ROWS, sa.and_(ROWS.c.region_id == regions.c.id, ROWS.c.at == _newest()))
            )
            .where(regions.c.id.in_(region_ids))
        )
        return {row.region_id: _row(row) for row in await connection.execute(query)}

    async def read_at(
        self, connection: AsyncConnection, region_ids: Collection[int]
    ) -> dict[int, datetime | None]:
        """When regions were last read, with success or without."""
        seen = observations.c
        query = (
            sa.select(seen.region_id, sa.func.max(seen.observed_at), sa.func.max(seen.failed_at))
            .where(seen.region_id.in_(region_ids))
            .group_by(seen.region_id)
        )
        return {
            region_id: max((at for at in (success, failure) if at is not None), default=None)
            for region_id, success, failure in await connection.execute(query)
        }

    async def last_totals(self) -> LastRow:
        """The last row of the totals, and when anything was last read of any region."""
        async with self.database.read() as connection:
            found = await connection.execute(sa.select(TOTALS).order_by(TOTALS.c.at.desc()).limit(1))
            row = found.first()
            read_at = await connection.scalar(sa.select(sa.func.max(observations.c.observed_at)))
        return LastRow(_row(row) if row else None, read_at)

    async def select(
        self, region_id: int, since: datetime, until: datetime, *, hourly: bool, limit: int
    ) -> list[Row]:
        """Rows of a region (0: of the totals) in the order of time, at most `limit`.

        The last one before `since` comes first: its figures held then.
        """
        table = ROWS if region_id else TOTALS
        own = [table.c.region_id == region_id] if region_id else []
        kind = [table.c.hourly.is_(True)] if hourly else []
        async with self.database.read() as connection:
            first = await connection.scalar(
                sa.select(sa.func.max(table.c.at)).where(*own, *kind, table.c.at <= since)
            )
            query = (
                sa.select(table)
                .where(*own, *kind, table.c.at >= (first or since), table.c.at <= until)
                .order_by(table.c.at)
                .limit(limit)
            )
            return [_row(row) for row in await connection.execute(query)]

    async def shares(
        self, resource: str, since: datetime, *, hourly: bool, after: tuple[datetime, int], limit: int
    ) -> list[Share]:
        """Used and usable of one resource in all regions, in the order of time, page by page."""
        key = sa.tuple_(ROWS.c.at, ROWS.c.region_id)
        query = (
            sa.select(ROWS.c.region_id, ROWS.c.at, ROWS.c.figures)
            .where(
                ROWS.c.hourly.in_([True] if hourly else [True, False]),
                ROWS.c.at >= since,
                key > sa.tuple_(sa.literal(after[0], ROWS.c.at.type), after[1]),
            )
            .order_by(ROWS.c.at, ROWS.c.region_id)
            .limit(limit)
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [(region_id, at, _share(figures.get(resource))) for region_id, at, figures in rows]

    async def thin(self, changes_before: datetime, hours_before: datetime) -> int:
        """Delete a bite of what is too old; answers how many rows that were (0: nothing is left to do)."""
        deleted = 0
        for table in (ROWS, TOTALS):
            key = list(table.primary_key)
            for hourly, before in ((False, changes_before), (True, hours_before)):
                old = sa.select(*key).where(table.c.hourly.is_(hourly), table.c.at < before).limit(BITE)
                async with self.database.read() as connection:
                    if (await connection.execute(old.limit(1))).first() is None:
                        continue
                async with self.database.write() as connection:
                    gone = await connection.execute(sa.delete(table).where(sa.tuple_(*key).in_(old)))
                deleted += gone.rowcount
        return deleted


def _newest() -> sa.ScalarSelect[Any]:
    """When a region's last row was written: one look into the index, however many rows it has."""
    rows = ROWS.alias()
    newest = sa.select(sa.func.max(rows.c.at)).where(rows.c.region_id == regions.c.id)
    return newest.correlate(regions).scalar_subquery()


def _row(row: sa.Row[Any]) -> Row:
    values = row._asdict()
    return Row(
        values.get("region_id", 0),
        values["at"],
        values["hourly"],
        of_document(values["figures"]),
        values.get("regions"),
    )


def _share(figures: list[Any] | None) -> float | None:
    if figures is None:
        return None
    usable, used = read(figures[1]), read(figures[2])
    return 100.0 * used / usable if usable and used is not None else None
