"""What can be made from the page, in one table: which fields each form has, and what it offers.

A region is chosen first. What it offers is asked of the region in the visitor's name (`actions/offers.py`) or
of the inventory; what could not be read is named, and the rest is offered.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multisite.actions.model import Action
from multisite.actions.table import BY_NAME
from multisite.errors import BadRequest
from multisite.inventory.model import InventoryRow, MissingKind
from multisite.inventory.queries import Order
from multisite.inventory.service import Question
from multisite.openstack.users import UserToken
from multisite.web.inventory.acts import Fields, flavor_text, one
from multisite.web.inventory.cells import short
from multisite.web.inventory.services import InventoryServices
from multisite.web.visitors import Visitor

#: So many items of a kind can be chosen from.
MOST_CHOICES = 500

#: Text, and the value that is sent.
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a form offers: names of its template with their values, and what could not be read."""

    names: Mapping[str, Any]
    missing: Sequence[MissingKind]


@dataclass(frozen=True, slots=True)
class Creation:
    """One form: what it makes of which fields, and what it offers in a region."""

    action: Action
    label: str
    template: str
    body: Callable[[Fields], dict[str, Any]]
    offered: Callable[[InventoryServices, Visitor, str], Awaitable[Offered]]
    several: tuple[str, ...] = ()


async def _for_servers(inventory: InventoryServices, visitor: Visitor, region: str) -> Offered:
    offers = await inventory.offers.show(visitor.requester, UserToken(visitor.session.token), region)
    flavors = [(flavor_text(each), each.id) for each in offers.flavors]
    return Offered({"offers": offers, "flavors": flavors}, offers.missing)


async def _for_volumes(inventory: InventoryServices, visitor: Visitor, region: str) -> Offered:
    offers = await inventory.offers.show(visitor.requester, UserToken(visitor.session.token), region)
    snapshots, no_snapshots = await _own(inventory, visitor, "snapshots", region)
    volumes, no_volumes = await _own(inventory, visitor, "volumes", region)
    sources = {
        "Image": [(each.name or short(each.id), f"image_id:{each.id}") for each in offers.images],
        "Snapshot": [(_sized(each), f"snapshot_id:{each.id}") for each in snapshots],
        "Volume": [(_sized(each), f"source_volume_id:{each.id}") for each in volumes],
    }
    missing = {(each.service, each.code): each for each in (*offers.missing, *no_snapshots, *no_volumes)}
    return Offered({"types": offers.volume_types, "sources": sources}, tuple(missing.values()))


async def _for_floating_ips(inventory: InventoryServices, visitor: Visitor, region: str) -> Offered:
    question = Question(regions=(region,), visible=True)
    page = await inventory.items.list(visitor.requester, "networks", question, Order(), limit=MOST_CHOICES)
    external = [
        (each.name or short(each.id), each.id) for each in page.rows if each.attributes.get("external")
    ]
    return Offered({"networks": external}, page.missing.named)


async def _own(
    inventory: InventoryServices, visitor: Visitor, plural: str, region: str
) -> tuple[Sequence[InventoryRow], Sequence[MissingKind]]:
    """What the visitor's own project has of a kind in a region and can be copied from."""
    project_id = visitor.requester.project_id if visitor.operator else None
    question = Question(regions=(region,), project_id=project_id)
    page = await inventory.items.list(visitor.requester, plural, question, Order(), limit=MOST_CHOICES)
    return [row for row in page.rows if row.status in {"available", "in-use"}], page.missing.named


def _sized(row: InventoryRow) -> str:
    size = row.attributes.get("size")
    return f"{row.name or short(row.id)} ({size} GiB)" if size else row.name or short(row.id)


def _server(fields: Fields) -> dict[str, Any]:
    body = _given(fields, "name", "image_id", "flavor_id", "key_name", "availability_zone")
    body |= {name: [each for each in fields.get(name, ()) if each] for name in _SEVERAL}
    return body | _number(fields, "volume_size")


def _volume(fields: Fields) -> dict[str, Any]:
    body = _given(fields, "name", "volume_type", "availability_zone") | _number(fields, "size")
    source, _, identity = one(fields, "source").partition(":")
    if source and source not in _SOURCES:
        raise BadRequest("From: choose an image, a snapshot or a volume of the list, or nothing")
    if "size" not in body and source not in {"snapshot_id", "source_volume_id"}:
        raise BadRequest("Size: write how many GiB; only a copy of a snapshot or volume has one already")
    return body | ({source: identity} if source else {})


def _floating_ip(fields: Fields) -> dict[str, Any]:
    return _given(fields, "network_id")


def _given(fields: Fields, *names: str) -> dict[str, Any]:
    """The fields of these names; what was left empty is not asked for."""
    return {name: one(fields, name) for name in names if one(fields, name)}


def _number(fields: Fields, name: str) -> dict[str, Any]:
    text = one(fields, name)
    return {name: int(text) if text.isascii() and text.isdigit() else text} if text else {}


_SEVERAL = ("network_ids", "security_groups")
_SOURCES = frozenset({"image_id", "snapshot_id", "source_volume_id"})

CREATIONS: Mapping[str, Creation] = {
    "servers": Creation(
        BY_NAME["servers", "create"],
        "Create a server",
        "inventory/create_server.html",
        _server,
        _for_servers,
        _SEVERAL,
    ),
    "volumes": Creation(
        BY_NAME["volumes", "create"],
        "Create a volume",
        "inventory/create_volume.html",
        _volume,
        _for_volumes,
    ),
    "floating-ips": Creation(
        BY_NAME["floating-ips", "create"],
        "Take a floating IP",
        "inventory/create_floating_ip.html",
        _floating_ip,
        _for_floating_ips,
    ),
}
