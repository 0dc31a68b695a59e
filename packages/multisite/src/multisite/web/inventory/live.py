"""A list as a live view: a fragment for each row, and for what stands around the rows.

A row is sent again when something in it changed, not when it was merely read again: when that was travels by
itself, as on the wall. So a browser keeps what its reader selected, scrolled to or wrote.
"""

from collections.abc import Mapping
from typing import Any

from multisite.web.inventory.tables import Row, Table
from multisite.web.rendering import Renderer
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment, fragment
from multisite.web.urls import Urls
from multisite.web.wall import trouble

FRAME = ('<tbody id="rows" hx-swap-oob="true">', "</tbody>")
#: What stands around the rows: the element, and its template.
PARTS = ("count", "lacking", "empty", "below")
_TIMES = (("changed", "updated_at"), ("read", "observed_at"))


def snapshot_of(renderer: Renderer, urls: Urls, table: Table, context: Mapping[str, Any]) -> Snapshot:
    """The list of a table; `context` has what the templates around the rows need."""
    around = {**context, "rows": len(table.rows)}
    parts = {
        name: fragment(name, renderer.fragment(f"inventory/_{name}.html", urls, **around)) for name in PARTS
    }
    items = {
        row.key: fragment(row.key, renderer.fragment("inventory/_row.html", urls, row=row, table=table))
        for row in table.rows
    }
    ages: dict[str, Fragment] = {}
    for row in table.rows if table.has_times else ():
        ages |= _times(renderer, urls, row)
    return Snapshot({**parts, "trouble": trouble("")}, items, ages, FRAME)


def _times(renderer: Renderer, urls: Urls, row: Row) -> dict[str, Fragment]:
    found = {}
    for part, field in _TIMES:
        name = f"{row.key}-{part}"
        html = renderer.fragment("inventory/_when.html", urls, row=row, part=part, at=getattr(row, field))
        found[name] = dated_fragment(name, html)
    return found
