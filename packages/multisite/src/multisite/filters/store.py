"""SQL of saved filters."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.tables import saved_filters
from multisite.db.upsert import upsert
from multisite.filters.model import SavedFilter

_F = saved_filters.c


class FilterStore:
    """Filters of users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def select(self, user_id: str) -> Sequence[SavedFilter]:
        """The filters of a user, by name."""
        query = sa.select(_F.name, _F.kind, _F.query).where(_F.user_id == user_id)
        async with self._database.read() as connection:
            found = [SavedFilter(*row) for row in await connection.execute(query)]
        return sorted(found, key=lambda each: each.name.casefold())

    async def put(self, user_id: str, saved: SavedFilter, at: datetime, most: int) -> bool:
        """Save one, in place of one of that name; `False` where that would be more than `most`."""
        mine = sa.select(_F.name).where(_F.user_id == user_id)
        row = {
            "user_id": user_id,
            "name": saved.name,
            "kind": saved.kind,
            "query": saved.query,
            "saved_at": at,
        }
        async with self._database.write() as connection:
            names = set(await connection.scalars(mine))
            if saved.name not in names and len(names) >= most:
                return False
            await upsert(connection, saved_filters, ("user_id", "name"), [row])
        return True

    async def delete(self, user_id: str, name: str) -> None:
        """Forget one; nothing happens where there is none."""
        async with self._database.write() as connection:
            await connection.execute(sa.delete(saved_filters).where(_F.user_id == user_id, _F.name == name))
