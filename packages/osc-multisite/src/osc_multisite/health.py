"""`openstack multisite health list`: how each service of each region answers."""

import argparse
from typing import Any

from osc_multisite.columns import CallError, Cell, Measure, WholeCallError
from osc_multisite.command import Lister, Table, add_region_filter

COLUMNS: dict[str, tuple[str, type[Cell]]] = {
    "Region": ("region", Cell),
    "Service": ("service", Cell),
    "State": ("state", Cell),
    "Latency": ("latency", Measure),
    "Last Success At": ("last_success_at", Cell),
    "Last Error": ("last_error", CallError),
    "Breaker": ("breaker", Cell),
}
LONG: dict[str, tuple[str, type[Cell]]] = {
    "Last Error": ("last_error", WholeCallError),
    "Last Error At": ("last_error_at", Cell),
    "Endpoint": ("endpoint", Cell),
    "Version": ("version", Cell),
    "Min Microversion": ("min_microversion", Cell),
    "Max Microversion": ("max_microversion", Cell),
    "Clock Skew": ("clock_skew", Measure),
    "Token Failure": ("token_failure", Cell),
}


class ListHealth(Lister):
    """List how the services of the regions answer (latency in ms, clock skew in s)."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Filters, and `--long`."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_region_filter(parser)
        parser.add_argument(
            "--service",
            metavar="<type>",
            action="append",
            default=[],
            dest="services",
            help="Only this service, like compute or volume (repeat the option for several)",
        )
        parser.add_argument(
            "--long", action="store_true", help="Also show errors in full, endpoints, versions and clocks"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """One row per region and service."""
        columns = COLUMNS | LONG if parsed_args.long else COLUMNS
        rows: list[tuple[Any, ...]] = [
            tuple(column(health.get(field)) for field, column in columns.values())
            for health in self.multisite.health(parsed_args.regions, parsed_args.services)
        ]
        return list(columns), rows
