"""`openstack multisite quota list | show`, `quota event list`: how limits stand over all regions.

docs/howto/quotas.md says what the words mean.
"""

import argparse
from typing import Any

from osc_multisite.columns import Cell, Measure, Sentence
from osc_multisite.command import Lister, Rows, ShowOne, Table
from osc_multisite.inventory import positive
from osc_multisite.project import add_project_domain
from osc_multisite.quota_columns import STANDING, Standings, names_of, standing_of, titles
from osc_multisite.quota_options import add_project, project_of

Json = dict[str, Any]

#: The fields of a QUOTA, in the order in which they are shown.
FIELDS: dict[str, type[Cell]] = {
    "project_id": Cell,
    "project_name": Cell,
    "domain_name": Cell,
    "class_name": Cell,
    "generation": Measure,
    "balanced_at": Cell,
    "resources": Standings,
}


def rows_of(quota: Json) -> Rows:
    """How each resource of a project stands, a row each."""
    return [
        (each["resource"], *standing_of(each), names_of(each["establishing"])) for each in quota["resources"]
    ]


ROW_TITLES = ("Resource", *titles(STANDING), "Establishing")


class ListQuota(Lister):
    """List the global limits of projects, those under most pressure first.

    Operators see every project whose limits multisite keeps, others their own. How it stood after the last
    balance; `quota show` has it as it is now, region by region.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Order, filter, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--sort", metavar="<resource>", help="Most pressure on this resource first, like compute/cores"
        )
        parser.add_argument(
            "--resource",
            metavar="<name>",
            action="append",
            default=[],
            dest="resources",
            help="Only this resource, like compute/cores (repeat the option for several)",
        )
        parser.add_argument(
            "--long", action="store_true", help="Also show domain, class, ID, and when it was balanced"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per project and resource."""
        long = ("project_id", "domain_name", "class_name", "balanced_at") if parsed_args.long else ()
        rows: Rows = []
        for project in self.multisite.quotas(parsed_args.sort):
            name = Cell(project["project_name"] or project["project_id"])
            more = [Cell(project[field]) for field in long]
            for resource, stands in sorted(project["resources"].items()):
                if not parsed_args.resources or resource in parsed_args.resources:
                    found = {**stands, "resource": resource}
                    cells = (*standing_of(found), names_of(stands["establishing"]), *more)
                    rows.append((name, resource, *cells))
        names = [each.replace("Id", "ID") for each in titles(long)]
        return ["Project", *ROW_TITLES, *names], rows


class ShowQuota(ShowOne):
    """Show the global limits of a project, what is used and left, and what each region has of it."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The project."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_project(parser, own=True)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """All its fields."""
        found = self.multisite.quota(project_of(self, parsed_args))
        return tuple(FIELDS), tuple(column(found[name]) for name, column in FIELDS.items())


class ListQuotaEvent(Lister):
    """List what happened to quotas, the newest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--kind",
            metavar="<kind>",
            action="append",
            default=[],
            dest="kinds",
            help="Only of this kind, like exhausted or drift (repeat the option for several)",
        )
        parser.add_argument("--project", metavar="<project>", help="Only those of this project (name or ID)")
        add_project_domain(parser)
        parser.add_argument("--limit", metavar="<number>", type=positive, help="At most so many")
        parser.add_argument("--long", action="store_true", help="Also show the ID and the figures")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per event."""
        names = ["at", "kind", "project_id", "resource", "region", "sentence"]
        names += ["id", "figures"] if parsed_args.long else []
        told = {"project_id": "Project ID", "id": "ID"}
        project = project_of(self, parsed_args)
        rows: Rows = [
            tuple((Sentence if name == "sentence" else Cell)(event[name]) for name in names)
            for event in self.multisite.quota_events(parsed_args.kinds, project, limit=parsed_args.limit)
        ]
        return [told.get(name, name.title()) for name in names], rows
