"""SQL of the history of quotas; thinned in small bites."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.quota_tables import quota_history
from multisite.db.upsert import upsert
from multisite.quotas.history.model import Point, next_point, of_document, to_document
from multisite.quotas.model import Project
from multisite.quotas.standing import Standing

_H = quota_history.c
#: So many rows are deleted in one transaction at most.
BITE = 1000


async def record(
    connection: AsyncConnection, project: Project, before: Any, stands: Standing, now: datetime
) -> None:
    """Write a point after a round, where there is one to write; `before` is how the project stood."""
    point = next_point(before, project.balanced_at, stands.resources, now)
    if point is not None:
        row = {
            "project_id": project.id,
            "at": point.at,
            "hourly": point.hourly,
            "figures": to_document(point.resources),
        }
        await upsert(connection, quota_history, ("project_id", "at"), [row])


class QuotaHistoryStore:
    """Points in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def select(
        self, project_id: str, since: datetime, until: datetime, *, hourly: bool
    ) -> Sequence[Point]:
        """Points of a project in the order of time; the last one before `since` comes first: it held then."""
        own = [_H.project_id == project_id, *([_H.hourly.is_(True)] if hourly else [])]
        first = sa.select(sa.func.max(_H.at)).where(*own, _H.at <= since)
        async with self.database.read() as connection:
            begin = await connection.scalar(first) or since
            query = sa.select(quota_history).where(*own, _H.at >= begin, _H.at <= until).order_by(_H.at)
            rows = await connection.execute(query)
            return [Point(row.at, of_document(row.figures), row.hourly) for row in rows]

    async def thin(self, changes_before: datetime, hours_before: datetime) -> int:
        """Delete a bite of what is too old; how many rows that were (0: nothing is left to do)."""
        deleted = 0
        key = sa.tuple_(_H.project_id, _H.at)
        for hourly, before in ((False, changes_before), (True, hours_before)):
            old = sa.select(_H.project_id, _H.at).where(_H.hourly.is_(hourly), _H.at < before).limit(BITE)
            async with self.database.read() as connection:
                if (await connection.execute(old.limit(1))).first() is None:
                    continue
            async with self.database.write() as connection:
                deleted += (await connection.execute(sa.delete(quota_history).where(key.in_(old)))).rowcount
        return deleted
