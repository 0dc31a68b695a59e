"""The page of one item: everything that is known of it, what it belongs to, and what belongs to it.

What it names is looked up, so that the page can say its name; what cannot be found, or is not the
visitor's to see, stays an id. The forms of `acts` stand on it, for those who may act.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.errors import NotFound
from multisite.inventory.kinds import BY_PLURAL
from multisite.inventory.model import InventoryRow
from multisite.requester import Requester
from multisite.web.inventory import cells
from multisite.web.inventory.cells import Cell
from multisite.web.inventory.links import Link, links_of
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.tables import region_cell
from multisite.web.inventory.words import TITLES, noun, plural_of, tone
from multisite.web.rendering import Renderer
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

#: Attributes that are called otherwise than OpenStack writes them.
_LABELS = {"vcpus": "VCPUs", "ram": "memory", "min_ram": "least memory", "min_disk": "least disk"}
#: A moment as OpenStack writes one, in UTC.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)?$")
#: So many of the items that one names are looked up; the rest are shown by their ids.
MOST_LOOKED_UP = 20


@dataclass(frozen=True, slots=True)
class Fact:
    """One attribute: a text, or a document of several lines."""

    name: str
    text: str
    lines: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """Another item, what it is to this one, and how it is."""

    what: str
    cell: Cell
    status: str | None = None
    tone: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item of any kind."""

    inventory: InventoryServices
    renderer: Renderer

    async def row(self, request: Request, visitor: Visitor) -> InventoryRow:
        """The item that an address names. Raises `NotFound`."""
        kind, region, identity = (str(request.path_params[name]) for name in ("kind", "region", "id"))
        if kind not in BY_PLURAL or "\x00" in region + identity:
            raise NotFound(f"There is no {kind!r} of that name.")
        return await self.inventory.items.show(visitor.requester, kind, region, identity)

    async def shown(
        self, request: Request, visitor: Visitor, row: InventoryRow, *, status: int = 200, **more: Any
    ) -> Response:
        """The page of an item that was read."""
        urls, plural = Urls.of(request), plural_of(row.kind)
        named, around = await asyncio.gather(
            self._named(visitor.requester, urls, row), self._around(visitor.requester, urls, row)
        )
        context = {
            "visitor": visitor,
            "here": "inventory",
            "row": row,
            "kind": plural,
            "title": TITLES[plural],
            "noun": noun(plural),
            "tone": tone(row.status),
            "region": region_cell(urls, row.region, operator=visitor.operator),
            "facts": facts_of(row),
            "named": named,
            "around": around,
            **more,
        }
        return self.renderer.page(request, "inventory/item.html", context, status=status)

    async def _named(self, requester: Requester, urls: Urls, row: InventoryRow) -> list[Relation]:
        links = links_of(row)
        known = await asyncio.gather(
            *(self._look_up(requester, row, link) for link in links[:MOST_LOOKED_UP])
        )
        relations = []
        for number, link in enumerate(links):
            other = known[number] if number < len(known) else None
            if other is None:
                relations.append(Relation(link.what, Cell(cells.short(link.id), title=link.id)))
            else:
                relations.append(_relation(urls, link.what, other))
        return relations

    async def _look_up(self, requester: Requester, row: InventoryRow, link: Link) -> InventoryRow | None:
        try:
            return await self.inventory.items.show(requester, link.plural, row.region, link.id)
        except NotFound:
            return None

    async def _around(self, requester: Requester, urls: Urls, row: InventoryRow) -> list[Relation]:
        found = await self.inventory.relations.around(requester, row)
        return [_relation(urls, noun(plural_of(each.kind)).capitalize(), each) for each in found]


def _relation(urls: Urls, what: str, row: InventoryRow) -> Relation:
    cell = Cell(
        row.name or cells.short(row.id), urls.item(plural_of(row.kind), row.region, row.id), title=row.id
    )
    return Relation(what, cell, row.status, tone(row.status), row.addresses[:4])


def facts_of(row: InventoryRow) -> list[Fact]:
    """The attributes, those without a value left out."""
    facts = []
    for name, value in row.attributes.items():
        if value is None or value in ("", [], {}):
            continue
        label = _LABELS.get(name, name.replace("_", " "))
        if isinstance(value, dict | list):
            facts.append(Fact(label, _document(value), lines=True))
        else:
            facts.append(Fact(label, "".join(cell.text for cell in _short_fact(row, name, value))))
    return facts


def _short_fact(row: InventoryRow, name: str, value: Any) -> cells.Cells:
    if name == "size":
        return cells.octets(value) if row.kind == "image" else cells.gibibytes(value)
    if name in {"ram", "min_ram"}:
        return cells.mebibytes(value)
    if name in {"disk", "min_disk"}:
        return cells.gibibytes(value)
    if isinstance(value, bool):
        return cells.said(value)
    if name.endswith("_at") and (moment := _MOMENT.match(str(value))):
        return (Cell(f"{moment[1]} {moment[2]} UTC"),)
    return (Cell(str(value)[:4000]),)


def _document(value: Any) -> str:
    """JSON as people read it; a list of plain values in one line."""
    if isinstance(value, list) and all(isinstance(each, str | int) for each in value):
        return ", ".join(map(str, value))[:4000]
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)[:20_000]
