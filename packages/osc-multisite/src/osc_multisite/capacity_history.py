"""`openstack multisite capacity history show`: how capacity was, a row per time and resource.

The figures of a row held until the next row of the same region and resource. Where nobody knew them the state
is `gap` and the figures are empty, which is not the same as zero. Without `--region` the rows are totals, and
say of how many of the regions they are.
"""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Bytes, Cell, Gibibytes, Measure, Mebibytes
from osc_multisite.command import Lister, Rows, Table
from osc_multisite.figures import TOTAL
from osc_multisite.history_span import add_span, span_of

Json = dict[str, Any]

#: What is shown unless resources are named: the five bars of the wall.
USUAL = ("VCPU", "MEMORY_MB", "DISK_GB", "volume", "external_ipv4")
FIGURES = ("total", "usable", "used", "free")
KNOWN, GAP = "known", "gap"
_UNITS: dict[str, type[Measure]] = {
    "MEMORY_MB": Mebibytes,
    "DISK_GB": Gibibytes,
    "volume": Gibibytes,
    "volume_provisioned": Gibibytes,
    "image_bytes": Bytes,
}


class Share(Cell):
    """Of how many regions a total is: `5 of 6`."""

    def text(self, value: Json) -> str:
        """The two counts."""
        return f"{value['known']} of {value['enabled']}"


class ShowCapacityHistory(Lister):
    """Show how the capacity of all regions together, or of some of them, was over time.

    Machine formats give memory in MiB, disk and storage in GiB, image data in bytes; a table chooses units.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """What of history is shown."""
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            "--region",
            metavar="<name>",
            action="append",
            default=[],
            dest="regions",
            help="This region instead of all together (repeat the option for several)",
        )
        parser.add_argument(
            "--resource",
            metavar="<resource>",
            action="append",
            default=[],
            dest="resources",
            help="This resource, like VCPU, volume or servers (repeatable; default: "
            f"{', '.join(USUAL)}), or `all`",
        )
        add_span(parser)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """A row per point and resource."""
        wanted = None if parsed_args.resources == ["all"] else parsed_args.resources or list(USUAL)
        points = list(
            self.multisite.capacity_history(
                region=parsed_args.regions,
                resource=wanted,
                **span_of(parsed_args),
            )
        )
        known = {name for point in points for name in point["resources"]}
        unknown = [name for name in parsed_args.resources if name not in known]
        if known and unknown and wanted:
            raise exceptions.CommandError(
                f"History has nothing of {', '.join(unknown)} in this time; "
                "`--resource all` shows what it has."
            )
        names = [name for name in wanted or sorted(known) if name in known or not known]
        rows: Rows = list(_rows(points, names))
        return ["Region", "Time", "Resource", "State", "Regions", *map(str.capitalize, FIGURES)], rows


def _rows(points: Iterable[Json], names: Iterable[str]) -> Iterator[tuple[Any, ...]]:
    """The rows; a gap that goes on is one row."""
    states: dict[tuple[str | None, str], str] = {}
    for point in points:
        for name in names:
            figures, key = point["resources"].get(name), (point["region"], name)
            state = GAP if figures is None else KNOWN
            if figures is None and states.get(key, GAP if point["resources"] else KNOWN) == GAP:
                continue
            states[key] = state
            yield (
                point["region"] or TOTAL,
                point["at"],
                name,
                state,
                _share(point, figures),
                *(_measure(name, (figures or {}).get(figure)) for figure in FIGURES),
            )


def _share(point: Json, figures: Json | None) -> Share:
    if point["regions"] is None:
        return Share(None)
    return Share({"known": (figures or {}).get("regions") or 0, "enabled": point["regions"]})


def _measure(name: str, value: float | str | None) -> Measure:
    return _UNITS.get(name, Measure)(int(value) if isinstance(value, str) else value)
