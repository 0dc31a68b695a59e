"""`openstack multisite quota cap list | set | unset`: what projects of a domain or tree may have together."""

import argparse
from typing import Any

from osc_multisite.columns import Cell
from osc_multisite.command import Command, Lister, Rows, Table
from osc_multisite.project import add_project_domain, domain_id, project_id
from osc_multisite.quota_columns import figure
from osc_multisite.quota_options import add_repeated, resource_number

Json = dict[str, Any]
TITLES = ("Scope", "Scope ID", "Resource", "Limit")


def rows_of(caps: list[Json]) -> Rows:
    """A row per cap."""
    return [
        (
            cap["scope"],
            Cell(cap["scope_id"]),
            cap["resource"],
            figure(cap["resource"], "limit", cap["limit"]),
        )
        for cap in caps
    ]


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Whose projects: those of a domain, or those of a tree."""
    scope = parser.add_mutually_exclusive_group(required=True)
    scope.add_argument("--domain", metavar="<domain>", help="All projects of this domain (name or ID)")
    scope.add_argument("--tree", metavar="<project>", help="This project (name or ID) and all below it")
    add_project_domain(parser)


def scope_of(command: Any, parsed_args: argparse.Namespace) -> tuple[str, str]:
    """`domain` or `tree`, and its id."""
    manager = command.app.client_manager
    if parsed_args.domain is not None:
        return "domain", domain_id(manager, parsed_args.domain)
    return "tree", str(project_id(manager, parsed_args.tree, parsed_args.project_domain))


class ListQuotaCap(Lister):
    """List what the projects of domains and trees may have together."""

    def take_action(self, parsed_args: argparse.Namespace) -> Table:  # noqa: ARG002 - as cliff calls it
        """One row per cap."""
        return list(TITLES), rows_of(self.multisite.quota_caps())


class SetQuotaCap(Command):
    """Set what the projects of a domain or tree may have together; limits that are set already stay."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The scope and the limits."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_scope(parser)
        parser.add_argument(
            "--limit",
            metavar="<resource=number>",
            type=resource_number,
            action="append",
            required=True,
            dest="limits",
            help="What the limits may add up to, like compute/cores=100 (repeat the option for several)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Set one after the other."""
        scope, scope_id = scope_of(self, parsed_args)
        for resource, number in parsed_args.limits:
            self.multisite.set_quota_cap(scope, scope_id, resource, number)


class UnsetQuotaCap(Command):
    """Take caps away from a domain or tree."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The scope and the resources."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_scope(parser)
        add_repeated(parser, "--resource", "<name>", str, "Only the cap of this resource")
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Those that are named, or all that the scope has; an id need not be in Keystone any more."""
        caps = self.multisite.quota_caps()
        held = _held(caps, *_as_written(parsed_args)) or _held(caps, *scope_of(self, parsed_args))
        for cap in held:
            if not parsed_args.resource or cap["resource"] in parsed_args.resource:
                self.multisite.set_quota_cap(cap["scope"], cap["scope_id"], cap["resource"], -1)


def _as_written(parsed_args: argparse.Namespace) -> tuple[str, str]:
    return ("tree", parsed_args.tree) if parsed_args.domain is None else ("domain", parsed_args.domain)


def _held(caps: list[Json], scope: str, scope_id: str) -> list[Json]:
    return [cap for cap in caps if (cap["scope"], cap["scope_id"]) == (scope, scope_id)]
