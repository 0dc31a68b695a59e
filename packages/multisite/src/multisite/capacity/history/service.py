"""How capacity was, for users.

A series is made of stored rows, and of gaps that no row tells: an hour without an hourly row, and the time
since a region was last read, where that is longer than its figures are good for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from multisite.capacity.history import policies
from multisite.capacity.history.model import HOUR, Point, hour_of
from multisite.capacity.history.store import HistoryStore, Row
from multisite.capacity.history.trends import Trend, Trends
from multisite.clock import Clock
from multisite.errors import BadRequest
from multisite.policy import Policy
from multisite.regions.model import Region
from multisite.regions.service import RegionService
from multisite.regions.states import State
from multisite.regions.status import RegionView, Rhythm
from multisite.requester import Requester

DAY = timedelta(days=1)
#: What a wall shows of every cloud.
USUAL = frozenset({"VCPU", "MEMORY_MB", "DISK_GB", "volume", "external_ipv4", "servers"})


class Resolution(StrEnum):
    """Every change, or one reading an hour."""

    RAW = "raw"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Question:
    """What of history is wanted; `after` is (region, time) of the last point of the page before."""

    regions: Sequence[str] = ()
    resources: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    resolution: Resolution | None = None
    limit: int = 1000
    after: tuple[str | None, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The points from `since` on, to `until`; `more` when the limit cut them."""

    since: datetime
    until: datetime
    resolution: Resolution
    points: Sequence[Point]
    more: bool


@dataclass(frozen=True, slots=True)
class _Range:
    since: datetime
    until: datetime
    resolution: Resolution


class HistoryService:
    """History, for operators. `keep` (seconds) is how long every change is kept."""

    def __init__(
        self,
        store: HistoryStore,
        regions: RegionService,
        policy: Policy,
        rhythm: Rhythm,
        keep: float,
        clock: Clock,
    ) -> None:
        self._store = store
        self._regions = regions
        self._policy = policy
        self._rhythm = rhythm
        self._trends = Trends(store, rhythm.sweep, clock)
        self._keep = timedelta(seconds=keep)
        self._clock = clock

    async def show(self, requester: Requester, question: Question) -> Series:
        """The points of the regions, one region after the other, or of the totals where none is named."""
        self._policy.require(requester, policies.HISTORY)
        span = self._range(question)
        regions: list[Region | None] = [None]
        if question.regions:
            regions = [view.region for view in await self._regions.views(question.regions)]
        start: datetime | None = None
        if question.after:
            names = [region.name if region else None for region in regions]
            if question.after[0] not in names:
                raise BadRequest(f"marker: {question.after[0]} is not among the regions that are asked for")
            regions, start = regions[names.index(question.after[0]) :], question.after[1]
        points: list[Point] = []
        for region in regions:
            points += await self._points(region, span, start, question.limit + 1 - len(points))
            start = None
            if len(points) > question.limit:
                break
        await self._require_known(question.resources, points)
        shown = [_only(point, question.resources) for point in points[: question.limit]]
        return Series(span.since, span.until, span.resolution, shown, len(points) > question.limit)

    async def _require_known(self, resources: Sequence[str], points: Sequence[Point]) -> None:
        """Raise `BadRequest` for resources that nothing is known of, now or in these points.

        Those that every cloud is asked for may be lacking where a service is; then they are gaps.
        """
        totals = await self._store.last_totals()
        known = {*totals.row.resources} if totals.row else set()
        known |= {name for point in points for name in point.resources}
        unknown = [name for name in resources if name not in known | USUAL]
        if unknown and known:
            named, there = ", ".join(map(repr, unknown)), ", ".join(sorted(known))
            raise BadRequest(f"resource: there is no {named}; there are: {there}")

    async def trends(self, requester: Requester, views: Sequence[RegionView]) -> Mapping[str, Trend]:
        """How full each of all regions was in the last day, by name."""
        self._policy.require(requester, policies.HISTORY)
        known = [(view.region.id, view.services["placement"].state is State.FRESH) for view in views]
        trends = await self._trends.of(known)
        return {view.region.name: trends[view.region.id] for view in views if view.region.id in trends}

    async def _points(
        self, region: Region | None, span: _Range, after: datetime | None, limit: int
    ) -> list[Point]:
        hourly = span.resolution is Resolution.HOUR
        since = max(span.since, after) if after else span.since
        region_id = region.id if region else 0
        # One more, because the last one before `since` may be too old to count.
        rows = await self._store.select(region_id, since, span.until, hourly=hourly, limit=limit + 1)
        points = [_point(region, row) for row in rows]
        if hourly:
            points = _with_lost_hours(points, hour_of(span.until))
        if len(rows) <= limit and points and points[-1].resources:
            points += await self._end(region, points[-1], span.until)
        return [point for point in points if after is None or point.at > after]

    async def _end(self, region: Region | None, last: Point, until: datetime) -> list[Point]:
        """The gap after the last row, where nobody read the region since."""
        if region is None:
            read_at = (await self._store.last_totals()).read_at
            patience = timedelta(seconds=2 * self._rhythm.sweep + self._rhythm.deadline)
        else:
            async with self._store.database.read() as connection:
                read_at = (await self._store.read_at(connection, [region.id])).get(region.id)
            patience = self._rhythm.patience(region, "compute")
        good_until = max(read_at or last.at, last.at) + patience
        return [replace(last, at=good_until, resources={})] if good_until < until else []

    def _range(self, question: Question) -> _Range:
        now = self._clock.now()
        until = question.until or now
        since = question.since or until - DAY
        if since >= until:
            raise BadRequest(
                f"since: {since.isoformat()} is not before {until.isoformat()}, where the range ends"
            )
        kept = since >= now - self._keep - HOUR
        resolution = question.resolution or (Resolution.RAW if kept else Resolution.HOUR)
        return _Range(hour_of(since) if resolution is Resolution.HOUR else since, until, resolution)


def _point(region: Region | None, row: Row) -> Point:
    return Point(region.name if region else None, row.at, row.resources, row.regions)


def _with_lost_hours(points: Sequence[Point], until: datetime) -> list[Point]:
    """The points, with a gap where an hour has none."""
    whole: list[Point] = []
    for point, following in pairwise([*points, None]):
        assert point is not None  # noqa: S101 - `pairwise` ends before the last
        whole.append(point)
        next_hour = hour_of(point.at) + HOUR
        if next_hour < (hour_of(following.at) if following else until) and point.resources:
            whole.append(replace(point, at=next_hour, resources={}))
    return whole


def _only(point: Point, resources: Sequence[str]) -> Point:
    if not resources:
        return point
    return replace(
        point, resources={name: each for name, each in point.resources.items() if name in resources}
    )
