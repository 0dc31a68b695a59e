"""SQL of who balances a project: it is due, claimed by one process, held while its round lasts, let go of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_projects
from multisite.db.tables import executors
from multisite.engine.executors import STANDING, Fence
from multisite.quotas.model import Project
from multisite.quotas.standing import Standing
from multisite.quotas.store import project_of

_P = quota_projects.c
_OF_PROJECT: sa.BindParameter[str] = sa.bindparam("project")
_OF_PROJECTS: sa.BindParameter[Sequence[str]] = sa.bindparam("projects", expanding=True)

#: Nobody living holds a project (`holder_of`).
_FREE = _P.holder.is_(None) | _P.holder.not_in(
    sa.select(executors.c.id + "#" + sa.cast(executors.c.incarnation, sa.String))
)

#: No round of it is under way that goes on, and one is due; but not where an operation does that.
_DUE = _P.holder.is_not(None) | (
    (_P.due_at <= sa.bindparam("now"))
    & (_P.handed_until.is_(None) | (_P.handed_until <= sa.bindparam("now")))
)

#: In one order, so that no two processes wait for each other.
_CLAIMABLE = (
    sa.select(_P.project_id)
    .where(_P.project_id.in_(_OF_PROJECTS), _FREE | (_P.holder == sa.bindparam("us")))
    .where(sa.bindparam("asked", type_=sa.Boolean()) | _DUE)
    .order_by(_P.project_id)
    .with_for_update(of=quota_projects)
)
_CLAIM = (
    sa.update(quota_projects)
    .where(_P.project_id.in_(_CLAIMABLE))
    .values(holder=sa.bindparam("us"), due_at=sa.bindparam("due"))
    .returning(quota_projects)
)
#: One question in place of two, as each round asks: are we alive, and is it ours?
_HELD = (
    sa.select(_P.asked_regions, _P.standing)
    .where(_P.project_id == _OF_PROJECT, _P.holder == sa.bindparam("holder"))
    .where(sa.exists().select_from(STANDING.cte("standing")))
    .with_for_update(of=quota_projects)
)


@dataclass(frozen=True, slots=True)
class Held:
    """A project that we hold: the regions that ask for more, and how it stood after the last round."""

    asked_regions: frozenset[str]
    standing: Mapping[str, Any] | None


def holder_of(executor: str, incarnation: int) -> str:
    """How an executor's incarnation signs that it holds a project."""
    return f"{executor}#{incarnation}"


async def due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[str]:
    """Projects that are due or whose holder died, the longest due first, that no living process holds."""
    query = sa.select(_P.project_id).where(_DUE & _FREE).order_by(_P.due_at, _P.project_id).limit(limit)
    return list((await connection.scalars(query, {"now": now})).all())


async def claim(
    connection: AsyncConnection,
    project_ids: Sequence[str],
    holder: str,
    due_at: datetime,
    now: datetime,
    *,
    asked: bool,
) -> list[tuple[Project, frozenset[str]]]:
    """Hold projects that no other living process holds; each, and the regions that ask for more.

    Only those that are still due, unless somebody `asked` for these. `due_at` is when they are due
    again; whoever makes one due earlier meanwhile is heard after its round.
    """
    row = {"projects": list(project_ids), "us": holder, "due": due_at, "now": now, "asked": asked}
    claimed = await connection.execute(_CLAIM, row)
    return [(project_of(row), frozenset(row.asked_regions)) for row in claimed]


async def asked(connection: AsyncConnection, project_id: str) -> frozenset[str]:
    """The regions that ask for more for a project; none where it is not governed."""
    query = sa.select(_P.asked_regions).where(_P.project_id == project_id)
    return frozenset(await connection.scalar(query) or ())


async def held(connection: AsyncConnection, project_id: str, fence: Fence) -> Held | None:
    """What is said of a project, if we hold it and may write.

    Until the transaction ends nobody else says anything, and nobody can take us for dead.
    """
    holder = holder_of(fence.executor, fence.incarnation)
    row = (await connection.execute(_HELD, {"project": project_id, "holder": holder, **fence.row})).first()
    return Held(frozenset(row.asked_regions), row.standing) if row else None


async def release(
    connection: AsyncConnection,
    project_id: str,
    now: datetime,
    standing: Standing | None,
    asking: Iterable[str],
    *,
    handed_back: bool,
) -> None:
    """Let go of a project that we hold until it is due again; these regions go on `asking`.

    `handed_back`: an operation did what was left to it.
    """
    values: dict[str, Any] = {"holder": None, "asked_regions": sorted(asking)}
    if handed_back:
        values["handed_until"] = None
    if standing is not None:
        values |= {
            "balanced_at": now,
            "standing": dict(standing.resources),
            "pressure": standing.pressure,
        }
    row = {f"new_{name}": value for name, value in values.items()}
    await connection.execute(_released(tuple(values)), {"project": project_id, **row})


@cache
def _released(columns: Sequence[str]) -> sa.Update:
    """Stores these columns of a project; made once, as `claim` is."""
    values = {name: sa.bindparam(f"new_{name}", type_=_P[name].type) for name in columns}
    return sa.update(quota_projects).where(_P.project_id == _OF_PROJECT).values(values)


async def ask(
    connection: AsyncConnection,
    project_id: str,
    due_at: datetime,
    in_regions: Sequence[str] = (),
    handed_until: datetime | None = None,
) -> None:
    """Have a project balanced at `due_at` at the latest; with regions in which more is wanted.

    Until `handed_until` an operation does that, and nobody else.
    """
    row = (
        await connection.execute(
            sa.select(_P.asked_regions).where(_P.project_id == project_id).with_for_update()
        )
    ).first()
    if row is None:
        return
    asked = sorted({*row.asked_regions, *in_regions})
    await connection.execute(
        sa.update(quota_projects)
        .where(_P.project_id == project_id)
        .values(due_at=due_at, handed_until=handed_until, asked_regions=asked)
    )


async def may_ask(connection: AsyncConnection, project_id: str, lately: datetime, now: datetime) -> bool:
    """Note that a tenant asked, unless one did since `lately`."""
    asked = await connection.execute(
        sa.update(quota_projects)
        .where(_P.project_id == project_id, _P.asked_at.is_(None) | (_P.asked_at <= lately))
        .values(asked_at=now)
    )
    return bool(asked.rowcount)


async def hurry(connection: AsyncConnection, project_id: str, now: datetime, interval: float) -> None:
    """Have a governed project balanced now, unless it was a moment ago."""
    lately = now - timedelta(seconds=min(5.0, interval / 2))
    await connection.execute(
        sa.update(quota_projects)
        .where(
            _P.project_id == project_id,
            _P.due_at > now,
            _P.balanced_at.is_(None) | (_P.balanced_at < lately),
        )
        .values(due_at=now)
    )
