"""SQL of the event log: what happened to quotas, as it is told and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_events
from multisite.quotas.events import Event


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event, as it stands in the log."""

    id: int
    at: datetime
    kind: str
    project_id: str
    resource: str | None
    region: str | None
    figures: Mapping[str, Any]
    sentence: str


async def tell(connection: AsyncConnection, project_id: str, events: Sequence[Event], now: datetime) -> None:
    """Write events into the log; webhooks go out from there."""
    if events:
        await connection.execute(
            sa.insert(quota_events),
            [
                {
                    "at": now,
                    "kind": event.kind,
                    "project_id": project_id,
                    "resource": event.resource,
                    "region": event.region,
                    "figures": dict(event.figures),
                    "sentence": event.sentence,
                    "deliver_at": now,
                }
                for event in events
            ],
        )


async def events(
    connection: AsyncConnection,
    project_ids: Sequence[str] | None,
    kinds: Sequence[str],
    limit: int,
    before: int | None,
) -> Sequence[EventRow]:
    """Events, the newest first; of these projects, `None` for all; older than the event `before`."""
    e = quota_events.c
    query = sa.select(e.id, e.at, e.kind, e.project_id, e.resource, e.region, e.figures, e.sentence).order_by(
        e.id.desc()
    )
    if project_ids is not None:
        query = query.where(e.project_id.in_(project_ids))
    if kinds:
        query = query.where(e.kind.in_(kinds))
    if before is not None:
        query = query.where(e.id < before)
    return [EventRow(*row) for row in await connection.execute(query.limit(limit))]
