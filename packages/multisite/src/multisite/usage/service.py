"""Use of projects, for users: from what is stored, read first when nobody has asked before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from multisite.clock import Clock
from multisite.errors import BadRequest, NotFound, RegionAway
from multisite.policy import OPERATOR_READER, Policy
from multisite.regions.model import Region
from multisite.regions.service import RegionService
from multisite.regions.states import (
    MISSING_STATES,
    Freshness,
    Last,
    Missing,
    State,
    complete_by_service,
    patience,
    region_state,
    service_state,
)
from multisite.regions.status import RegionView
from multisite.requester import Requester
from multisite.settings import UsageSettings
from multisite.usage import policies
from multisite.usage.model import (
    ProjectUsage,
    ProjectUsageRow,
    RegionUsage,
    ResourceUsage,
    UsageTotals,
    total_usage,
)
from multisite.usage.readers import READERS, RESOURCES
from multisite.usage.store import TrackedProject, UsageRow, UsageStore

#: A question about a project that was tracked this lately is not written down again.
TRACK_AGAIN = timedelta(minutes=1)


class Reader(Protocol):
    """Reads projects now."""

    async def read_now(self, project: TrackedProject, regions: Sequence[Region]) -> None:
        """Read the project in the regions; returns at its deadline at the latest."""
        ...

    async def find_home(self, project_id: str, regions: Sequence[Region]) -> TrackedProject | None:
        """The project in the home Keystone. Raises `RegionAway` when that cannot be asked."""
        ...


class UsageService:
    """Use of projects, for users."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators
        self,
        store: UsageStore,
        regions: RegionService,
        reader: Reader,
        policy: Policy,
        settings: UsageSettings,
        deadline: float,
        image_interval: float,
        clock: Clock,
    ) -> None:
        self._store = store
        self._regions = regions
        self._reader = reader
        self._policy = policy
        self._settings = settings
        self._patience = {service: patience(settings.interval, deadline) for service in READERS}
        self._patience["image"] = patience(image_interval, deadline)
        self._clock = clock

    async def show(
        self, requester: Requester, project_id: str, *, names: Sequence[str] = (), fresh: bool = False
    ) -> ProjectUsage:
        """The use of one project. Raises `NotFound` for one that is not there, or not the requester's."""
        if not self._policy.allows(requester, policies.SHOW, {"project_id": project_id}):
            raise NotFound(f"there is no project {project_id!r}")
        views = await self._regions.views(names)
        enabled = [view.region for view in views if view.region.enabled]
        known = await self._store.project(project_id)
        project = await self._identify(requester, project_id, known, enabled)
        if known is None or known.asked_at is None or self._clock.now() - known.asked_at > TRACK_AGAIN:
            await self._store.track([project], self._clock.now())
        if fresh or known is None or await self._unread(project_id, enabled):
            await self._reader.read_now(project, enabled)
        rows = (await self._store.rows([project_id])).get(project_id, [])
        usage = self._usage(project, views, rows)
        if self._policy.allows(requester, OPERATOR_READER.removeprefix("rule:")):
            return usage
        return replace(usage, regions=tuple(_for_tenant(region) for region in usage.regions))

    async def list(
        self, requester: Requester, *, sort: str | None = None, names: Sequence[str] = ()
    ) -> Sequence[ProjectUsageRow]:
        """The followed projects, or the requester's own; `sort` names a resource, most used first.

        Raises `BadRequest` for a resource that is none.
        """
        self._policy.require(requester, policies.LIST)
        if sort is not None and sort not in RESOURCES:
            known = ", ".join(sorted(RESOURCES))
            raise BadRequest(f"sort: there is no resource {sort!r}; there are: {known}")
        if not self._policy.allows(requester, OPERATOR_READER.removeprefix("rule:")):
            own = await self.show(requester, requester.project_id or "", names=names)
            return [_row(own)]
        views = await self._regions.views(names)
        projects = await self._store.tracked(self._clock.now() - timedelta(seconds=self._settings.keep))
        rows = await self._store.rows([project.project_id for project in projects])
        found = [_row(self._usage(project, views, rows.get(project.project_id, []))) for project in projects]
        if sort is None:
            return sorted(found, key=lambda row: (row.project_name or "", row.project_id))
        return sorted(found, key=lambda row: (-_used(row, sort), row.project_id))

    async def _unread(self, project_id: str, regions: Sequence[Region]) -> bool:
        rows = (await self._store.rows([project_id])).get(project_id, [])
        return bool({region.id for region in regions} - {row.region_id for row in rows})

    async def _identify(
        self,
        requester: Requester,
        project_id: str,
        known: TrackedProject | None,
        regions: Sequence[Region],
    ) -> TrackedProject:
        if project_id == requester.project_id:
            return TrackedProject(project_id, requester.project_name, requester.project_domain_name)
        if known is not None and known.name:
            return known
        try:
            found = await self._reader.find_home(project_id, regions)
        except RegionAway:
            return known or TrackedProject(project_id)
        if found is None:
            raise NotFound(f"there is no project {project_id!r}")
        return found

    def _usage(
        self, project: TrackedProject, views: Sequence[RegionView], rows: Sequence[UsageRow]
    ) -> ProjectUsage:
        now = self._clock.now()
        by_region: dict[int, dict[str, UsageRow]] = {}
        for row in rows:
            by_region.setdefault(row.region_id, {})[row.service] = row
        regions = tuple(self._region(view, by_region.get(view.region.id, {}), now) for view in views)
        return ProjectUsage(
            project_id=project.project_id,
            project_name=project.name,
            domain_name=project.domain_name,
            regions=regions,
            totals=totals(regions),
        )

    def _region(self, view: RegionView, rows: Mapping[str, UsageRow], now: datetime) -> RegionUsage:
        services = {
            service: self._freshness(view, view.services[service], rows.get(service), service, now)
            for service in READERS
        }
        found = all(row.found for row in rows.values())
        state = region_state((item.state for item in services.values()), enabled=view.region.enabled)
        return RegionUsage(
            region=view.region.name,
            state=state if found else State.ABSENT,
            found=found,
            services=services,
            resources={name: usage for row in rows.values() for name, usage in row.resources.items()},
        )

    def _freshness(
        self, view: RegionView, service: Freshness, row: UsageRow | None, name: str, now: datetime
    ) -> Freshness:
        """How fresh a project's figures are: no better than the service they come from."""
        figures = row.figures if row else Last()
        state = service_state(
            enabled=view.region.enabled,
            present=service.state is not State.ABSENT and (row is None or row.found),
            calls=Last(now, now) if service.state is not State.UNREACHABLE else Last(None, now),
            figures=figures,
            now=now,
            patience=self._patience[name],
        )
        age = round((now - figures.success).total_seconds(), 1) if figures.success else None
        error = None
        if state is State.UNREACHABLE:
            error = row.error if row and figures.failing else service.error
        return Freshness(state, figures.success, age, error)


def totals(regions: Sequence[RegionUsage]) -> UsageTotals:
    """Sums over what is fresh; what is stale or unreachable is missing, and named."""
    parts: dict[str, list[ResourceUsage]] = {}
    for region in regions:
        for name, usage in region.resources.items():
            service = name.partition("/")[0]
            if region.services[service].state is State.FRESH:
                parts.setdefault(name, []).append(usage)
    missing = tuple(
        Missing(region.region, service, freshness.state)
        for region in regions
        for service, freshness in region.services.items()
        if freshness.state in MISSING_STATES
    )
    sums = {name: total_usage(usages) for name, usages in sorted(parts.items())}
    return UsageTotals(sums, not missing, missing, complete_by_service(READERS, missing))


def _row(usage: ProjectUsage) -> ProjectUsageRow:
    return ProjectUsageRow(
        usage.project_id,
        usage.project_name,
        usage.domain_name,
        usage.totals.resources,
        usage.totals.complete,
        usage.totals.missing,
        usage.totals.complete_by_service,
    )


def _used(row: ProjectUsageRow, resource: str) -> int:
    usage = row.resources.get(resource)
    return usage.used if usage and usage.used is not None else -1


def _for_tenant(region: RegionUsage) -> RegionUsage:
    services = {name: freshness.for_tenant() for name, freshness in region.services.items()}
    return replace(region, services=services)
