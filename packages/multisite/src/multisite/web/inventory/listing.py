"""The page of one kind: a list with filters, an order and pages, for all kinds the same.

It is a plain form and plain links. With a script the form asks by itself while one types: then only the list
is answered, with the address that belongs to it. A mistake in a filter is a sentence above an empty list,
since one makes it on the way to every whole address.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from multisite.errors import BadRequest, NotFound
from multisite.inventory import export
from multisite.inventory.model import Missing
from multisite.inventory.queries import Order
from multisite.inventory.service import InventoryPage, Question
from multisite.web.inventory.acts import notice
from multisite.web.inventory.asked import Asked, may_be_shared
from multisite.web.inventory.creations import CREATIONS
from multisite.web.inventory.live import snapshot_of
from multisite.web.inventory.paging import Slice, one_page
from multisite.web.inventory.saved import href_of
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.tables import Table, by_region, keypair_table, table_of
from multisite.web.inventory.words import KEYPAIRS, STATUSES, TITLES, WITH_ADDRESSES, noun
from multisite.web.rendering import Renderer
from multisite.web.services import RegionService
from multisite.web.snapshots import Snapshot
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

ROWS = 100
#: From so many regions on, a region is typed and not chosen.
MOST_CHOICES = 300
#: Fields of the address of a live view that say nothing of the list.
_OF_EVENTS = frozenset({"view", "kind", "have"})


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list shows, or the sentence why it cannot."""

    table: Table | None
    page: Slice
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ListingPage:
    """Lists of all kinds."""

    inventory: InventoryServices
    regions: RegionService
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page; the list alone for a script; or everything as CSV."""
        asked = _asked(request, visitor)
        kind = asked.kind
        if request.query_params.get("format") == "csv" and kind != KEYPAIRS:
            return await self._csv(visitor, asked)
        urls = Urls.of(request)
        found = await self._listed(urls, visitor, asked)
        context = self._context(urls, visitor, asked, found)
        if found.table is not None:
            context["snapshot"] = snapshot = snapshot_of(self.renderer, urls, found.table, context)
            context["events"] = _events(urls, asked, snapshot) if kind != KEYPAIRS else ""
        if request.headers.get("hx-request") and not request.headers.get("hx-history-restore-request"):
            headers = {"HX-Replace-Url": str(context["address"]), "Vary": "HX-Request"}
            return self.renderer.page(request, "inventory/_answer.html", context, headers=headers)
        names = [view.region.name for view in await self.regions.list(visitor.requester)]
        context |= {
            "kinds": TITLES,
            "region_names": sorted(names, key=str.casefold),
            "many_regions": len(names) > MOST_CHOICES,
            "statuses": STATUSES.get(kind, ()),
            "has_addresses": kind in WITH_ADDRESSES,
            "saved": [
                (each.name, TITLES[each.kind], href_of(urls, each, operator=visitor.operator))
                for each in await self.inventory.filters.list(visitor.requester)
                if each.kind in TITLES
            ],
            "notice": notice(request, visitor),
            "create": self._creation(visitor, kind),
            "shareable": may_be_shared(kind) and not visitor.operator,
        }
        status = BadRequest.status if found.problem else 200
        return self.renderer.page(
            request, "inventory/listing.html", context, status=status, headers={"Vary": "HX-Request"}
        )

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Those share a list who see the same: people of one project and one kind of rights."""
        who = visitor.requester
        return (
            "inventory",
            Urls.of(request),
            _asked(request, visitor),
            visitor.operator,
            who.project_id,
            who.roles,
        )

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The list now. Raises `NotFound` for a kind without one, `BadRequest` for a mistake in a filter."""
        urls, asked = Urls.of(request), _asked(request, visitor)
        if asked.kind == KEYPAIRS:
            raise NotFound("Keypairs are read from the regions when somebody asks; there is no live list.")
        found = await self._listed(urls, visitor, asked)
        if found.table is None:
            raise BadRequest(found.problem)
        return snapshot_of(self.renderer, urls, found.table, self._context(urls, visitor, asked, found))

    def _creation(self, visitor: Visitor, kind: str) -> str:
        """What the button says that leads to the form for something new; empty where there is none."""
        creation = CREATIONS.get(kind)
        if creation is None or not self.inventory.policy.allows(visitor.requester, creation.action.rule):
            return ""
        return creation.label

    async def _listed(self, urls: Urls, visitor: Visitor, asked: Asked) -> Listed:
        try:
            asked.check()
            if asked.kind == KEYPAIRS:
                return await self._keypairs(urls, visitor, asked)
            question = await self._question(visitor, asked)

            async def fetch(order: Order, marker: str | None) -> InventoryPage:
                return await self.inventory.items.list(
                    visitor.requester, asked.kind, question, order, limit=ROWS, marker=marker
                )

            page = await one_page(fetch, asked)
        except (BadRequest, NotFound) as error:
            return Listed(None, Slice((), Missing()), error.detail)
        has_status = asked.kind in STATUSES
        table = table_of(urls, asked, page.rows, operator=visitor.operator, has_status=has_status)
        return Listed(table, page)

    async def _keypairs(self, urls: Urls, visitor: Visitor, asked: Asked) -> Listed:
        found = await self.inventory.keypairs.list(visitor.requester, None, asked.regions)
        wanted = [each for each in found.keypairs if asked.name.casefold() in each.name.casefold()]
        table = keypair_table(urls, wanted, operator=visitor.operator)
        return Listed(table, Slice((), Missing(found.missing, found.missing_regions)))

    async def _question(self, visitor: Visitor, asked: Asked) -> Question:
        project_id = None
        if asked.project:
            project_id = await self.inventory.projects.id_of(visitor.requester, asked.project)
        return Question(
            regions=asked.regions,
            project_id=project_id,
            status=asked.status or None,
            name=asked.name or None,
            address=asked.address or None,
            visible=asked.visible,
        )

    async def _csv(self, visitor: Visitor, asked: Asked) -> Response:
        asked.check()
        question = await self._question(visitor, asked)
        found = await self.inventory.items.export(visitor.requester, asked.kind, question, asked.order)
        headers = {"Content-Disposition": f'attachment; filename="{asked.kind}.csv"'}
        return StreamingResponse(export.lines(found), media_type="text/csv; charset=utf-8", headers=headers)

    def _context(self, urls: Urls, visitor: Visitor, asked: Asked, found: Listed) -> dict[str, Any]:
        path = f"inventory/{asked.kind}"
        page = found.page
        return {
            "visitor": visitor,
            "here": "inventory",
            "asked": asked,
            "table": found.table,
            "snapshot": None,
            "events": "",
            "problem": found.problem,
            "counted": counted(asked, found),
            "missing": by_region(page.missing.named),
            "missing_regions": page.missing.regions,
            "title": TITLES[asked.kind],
            "address": urls.page(path, asked.filters(after=asked.after, before=asked.before)),
            "query": urlencode(asked.filters()),
            "csv": urls.page(path, asked.filters(format="csv")) if asked.kind != KEYPAIRS else "",
            "next": urls.page(path, asked.filters(after=page.after)) if page.after else "",
            "previous": urls.page(path, asked.filters(before=page.before)) if page.before else "",
        }


def _asked(request: Request, visitor: Visitor) -> Asked:
    """What a list's address asks for, or that of its live view. Raises `NotFound`."""
    kind = str(request.path_params.get("kind") or request.query_params.get("kind", ""))
    if kind not in TITLES:
        raise NotFound(f"There is no list of {kind!r}.")
    fields = [each for each in request.query_params.multi_items() if each[0] not in _OF_EVENTS]
    return Asked.of(kind, fields, operator=visitor.operator)


def _events(urls: Urls, asked: Asked, snapshot: Snapshot) -> str:
    place = {"after": asked.after, "before": asked.before}
    query = {"view": "inventory", "kind": asked.kind, **asked.filters(**place), "have": snapshot.digest}
    return urls.page("events", query)


def counted(asked: Asked, found: Listed) -> str:
    """How many there are, in words, for eyes and screen readers."""
    number = len(found.table.rows) if found.table else 0
    things = noun(asked.kind, number)
    if found.problem:
        return "Nothing is listed."
    if not number:
        return f"No {things} fit." if asked.narrows else f"There are no {things}."
    if found.page.whole:
        return f"{number} {things}"
    return f"{number} {things} on this page" + (", more follow" if found.page.after else ", the last ones")
