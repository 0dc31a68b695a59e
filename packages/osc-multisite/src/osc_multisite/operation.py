"""`openstack multisite operation list | show | cancel | retry | wait`, and what one wrote.

An operation is long work over many regions that goes on without us; docs/howto/operations.md says how it
ends, and what to do when it ends badly.
"""

import argparse
from abc import abstractmethod
from typing import Any

from osc_multisite.columns import Cell, Measure, Sentence
from osc_multisite.command import Command, Lister, ShowOne, Table
from osc_multisite.following import (
    CANCELLED,
    SUCCEEDED,
    add_timeout,
    add_wait,
    failure_words,
    follow,
    in_words,
    require,
)
from osc_multisite.inventory import positive

Json = dict[str, Any]

STATES = ("queued", "running", "undoing", "succeeded", "failed", "cancelled", "rollback-failed")


class Failure(Sentence):
    """Why an operation, or a part of it, did not work."""

    def text(self, value: Any) -> str:
        """The code, the sentence and the region's request id, cut to what a table bears."""
        return super().text(failure_words(value))


class Parts(Cell):
    """How many parts are in which state."""

    def text(self, value: Any) -> str:
        """`2 succeeded, 1 failed`."""
        return in_words(value)


class PartLines(Cell):
    """The parts of an operation, a line each."""

    titles = ("Region", "State", "Percent", "Attempts", "Step", "Error")

    def text(self, value: Any) -> str:
        """A small table of its own."""
        rows = [self.titles, *(self._cells(part) for part in value)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    @staticmethod
    def _cells(part: Json) -> tuple[str, ...]:
        return (
            part["name"],
            part["state"],
            f"{part['percent']} %",
            str(part["attempts"]),
            part["step"] or "-",
            Failure(part["failure"]).human_readable(),
        )


#: The fields of an OPERATION, in the order in which they are shown.
FIELDS: dict[str, type[Cell]] = {
    "id": Cell,
    "kind": Cell,
    "state": Cell,
    "percent": Measure,
    "parts": Parts,
    "failure": Failure,
    "arguments": Cell,
    "project_id": Cell,
    "user_id": Cell,
    "user_name": Cell,
    "request_id": Cell,
    "created_at": Cell,
    "started_at": Cell,
    "finished_at": Cell,
    "cancel_requested_at": Cell,
    "generation": Measure,
}
SHORT = ("id", "kind", "state", "percent", "parts", "user_name", "created_at", "failure")
LONG = ("project_id", "request_id", "started_at", "finished_at")
_TITLES = {"id": "ID", "project_id": "Project ID", "request_id": "Request ID", "user_name": "User"}


def table_of(operations: Any, *, long: bool = False) -> Table:
    """Operations as rows."""
    names = (*SHORT, *(LONG if long else ()))
    titles = [_TITLES.get(name, name.replace("_", " ").title()) for name in names]
    return titles, [tuple(FIELDS[name](each[name]) for name in names) for each in operations]


def add_id(parser: argparse.ArgumentParser) -> None:
    """The operation that a command is about."""
    parser.add_argument("operation", metavar="<operation>", help="ID of the operation")


class ListOperation(Lister):
    """List operations, the newest first."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--kind",
            metavar="<kind>",
            action="append",
            dest="kinds",
            help="Only of this kind, like region-test (repeat the option for several)",
        )
        parser.add_argument(
            "--state",
            choices=STATES,
            action="append",
            dest="states",
            help="Only in this state (repeat the option for several)",
        )
        parser.add_argument("--region", metavar="<name>", help="Only with a part in this region")
        parser.add_argument("--user", metavar="<id>", help="Only of the user with this ID")
        parser.add_argument("--limit", metavar="<number>", type=positive, help="At most so many")
        parser.add_argument(
            "--long", action="store_true", help="Also show project, request, beginning and end"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per operation."""
        found = self.multisite.operations(
            limit=parsed_args.limit,
            kind=parsed_args.kinds,
            state=parsed_args.states,
            region=parsed_args.region,
            user=parsed_args.user,
        )
        return table_of(found, long=parsed_args.long)


class ShowOperation(ShowOne):
    """Show an operation, and how far it is in each region."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The operation."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """All its fields, and its parts in `regions`."""
        found = self.multisite.operation(parsed_args.operation)
        cells = [column(found["operation"].get(name)) for name, column in FIELDS.items()]
        return (*FIELDS, "regions"), (*cells, PartLines(found["regions"]))


class SteerOperation(Command):
    """Ask something of an operation; with `--wait`, status 1 unless it ends as it was asked to."""

    #: The state in which it has to end.
    wanted: str

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The operation, and whether to wait."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        add_wait(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Ask for it, and follow it where one wants to wait."""
        self.steer(parsed_args.operation)
        if parsed_args.wait:
            require(follow(self.multisite, parsed_args.operation, parsed_args.timeout), self.wanted)

    @abstractmethod
    def steer(self, operation: str) -> None:
        """Ask for it; each command's own."""


class CancelOperation(SteerOperation):
    """Cancel an operation: what waits ends, what is at work is undone, what has ended stays."""

    wanted = CANCELLED

    def steer(self, operation: str) -> None:
        """Cancel it."""
        self.multisite.cancel_operation(operation)


class RetryOperation(SteerOperation):
    """Do what failed or was cancelled again; go on undoing where that failed."""

    wanted = SUCCEEDED

    def steer(self, operation: str) -> None:
        """Try it again."""
        self.multisite.retry_operation(operation)


class WaitOperation(Command):
    """Wait until an operation has ended, and show how far it is."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The operation, and how long to wait."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        add_timeout(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Status 1 unless it succeeded."""
        require(follow(self.multisite, parsed_args.operation, parsed_args.timeout))


class ListOperationWrite(Lister):
    """List what an operation wrote to regions, in order."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The operation, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        parser.add_argument("--limit", metavar="<number>", type=positive, help="At most so many")
        parser.add_argument(
            "--long", action="store_true", help="Also show the call, what was there before and after, and why"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per write."""
        names = ["at", "region", "service", "what", "outcome", "status", "region_request_id"]
        if parsed_args.long:
            names += ["method", "path", "before", "after", "step", "detail"]
        titles = {"region_request_id": "Region Request ID", "status": "HTTP Status"}
        found = self.multisite.operation_writes(parsed_args.operation, limit=parsed_args.limit)
        rows = [tuple(Cell(write[name]) for name in names) for write in found]
        return [titles.get(name, name.title()) for name in names], rows
