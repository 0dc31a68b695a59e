"""Which attributes of an item name other items, so that its page can lead to them.

To make an attribute a link is to add a row here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.inventory.model import InventoryRow
from multisite.web.inventory.cells import device_kind, servers_of

Ids = Callable[[InventoryRow], Iterator[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class Link:
    """Another item of the same region, and what it is to this one."""

    what: str
    plural: str
    id: str


def _one(plural: str, attribute: str) -> Ids:
    def ids(row: InventoryRow) -> Iterator[tuple[str, Any]]:
        yield plural, row.attributes.get(attribute)

    return ids


def _each(plural: str, attribute: str) -> Ids:
    def ids(row: InventoryRow) -> Iterator[tuple[str, Any]]:
        values = row.attributes.get(attribute)
        for value in values if isinstance(values, list) else []:
            yield plural, value

    return ids


def _servers(row: InventoryRow) -> Iterator[tuple[str, Any]]:
    for each in servers_of(row.attributes):
        yield "servers", each


def _device(row: InventoryRow) -> Iterator[tuple[str, Any]]:
    plural = device_kind(str(row.attributes.get("device_owner") or ""))
    if plural is not None:
        yield plural, row.attributes.get("device_id")


def _subnets_of_port(row: InventoryRow) -> Iterator[tuple[str, Any]]:
    fixed = row.attributes.get("fixed_ips")
    for each in fixed if isinstance(fixed, list) else []:
        if isinstance(each, dict):
            yield "subnets", each.get("subnet_id")


def _gateway_network(row: InventoryRow) -> Iterator[tuple[str, Any]]:
    gateway = row.attributes.get("external_gateway_info")
    if isinstance(gateway, dict):
        yield "networks", gateway.get("network_id")


_NETWORK = ("Network", _one("networks", "network_id"))
_VOLUME = ("Volume", _one("volumes", "volume_id"))

LINKS: Mapping[str, tuple[tuple[str, Ids], ...]] = {
    "server": (("Image", _one("images", "image_id")),),
    "volume": (
        ("Attached to", _servers),
        ("Made from", _one("snapshots", "snapshot_id")),
        ("Made from", _one("volumes", "source_volid")),
    ),
    "snapshot": (_VOLUME,),
    "backup": (_VOLUME, ("Snapshot", _one("snapshots", "snapshot_id"))),
    "network": (("Subnet", _each("subnets", "subnets")),),
    "subnet": (_NETWORK,),
    "port": (
        ("For", _device),
        _NETWORK,
        ("Subnet", _subnets_of_port),
        ("Security group", _each("security-groups", "security_groups")),
    ),
    "router": (("Gateway", _gateway_network),),
    "floating_ip": (
        ("Port", _one("ports", "port_id")),
        ("Router", _one("routers", "router_id")),
        ("From", _one("networks", "floating_network_id")),
    ),
}


def links_of(row: InventoryRow) -> list[Link]:
    """The items that an item names, each once."""
    found = {
        (plural, identity): Link(what, plural, identity)
        for what, ids in LINKS.get(row.kind, ())
        for plural, identity in ids(row)
        if isinstance(identity, str) and identity
    }
    return list(found.values())
