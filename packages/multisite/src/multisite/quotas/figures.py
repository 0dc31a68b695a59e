"""What the metrics tell of quotas: counts over all projects, none of a single one."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.quota_tables import quota_projects
from multisite.quotas.delivery.outbox import Outbox
from multisite.quotas.model import State
from multisite.quotas.requests.store import QuotaRequestStore

_P = quota_projects.c
#: Projects that are read at once; others get their turn on the loop between.
PAGE = 500
#: The state of a project is the first of these that one of its resources has.
WORST_FIRST = (State.OVER, State.ESTABLISHING, State.RELEASING, State.ESTABLISHED, State.UNLIMITED)


@dataclass(frozen=True, slots=True)
class QuotaFigures:
    """Governed projects by state, seconds for which the oldest due one waits, what is open and waiting."""

    projects: Mapping[State, int]
    oldest_due: float
    open_requests: int
    waiting_deliveries: int


async def quota_figures(database: Database, now: datetime) -> QuotaFigures:
    """The figures of now, from the rows of all processes."""
    states: Counter[State] = Counter()
    after = ""
    while True:
        query = (
            sa.select(_P.project_id, _P.standing)
            .where(_P.project_id > after)
            .order_by(_P.project_id)
            .limit(PAGE)
        )
        async with database.read() as connection:
            rows = (await connection.execute(query)).all()
        states.update(state_of(row.standing) for row in rows)
        if len(rows) < PAGE:
            break
        after = rows[-1].project_id
        await asyncio.sleep(0)
    async with database.read() as connection:
        due_at = await connection.scalar(sa.select(sa.func.min(_P.due_at)))
    return QuotaFigures(
        {state: states[state] for state in State},
        max(0.0, (now - due_at).total_seconds()) if due_at else 0.0,
        await QuotaRequestStore(database).count_open(),
        await Outbox(database).waiting(),
    )


def state_of(standing: Mapping[str, Any] | None) -> State:
    """The worst state of a project's resources; one that was never balanced is being established."""
    if not standing:
        return State.ESTABLISHING
    held = {State(told["state"]) for told in standing.values()}
    return next(state for state in WORST_FIRST if state in held)
