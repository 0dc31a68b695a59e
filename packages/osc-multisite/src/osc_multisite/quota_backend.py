"""`openstack multisite quota backend list | set | unset`: where services of regions keep their limits.

multisite finds that out by itself; this is for where it cannot.
"""

import argparse

from osc_multisite.command import Command, Lister, Table


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("region", metavar="<region>", help="Name of the region")
    parser.add_argument("service", metavar="<service>", help="The service, such as compute")


class ListQuotaBackend(Lister):
    """List where operators say that services of regions keep their limits."""

    def take_action(self, parsed_args: argparse.Namespace) -> Table:  # noqa: ARG002 - as cliff calls it
        """One row per service that is pinned."""
        names = ("region", "service", "backend")
        rows = [tuple(each[name] for name in names) for each in self.multisite.quota_backends()]
        return [name.title() for name in names], rows


class SetQuotaBackend(Command):
    """Say where a service of a region keeps its limits."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The service, and where."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_service(parser)
        parser.add_argument(
            "backend",
            choices=["classic", "unified"],
            help="The service's own quota API, or unified limits in Keystone",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Pin it."""
        self.multisite.set_quota_backend(parsed_args.region, parsed_args.service, parsed_args.backend)


class UnsetQuotaBackend(Command):
    """Have it found out again where a service of a region keeps its limits."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The service."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        _add_service(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        """Forget what was pinned."""
        self.multisite.set_quota_backend(parsed_args.region, parsed_args.service, None)
