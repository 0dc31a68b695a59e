"""`openstack multisite usage show | list`: what projects use, region by region."""

import argparse
from collections.abc import Iterable
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Age, Bytes, Cell, Gibibytes, Limit, Measure, Mebibytes
from osc_multisite.command import Lister, Rows, Table, add_fresh, add_region_filter, missing_sentence
from osc_multisite.figures import COMPLETE, TOTAL, total_state
from osc_multisite.project import add_project_domain, project_id

#: Columns of `usage list` when no `--resource` chooses others.
LISTED = ("compute/instances", "compute/cores", "compute/ram", "volume/gigabytes", "network/floatingip")
#: Every resource of the API (docs/reference/api.md).
RESOURCES = (
    *(f"compute/{name}" for name in ("instances", "cores", "ram", "key_pairs")),
    *(f"volume/{name}" for name in ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes")),
    *(f"network/{name}" for name in ("network", "subnet", "port", "router", "floatingip")),
    *("network/security_group", "network/security_group_rule"),
    *("image/image_count_total", "image/image_size_total"),
)
SERVICES = ("compute", "volume", "network", "image")
_UNITS: dict[str, type[Measure]] = {
    "compute/ram": Mebibytes,
    "volume/gigabytes": Gibibytes,
    "volume/backup_gigabytes": Gibibytes,
    "image/image_size_total": Bytes,
}


def unit_of(resource: str) -> type[Measure]:
    """The column for an amount of a resource."""
    return _UNITS.get(resource, Measure)


def add_resource_filter(parser: argparse.ArgumentParser) -> None:
    """`--resource NAME`, repeatable."""
    parser.add_argument(
        "--resource",
        metavar="<name>",
        action="append",
        default=[],
        dest="resources",
        help="Only this resource, like compute/cores or volume/gigabytes (repeat the option for several)",
    )


def require_resources(names: Iterable[str]) -> None:
    """Raise `CommandError` for names that no resource has."""
    unknown = [name for name in names if name not in RESOURCES]
    if unknown:
        raise exceptions.CommandError(
            f"There is no resource {', '.join(unknown)}; there are: {', '.join(sorted(RESOURCES))}."
        )


class ShowUsage(Lister):
    """Show what a project uses in each region, its limits, and what is left.

    RAM is in MiB, gigabytes in GiB, image data in bytes in machine formats; a table chooses the unit. A
    limit of -1 is unlimited.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The project, and filters."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "project", metavar="<project>", nargs="?", help="Name or ID of the project (default: your own)"
        )
        add_project_domain(parser)
        add_region_filter(parser)
        add_resource_filter(parser)
        add_fresh(parser)
        parser.add_argument("--total", action="store_true", help="Add rows that sum what is fresh")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per region and resource."""
        require_resources(parsed_args.resources)
        project = project_id(self.app.client_manager, parsed_args.project, parsed_args.project_domain)
        usage = self.multisite.usage(project, parsed_args.regions, fresh=parsed_args.fresh)
        totals = usage["totals"]
        self._note(usage)
        parts = [
            (
                region["region"],
                region["state"] if region["found"] else "absent",
                region["services"],
                region["resources"],
            )
            for region in usage["regions"]
        ]
        if parsed_args.total:
            states = {service: {"state": total_state(totals, [service])} for service in SERVICES}
            parts.append((TOTAL, COMPLETE[totals["complete"]], states, totals["resources"]))
        wanted = set(parsed_args.resources)
        rows = [
            row
            for name, state, services, resources in parts
            for row in _rows(name, state, services, _chosen(resources, wanted))
        ]
        return ["Region", "Resource", "Used", "Reserved", "Limit", "Left", "State", "Age"], rows

    def _note(self, usage: dict[str, Any]) -> None:
        """Say on stderr what the figures do not contain."""
        if not usage["totals"]["complete"]:
            self.log.warning("%s.", missing_sentence(usage["totals"]["missing"]))
        unknown = [region["region"] for region in usage["regions"] if not region["found"]]
        if unknown:
            self.log.warning("The project does not exist in: %s.", ", ".join(unknown))


def _chosen(resources: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    return {name: use for name, use in sorted(resources.items()) if not wanted or name in wanted}


def _rows(name: str, state: str, services: dict[str, Any], resources: dict[str, Any]) -> Rows:
    rows: Rows = []
    for resource, use in resources.items():
        freshness = services.get(resource.partition("/")[0]) or {}
        unit = unit_of(resource)
        rows.append(
            (
                name,
                Cell(resource),
                unit(use["used"]),
                unit(use["reserved"]),
                Limit(use["limit"], unit),
                unit(use["left"]),
                freshness.get("state", state),
                Age(freshness.get("age")),
            )
        )
    nothing = (name, Cell(None), *[Measure(None)] * 4, state, Age(None))
    return rows or [nothing]


class ListUsage(Lister):
    """List the projects and what they use over all regions.

    Operators see every project that multisite follows, others their own. RAM is in MiB and gigabytes in GiB
    in machine formats; a table chooses the unit.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Order and filters."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--sort", metavar="<resource>", help="Greatest use of this resource first, like compute/cores"
        )
        add_region_filter(parser)
        add_resource_filter(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per project."""
        require_resources([*parsed_args.resources, *filter(None, [parsed_args.sort])])
        names = parsed_args.resources or list(LISTED)
        if parsed_args.sort and parsed_args.sort not in names:
            names = [*names, parsed_args.sort]
        services = {name.partition("/")[0] for name in names}
        rows: Rows = []
        missing: dict[tuple[str, str], dict[str, Any]] = {}
        for project in self.multisite.usages(parsed_args.sort, parsed_args.regions):
            missing |= {(part["region"], part["service"]): part for part in project["missing"]}
            uses = [unit_of(name)((project["resources"].get(name) or {}).get("used")) for name in names]
            identity = (Cell(project["project_name"]), Cell(project["domain_name"]))
            complete = total_state(project, services) == COMPLETE[True]
            rows.append((project["project_id"], *identity, *uses, complete))
        if missing:
            self.log.warning("%s.", missing_sentence(missing.values()))
        return ["Project ID", "Project", "Domain", *names, "Complete"], rows
