"""Pages in both directions over an interface that goes forward only.

The page before a place is the page after it in the opposite order, turned round. So both directions are
index scans, and a page is where it was whatever comes or goes before it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from multisite.inventory.model import UNKNOWN_TIME, InventoryRow, Missing
from multisite.inventory.queries import Direction, Order, Place, Sort
from multisite.inventory.service import InventoryPage
from multisite.web.inventory.asked import Asked

Fetch = Callable[[Order, str | None], Awaitable[InventoryPage]]


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows of one page; `before` and `after` are the markers of its neighbours, where there are any."""

    rows: tuple[InventoryRow, ...]
    missing: Missing
    before: str | None = None
    after: str | None = None

    @property
    def whole(self) -> bool:
        """Whether there is nothing but this page."""
        return self.before is None and self.after is None


async def one_page(fetch: Fetch, asked: Asked) -> Slice:
    """The page that an address asks for. Raises `BadRequest` for a marker of another order."""
    order = asked.order
    if asked.before:
        page = await fetch(_opposite(order), asked.before)
        rows = tuple(reversed(page.rows))
        if page.next is not None:
            return Slice(rows, page.missing, _marker(order, rows[0]), _marker(order, rows[-1]))
        # The first page is made anew: what came meanwhile would make it longer or shorter than others.
        asked = replace(asked, before="", after="")
    page = await fetch(order, asked.after or None)
    before = _marker(order, page.rows[0]) if asked.after and page.rows else None
    return Slice(page.rows, page.missing, before, page.next)


def _opposite(order: Order) -> Order:
    return replace(order, direction=Direction.DESC if order.direction is Direction.ASC else Direction.ASC)


def _marker(order: Order, row: InventoryRow) -> str:
    return order.marker(Place(_value(order.sort, row), row.region, row.id))


def _value(sort: Sort, row: InventoryRow) -> str | datetime:
    """What the database sorts a row by."""
    if sort is Sort.NAME:
        return row.name.casefold()
    if sort is Sort.CREATED_AT:
        return row.created_at or UNKNOWN_TIME
    if sort is Sort.UPDATED_AT:
        return row.updated_at or UNKNOWN_TIME
    return {Sort.REGION: row.region, Sort.STATUS: row.status, Sort.PROJECT: row.project_name}[sort] or ""
