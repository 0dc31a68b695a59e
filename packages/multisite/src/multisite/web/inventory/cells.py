"""Values of items as short texts, some of which are links.

Attributes come from regions, which may lie: whatever a value is, it becomes a text that templates escape,
and a link leads to a page of ours and nowhere else.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.inventory.model import InventoryRow
from multisite.web import figures
from multisite.web.urls import Urls

_SHORT_ID = 8
_LONGEST = 120


@dataclass(frozen=True, slots=True)
class Cell:
    """One text, with where it leads and what the whole of it is."""

    text: str
    href: str | None = None
    title: str = ""


Cells = tuple[Cell, ...]


def said(value: Any) -> Cells:
    """A value as it is, cut; nothing for nothing."""
    if value is None or value in ("", [], {}):
        return ()
    if isinstance(value, bool):
        return (Cell("yes" if value else "no"),)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (Cell(f"{text[:_LONGEST]}…", title=text[:1000]),) if len(text) > _LONGEST else (Cell(text),)


def number(value: Any) -> float | None:
    """A number, or `None` for what is none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def gibibytes(value: Any) -> Cells:
    """A size that a service tells in GiB."""
    return (Cell(figures.from_gibibytes(number(value))),)


def mebibytes(value: Any) -> Cells:
    """A size that a service tells in MiB."""
    return (Cell(figures.from_mebibytes(number(value))),)


def octets(value: Any) -> Cells:
    """A size that a service tells in bytes."""
    return (Cell(figures.from_bytes(number(value))),)


def count(value: Any) -> Cells:
    """A number of things."""
    return (Cell(figures.count(number(value))),)


def short(identity: str) -> str:
    """The beginning of an id, by which people know it."""
    return identity if len(identity) <= _SHORT_ID + 4 else f"{identity[:_SHORT_ID]}…"


def to_item(urls: Urls, plural: str, region: str, identity: Any) -> Cells:
    """A link to another item of the same region, by its id."""
    if not isinstance(identity, str) or not identity:
        return ()
    return (Cell(short(identity), urls.item(plural, region, identity), title=identity[:255]),)


def device(urls: Urls, row: InventoryRow) -> Cells:
    """What a port is for."""
    owner, identity = str(row.attributes.get("device_owner") or ""), row.attributes.get("device_id")
    plural = device_kind(owner)
    if plural is None:
        return said(owner)
    return to_item(urls, plural, row.region, identity)


def device_kind(owner: str) -> str | None:
    """The kind of what owns a port; `None` for what is no item."""
    if owner.startswith("compute:"):
        return "servers"
    if owner.startswith(("network:router_", "network:ha_router")):
        return "routers"
    return "floating-ips" if owner == "network:floatingip" else None


def attached(urls: Urls, row: InventoryRow) -> Cells:
    """The servers that have a volume."""
    return tuple(
        cell for each in servers_of(row.attributes) for cell in to_item(urls, "servers", row.region, each)
    )


def servers_of(attributes: Mapping[str, Any]) -> Iterable[str]:
    """The ids of the servers that have a volume."""
    attachments = attributes.get("attachments")
    for each in attachments if isinstance(attachments, list) else []:
        if isinstance(each, dict) and isinstance(each.get("server_id"), str):
            yield each["server_id"]
