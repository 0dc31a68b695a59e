"""`openstack multisite capacity show`: everything that is known of one region.

Without an option it lists each resource of each service with its figures. The options choose one section
of the region instead, each a list of its own. It is a list in every form, so every formatter fits.
"""

import argparse
from collections.abc import Callable
from typing import Any

from osc_multisite.columns import Age, Bytes, Cell, Gibibytes, Measure, Mebibytes, Words
from osc_multisite.command import Lister, Rows, Table, add_fresh
from osc_multisite.figures import FIGURE_TITLES, resource_rows, summary_rows, unit_of
from osc_multisite.region import add_name

Json = dict[str, Any]


class ShowCapacity(Lister):
    """Show the capacity of one region, or one section of it.

    Machine formats give memory in MiB, disk and storage in GiB, image data in bytes; a table chooses units.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The region, and a section."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_name(parser)
        add_fresh(parser)
        sections = parser.add_mutually_exclusive_group()
        for name, (text, _table) in SECTIONS.items():
            sections.add_argument(
                f"--{name}", action="store_const", const=name, dest="section", default="summary", help=text
            )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """The rows of the section."""
        answer = self.multisite.region_capacity(parsed_args.name, fresh=parsed_args.fresh)
        if parsed_args.section == "summary":
            return _summary(answer["region"])
        return SECTIONS[parsed_args.section][1](answer)


def _summary(region: Json) -> Table:
    rows: Rows = []
    for service, resource, scope, figures in summary_rows(region):
        freshness = region["services"].get(service) or {}
        state = freshness.get("state", region["state"])
        rows.append((service, resource, scope, *figures, state, Age(freshness.get("age"))))
    shown = {row[0] for row in rows}
    for service, freshness in sorted(region["services"].items()):
        if service not in shown:
            unknown = [Measure(None) for _ in FIGURE_TITLES]
            rows.append((service, Cell(None), "region", *unknown, freshness["state"], Age(freshness["age"])))
    return ["Service", "Resource", "Scope", *FIGURE_TITLES, "State", "Age"], rows


def _zones(answer: Json) -> Table:
    rows: Rows = [
        (Cell(zone), scope, Cell(resource), *figures)
        for resource, scope, zone, figures in resource_rows(answer["region"]["placement"], (), zones=True)
    ]
    return ["Zone", "Scope", "Resource", *FIGURE_TITLES], rows


def _flavors(answer: Json) -> Table:
    rows: Rows = [
        (
            flavor["name"],
            flavor["id"],
            Measure(flavor["vcpus"]),
            Mebibytes(flavor["ram"]),
            Gibibytes(flavor["disk"]),
            Measure(flavor["fits"]),
        )
        for flavor in answer["flavors"]
    ]
    return ["Name", "ID", "VCPUs", "RAM", "Disk", "Fits"], rows


def _pools(answer: Json) -> Table:
    rows: Rows = [
        (
            pool["name"],
            Cell(pool["backend"]),
            *(Gibibytes(pool[figure]) for figure in ("total", "free", "provisioned")),
            Measure(pool["over_subscription"]),
            Cell(pool["thin"]),
        )
        for pool in answer["pools"]
    ]
    return ["Name", "Backend", "Total", "Free", "Provisioned", "Over Subscription", "Thin"], rows


def _networks(answer: Json) -> Table:
    rows: Rows = [
        (
            Cell(network["name"]),
            network["id"],
            Cell(network["project_id"]),
            network["external"],
            Cell(subnet.get("name")),
            Cell(subnet.get("cidr")),
            *(
                Measure(None if subnet.get(figure) is None else int(subnet[figure]))
                for figure in ("total", "used", "free")
            ),
        )
        for network in answer["networks"]
        for subnet in network["subnets"] or [{}]
    ]
    return ["Name", "ID", "Project ID", "External", "Subnet", "CIDR", "Total", "Used", "Free"], rows


def _subnet_pools(answer: Json) -> Table:
    rows: Rows = [
        (
            pool["name"],
            pool["id"],
            Cell(pool["project_id"]),
            pool["shared"],
            Words(pool["prefixes"]),
            Measure(pool["subnets"]),
            *(Measure(int(pool[figure])) for figure in ("total", "used", "free")),
            Measure(pool["default_prefixlen"]),
            Measure(None if pool["fits"] is None else int(pool["fits"])),
            Measure(pool["odd"]),
        )
        for pool in answer["subnet_pools"]
    ]
    titles = ["Name", "ID", "Project ID", "Shared", "Prefixes", "Subnets", "Total", "Used", "Free"]
    return [*titles, "Default Prefix Length", "Fits", "Odd"], rows


def _hosts(answer: Json) -> Table:
    fields = ("host", "binary", "zone", "status", "state", "disabled_reason", "updated_at")
    rows: Rows = [tuple(Cell(host.get(field)) for field in fields) for host in answer["hosts"]]
    return ["Host", "Binary", "Zone", "Status", "State", "Disabled Reason", "Updated At"], rows


def _providers(answer: Json) -> Table:
    rows: Rows = [
        (
            provider["name"],
            provider["uuid"],
            Cell(provider["zone"]),
            provider["available"],
            provider["shared"],
            resource,
            *(unit_of(resource)(inventory[figure]) for figure in ("total", "reserved")),
            Measure(inventory["allocation_ratio"]),
            unit_of(resource)(provider["usages"].get(resource, 0)),
        )
        for provider in answer["providers"]
        for resource, inventory in sorted(provider["inventories"].items())
    ]
    titles = ["Name", "UUID", "Zone", "Available", "Shared", "Resource", "Total", "Reserved"]
    return [*titles, "Allocation Ratio", "Used"], rows


def _stores(answer: Json) -> Table:
    rows: Rows = [
        (store["id"], Measure(store["images"]), Bytes(store["bytes"])) for store in answer["stores"]
    ]
    return ["Store", "Images", "Bytes"], rows


SECTIONS: dict[str, tuple[str, Callable[[Json], Table]]] = {
    "zones": ("Each availability zone", _zones),
    "flavors": ("How many more servers of each flavor fit", _flavors),
    "pools": ("Each storage pool of Cinder", _pools),
    "networks": ("Each subnet and its addresses", _networks),
    "subnet-pools": ("Each subnet pool: its addresses, and how many more subnets fit", _subnet_pools),
    "hosts": ("Each host of Nova and its state", _hosts),
    "providers": ("Each resource provider of Placement", _providers),
    "stores": ("Each store of Glance", _stores),
}
