"""`openstack multisite capacity list`: what the regions have and use, a row per region.

Each row says how old it is, and keeps the last known figures of a region that does not answer. The
totals add up fresh figures only; when something is missing from them a line on stderr names it, so that
what is on stdout stays readable for programs.
"""

import argparse
from collections.abc import Iterable
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Age, Bytes, Cell, Gibibytes
from osc_multisite.command import Lister, Rows, Table, add_fresh, add_region_filter, missing_sentence
from osc_multisite.figures import (
    FIGURE_TITLES,
    TOTAL,
    addresses,
    number,
    oldest,
    resource_classes,
    resource_rows,
    total_state,
    warnings_of,
    whole,
)

SHORT_TITLES = (
    *("VCPU Used", "VCPU Usable", "Memory Used", "Memory Usable", "Disk Used", "Disk Usable", "Servers"),
)
SHORT_SERVICES = ("placement", "compute")
LONG_SERVICES = (*SHORT_SERVICES, "volume", "network", "image")
LONG_TITLES = (
    *("Hosts", "Hosts Available", "Storage Total", "Storage Free", "External IPv4 Free"),
    *("Images", "Image Data", "Warnings"),
)


class ListCapacity(Lister):
    """List the capacity of the regions, and what of it is used.

    Memory is in MiB and disk and storage in GiB in machine formats; a table chooses the unit.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters, and the forms of the list."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_region_filter(parser)
        add_fresh(parser)
        parser.add_argument("--total", action="store_true", help="Add a row that sums what is fresh")
        parser.add_argument(
            "--resource",
            metavar="<class>",
            action="append",
            default=[],
            dest="resources",
            help="A row per region with the figures of this resource class, like VCPU or VGPU (repeatable)",
        )
        parser.add_argument(
            "--zones", action="store_true", help="A row per region, availability zone and resource class"
        )
        parser.add_argument(
            "--long", action="store_true", help="Also show hosts, storage, addresses, images and warnings"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per region, or one per resource class of each."""
        answer = self.multisite.capacity(parsed_args.regions, fresh=parsed_args.fresh)
        totals = answer["totals"]
        if not totals["complete"]:
            self.log.warning("%s.", missing_sentence(totals["missing"]))
        if parsed_args.resources or parsed_args.zones:
            return _by_resource(answer, parsed_args)
        services = LONG_SERVICES if parsed_args.long else SHORT_SERVICES
        rows: Rows = [
            (
                region["region"],
                region["state"],
                oldest(region["services"], services),
                *_figures(region, parsed_args.long),
            )
            for region in answer["regions"]
        ]
        if parsed_args.total:
            state = total_state(totals, services)
            rows.append((TOTAL, state, Age(None), *_figures(totals, parsed_args.long)))
        titles = ["Region", "State", "Age", *SHORT_TITLES, *(LONG_TITLES if parsed_args.long else ())]
        return titles, rows


def _figures(part: dict[str, Any], long: bool) -> Iterable[Cell]:  # noqa: FBT001 - the option's value
    for resource_class in ("VCPU", "MEMORY_MB", "DISK_GB"):
        for figure in ("used", "usable"):
            yield whole(part["placement"], resource_class, figure)
    yield number(part["compute"], "running_servers")
    if long:
        yield number(part["compute"], "hosts")
        yield number(part["compute"], "hosts_available")
        yield number(part["volume"], "total", Gibibytes)
        yield number(part["volume"], "free", Gibibytes)
        yield addresses(part["network"], "external_ipv4", "free")
        yield number(part["image"], "images")
        yield number(part["image"], "bytes", Bytes)
        yield warnings_of(part)


def _by_resource(answer: dict[str, Any], parsed_args: argparse.Namespace) -> Table:
    classes, zones = parsed_args.resources, parsed_args.zones
    known = resource_classes(answer["regions"])
    unknown = [name for name in classes if name not in known]
    if known and unknown:
        raise exceptions.CommandError(
            f"No region that is listed has the resource class {', '.join(unknown)}; "
            f"they have: {', '.join(sorted(known))}."
        )
    parts = []
    for region in answer["regions"]:
        freshness = region["services"].get("placement") or {}
        state = freshness.get("state", region["state"])
        parts.append((region["region"], state, freshness.get("age"), region["placement"]))
    if parsed_args.total:
        totals = answer["totals"]
        parts.append((TOTAL, total_state(totals, ["placement"]), None, totals["placement"]))
    rows: Rows = [
        (name, state, Age(age), Cell(resource), scope, *([Cell(zone)] if zones else []), *figures)
        for name, state, age, placement in parts
        for resource, scope, zone, figures in resource_rows(placement, classes, zones=zones)
    ]
    zone_title = ["Zone"] if zones else []
    return ["Region", "State", "Age", "Resource", "Scope", *zone_title, *FIGURE_TITLES], rows
