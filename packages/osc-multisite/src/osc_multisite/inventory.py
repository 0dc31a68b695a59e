"""`openstack multisite server list`, `… volume show` and so on: the items of all regions.

One command class lists any kind and one shows any; what differs between kinds is in `KINDS`: the words of
the command, the path of the API, and which attributes are columns. The classes that the entry points name
are made from that table.
"""

import argparse
from typing import Any, ClassVar, NamedTuple

from osc_lib import exceptions

from osc_multisite.columns import Cell, Measure, Words
from osc_multisite.command import Lister, Rows, ShowOne, Table, add_fresh, add_region_filter, missing_sentence
from osc_multisite.naming import ID
from osc_multisite.project import add_project_domain, project_id

SORTS = ("name", "region", "status", "project", "created_at", "updated_at")
NOT_READ = "The list may lack items, or show old ones, of"


class Kind(NamedTuple):
    """How one kind is listed: its path in the API, and its attributes that are columns."""

    path: str
    columns: tuple[str, ...]
    long: tuple[str, ...] = ()
    status: bool = True
    addresses: bool = False


class ListItems(Lister):
    """List items of all regions."""

    kind: ClassVar[Kind]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters and order."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_region_filter(parser)
        parser.add_argument("--project", metavar="<project>", help="Only of this project (name or ID)")
        add_project_domain(parser)
        parser.add_argument("--status", metavar="<status>", help="Only with this status")
        parser.add_argument("--name", metavar="<text>", help="Only with this in the name, in any case")
        parser.add_argument(
            "--address",
            metavar="<address>",
            help="Only with this IP or MAC address, an address that begins so, or one in this network",
        )
        parser.add_argument(
            "--visible",
            action="store_true",
            help="Also what other projects show yours: public and shared images, networks and the like",
        )
        parser.add_argument(
            "--sort",
            metavar="<column>[:asc|desc]",
            type=sort_of,
            default=("name", "asc"),
            help=f"Order by {', '.join(SORTS)} (default: name:asc)",
        )
        parser.add_argument("--limit", metavar="<number>", type=positive, help="At most so many")
        parser.add_argument("--long", action="store_true", help="Also show more of each item")
        add_fresh(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per item."""
        project = None
        if parsed_args.project:
            manager = self.app.client_manager
            project = project_id(manager, parsed_args.project, parsed_args.project_domain)
        sort, direction = parsed_args.sort
        found = self.multisite.inventory(
            self.kind.path,
            limit=parsed_args.limit,
            region=parsed_args.regions,
            project_id=project,
            status=parsed_args.status,
            name=parsed_args.name,
            address=parsed_args.address,
            visible=parsed_args.visible,
            sort=sort,
            direction=direction,
            fresh=parsed_args.fresh,
        )
        if found.missing:
            sentence = missing_sentence(found.missing, NOT_READ, regions_in_all=found.missing_regions)
            self.log.warning("%s.", sentence)
        fields = fields_of(self.kind, long=parsed_args.long)
        rows: Rows = [tuple(cell(item, field) for field in fields) for item in found.items]
        return [title(field) for field in fields], rows


class ShowItem(ShowOne):
    """Show an item of one region."""

    kind: ClassVar[Kind]

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The item, and its region where the id alone does not tell."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("item", metavar="<id>", help="ID of the item")
        parser.add_argument(
            "--region", metavar="<name>", help="Region of the item (default: found by the ID)"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> tuple[tuple[str, ...], tuple[Any, ...]]:
        """All fields of the item."""
        region = parsed_args.region or self._region(parsed_args.item)
        item = self.multisite.inventory_item(self.kind.path, region, parsed_args.item)
        return shown(item)

    def _region(self, item_id: str) -> str:
        kind = self.kind.path.replace("-", "_").removesuffix("s")
        regions = [
            each["item"]["region"]
            for each in self.multisite.where(item_id)["found"]
            if each["match"] == "id" and each["exact"] and each["item"]["kind"] == kind
        ]
        if len(regions) != 1:
            what = "Several regions have" if regions else "No region is known to have"
            named = f" ({', '.join(regions)})" if regions else ""
            words = kind.replace("_", " ")
            advice = (
                ": add --region NAME"
                if regions or ID.fullmatch(item_id)
                else "; the ID is needed, not a name"
            )
            raise exceptions.CommandError(f"{what} a {words} {item_id!r}{named}{advice}.")
        return str(regions[0])


def fields_of(kind: Kind, *, long: bool) -> tuple[str, ...]:
    """The fields of the rows, attributes with a dot before them."""
    fields = ["id", "name", "region", *(["status"] if kind.status else [])]
    fields += ["addresses"] if kind.addresses else []
    fields += [f".{name}" for name in kind.columns]
    fields += ["project_name"]
    if long:
        fields += ["project_id", "user_id", *(f".{name}" for name in kind.long)]
        fields += ["created_at", "updated_at", "observed_at", "state"]
    return tuple(fields)


def title(field: str) -> str:
    """The head of a field's column."""
    words = {"id": "ID", "project_name": "Project", "project_id": "Project ID", "user_id": "User ID"}
    upper = {"id": "ID", "ip": "IP", "mtu": "MTU", "cidr": "CIDR", "vcpus": "VCPUs", "ram": "RAM"}
    plain = field.removeprefix(".")
    return words.get(plain) or " ".join(upper.get(word, word.capitalize()) for word in plain.split("_"))


def cell(item: dict[str, Any], field: str) -> Any:
    """The cell of a field."""
    value = item["attributes"].get(field[1:]) if field.startswith(".") else item.get(field)
    return _shown(value)


def sort_of(text: str) -> tuple[str, str]:
    """`name`, `name:asc` or `name:desc`."""
    sort, _, direction = text.partition(":")
    if sort not in SORTS or direction not in {"", "asc", "desc"}:
        raise argparse.ArgumentTypeError(
            f"{text!r} is none of {', '.join(SORTS)}, with :asc or :desc after it"
        )
    return sort, direction or "asc"


def positive(text: str) -> int:
    """A number of at least 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of at least 1")
    return number


def shown(item: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """All fields of an item, its attributes among them."""
    flat = {name: value for name, value in item.items() if name != "attributes"} | item["attributes"]
    return tuple(flat), tuple(_shown(value) for value in flat.values())


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return Words(value)
    return Measure(value) if isinstance(value, int | float) and not isinstance(value, bool) else Cell(value)


KINDS: dict[str, Kind] = {
    "Server": Kind(
        "servers", ("flavor",), ("image_id", "availability_zone", "key_name", "host"), addresses=True
    ),
    "Volume": Kind("volumes", ("size", "volume_type"), ("bootable", "availability_zone", "attachments")),
    "VolumeSnapshot": Kind("snapshots", ("size", "volume_id")),
    "VolumeBackup": Kind("backups", ("size", "volume_id"), ("is_incremental", "container")),
    "Image": Kind("images", ("visibility", "size"), ("disk_format", "container_format", "protected")),
    "Network": Kind("networks", ("external", "subnets"), ("mtu", "admin_state_up")),
    "Subnet": Kind(
        "subnets", ("network_id", "cidr", "gateway_ip"), ("enable_dhcp", "dns_nameservers"), status=False
    ),
    "Port": Kind(
        "ports", ("mac_address",), ("device_owner", "device_id", "network_id", "host"), addresses=True
    ),
    "Router": Kind("routers", (), ("admin_state_up", "routes"), addresses=True),
    "FloatingIP": Kind("floating-ips", ("fixed_ip_address", "port_id"), ("floating_network_id", "router_id")),
    "SecurityGroup": Kind("security-groups", ("rules", "description"), ("stateful",), status=False),
}


def _words(name: str) -> str:
    return "".join(
        f" {letter.lower()}" if letter.isupper() else letter for letter in name.replace("IP", "Ip")
    )[1:]


def _made(name: str, base: type[Any], verb: str) -> type[Any]:
    words = _words(name)
    plural = words if words.endswith("s") else f"{words}s"
    about = f"List the {plural} of all regions." if verb == "List" else f"Show one {words} of a region."
    return type(f"{verb}{name}", (base,), {"kind": KINDS[name], "__doc__": about, "__module__": __name__})


ListServer, ShowServer = _made("Server", ListItems, "List"), _made("Server", ShowItem, "Show")
ListVolume, ShowVolume = _made("Volume", ListItems, "List"), _made("Volume", ShowItem, "Show")
ListVolumeSnapshot = _made("VolumeSnapshot", ListItems, "List")
ShowVolumeSnapshot = _made("VolumeSnapshot", ShowItem, "Show")
ListVolumeBackup = _made("VolumeBackup", ListItems, "List")
ShowVolumeBackup = _made("VolumeBackup", ShowItem, "Show")
ListImage, ShowImage = _made("Image", ListItems, "List"), _made("Image", ShowItem, "Show")
ListNetwork, ShowNetwork = _made("Network", ListItems, "List"), _made("Network", ShowItem, "Show")
ListSubnet, ShowSubnet = _made("Subnet", ListItems, "List"), _made("Subnet", ShowItem, "Show")
ListPort, ShowPort = _made("Port", ListItems, "List"), _made("Port", ShowItem, "Show")
ListRouter, ShowRouter = _made("Router", ListItems, "List"), _made("Router", ShowItem, "Show")
ListFloatingIP, ShowFloatingIP = _made("FloatingIP", ListItems, "List"), _made("FloatingIP", ShowItem, "Show")
ListSecurityGroup = _made("SecurityGroup", ListItems, "List")
ShowSecurityGroup = _made("SecurityGroup", ShowItem, "Show")
