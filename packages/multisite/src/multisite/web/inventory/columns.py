"""What a list shows of each kind, in one table. To show more of a kind is to add a row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.inventory.model import InventoryRow
from multisite.web.inventory import cells
from multisite.web.inventory.cells import Cells
from multisite.web.urls import Urls

Show = Callable[[Urls, InventoryRow], Cells]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a kind's own."""

    label: str
    show: Show
    numeric: bool = False
    operators: bool = False


def _of(attribute: str, text: Callable[[Any], Cells] = cells.said) -> Show:
    return lambda _, row: text(row.attributes.get(attribute))


def _to(plural: str, attribute: str) -> Show:
    return lambda urls, row: cells.to_item(urls, plural, row.region, row.attributes.get(attribute))


def _length(attribute: str) -> Show:
    def show(_: Urls, row: InventoryRow) -> Cells:
        value = row.attributes.get(attribute)
        return cells.count(len(value) if isinstance(value, list) else None)

    return show


_HOST = Column("Host", _of("host"), operators=True)
_NETWORK = Column("Network", _to("networks", "network_id"))
_SIZE = Column("Size", _of("size", cells.gibibytes), numeric=True)

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "servers": (
        Column("Flavor", _of("flavor")),
        Column("VCPU", _of("vcpus", cells.count), numeric=True),
        Column("Memory", _of("ram", cells.mebibytes), numeric=True),
        _HOST,
    ),
    "volumes": (
        _SIZE,
        Column("Type", _of("volume_type")),
        Column("Attached to", cells.attached),
        _HOST,
    ),
    "snapshots": (_SIZE, Column("Volume", _to("volumes", "volume_id"))),
    "backups": (
        _SIZE,
        Column("Volume", _to("volumes", "volume_id")),
        Column("Incremental", _of("is_incremental")),
    ),
    "images": (
        Column("Size", _of("size", cells.octets), numeric=True),
        Column("Visibility", _of("visibility")),
        Column("Format", _of("disk_format")),
    ),
    "networks": (
        Column("External", _of("external")),
        Column("Subnets", _length("subnets"), numeric=True),
        Column("MTU", _of("mtu", cells.count), numeric=True),
        Column("Segment", _of("provider_segmentation_id"), operators=True),
    ),
    "subnets": (Column("CIDR", _of("cidr")), _NETWORK, Column("DHCP", _of("enable_dhcp"))),
    "ports": (Column("For", cells.device), _NETWORK, _HOST),
    "routers": (Column("Up", _of("admin_state_up")), Column("HA", _of("ha"), operators=True)),
    "floating-ips": (
        Column("Leads to", _of("fixed_ip_address")),
        Column("Port", _to("ports", "port_id")),
        Column("Router", _to("routers", "router_id")),
    ),
    "security-groups": (
        Column("Rules", _of("rules", cells.count), numeric=True),
        Column("Description", _of("description")),
    ),
}


def columns_of(kind: str, *, operator: bool) -> tuple[Column, ...]:
    """The columns of a kind's own that somebody sees."""
    return tuple(column for column in COLUMNS[kind] if operator or not column.operators)
