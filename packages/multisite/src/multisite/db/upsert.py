"""Insert or update, in one statement, on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def upsert(
    connection: AsyncConnection, table: sa.Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows or, where the key exists, update them; all rows name the same columns."""
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)
    changed = {column: insert.excluded[column] for column in rows[0] if column not in key}
    await connection.execute(
        insert.on_conflict_do_update(index_elements=list(key), set_=changed), [dict(row) for row in rows]
    )
