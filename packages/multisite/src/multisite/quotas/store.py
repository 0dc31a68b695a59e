"""SQL of quotas: what is decided for each project, as rounds and views read it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.quota_tables import (
    quota_backends,
    quota_bounds,
    quota_classes,
    quota_limits,
    quota_projects,
    quota_raises,
    quota_shares,
)
from multisite.db.tables import regions
from multisite.errors import NotFound
from multisite.quotas.model import (
    DEFAULT_CLASS,
    Backend,
    GlobalLimit,
    Project,
    ProjectQuotaRow,
    RegionBounds,
    Wanted,
)
from multisite.quotas.resources import Kind

_P = quota_projects.c
_OF_PROJECT: sa.BindParameter[str] = sa.bindparam("project")
_OF_PROJECTS: sa.BindParameter[Sequence[str]] = sa.bindparam("projects", expanding=True)

#: So many projects are asked for in one statement.
MOST_AT_ONCE = 500

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


class QuotaStore:
    """Quotas in one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def projects(self, ids: Sequence[str] = ()) -> Sequence[Project]:
        """The governed projects, or those with these ids, by pressure."""
        query = sa.select(quota_projects).order_by(_P.pressure.desc(), _P.name, _P.project_id)
        if ids:
            query = query.where(_P.project_id.in_(ids))
        async with self.database.read() as connection:
            return [project_of(row) for row in await connection.execute(query)]

    async def projects_in(self, connection: AsyncConnection) -> Sequence[Project]:
        """The governed projects, in a transaction."""
        return [project_of(row) for row in await connection.execute(sa.select(quota_projects))]

    async def project(self, connection: AsyncConnection, project_id: str) -> Project | None:
        """One governed project."""
        query = sa.select(quota_projects).where(_P.project_id == project_id)
        row = (await connection.execute(query)).first()
        return project_of(row) if row else None

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


def project_of(row: Any) -> Project:
    """The project of a row of `quota_projects`."""
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
