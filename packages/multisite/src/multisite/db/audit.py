"""The audit trail: every write to our own API, in the same transaction as the write."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.tables import audit_records
from multisite.requester import Requester


async def record(  # noqa: PLR0913 - who, when, what, on what, before, after: that is what an audit is
    connection: AsyncConnection,
    requester: Requester,
    at: datetime,
    action: str,
    target: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Write one record; answers its id. `before` and `after` are plain JSON."""
    written = await connection.execute(
        sa.insert(audit_records)
        .values(
            at=at,
            user_id=requester.user_id,
            user_name=requester.user_name,
            project_id=requester.project_id,
            action=action,
            target=target,
            before=before,
            after=after,
            request_id=requester.request_id,
        )
        .returning(audit_records.c.id)
    )
    return int(written.scalar_one())


async def forget(connection: AsyncConnection, before: datetime, most: int) -> int:
    """Forget the oldest records from before a moment, `most` of them at once; how many those were."""
    records = audit_records.c
    old = sa.select(records.id).where(records.at < before).order_by(records.at, records.id).limit(most)
    rows = old.with_for_update(skip_locked=True)
    gone = await connection.execute(sa.delete(audit_records).where(records.id.in_(rows)))
    return gone.rowcount


async def conclude(connection: AsyncConnection, record_id: int, after: Mapping[str, Any]) -> None:
    """Say in a record what came of what it is about."""
    await connection.execute(
        sa.update(audit_records).where(audit_records.c.id == record_id).values(after=dict(after))
    )
