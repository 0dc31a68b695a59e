"""The page of one project's quota: its resources, the regions of one of them, what happened; live.

Its buttons stand outside of what is live, so that all who look at a project share one computation.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.engine.model import Operation
from multisite.errors import MultisiteError, NotFound
from multisite.quotas import policies
from multisite.quotas.eventlog import EventRow
from multisite.quotas.model import ProjectQuota, ResourceQuota
from multisite.quotas.resources import Kind
from multisite.web import figures
from multisite.web.operations import LOOKS as OPERATION_LOOKS
from multisite.web.quotas.asked import AskedQuota
from multisite.web.quotas.forms import forms_for
from multisite.web.quotas.history import SPANS, Chart, QuotaChart
from multisite.web.quotas.requests import may_ask, open_requests
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import LOOKS, REFUSES, amount, bar, limit_text
from multisite.web.rendering import Renderer
from multisite.web.session import new_form_token
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment
from multisite.web.urls import Urls
from multisite.web.usage_rows import label
from multisite.web.visitors import Visitor
from multisite.web.wall import trouble

MOST_REGIONS = 500
EVENTS = 20
LIVE_PARTS = ("head", "following", "resources", "chosen", "regions", "happened")


@dataclass(frozen=True, slots=True)
class QuotaPage:
    """Everything about one project's quota."""

    services: QuotaServices
    charts: QuotaChart
    renderer: Renderer

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Operators share it, and so do the members of a project."""
        project = None if visitor.operator else visitor.requester.project_id
        return "quota", Urls.of(request), _asked(request), visitor.operator, project

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        return await self.shown(request, visitor)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The quota now."""
        asked = _asked(request)
        quota = await self.services.quotas.show(visitor.requester, asked.project_id)
        return await self._snapshot(Urls.of(request), visitor, asked, quota)

    async def shown(
        self, request: Request, visitor: Visitor, error: MultisiteError | None = None
    ) -> Response:
        """The page, with what was refused above it."""
        urls, asked = Urls.of(request), _asked(request)
        try:
            quota = await self.services.quotas.show(visitor.requester, asked.project_id)
        except NotFound as missing:
            return self._none(request, visitor, asked, missing)
        snapshot = await self._snapshot(urls, visitor, asked, quota)
        target = {"project_id": quota.project_id}
        allows, chosen = self.services.policy.allows, chosen_of(quota, asked.resource)
        query = {"view": "quota", "id": quota.project_id, **asked.query(), "have": snapshot.digest}
        context = {
            "visitor": visitor,
            "here": "quotas",
            "chart": await self._chart(visitor, asked, chosen),
            "label": label(chosen.resource) if chosen else "",
            "spans": {name: text for name, (text, _) in SPANS.items()},
            "quota": quota,
            "asked": asked,
            "resource": chosen.resource if chosen else "",
            "snapshot": snapshot,
            "problem": error.detail if error else "",
            "once": new_form_token(),
            "regions": sorted({each.region for one in quota.resources for each in one.regions}),
            "may_balance": allows(visitor.requester, policies.BALANCE, target),
            "may_ask": quota.project_id == visitor.requester.project_id
            and may_ask(self.services, visitor.requester),
            "open_requests": await open_requests(self.services, visitor.requester, quota.project_id),
            "forms": forms_for(quota, chosen) if allows(visitor.requester, policies.SET) else (),
            "address": urls.quota(quota.project_id, query=asked.query()),
            "events": urls.page("events", query),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/show.html", context, status=status)

    def _none(self, request: Request, visitor: Visitor, asked: AskedQuota, missing: NotFound) -> Response:
        """Of one's own project, or for operators, that there is no quota; of others that there is nothing."""
        if not visitor.operator and asked.project_id != visitor.requester.project_id:
            raise missing
        context = {
            "visitor": visitor,
            "here": "quotas",
            "project_id": asked.project_id,
            "own": asked.project_id == visitor.requester.project_id,
            "may_set": self.services.policy.allows(visitor.requester, policies.SET),
            "may_ask": asked.project_id == visitor.requester.project_id
            and may_ask(self.services, visitor.requester),
        }
        return self.renderer.page(request, "quotas/none.html", context, status=missing.status)

    async def _snapshot(
        self, urls: Urls, visitor: Visitor, asked: AskedQuota, quota: ProjectQuota
    ) -> Snapshot:
        found = await self.services.quotas.events(
            visitor.requester, (), EVENTS + 1, asked.before, quota.project_id
        )
        chosen = chosen_of(quota, asked.resource)
        context: Mapping[str, Any] = {
            "quota": quota,
            "asked": asked,
            "operator": visitor.operator,
            "operation": await self._followed(visitor, asked),
            "operation_looks": OPERATION_LOOKS,
            "rows": [resource_row(each) for each in quota.resources],
            "chosen": chosen,
            "row": resource_row(chosen) if chosen else None,
            "regions": [region_row(chosen, each) for each in chosen.regions[:MOST_REGIONS]] if chosen else [],
            "most": MOST_REGIONS,
            "happened": found[:EVENTS],
            "older": _older(found),
            "looks": LOOKS,
        }

        def part(name: str) -> Fragment:
            return dated_fragment(name, self.renderer.fragment(f"quotas/_{name}.html", urls, **context))

        return Snapshot({**{name: part(name) for name in LIVE_PARTS}, "trouble": trouble("")}, {})

    async def _chart(self, visitor: Visitor, asked: AskedQuota, chosen: ResourceQuota | None) -> Chart | None:
        """The chart of the resource that is chosen; copied limits have no use."""
        if chosen is None or chosen.kind is Kind.COPIED:
            return None
        return await self.charts.of(visitor.requester, asked.project_id, chosen.resource, asked.span)

    async def _followed(self, visitor: Visitor, asked: AskedQuota) -> Operation | None:
        """The operation that the address names; `None` for one of others, or of another quota."""
        if not asked.operation:
            return None
        try:
            operation, _ = await self.services.operations.show(visitor.requester, asked.operation)
        except NotFound:
            return None
        return operation if operation.arguments.get("project_id") == asked.project_id else None


def chosen_of(quota: ProjectQuota, resource: str) -> ResourceQuota | None:
    """The resource whose regions are shown: the one that is asked for, else the one under most pressure."""
    if resource:
        return next((each for each in quota.resources if each.resource == resource), None)
    return max(quota.resources, key=lambda each: each.pressure or 0.0, default=None)


def resource_row(quota: ResourceQuota) -> dict[str, Any]:
    """One resource over all regions, as the template prints it."""
    name = quota.resource
    return {
        "quota": quota,
        "name": name,
        "label": label(name),
        "bar": bar(name, quota.used, quota.limit),
        "limit": limit_text(name, quota.limit),
        "left": amount(name, quota.left),
        "bound": limit_text(name, quota.bound),
        "overshoot": None if quota.overshoot is None else limit_text(name, quota.overshoot),
        "burst": None if quota.burst is None else amount(name, quota.burst),
        "pressure": figures.percent(None if quota.pressure is None else 100 * quota.pressure),
    }


def region_row(quota: ResourceQuota, region: Any) -> dict[str, Any]:
    """What one region has of a resource, as the template prints it."""
    name = quota.resource
    return {
        "region": region,
        "bar": bar(name, region.used, region.limit),
        "used": amount(name, region.used),
        "limit": limit_text(name, region.limit),
        "share": limit_text(name, region.share),
        "minimum": amount(name, region.minimum) if region.minimum else "",
        "maximum": "" if region.maximum is None else amount(name, region.maximum),
        "refuses": REFUSES.get(region.refuses or "", region.refuses),
    }


def _older(found: Sequence[EventRow]) -> str:
    return str(found[EVENTS - 1].id) if len(found) > EVENTS else ""


def _asked(request: Request) -> AskedQuota:
    """From the page's own path, or the query of its stream."""
    project_id = request.path_params.get("project_id") or request.query_params.get("id", "")
    return AskedQuota.of(str(project_id), request.query_params)
