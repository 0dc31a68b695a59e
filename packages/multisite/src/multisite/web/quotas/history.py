"""How one resource of a project was used: an image, the same as a table, and when it runs out.

Lines hold until the next point; what nobody knew is a gap, in the image and in the table. It is read with the
page and not live: it changes slowly, and would cost every viewer the points of weeks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from multisite.clock import Clock
from multisite.quotas.history.forecast import Forecast, Outlook
from multisite.quotas.history.model import Point, Totals
from multisite.quotas.history.service import Question
from multisite.quotas.resources import UNLIMITED
from multisite.requester import Requester
from multisite.web import figures
from multisite.web.history import sampled
from multisite.web.quotas.services import HistoryService
from multisite.web.quotas.words import amount, limit_text
from multisite.web.sparks import paths

#: How far back a chart can reach, by its name in the address.
SPANS: Mapping[str, tuple[str, timedelta]] = {
    "day": ("24 hours", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "quarter": ("90 days", timedelta(days=90)),
}
#: Points that are asked for at once, and rows of the table.
MOST_POINTS = 1000
MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Row:
    """A time, and what was known from then on; nothing in a gap."""

    at: datetime
    used: str = ""
    limit: str = ""
    bound: str = ""
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What the page shows of it; `lasts` says when it runs out, or why nobody can tell."""

    span: str
    rows: Sequence[Row]
    more: bool
    used_line: str
    used_ground: str
    limit_line: str
    gaps: str
    highest: str
    lasts: str


@dataclass(frozen=True, slots=True)
class QuotaChart:
    """Charts of projects' quotas."""

    history: HistoryService
    clock: Clock

    async def of(self, requester: Requester, project_id: str, resource: str, span: str) -> Chart:
        """The chart of a resource over a span of `SPANS`. Raises `NotFound` for a project without a quota."""
        until = self.clock.now()
        since = until - SPANS[span][1]
        points, expected = await self._read(requester, project_id, resource, since, until)
        rows = table(points, resource)
        times = [point.at for point in points]
        used = [
            float(each.used) if each and each.used is not None else None for each in _of(points, resource)
        ]
        limits = [
            float(each.limit) if each and each.limit not in {None, UNLIMITED} else None
            for each in _of(points, resource)
        ]
        highest = max((each for each in (*used, *limits) if each is not None), default=None)
        top = (highest or 1.0) * 1.05
        used_line, ground, gaps = paths(sampled(times, used, since, until), 0.0, top)
        limit_line, _, _ = paths(sampled(times, limits, since, until), 0.0, top)
        return Chart(
            SPANS[span][0],
            rows[-MOST_ROWS:][::-1],
            len(rows) > MOST_ROWS,
            used_line,
            ground,
            limit_line,
            gaps,
            amount(resource, highest),
            outlook(resource, expected),
        )

    async def _read(
        self, requester: Requester, project_id: str, resource: str, since: datetime, until: datetime
    ) -> tuple[Sequence[Point], Forecast | None]:
        points: list[Point] = []
        after: datetime | None = None
        while True:
            question = Question([resource], since, until, None, MOST_POINTS, after)
            found = await self.history.show(requester, project_id, question)
            points += found.points
            if not found.more:
                return points, found.forecast.get(resource)
            after = points[-1].at


def table(points: Sequence[Point], resource: str) -> list[Row]:
    """The rows, in the order of time."""
    rows = []
    for point in points:
        each = point.resources.get(resource)
        if each is None or each.used is None:
            rows.append(Row(point.at, gap=True))
        else:
            texts = (limit_text(resource, each.limit), limit_text(resource, each.bound))
            rows.append(Row(point.at, amount(resource, each.used), *texts))
    return rows


def outlook(resource: str, forecast: Forecast | None) -> str:
    """When a resource runs out, or why that cannot be told, in a sentence."""
    if forecast is None:
        return "Nothing is known of its use yet."
    pace = "" if forecast.per_day is None else f", at {_pace(resource, forecast.per_day)} a day"
    return {
        Outlook.RUNS_OUT: f"By the trend of two weeks it is used up on {_day(forecast.runs_out_at)}{pace}.",
        Outlook.USED_UP: "It is used up.",
        Outlook.STEADY: "Its use does not grow.",
        Outlook.FAR: f"By the trend of two weeks it lasts for more than ten years{pace}.",
        Outlook.UNLIMITED: "It has no limit that could be reached.",
        Outlook.SHORT: "When it runs out can be told after a day of history.",
    }[forecast.outlook]


def _pace(resource: str, per_day: float) -> str:
    return amount(resource, per_day if per_day < 10 else round(per_day))  # noqa: PLR2004 - one decimal below


def _day(at: datetime | None) -> str:
    return figures.moment(at)[:10]


def _of(points: Sequence[Point], resource: str) -> list[Totals | None]:
    return [point.resources.get(resource) for point in points]
