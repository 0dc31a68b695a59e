"""The one box: where is this id, name or address? What was found, best first, kind by kind."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.inventory.search import Found, SearchResult
from multisite.web.inventory import cells
from multisite.web.inventory.asked import plain_text
from multisite.web.inventory.cells import Cell
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.tables import by_region, region_cell
from multisite.web.inventory.words import TITLES, plural_of, tone
from multisite.web.rendering import Renderer
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

MOST = 100
_MOST_ADDRESSES = 4


@dataclass(frozen=True, slots=True)
class Hit:
    """One found item."""

    found: Found
    name: Cell
    region: Cell
    tone: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What a text may mean, over all regions and kinds."""

    inventory: InventoryServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page, or what was found alone, for a script."""
        urls, text = Urls.of(request), plain_text(request.query_params.get("q", ""))
        result = await self.inventory.search.search(visitor.requester, text, limit=MOST) if text else None
        groups = grouped(urls, result.found, operator=visitor.operator) if result else {}
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "search",
            "q": text,
            "groups": groups,
            "counted": counted(text, result),
            "more": bool(result and result.more),
            "missing": by_region(result.missing) if result else {},
            "missing_regions": result.missing_regions if result else 0,
        }
        headers = {"Vary": "HX-Request"}
        if request.headers.get("hx-request") and not request.headers.get("hx-history-restore-request"):
            headers["HX-Replace-Url"] = urls.page("search", {"q": text})
            return self.renderer.page(request, "inventory/_found.html", context, headers=headers)
        return self.renderer.page(request, "inventory/search.html", context, headers=headers)


def grouped(urls: Urls, found: Iterable[Found], *, operator: bool) -> dict[str, list[Hit]]:
    """What was found, kind by kind; the kind of the best comes first."""
    groups: dict[str, list[Hit]] = {}
    for each in found:
        row, plural = each.item, plural_of(each.item.kind)
        hit = Hit(
            found=each,
            name=Cell(row.name or cells.short(row.id), urls.item(plural, row.region, row.id), row.id),
            region=region_cell(urls, row.region, operator=operator),
            tone=tone(row.status),
            addresses=row.addresses[:_MOST_ADDRESSES],
        )
        groups.setdefault(TITLES[plural], []).append(hit)
    return groups


def counted(text: str, result: SearchResult | None) -> str:
    """How much was found, in words."""
    if result is None:
        return "Write an id or its beginning, a part of a name, or an address: 10.1.2.3, 10.1.0.0/16."
    if not result.found:
        return f"Nothing has the id, name or address “{text}”."
    number = len(result.found)
    things = "item" if number == 1 else "items"
    return f"The best {number} {things} for “{text}”" if result.more else f"{number} {things} for “{text}”"
