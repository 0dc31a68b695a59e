"""The use of quotas as it was, as values (design record 0008).

A *point* says what a project's totals were from `at` on, until its next point. Rounds write one when
something changed, and one an hour; so a point that is followed by none for much longer than that held until
nobody knew any more, which is a gap and never a zero.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from multisite.quotas.resources import Kind

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Totals:
    """One resource of a project over all regions, in its own unit; -1 is unlimited, `None` is not known.

    `bound` is Σ max(limit in force, use) over the regions.
    """

    used: int | None
    limit: int | None
    bound: int | None


@dataclass(frozen=True, slots=True)
class Point:
    """What was known from `at` on; `hourly` is the first point of its hour."""

    at: datetime
    resources: Mapping[str, Totals] = field(default_factory=dict)
    hourly: bool = False


def totals_of(standing: Mapping[str, Any]) -> dict[str, Totals]:
    """The totals in how a project stands after a round; limits that are copied have none."""
    return {
        name: Totals(told["used"], told["limit"], told["bound"])
        for name, told in standing.items()
        if told["kind"] != Kind.COPIED.value
    }


def next_point(
    before: Mapping[str, Any] | None,
    balanced_at: datetime | None,
    standing: Mapping[str, Any],
    now: datetime,
) -> Point | None:
    """The point to write after a round; `None` where the last round found the same, in the same hour.

    `before` and `balanced_at` are how and when the project stood after the round before.
    """
    resources = totals_of(standing)
    hourly = before is None or balanced_at is None or hour_of(balanced_at) != hour_of(now)
    if not hourly and totals_of(before or {}) == resources:
        return None
    return Point(now, resources, hourly) if resources or before else None


def with_gaps(points: Iterable[Point], until: datetime, good_for: timedelta) -> Iterator[Point]:
    """The points, with an empty one where nothing was written for longer than `good_for`."""
    for point, following in pairwise([*points, None]):
        assert point is not None  # noqa: S101 - `pairwise` ends before the last
        yield point
        end = following.at if following else until
        if point.resources and end - point.at > good_for:
            yield Point(point.at + good_for)


def named(points: Iterable[Point], resources: Sequence[str]) -> list[Point]:
    """The points with these resources alone."""
    return [
        Point(point.at, {name: each for name, each in point.resources.items() if name in resources})
        for point in points
    ]


def changes(points: Iterable[Point]) -> list[Point]:
    """The points without those that repeat the one before."""
    kept: list[Point] = []
    for point in points:
        if not kept or point.resources != kept[-1].resources:
            kept.append(point)
    return kept


def hour_of(at: datetime) -> datetime:
    """The full hour before."""
    return at.replace(minute=0, second=0, microsecond=0)


def to_document(resources: Mapping[str, Totals]) -> dict[str, list[int | None]]:
    """What the database keeps."""
    return {name: [each.used, each.limit, each.bound] for name, each in sorted(resources.items())}


def of_document(document: Mapping[str, Sequence[int | None]]) -> dict[str, Totals]:
    """What the database kept."""
    return {name: Totals(*each) for name, each in document.items()}
