"""How a project's quota was used, for users."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from multisite.clock import Clock
from multisite.errors import BadRequest, NotFound
from multisite.policy import Policy
from multisite.quotas.history import policies
from multisite.quotas.history.forecast import DAY, SPAN, Forecast, forecasts
from multisite.quotas.history.model import HOUR, Point, changes, named, with_gaps
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.quotas.resources import kind_for
from multisite.quotas.store import QuotaStore
from multisite.requester import Requester


class Resolution(StrEnum):
    """Every change, or one reading an hour."""

    RAW = "raw"
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Question:
    """What of a project's history is wanted; `after` is the time of the last point of the page before."""

    resources: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    resolution: Resolution | None = None
    limit: int = 1000
    after: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuotaHistory:
    """The points from `since` to `until`, and what follows from the last two weeks; `more`: the limit cut."""

    since: datetime
    until: datetime
    resolution: Resolution
    points: Sequence[Point]
    forecast: Mapping[str, Forecast]
    more: bool


@dataclass(frozen=True, slots=True)
class QuotaHistoryService:
    """The history of quotas. `keep` (seconds): how long every change is kept; `interval`: between rounds."""

    store: QuotaHistoryStore
    quotas: QuotaStore
    policy: Policy
    keep: float
    interval: float
    clock: Clock

    async def show(self, requester: Requester, project_id: str, question: Question) -> QuotaHistory:
        """The points of a project.

        Raises `NotFound` for one that is not governed, or not the requester's, and `BadRequest`.
        """
        allowed = self.policy.allows(requester, policies.HISTORY, {"project_id": project_id})
        if not allowed or not await self.quotas.projects([project_id]):
            raise NotFound(f"there is no quota of project {project_id!r}")
        for resource in question.resources:
            kind_for(resource, None)  # refuses what there is not
        now = self.clock.now()
        until = question.until or now
        since = question.since or until - DAY
        if since >= until:
            raise BadRequest(
                f"since: {since.isoformat()} is not before {until.isoformat()}, where the range ends"
            )
        kept = since >= now - timedelta(seconds=self.keep) - HOUR
        resolution = question.resolution or (Resolution.RAW if kept else Resolution.HOUR)
        after = question.after
        begin = max(since, after) if after else since
        found = await self.store.select(project_id, begin, until, hourly=resolution is Resolution.HOUR)
        points = list(with_gaps(found, min(until, now), HOUR + timedelta(seconds=2 * self.interval)))
        if question.resources:
            points = changes(named(points, question.resources))
        rest = [point for point in points if after is None or point.at > after]
        shown = rest[: question.limit]
        expected = await self._forecast(project_id, question.resources, now)
        return QuotaHistory(since, until, resolution, shown, expected, len(rest) > len(shown))

    async def _forecast(
        self, project_id: str, resources: Sequence[str], now: datetime
    ) -> Mapping[str, Forecast]:
        hours = await self.store.select(project_id, now - SPAN, now, hourly=True)
        lately = await self.store.select(project_id, now - HOUR, now, hourly=False)
        known = {point.at: point for point in (*hours, *lately)}
        points = [known[at] for at in sorted(known)]
        return forecasts(named(points, resources) if resources else points, now)
