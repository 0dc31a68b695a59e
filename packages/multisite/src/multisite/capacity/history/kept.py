"""What is remembered of the last row of a region, or of the totals, and which row follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from multisite.capacity.history.model import Figures, hour_of
from multisite.capacity.history.store import LastRow, Row


@dataclass(slots=True)
class Kept:
    """What is remembered of the last row; losing it costs one query."""

    at: datetime
    read_at: datetime
    resources: Mapping[str, Figures]
    known_this_hour: frozenset[str]
    images_at: datetime | None = None


def kept_of(last: LastRow) -> Kept | None:
    """What the database remembers."""
    row = last.row
    if row is None:
        return None
    return Kept(row.at, max(last.read_at or row.at, row.at), row.resources, frozenset(row.resources))


def next_rows(
    region_id: int, kept: Kept | None, resources: Mapping[str, Figures], now: datetime, regions: int | None
) -> tuple[list[Row], Kept]:
    """The row to write, if any, and what to remember.

    One row an hour at least; hourly ones are the first, and those with a resource that was a gap before.
    """
    first = kept is None or hour_of(kept.at) != hour_of(now)
    known = frozenset() if kept is None or first else kept.known_this_hour
    hourly = first or not known.issuperset(resources)
    if kept is not None and not first and resources == kept.resources:
        kept.read_at = now
        return [], kept
    row = Row(region_id, now, hourly, resources, regions)
    return [row], Kept(now, now, resources, known | resources.keys())
