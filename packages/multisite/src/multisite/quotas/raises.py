"""The end of temporary raises: told once over all processes, and balanced at once.

A raise of a project that is being balanced ends a moment later, when that round let go of it: the round may
have counted with the raise, and would say when the project is due next.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_projects, quota_raises
from multisite.quotas import decisions, eventlog
from multisite.quotas.events import Event
from multisite.quotas.store import QuotaStore


async def end_raises(store: QuotaStore, now: datetime) -> int:
    """Delete the raises whose time is over; their projects are due now. How many raises ended."""
    async with store.database.read() as connection:
        if (await connection.scalars(_over(now).limit(1))).first() is None:
            return 0
    ended = 0
    async with store.database.write() as connection:
        free = (await connection.scalars(_over(now).with_for_update(of=quota_projects))).all()
        for project_id in sorted(set(free)):
            ended += await _end(connection, store, project_id, now)
    return ended


async def _end(connection: AsyncConnection, store: QuotaStore, project_id: str, now: datetime) -> int:
    project = await store.project(connection, project_id)
    resources = await decisions.end_raises(connection, now, project_id)
    if project is None or not resources:
        return 0
    limits = (await store.wanted(connection, project, now)).limits
    events = []
    for resource in sorted(resources):
        limit = limits[resource].limit if resource in limits else None
        again = "" if limit is None else f"; the limit is {limit} again"
        sentence = f"{resource}: the temporary raise is over{again}"
        events.append(Event("raise-ended", sentence, resource, figures={"limit": limit}))
    await eventlog.tell(connection, project_id, events, now)
    await decisions.due_now(connection, [project_id], now)
    return len(events)


def _over(now: datetime) -> sa.Select[str]:
    """Projects that nobody balances now, with a raise whose time is over."""
    return (
        sa.select(quota_projects.c.project_id)
        .join(quota_raises, quota_raises.c.project_id == quota_projects.c.project_id)
        .where(quota_raises.c.ends_at <= now, quota_projects.c.holder.is_(None))
    )
