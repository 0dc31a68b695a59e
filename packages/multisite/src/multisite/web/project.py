"""A tenant's own page: what its project uses in every region, with limits and what is left.

It shows the project of the token and no other. With `?region=NAME` it shows one region with all its
resources; without, a row per region and the totals.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.clock import Clock
from multisite.errors import NotFound
from multisite.usage.model import ProjectUsage, RegionUsage
from multisite.web.rendering import Renderer
from multisite.web.services import UsageService
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment, fragment
from multisite.web.tiles import ailments, service_marks
from multisite.web.urls import Urls
from multisite.web.usage_rows import grouped, main_labels, main_uses
from multisite.web.visitors import Visitor
from multisite.web.wall import lacking_by_service, missing_by_region, trouble

FRAME = ('<tbody id="regions" hx-swap-oob="true">', "</tbody>")


@dataclass(frozen=True, slots=True)
class ProjectPage:
    """The use of the token's project as a live view."""

    usage: UsageService
    renderer: Renderer
    clock: Clock

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Shared within a project."""
        region = request.query_params.get("region", "")
        return "project", Urls.of(request), visitor.requester.project_id, region

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        if visitor.requester.project_id is None:
            return self.renderer.page(request, "no_project.html", {"visitor": visitor, "here": "project"})
        region = request.query_params.get("region", "")
        usage = await self._usage(visitor, region)
        snapshot = self._snapshot(Urls.of(request), usage, region)
        context = {
            "visitor": visitor,
            "here": "project",
            "snapshot": snapshot,
            "region": region,
            "columns": main_labels(),
            "usage": usage,
            "events": Urls.of(request).page(
                "events", {"view": "project", "region": region, "have": snapshot.digest}
            ),
        }
        return self.renderer.page(request, "project.html", context)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The view now."""
        region = request.query_params.get("region", "")
        return self._snapshot(Urls.of(request), await self._usage(visitor, region), region)

    async def _usage(self, visitor: Visitor, region: str) -> ProjectUsage:
        project = visitor.requester.project_id
        if project is None:
            raise NotFound("A token of the whole system belongs to no project.")
        usage = await self.usage.show(visitor.requester, project, names=[region] if region else [])
        if region and not usage.regions:
            raise NotFound(f"There is no region {region!r} here.")
        return usage

    def _snapshot(self, urls: Urls, usage: ProjectUsage, region: str) -> Snapshot:
        context: Mapping[str, Any] = {
            "groups": grouped(usage.totals.resources),
            "complete": usage.totals.complete,
            "missing": missing_by_region(usage.totals.missing),
            "lacking": lacking_by_service(usage.totals.missing),
            "regions": len(usage.regions),
            "region": region,
        }
        totals = self.renderer.fragment("_project_totals.html", urls, **context)
        return Snapshot(
            parts={"totals": fragment("totals", totals), "trouble": trouble("")},
            items={f"use-{each.region}": self._row(urls, each) for each in usage.regions},
            frame=FRAME,
        )

    def _row(self, urls: Urls, usage: RegionUsage) -> Fragment:
        read = [each.observed_at for each in usage.services.values() if each.observed_at]
        context: Mapping[str, Any] = {
            "usage": usage,
            "uses": main_uses(usage.resources),
            "columns": main_labels(),
            "observed_at": min(read) if read else None,
            "ailing": ailments(service_marks(usage.services)),
        }
        return dated_fragment(f"use-{usage.region}", self.renderer.fragment("_use.html", urls, **context))
