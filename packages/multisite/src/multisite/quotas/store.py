"""SQL of quotas: what is decided, who balances, what is known of each region."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.quota_tables import (
    quota_backends,
    quota_bounds,
    quota_classes,
    quota_events,
    quota_limits,
    quota_projects,
    quota_raises,
    quota_shares,
)
from multisite.db.tables import executors, regions
from multisite.db.upsert import upsert
from multisite.errors import NotFound
from multisite.quotas.bound import Figures
from multisite.quotas.events import Event
from multisite.quotas.model import (
    DEFAULT_CLASS,
    Backend,
    GlobalLimit,
    Project,
    ProjectQuotaRow,
    RegionBounds,
    Share,
    Wanted,
)
from multisite.quotas.resources import Kind
from multisite.quotas.standing import Standing
from multisite.regions.states import CallError

_P = quota_projects.c
_OF_PROJECT: sa.BindParameter[str] = sa.bindparam("project")
_OF_PROJECTS: sa.BindParameter[Sequence[str]] = sa.bindparam("projects", expanding=True)

#: So many projects are asked for in one statement.
MOST_AT_ONCE = 500

#: Nobody living holds a project (`holder_of`).
_FREE = _P.holder.is_(None) | _P.holder.not_in(
    sa.select(executors.c.id + "#" + sa.cast(executors.c.incarnation, sa.String))
)

#: No round of it is under way that goes on, and one is due; but not where an operation does that.
_DUE = _P.holder.is_not(None) | (
    (_P.due_at <= sa.bindparam("now"))
    & (_P.handed_until.is_(None) | (_P.handed_until <= sa.bindparam("now")))
)

# What each round asks: making a statement anew costs as much as running it.
_CLASSES = sa.select(quota_classes).where(quota_classes.c.name.in_(sa.bindparam("names", expanding=True)))
_LIMITS = sa.select(quota_limits).where(quota_limits.c.project_id.in_(_OF_PROJECTS))
_RAISES = sa.select(quota_raises).where(
    quota_raises.c.project_id.in_(_OF_PROJECTS), quota_raises.c.ends_at > sa.bindparam("now")
)
_BOUNDS = (
    sa.select(quota_bounds, regions.c.name.label("region"))
    .join(regions, regions.c.id == quota_bounds.c.region_id)
    .where(quota_bounds.c.project_id.in_(_OF_PROJECTS))
)
_SHARES = (
    sa.select(quota_shares, regions.c.name.label("region"))
    .join(regions, regions.c.id == quota_shares.c.region_id)
    .where(quota_shares.c.project_id.in_(_OF_PROJECTS))
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
_HELD = (
    sa.select(_P.asked_regions, _P.standing)
    .where(_P.project_id == _OF_PROJECT, _P.holder == sa.bindparam("holder"))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Held:
    """A project that we hold: the regions that ask for more, and how it stood after the last round."""

    asked_regions: frozenset[str]
    standing: Mapping[str, Any] | None


class QuotaStore:
    """Quotas in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # -- what is decided -----------------------------------------------------------------------------

    async def projects(self, ids: Sequence[str] = ()) -> Sequence[Project]:
        """The governed projects, or those with these ids, by pressure."""
        query = sa.select(quota_projects).order_by(_P.pressure.desc(), _P.name, _P.project_id)
        if ids:
            query = query.where(_P.project_id.in_(ids))
        async with self.database.read() as connection:
            return [_project(row) for row in await connection.execute(query)]

    async def projects_in(self, connection: AsyncConnection) -> Sequence[Project]:
        """The governed projects, in a transaction."""
        return [_project(row) for row in await connection.execute(sa.select(quota_projects))]

    async def project(self, connection: AsyncConnection, project_id: str) -> Project | None:
        """One governed project."""
        query = sa.select(quota_projects).where(_P.project_id == project_id)
        row = (await connection.execute(query)).first()
        return _project(row) if row else None

    async def require(self, connection: AsyncConnection, project_id: str) -> Project:
        """One governed project. Raises `NotFound`."""
        found = await self.project(connection, project_id)
        if found is None:
            raise NotFound(f"there is no quota of project {project_id!r}")
        return found

    async def rows(self, ids: Sequence[str] | None = None) -> Sequence[ProjectQuotaRow]:
        """Projects as listings show them, those under most pressure first; of these ids, `None` for all."""
        query = sa.select(quota_projects).order_by(_P.pressure.desc(), _P.name, _P.project_id)
        if ids is not None:
            query = query.where(_P.project_id.in_(ids))
        async with self.database.read() as connection:
            return [
                ProjectQuotaRow(
                    row.project_id,
                    row.name,
                    row.domain_name,
                    row.class_name,
                    row.balanced_at,
                    row.pressure,
                    row.standing or {},
                )
                for row in await connection.execute(query)
            ]

    async def wanted(self, connection: AsyncConnection, project: Project, now: datetime) -> Wanted:
        """All that is decided for a project, with classes and raises."""
        return (await self.wanted_all(connection, [project], now))[project.id]

    async def wanted_all(
        self, connection: AsyncConnection, projects: Sequence[Project], now: datetime
    ) -> dict[str, Wanted]:
        """All that is decided for some projects, with classes and raises; by the project's id."""
        found: dict[str, Wanted] = {}
        for first in range(0, len(projects), MOST_AT_ONCE):
            some = projects[first : first + MOST_AT_ONCE]
            names = {DEFAULT_CLASS, *(each.class_name for each in some if each.class_name)}
            rows = {"projects": [each.id for each in some]}
            classes = _by(await connection.execute(_CLASSES, {"names": sorted(names)}), "name")
            limits = _by(await connection.execute(_LIMITS, rows), "project_id")
            raises = _by(await connection.execute(_RAISES, rows | {"now": now}), "project_id")
            bounds = _by(await connection.execute(_BOUNDS, rows), "project_id")
            for project in some:
                followed = [DEFAULT_CLASS, *([project.class_name] if project.class_name else [])]
                found[project.id] = _wanted(
                    project,
                    [row for name in followed for row in classes.get(name, ())],
                    limits.get(project.id, ()),
                    raises.get(project.id, ()),
                    bounds.get(project.id, ()),
                )
        return found

    async def wanted_of(self, connection: AsyncConnection, project_id: str, now: datetime) -> Wanted:
        """All that is decided for a governed project. Raises `NotFound`."""
        return await self.wanted(connection, await self.require(connection, project_id), now)

    async def backends(self, connection: AsyncConnection) -> dict[tuple[int, str], Backend]:
        """What operators pinned: (region id, service) → back end."""
        rows = await connection.execute(sa.select(quota_backends))
        return {(row.region_id, row.service): Backend(row.backend) for row in rows}

    # -- who balances --------------------------------------------------------------------------------

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Projects that are due or whose holder died, the longest due first, that no living process holds."""
        query = sa.select(_P.project_id).where(_DUE & _FREE).order_by(_P.due_at, _P.project_id).limit(limit)
        async with self.database.read() as connection:
            return list((await connection.scalars(query, {"now": now})).all())

    async def claim(
        self,
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
        return [(_project(row), frozenset(row.asked_regions)) for row in claimed]

    async def asked(self, connection: AsyncConnection, project_id: str) -> frozenset[str]:
        """The regions that ask for more for a project; none where it is not governed."""
        query = sa.select(_P.asked_regions).where(_P.project_id == project_id)
        return frozenset(await connection.scalar(query) or ())

    async def held(self, connection: AsyncConnection, project_id: str, holder: str) -> Held | None:
        """What is said of a project, if we hold it; until the transaction ends nobody else says anything."""
        row = (await connection.execute(_HELD, {"project": project_id, "holder": holder})).first()
        return Held(frozenset(row.asked_regions), row.standing) if row else None

    async def release(
        self,
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
        await connection.execute(
            sa.update(quota_projects).where(_P.project_id == project_id).values(**values)
        )

    async def ask(
        self,
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

    async def forget(self, connection: AsyncConnection, project_id: str, resources: Iterable[str]) -> None:
        """Forget resources whose old limits are back in all regions."""
        gone = list(resources)
        if gone:
            await connection.execute(
                sa.delete(quota_limits).where(
                    quota_limits.c.project_id == project_id,
                    quota_limits.c.resource.in_(gone),
                    quota_limits.c.releasing,
                )
            )

    async def abandon(self, connection: AsyncConnection, project_id: str) -> None:
        """Forget a project of which nothing is governed any more."""
        for table in (quota_shares, quota_bounds, quota_raises, quota_limits, quota_projects):
            await connection.execute(sa.delete(table).where(table.c.project_id == project_id))

    async def may_ask(
        self, connection: AsyncConnection, project_id: str, lately: datetime, now: datetime
    ) -> bool:
        """Note that a tenant asked, unless one did since `lately`."""
        asked = await connection.execute(
            sa.update(quota_projects)
            .where(_P.project_id == project_id, _P.asked_at.is_(None) | (_P.asked_at <= lately))
            .values(asked_at=now)
        )
        return bool(asked.rowcount)

    async def hurry(
        self, connection: AsyncConnection, project_id: str, now: datetime, interval: float
    ) -> None:
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

    # -- what is known of regions --------------------------------------------------------------------

    async def shares(self, connection: AsyncConnection, project_id: str) -> list[Share]:
        """What is known of a project in all regions."""
        return (await self.shares_of(connection, [project_id]))[project_id]

    async def shares_of(
        self, connection: AsyncConnection, project_ids: Sequence[str]
    ) -> dict[str, list[Share]]:
        """What is known of some projects in all regions, by the project's id."""
        found: dict[str, list[Share]] = {each: [] for each in project_ids}
        for first in range(0, len(project_ids), MOST_AT_ONCE):
            some = {"projects": list(project_ids[first : first + MOST_AT_ONCE])}
            for row in await connection.execute(_SHARES, some):
                found[row.project_id].append(_share(row))
        return found

    async def save(self, connection: AsyncConnection, project_id: str, shares: Iterable[Share]) -> None:
        """Store what is known of regions; a region that was deleted meanwhile is left out."""
        rows = [_row(project_id, share) for share in shares]
        if not rows:
            return
        ids = {row["region_id"] for row in rows}
        there = set(await connection.scalars(sa.select(regions.c.id).where(regions.c.id.in_(ids))))
        rows = [row for row in rows if row["region_id"] in there]
        if rows:
            await upsert(connection, quota_shares, ("project_id", "region_id", "service"), rows)

    # -- events --------------------------------------------------------------------------------------

    async def tell(
        self, connection: AsyncConnection, project_id: str, events: Sequence[Event], now: datetime
    ) -> None:
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


def holder_of(executor: str, incarnation: int) -> str:
    """How an executor's incarnation signs that it holds a project."""
    return f"{executor}#{incarnation}"


def _by(rows: Iterable[Any], column: str) -> dict[str, list[Any]]:
    """Rows by what they have in a column."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, column), []).append(row)
    return found


def _wanted(
    project: Project, classes: Iterable[Any], own: Iterable[Any], raises: Iterable[Any], bounds: Iterable[Any]
) -> Wanted:
    """What the rows decide: the classes in their order, above them the project's own, above those raises."""
    limits = {
        row.resource: GlobalLimit(row.limit, Kind(row.kind), row.burst, f"class {row.name}")
        for row in classes
    }
    releasing = set()
    for row in own:
        if row.releasing:
            releasing.add(row.resource)
        else:
            limits[row.resource] = GlobalLimit(row.limit, Kind(row.kind), row.burst)
    for row in raises:
        held = limits.get(row.resource)
        if held is not None:
            limits[row.resource] = GlobalLimit(row.limit, held.kind, held.burst, held.source, row.ends_at)
    of_regions = {
        (row.resource, row.region): RegionBounds(row.minimum, row.maximum, row.weight) for row in bounds
    }
    return Wanted(project, limits, of_regions, frozenset(releasing - set(limits)))


def _project(row: Any) -> Project:
    return Project(
        row.project_id,
        row.name,
        row.domain_id,
        row.domain_name,
        tuple(row.parents),
        row.class_name,
        row.generation,
        row.holder,
        row.balanced_at,
    )


def _share(row: Any) -> Share:
    document = row.document
    return Share(
        row.region_id,
        row.region,
        row.service,
        {name: Figures(*each) for name, each in document["figures"].items()},
        document["sent"],
        document["before"],
        document["wanted"],
        document["base"],
        document["given"],
        Backend(row.backend),
        document["was_default"],
        row.local_id,
        row.found,
        row.usable,
        row.observed_at,
        row.failed_at,
        CallError(row.error_code, row.error_detail) if row.error_code else None,
    )


def _row(project_id: str, share: Share) -> dict[str, Any]:
    return {
        "project_id": project_id,
        "region_id": share.region_id,
        "service": share.service,
        "backend": share.backend.value,
        "local_id": share.local_id,
        "found": share.found,
        "usable": share.usable,
        "observed_at": share.observed_at,
        "failed_at": share.failed_at,
        "error_code": share.error.code if share.error else None,
        "error_detail": share.error.detail if share.error else None,
        "document": share.document(),
    }
