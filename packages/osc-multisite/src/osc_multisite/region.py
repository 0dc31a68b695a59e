"""`openstack multisite region list | show | delete | test`: the registered regions."""

import argparse
from typing import Any

from osc_lib import exceptions
from osc_lib.cli import parseractions

from osc_multisite.columns import Cell, Labels, Maintenance, Measure, Sentence, Services, ServiceStates
from osc_multisite.command import Command, Lister, ShowOne, Table, add_region_filter
from osc_multisite.following import SUCCEEDED, add_wait, failure_words, follow, require
from osc_multisite.operation import table_of

#: The fields of a REGION, in the order in which they are shown.
FIELDS: dict[str, type[Cell]] = {
    "name": Cell,
    "state": Cell,
    "services": Services,
    "enabled": Cell,
    "maintenance": Maintenance,
    "labels": Labels,
    "region_name": Cell,
    "credential": Cell,
    "interface": Cell,
    "identity": Cell,
    "position": Measure,
    "dashboard_url": Cell,
    "sweep_interval": Measure,
    "generation": Measure,
}
LONG = ("enabled", "region_name", "credential", "interface", "identity", "position", "dashboard_url")


def fields_of(region: dict[str, Any]) -> tuple[tuple[str, ...], tuple[Cell, ...]]:
    """Names and values of a REGION's fields."""
    return tuple(FIELDS), tuple(column(region.get(name)) for name, column in FIELDS.items())


def add_name(parser: argparse.ArgumentParser) -> None:
    """The region that a command is about."""
    parser.add_argument("name", metavar="<region>", help="Name of the region")


class ListRegion(Lister):
    """List the regions and how they are."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_region_filter(parser)
        parser.add_argument(
            "--label",
            metavar="<key=value>",
            action=parseractions.KeyValueAction,
            dest="labels",
            help="Only regions with this label (repeat the option for several)",
        )
        parser.add_argument(
            "--long", action="store_true", help="Also show what operators decided about each region"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """List them in the service's order."""
        extra = LONG if parsed_args.long else ()
        rows = [
            (
                region["name"],
                region["state"],
                ServiceStates({name: part["state"] for name, part in region["services"].items()}),
                Maintenance(region["maintenance"]),
                Labels(region["labels"]),
                *(FIELDS[name](region.get(name)) for name in extra),
            )
            for region in self.multisite.regions(parsed_args.regions, parsed_args.labels)
        ]
        titles = [name.replace("_", " ").title().replace("Url", "URL") for name in extra]
        return ["Name", "State", "Services", "Maintenance", "Labels", *titles], rows


class ShowRegion(ShowOne):
    """Show one region."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The region's name."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_name(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """All its fields."""
        return fields_of(self.multisite.region(parsed_args.name))


class DeleteRegion(Command):
    """Forget regions; nothing changes in the regions themselves."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """One or more names."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument("names", metavar="<region>", nargs="+", help="Name of a region to forget")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Forget each, and go on when one fails."""
        failed = []
        for name in parsed_args.names:
            try:
                self.multisite.delete_region(name)
            except Exception as error:
                if len(parsed_args.names) == 1:
                    raise
                self.log.error("%s", error)
                failed.append(name)
        if failed:
            raise exceptions.CommandError(
                f"{len(failed)} of {len(parsed_args.names)} regions were not deleted: {', '.join(failed)}."
            )


class TestRegion(Lister):
    """Try a region's credential and endpoints, or those of all regions, and say what is lacking."""

    __test__ = False  # pytest: a command, not a test

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The region's name, or all."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("name", metavar="<region>", nargs="?", help="Name of the region")
        which.add_argument("--all", action="store_true", help="Test all regions: begins an operation")
        add_wait(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """Run the checks in the service."""
        if parsed_args.all:
            return self._test_all(parsed_args)
        self.result = self.multisite.test_region(parsed_args.name)
        rows = [
            (check["check"], check["ok"], check["code"], Sentence(check["detail"]))
            for check in self.result["checks"]
        ]
        return ["Check", "OK", "Code", "Detail"], rows

    def _test_all(self, parsed_args: argparse.Namespace) -> Table:
        """The operation that was begun, or with `--wait` a row per region."""
        operation = self.multisite.test_regions()
        if not parsed_args.wait:
            return table_of([operation])
        self.followed = follow(self.multisite, operation["id"], parsed_args.timeout)
        rows = [
            (part["name"], part["state"] == SUCCEEDED, Sentence(_found(part)))
            for part in self.followed["regions"]
        ]
        return ["Region", "OK", "Detail"], rows

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the rows, then the summary on stderr; status 1 when something is lacking."""
        status = super().produce_output(parsed_args, column_names, data)
        if parsed_args.all:
            if parsed_args.wait:
                require(self.followed)
            return status
        if not self.result["ok"]:
            raise exceptions.CommandError(self.result["summary"])
        self.log.warning("%s", self.result["summary"])
        return status


def _found(part: dict[str, Any]) -> str:
    """What came of testing one of the regions."""
    return failure_words(part["failure"]) or (part["result"] or {}).get("summary") or part["state"]
