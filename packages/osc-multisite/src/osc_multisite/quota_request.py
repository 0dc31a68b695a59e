"""`openstack multisite quota request …`: ask for more quota, and decide on it."""

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Cell, Sentence
from osc_multisite.command import Command, Lister, ShowOne, Table
from osc_multisite.following import add_wait, follow, require
from osc_multisite.project import add_project_domain, project_id
from osc_multisite.quota_options import resource_number

Json = dict[str, Any]

STATES = ("open", "approved", "refused", "cancelled")


class Limits(Cell):
    """Limits by resource."""

    def text(self, value: Mapping[str, int]) -> str:
        """`compute/cores=40`, one after the other."""
        return ", ".join(
            f"{name}={'unlimited' if limit < 0 else limit}" for name, limit in sorted(value.items())
        )


FIELDS: Mapping[str, type[Cell]] = {
    "id": Cell,
    "state": Cell,
    "at": Cell,
    "project_id": Cell,
    "project_name": Cell,
    "user_id": Cell,
    "user_name": Cell,
    "limits": Limits,
    "reason": Cell,
    "granted": Limits,
    "answer": Cell,
    "decided_at": Cell,
    "decided_by": Cell,
    "operation_id": Cell,
}


def shown(request: Json) -> Any:
    """The fields of a request."""
    return tuple(FIELDS), tuple(cell(request[name]) for name, cell in FIELDS.items())


def by_resource(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The limits, each named once. Raises `CommandError`."""
    found: dict[str, int] = {}
    for resource, value in pairs:
        if resource in found:
            raise exceptions.CommandError(f"--limit {resource}: give it once.")
        found[resource] = value
    return found


def add_id(parser: argparse.ArgumentParser) -> None:
    """The request that a command is about."""
    parser.add_argument("request", metavar="<request>", help="ID of the request")


class CreateQuotaRequest(ShowOne):
    """Ask for more quota for your project."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """What, and why."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--limit",
            metavar="<resource>=<number>",
            action="append",
            type=resource_number,
            required=True,
            dest="limits",
            help="Limit over all regions that you need, like compute/cores=40 (repeatable)",
        )
        parser.add_argument("--reason", metavar="<text>", required=True, help="What for")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """The request."""
        limits = by_resource(parsed_args.limits)
        return shown(self.multisite.create_quota_request(limits, parsed_args.reason))


class ListQuotaRequest(Lister):
    """List requests for more quota, the newest first; operators see those of all projects."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--state",
            choices=STATES,
            action="append",
            default=[],
            dest="states",
            help="Only in this state (repeat the option for several)",
        )
        parser.add_argument("--project", metavar="<project>", help="Only of this project (name or ID)")
        add_project_domain(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per request."""
        project = project_id(self.app.client_manager, parsed_args.project, parsed_args.project_domain)
        rows = [
            (
                each["id"],
                each["at"],
                Cell(each["project_name"] or each["project_id"]),
                Cell(each["user_name"]),
                Limits(each["limits"]),
                each["state"],
                Sentence(each["reason"]),
            )
            for each in self.multisite.quota_requests(state=parsed_args.states, project_id=project)
        ]
        return ["ID", "Time", "Project", "User", "Limits", "State", "Reason"], rows


class ShowQuotaRequest(ShowOne):
    """Show a request for more quota, and what was answered."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The request."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """All its fields."""
        return shown(self.multisite.quota_request(parsed_args.request))


class CancelQuotaRequest(ShowOne):
    """Take a request back that nobody decided on."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The request."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """The request."""
        return shown(self.multisite.cancel_quota_request(parsed_args.request))


class ApproveQuotaRequest(Command):
    """Grant a request for more quota: the limits are set, and written to the regions."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The request, what of it, and whether to wait."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        parser.add_argument(
            "--limit",
            metavar="<resource>=<number>",
            action="append",
            type=resource_number,
            default=[],
            dest="limits",
            help="Grant this instead of all that was asked for (repeat the option for several)",
        )
        parser.add_argument("--answer", metavar="<text>", help="A few words for the project")
        add_wait(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Begin; with `--wait`, status 1 unless all limits are written."""
        operation = self.multisite.approve_quota_request(
            parsed_args.request, by_resource(parsed_args.limits), parsed_args.answer
        )
        if parsed_args.wait:
            require(follow(self.multisite, operation["id"], parsed_args.timeout))
        else:
            self.log.warning(
                "Operation %s writes the limits: `openstack multisite operation wait %s`.",
                operation["id"],
                operation["id"],
            )


class RefuseQuotaRequest(ShowOne):
    """Refuse a request for more quota, and say why."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The request, and the reason."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_id(parser)
        parser.add_argument("--reason", metavar="<text>", required=True, help="Why; the project reads it")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Any:
        """The request."""
        return shown(self.multisite.refuse_quota_request(parsed_args.request, parsed_args.reason))
