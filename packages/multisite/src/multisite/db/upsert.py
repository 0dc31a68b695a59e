"""Insert or update, in one statement, on SQLite and PostgreSQL."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def upsert(
    connection: AsyncConnection, table: sa.Table, key: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert rows or, where the key exists, update them; all rows name the same columns."""
    statement = _statement(connection.dialect.name, table, tuple(key), tuple(rows[0]))
    await connection.execute(statement, [dict(row) for row in rows])


@lru_cache(maxsize=128)
def _statement(dialect: str, table: sa.Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Any:
    """The statement, kept: making one costs more than running it for a row."""
    insert = (postgresql if dialect == "postgresql" else sqlite).insert(table)
    changed = {column: insert.excluded[column] for column in columns if column not in key}
    return insert.on_conflict_do_update(index_elements=list(key), set_=changed)
