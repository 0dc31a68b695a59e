"""Capacity as it was, as values (design record 0004).

A *point* says what a region's figures were from `at` on, until the next point of the same region. A resource
that is not in a point was not known then: that is a gap, and never a zero. The resources are Placement's
classes by their own names (those of sharing providers as `shared:DISK_GB`), and `volume`,
`volume_provisioned`, the four counts of addresses, `servers`, `hosts`, `images` and `image_bytes`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from multisite.capacity.documents import Summary
from multisite.capacity.model import (
    AddressCount,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    VolumeSummary,
)

#: Where JSON numbers end; figures beyond travel as decimal text.
_EXACT = 2**53
_QUANTITIES = 4
HOUR = timedelta(hours=1)
ADDRESSES = ("external_ipv4", "external_ipv6", "tenant_ipv4", "tenant_ipv6")

Quantity = int | float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one resource, in its own unit; `None` for what its service does not tell.

    `regions` counts the regions in a total; it is `None` for the figures of one region.
    """

    total: Quantity = None
    usable: Quantity = None
    used: Quantity = None
    free: Quantity = None
    regions: int | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """What was known at `at`; `region` is `None` for the totals, which then say over how many `regions`."""

    region: str | None
    at: datetime
    resources: Mapping[str, Figures] = field(default_factory=dict)
    regions: int | None = None


def hour_of(at: datetime) -> datetime:
    """The full hour before."""
    return at.replace(minute=0, second=0, microsecond=0)


def figures_of(summary: Summary) -> dict[str, Figures]:
    """What history keeps of one service's summary."""
    match summary:
        case PlacementSummary():
            own = summary.resources.items()
            shared = ((f"shared:{name}", each) for name, each in summary.shared.items())
            return {
                name: Figures(each.total, each.usable, each.used, each.free) for name, each in [*own, *shared]
            }
        case VolumeSummary():
            return _volume(summary)
        case NetworkSummary():
            return {name: _addresses(getattr(summary, name)) for name in ADDRESSES}
        case ComputeSummary():
            return {
                "servers": Figures(used=summary.running_servers),
                "hosts": Figures(total=summary.hosts, usable=summary.hosts_available),
            }
        case ImageSummary():
            return {"images": Figures(used=summary.images), "image_bytes": Figures(used=summary.bytes)}


def _volume(volume: VolumeSummary) -> dict[str, Figures]:
    """Pools that are infinite or unknown have no sum; where there are no others, nothing is known."""
    provisioned = Figures(usable=volume.provisioned_limit, used=volume.provisioned)
    if volume.pools and volume.pools == volume.pools_unlimited + volume.pools_unknown:
        return {"volume": Figures(), "volume_provisioned": provisioned}
    used = round(max(0.0, volume.total - volume.free), 2)
    return {
        "volume": Figures(volume.total, volume.total, used, volume.free),
        "volume_provisioned": provisioned,
    }


def _addresses(count: AddressCount) -> Figures:
    return Figures(count.total, count.total, count.used, count.free)


def totals(regions: Iterable[Mapping[str, Figures]]) -> dict[str, Figures]:
    """Sums over regions; a figure that one of them does not tell is not told by the sum either."""
    sums: dict[str, list[Any]] = {}
    for resources in regions:
        for name, each in resources.items():
            row = sums.setdefault(name, [0, 0, 0, 0, 0])
            for place, value in enumerate((each.total, each.usable, each.used, each.free)):
                row[place] = None if value is None or row[place] is None else row[place] + value
            row[4] += 1
    return {
        name: _figures([_rounded(value) for value in row[:_QUANTITIES]], row[4]) for name, row in sums.items()
    }


def _rounded(value: Quantity) -> Quantity:
    return round(value, 3) if isinstance(value, float) else value


def written(quantity: Quantity) -> int | float | str | None:
    """A figure as JSON has it: decimal text where a JSON number would not be exact."""
    return str(quantity) if isinstance(quantity, int) and abs(quantity) > _EXACT else quantity


def read(value: float | str | None) -> Quantity:
    """The reverse of `written`."""
    return int(value) if isinstance(value, str) else value


def to_document(resources: Mapping[str, Figures]) -> dict[str, list[int | float | str | None]]:
    """What is stored: per resource total, usable, used, free and, in totals, the number of regions."""
    return {
        name: [
            *(written(value) for value in (each.total, each.usable, each.used, each.free)),
            *([] if each.regions is None else [each.regions]),
        ]
        for name, each in resources.items()
    }


def of_document(document: Mapping[str, list[Any]]) -> dict[str, Figures]:
    """The reverse of `to_document`."""
    return {
        name: _figures([read(value) for value in row[:_QUANTITIES]], (row[_QUANTITIES:] or [None])[0])
        for name, row in document.items()
    }


def _figures(values: list[Quantity], regions: int | None) -> Figures:
    total, usable, used, free = values
    return Figures(total, usable, used, free, regions)
