"""SQL of actions: the audit record of each, and the claims that let one request of a key through."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from multisite.db import audit
from multisite.db.engine import Database
from multisite.db.tables import leases
from multisite.requester import Requester

#: Claims stand among the leases, under names that begin so.
CLAIM = "create:"
LONGEST_TARGET = 255


class ActionStore:
    """What is written about actions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, requester: Requester, at: datetime, action: str, target: str, body: Mapping[str, Any]
    ) -> int:
        """Write down what is about to be asked of a region; answers the id of the record."""
        async with self._database.write() as connection:
            return await audit.record(
                connection,
                requester,
                at,
                action,
                target[:LONGEST_TARGET],
                before=dict(body),
                after={"outcome": "begun"},
            )

    async def conclude(self, record_id: int, outcome: Mapping[str, Any]) -> None:
        """Write down what came of it."""
        async with self._database.write() as connection:
            await audit.conclude(connection, record_id, outcome)

    async def claim(self, name: str, holder: str, now: datetime, until: datetime) -> bool:
        """Claim a name until a moment; `False` while another request holds it."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.delete(leases).where(leases.c.name.startswith(CLAIM), leases.c.expires_at <= now)
            )
            insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(leases)
            taken = await connection.execute(
                insert.values(name=CLAIM + name, holder=holder, expires_at=until)
                .on_conflict_do_nothing(index_elements=["name"])
                .returning(leases.c.name)
            )
            return taken.first() is not None

    async def release(self, name: str, holder: str) -> None:
        """Give a claim up."""
        async with self._database.write() as connection:
            await connection.execute(
                sa.delete(leases).where(leases.c.name == CLAIM + name, leases.c.holder == holder)
            )
