"""`openstack multisite quota history list`: how a project's quota was used, and when it runs out.

The figures of a row held until the next row of the same resource; where nobody knew them the state is `gap`.
What the forecast says goes to stderr, or with `--forecast` it is the table.
"""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from osc_multisite.capacity_history import GAP, KNOWN
from osc_multisite.columns import Cell, Limit, Measure
from osc_multisite.command import Lister, Rows, Table
from osc_multisite.history_span import add_span, span_of
from osc_multisite.quota_columns import unit_of
from osc_multisite.quota_options import add_project, project_of
from osc_multisite.usage import add_resource_filter

Json = dict[str, Any]

#: What a forecast says where it names no day.
OUTLOOKS = {
    "used-up": "is used up",
    "not-growing": "does not grow",
    "beyond-ten-years": "lasts for more than ten years",
    "unlimited": "has no limit",
    "too-little-history": "has less than a day of history",
}


class Rate(Measure):
    """How much a day."""

    def text(self, value: float) -> str:
        """With a sign, and three digits at most after the point."""
        return f"{value:+.3f}".rstrip("0").rstrip(".")


class ListQuotaHistory(Lister):
    """List how a project's quota was used over time, or with --forecast when each resource runs out.

    RAM is in MiB and gigabytes in GiB in machine formats; a table chooses the unit. A limit of -1 is
    unlimited.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """The project, and what of its history."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        add_project(parser, own=True)
        add_resource_filter(parser)
        add_span(parser)
        parser.add_argument(
            "--forecast", action="store_true", help="Show when each resource runs out instead"
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """A row per point and resource, or per forecast."""
        project = project_of(self, parsed_args)
        found = self.multisite.quota_history(
            project,
            resource=parsed_args.resources,
            **span_of(parsed_args),
        )
        if parsed_args.forecast:
            return _forecasts(found["forecast"])
        for resource, each in sorted(found["forecast"].items()):
            if each["runs_out_at"]:
                self.log.warning("%s %s.", resource, _sentence(each))
        rows: Rows = list(_rows(found["points"]))
        return ["Time", "Resource", "State", "Used", "Limit", "Bound"], rows


def _sentence(forecast: Json) -> str:
    if forecast["outlook"] in OUTLOOKS:
        return OUTLOOKS[forecast["outlook"]]
    day, rate = forecast["runs_out_at"][:10], Rate(forecast["per_day"]).human_readable()
    return f"runs out on {day} (its use changes by {rate} a day)"


def _forecasts(forecasts: Json) -> Table:
    """A row per resource."""
    rows: Rows = [
        (
            resource,
            each["outlook"],
            Cell(each["runs_out_at"]),
            Rate(each["per_day"]),
            Measure(each["basis"]["readings"]),
            Cell(each["basis"]["since"]),
        )
        for resource, each in sorted(forecasts.items())
    ]
    return ["Resource", "Outlook", "Runs Out At", "Per Day", "Readings", "Since"], rows


def _rows(points: Iterable[Json]) -> Iterator[tuple[Any, ...]]:
    """The rows; a gap is one for each resource that was known before."""
    known: set[str] = set()
    for point in points:
        for resource in sorted(known - point["resources"].keys()):
            yield (point["at"], resource, GAP, Measure(None), Limit(None), Measure(None))
        for resource, totals in sorted(point["resources"].items()):
            unit = unit_of(resource)
            yield (
                point["at"],
                resource,
                KNOWN,
                unit(totals["used"]),
                Limit(totals["limit"], unit),
                Limit(totals["bound"], unit),
            )
        known = set(point["resources"])
