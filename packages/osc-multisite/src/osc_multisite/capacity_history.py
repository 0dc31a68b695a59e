"""`openstack multisite capacity history show`: how capacity was, a row per time and resource.

The figures of a row held until the next row of the same region and resource. Where nobody knew them the state
is `gap` and the figures are empty, which is not the same as zero. Without `--region` the rows are totals, and
say of how many of the regions they are.
"""

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from osc_lib import exceptions

from osc_multisite.columns import Bytes, Cell, Gibibytes, Measure, Mebibytes
from osc_multisite.command import Lister, Rows, Table
from osc_multisite.figures import TOTAL

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
        beginning = parser.add_mutually_exclusive_group()
        beginning.add_argument(
            "--since",
            metavar="<time>",
            type=moment,
            help="From when on, like 2026-11-22T12:00:00Z (default: a day ago); without a zone it is UTC",
        )
        beginning.add_argument("--hours", metavar="<number>", type=hours, help="The last hours")
        parser.add_argument("--until", metavar="<time>", type=moment, help="Until when (default: now)")
        parser.add_argument(
            "--resolution",
            choices=("raw", "hour"),
            help="Every change, or one reading an hour (default: changes as long as they are kept)",
        )
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        """A row per point and resource."""
        since = parsed_args.since
        if parsed_args.hours is not None:
            since = (parsed_args.until or datetime.now(UTC)) - timedelta(hours=parsed_args.hours)
        wanted = None if parsed_args.resources == ["all"] else parsed_args.resources or list(USUAL)
        points = list(
            self.multisite.capacity_history(
                region=parsed_args.regions,
                resource=wanted,
                since=since.isoformat() if since else None,
                until=parsed_args.until.isoformat() if parsed_args.until else None,
                resolution=parsed_args.resolution,
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


def moment(text: str) -> datetime:
    """A time as somebody types it; UTC where no zone is named."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a time such as 2026-11-22T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def hours(text: str) -> float:
    """A number of hours, up to ten years."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 24 * 3660:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours, such as 24")
    return number
