"""The list of governed projects, those under most pressure first, live. Tenants go straight to their own."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.errors import BadRequest
from multisite.quotas import policies
from multisite.quotas.model import ProjectQuotaRow, State
from multisite.web import figures
from multisite.web.quotas.asked import AskedList
from multisite.web.quotas.requests import open_requests
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import LOOKS, bars_of, worst
from multisite.web.rendering import Renderer
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor
from multisite.web.wall import trouble

FRAME = ('<tbody id="quotas" hx-swap-oob="true">', "</tbody>")
#: Bars of one project in the list.
MOST_BARS = 4


@dataclass(frozen=True, slots=True)
class QuotasPage:
    """Governed projects as a live list."""

    services: QuotaServices
    renderer: Renderer

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Operators share a list; a project's members share theirs."""
        project = None if visitor.operator else visitor.requester.project_id
        return "quotas", Urls.of(request), AskedList.of(request.query_params), project

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        urls, asked = Urls.of(request), AskedList.of(request.query_params)
        if not visitor.operator:
            return RedirectResponse(urls.quota(visitor.requester.project_id or ""), 303)
        snapshot, following = await self._read(urls, visitor, asked)
        allows = self.services.policy.allows
        context = {
            "visitor": visitor,
            "here": "quotas",
            "snapshot": snapshot,
            "asked": asked,
            "states": list(State),
            "more": urls.page("quotas", asked.query(after=following)) if following else "",
            "first": urls.page("quotas", asked.query(after="")) if asked.after else "",
            "may_set": allows(visitor.requester, policies.SET),
            "may_see_classes": allows(visitor.requester, policies.CLASSES),
            "may_see_caps": allows(visitor.requester, policies.CAPS),
            "may_see_backends": allows(visitor.requester, policies.BACKENDS),
            "events": urls.page("events", {"view": "quotas", **asked.query(), "have": snapshot.digest}),
            "address": urls.page("quotas", asked.query()),
        }
        return self.renderer.page(request, "quotas/listing.html", context)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The list now."""
        return (await self._read(Urls.of(request), visitor, AskedList.of(request.query_params)))[0]

    async def _read(self, urls: Urls, visitor: Visitor, asked: AskedList) -> tuple[Snapshot, str]:
        problem, following = "", ""
        shown: Sequence[ProjectQuotaRow] = ()
        try:
            every = await self.services.quotas.list(visitor.requester, asked.sort or None)
            shown, following = asked.choose(every)
        except BadRequest as error:  # what is asked for cannot be: said above an empty list
            problem = error.detail
        items = [self._row(urls, row) for row in shown]
        told = self.renderer.fragment(
            "quotas/_told.html", urls, count=len(items), asked=asked, problem=problem, more=bool(following)
        )
        number = await open_requests(self.services, visitor.requester)
        asking = self.renderer.fragment("quotas/_asking.html", urls, number=number)
        parts = {
            "told": dated_fragment("told", told),
            "asking": dated_fragment("asking", asking),
            "trouble": trouble(""),
        }
        return Snapshot(parts, {each.id: each for each in items}, frame=FRAME), following

    def _row(self, urls: Urls, row: ProjectQuotaRow) -> Fragment:
        key, bars = f"quota-{row.project_id}", bars_of(row.resources)
        html = self.renderer.fragment(
            "quotas/_row.html",
            urls,
            key=key,
            row=row,
            state=worst(each["state"] for each in row.resources.values()),
            looks=LOOKS,
            pressure=figures.percent(100 * row.pressure if row.resources else None),
            bars=bars[:MOST_BARS],
            others=len(bars[MOST_BARS:]),
        )
        return dated_fragment(key, html)
