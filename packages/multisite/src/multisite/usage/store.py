"""SQL of use: which projects are followed, and what was read of them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from multisite.db.engine import Database
from multisite.db.tables import project_usage, tracked_projects
from multisite.db.upsert import upsert
from multisite.engine.executors import Fence
from multisite.openstack.client import Target
from multisite.regions.states import CallError, Last
from multisite.regions.store import reached_as
from multisite.usage.model import ResourceUsage, resource_usage

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrackedProject:
    """A project that somebody asked about; names are those of the home Keystone, where known."""

    project_id: str
    name: str | None = None
    domain_name: str | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UsageReading:
    """What one read of one project from one service gave: `resources`, or an `error`.

    `found` is false where the region's Keystone does not have the project.
    """

    service: str
    at: datetime
    resources: Mapping[str, ResourceUsage] | None = None
    error: CallError | None = None
    found: bool = True


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What is stored of one project in one service of one region."""

    region_id: int
    service: str
    found: bool
    figures: Last
    error: CallError | None
    resources: Mapping[str, ResourceUsage]


class UsageStore:
    """Use of projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def track(self, projects: Iterable[TrackedProject], now: datetime) -> None:
        """Follow projects from `now` on; a name that is not known does not replace one that is."""
        rows = [
            {"project_id": project.project_id, "name": project.name, "domain_name": project.domain_name}
            for project in projects
        ]
        if not rows:
            return
        async with self._database.write() as connection:
            known = {row.project_id: row for row in await connection.execute(sa.select(tracked_projects))}
            for row in rows:
                held = known.get(str(row["project_id"]))
                if held is not None:
                    row["name"] = row["name"] or held.name
                    row["domain_name"] = row["domain_name"] or held.domain_name
            await upsert(
                connection, tracked_projects, ("project_id",), [{**row, "asked_at": now} for row in rows]
            )

    async def tracked(self, since: datetime) -> list[TrackedProject]:
        """The projects that were asked about since `since`."""
        query = sa.select(tracked_projects).where(tracked_projects.c.asked_at >= since)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(tracked_projects.c.project_id))).all()
        return [TrackedProject(row.project_id, row.name, row.domain_name, row.asked_at) for row in rows]

    async def project(self, project_id: str) -> TrackedProject | None:
        """One followed project."""
        query = sa.select(tracked_projects).where(tracked_projects.c.project_id == project_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return TrackedProject(row.project_id, row.name, row.domain_name, row.asked_at) if row else None

    async def rows(self, project_ids: Sequence[str]) -> dict[str, list[UsageRow]]:
        """What is stored of the projects: one query."""
        query = sa.select(project_usage).where(project_usage.c.project_id.in_(project_ids))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        found: dict[str, list[UsageRow]] = {}
        for row in rows:
            found.setdefault(row["project_id"], []).append(_row(row))
        return found

    async def write(
        self,
        project_id: str,
        region_id: int,
        readings: Sequence[UsageReading],
        target: Target | None = None,
        fence: Fence | None = None,
    ) -> None:
        """Store one read of one project in one region. A failure keeps the figures of the last success.

        A project that some service knows is absent in none: rows that say so are deleted. What was read of a
        region that was deleted meanwhile, or is not reached as `target` any more, is dropped, and so is what
        the process behind `fence` read before it was taken for dead.
        """
        async with self._database.write() as connection:
            if fence is not None and not await fence.stands(connection):
                LOG.warning("project %s: a read is not stored: this process was taken for dead", project_id)
                return
            if not await reached_as(connection, region_id, target):
                return
            if any(reading.found and reading.error is None for reading in readings):
                await connection.execute(_absences(project_id, region_id))
            key = {"project_id": project_id, "region_id": region_id}
            for rows in (
                [{**key, **_success(item)} for item in readings if item.error is None],
                [{**key, **_failure(item)} for item in readings if item.error is not None],
            ):
                if rows:
                    await upsert(connection, project_usage, ("project_id", "region_id", "service"), rows)

    async def forget(self, before: datetime) -> None:
        """Drop projects that nobody asked about since `before`, with their figures."""
        async with self._database.write() as connection:
            old = sa.select(tracked_projects.c.project_id).where(tracked_projects.c.asked_at < before)
            await connection.execute(sa.delete(project_usage).where(project_usage.c.project_id.in_(old)))
            await connection.execute(sa.delete(tracked_projects).where(tracked_projects.c.asked_at < before))


def _absences(project_id: str, region_id: int) -> sa.Delete:
    return sa.delete(project_usage).where(
        project_usage.c.project_id == project_id,
        project_usage.c.region_id == region_id,
        project_usage.c.found.is_(False),
    )


def _success(reading: UsageReading) -> dict[str, Any]:
    return {
        "service": reading.service,
        "found": reading.found,
        "observed_at": reading.at,
        "resources": {
            name: [usage.used, usage.limit, usage.reserved]
            for name, usage in (reading.resources or {}).items()
        },
    }


def _failure(reading: UsageReading) -> dict[str, Any]:
    return {
        "service": reading.service,
        "found": reading.found,
        "failed_at": reading.at,
        "error_code": reading.error.code if reading.error else None,
        "error_detail": reading.error.detail if reading.error else None,
    }


def _row(row: RowMapping) -> UsageRow:
    return UsageRow(
        region_id=row["region_id"],
        service=row["service"],
        found=row["found"],
        figures=Last(row["observed_at"], row["failed_at"]),
        error=CallError(row["error_code"], row["error_detail"]) if row["error_code"] else None,
        resources={name: resource_usage(*figures) for name, figures in (row["resources"] or {}).items()},
    )
