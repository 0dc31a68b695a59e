"""Cells and rows of quotas, in the units of their resources.

Figures of `compute/ram` and of Glance's sizes are MiB, gigabytes GiB, everything else counts. A limit of -1
is unlimited.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from osc_multisite.columns import Age, Cell, Gibibytes, Limit, Measure, Mebibytes, Words

Json = dict[str, Any]

_MIB = {"compute/ram", "image/image_size_total", "image/image_stage_total"}
_GIB = ("volume/gigabytes", "volume/backup_gigabytes", "volume/per_volume_gigabytes")

#: The figures of a resource over all regions, in the order in which they are shown.
STANDING = ("limit", "kind", "state", "used", "left", "bound", "overshoot", "pressure")
#: Those of one region.
IN_REGION = ("limit", "used", "share", "refuses", "age", "note")
_LIMITS = {"limit", "bound", "share", "maximum", "overshoot"}
_COUNTS = {"used", "left", "minimum"}


class Part(Measure):
    """A part of a whole, such as 0.75."""

    def text(self, value: float) -> str:
        """In percent."""
        return f"{value * 100:.0f} %"


class Standings(Cell):
    """All resources of a project: over all regions, then region by region."""

    def text(self, value: Sequence[Json]) -> str:
        """Two small tables."""
        if not value:
            return "-"
        totals = [[each["resource"], *map(_text, standing_of(each)), each["source"]] for each in value]
        regions = [
            [each["resource"], region["region"], *map(_text, region_of(each["resource"], region))]
            for each in value
            for region in each["regions"]
        ]
        return "\n".join(
            [
                *_aligned([["Resource", *titles(STANDING), "Source"], *totals]),
                "",
                *_aligned([["Resource", "Region", *titles(IN_REGION)], *regions]),
            ]
        )


def unit_of(resource: str) -> type[Measure]:
    """The column for an amount of a resource; Cinder has one of gigabytes for each volume type, too."""
    if resource in _MIB:
        return Mebibytes
    return Gibibytes if resource.startswith(_GIB) else Measure


def figure(resource: str, name: str, value: Any) -> Cell:
    """One field of a resource, or of a region's part of it, in its unit."""
    if name in _LIMITS:
        return Limit(value, unit_of(resource))
    if name in _COUNTS:
        return unit_of(resource)(value)
    if name == "pressure":
        return Part(value)
    return Age(value) if name == "age" else Cell(value)


def standing_of(found: Json) -> list[Cell]:
    """How a resource stands over all regions."""
    return [figure(found["resource"], name, found[name]) for name in STANDING]


def region_of(resource: str, found: Json) -> list[Cell]:
    """How it stands in one region."""
    return [figure(resource, name, found[name]) for name in IN_REGION]


def titles(names: Iterable[str]) -> list[str]:
    """Names of fields as titles of columns."""
    return [name.replace("_", " ").title() for name in names]


def names_of(regions: Any) -> Words:
    """Names of regions."""
    return Words(list(regions))


def _text(cell: Cell) -> str:
    return cell.human_readable().strip()


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
