"""`openstack multisite quota class list | show | set | delete`: named sets of limits that projects follow."""

import argparse
from typing import Any

from osc_lib import exceptions

from osc_multisite import quota_plan
from osc_multisite.columns import Cell
from osc_multisite.command import Command, Lister, Rows, Table
from osc_multisite.quota_columns import figure
from osc_multisite.quota_options import add_limits, add_repeated, limits_of
from osc_multisite.quota_plan import add_dry_run

Json = dict[str, Any]

TITLES = ("Class", "Resource", "Limit", "Kind", "Burst")


def _rows(name: str, limits: Json) -> Rows:
    return [
        (name, resource, figure(resource, "limit", each["limit"]), each["kind"], Cell(each["burst"]))
        for resource, each in sorted(limits.items())
    ]


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="<class>", help="Name of the class")


class ListQuotaClass(Lister):
    """List the classes of limits; all governed projects follow the one called `default`."""

    def take_action(self, parsed_args: argparse.Namespace) -> Table:  # noqa: ARG002 - as cliff calls it
        """One row per class and resource."""
        found = self.multisite.quota_classes()
        return list(TITLES), [row for name in sorted(found) for row in _rows(name, found[name])]


class ShowQuotaClass(Lister):
    """Show the limits of one class."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its name."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_name(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per resource."""
        found = self.multisite.quota_classes()
        if parsed_args.name not in found:
            names = ", ".join(sorted(found)) or "none yet"
            raise exceptions.CommandError(
                f"There is no quota class '{parsed_args.name}'; there are: {names}."
            )
        return list(TITLES), _rows(parsed_args.name, found[parsed_args.name])


class SetQuotaClass(Lister):
    """Make or change a class of limits; the projects that follow it are balanced soon."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The limits."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_name(parser)
        add_limits(parser)
        add_repeated(parser, "--remove", "<resource>", str, "Take this resource out of the class")
        add_dry_run(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """The class as it is now; with `--dry-run` a row per write."""
        limits = limits_of(parsed_args) | dict.fromkeys(parsed_args.remove)
        if not limits:
            raise exceptions.CommandError("Nothing to set: give --limit or --remove.")
        if parsed_args.dry_run:
            return self._planned(self.multisite.plan_quota_class(parsed_args.name, limits))
        found = self.multisite.set_quota_class(parsed_args.name, limits)
        return list(TITLES), _rows(parsed_args.name, found)

    def _planned(self, found: Json) -> Table:
        quota_plan.warn_of([each for plan in found["plans"] for each in plan["missing"]], self.log)
        if found["left_out"]:
            self.log.warning(
                "The class is followed by %d %s more, for which this was not found out.",
                found["left_out"],
                "project" if found["left_out"] == 1 else "projects",
            )
        rows = [
            (plan["project_name"] or plan["project_id"], *row)
            for plan in found["plans"]
            for row in quota_plan.rows_of(plan["writes"])
        ]
        return ["Project", *quota_plan.TITLES], rows


class DeleteQuotaClass(Command):
    """Forget a class of limits that no project follows by its name."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Its name."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_name(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Forget it."""
        self.multisite.delete_quota_class(parsed_args.name)
