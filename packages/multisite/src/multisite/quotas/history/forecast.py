"""When a resource of a project runs out, from how it was used: pure rules.

Of the last 14 days the last reading in each six hours is taken (57 at most). The trend is the median of the
slopes between all pairs of them (Theil 1950, Sen 1968): up to 29 of 100 readings may be anything without
moving it far, so a project that was emptied for a day does not bend it. Use runs out at the last reading plus
what was left then, divided by the trend. There is no such day where the readings span less than 24 hours,
where use does not grow, where there is no limit, and beyond ten years.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import combinations
from statistics import median

from multisite.quotas.history.model import Point, Totals
from multisite.quotas.resources import UNLIMITED

DAY = timedelta(days=1)
#: How far back is looked, how far apart readings are, how much time they have to span.
SPAN, STEP, LEAST = 14 * DAY, timedelta(hours=6), DAY
#: Nothing is said about what lies further ahead.
HORIZON = 3650 * DAY


class Outlook(StrEnum):
    """What a forecast says, or why it says nothing."""

    RUNS_OUT = "runs-out"
    USED_UP = "used-up"
    STEADY = "not-growing"
    FAR = "beyond-ten-years"
    UNLIMITED = "unlimited"
    SHORT = "too-little-history"


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast rests on: so many readings, of what is known from `since` to `until`."""

    readings: int
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a resource runs out. `per_day`: how much its use grows a day, in its own unit; `None` unknown."""

    runs_out_at: datetime | None
    per_day: float | None
    outlook: Outlook
    basis: Basis


def forecasts(points: Sequence[Point], now: datetime) -> Mapping[str, Forecast]:
    """The forecast of every resource that the last point has; points in the order of time."""
    if not points:
        return {}
    return {
        name: forecast([(point.at, point.resources.get(name)) for point in points], now)
        for name in points[-1].resources
    }


def forecast(history: Iterable[tuple[datetime, Totals | None]], now: datetime) -> Forecast:
    """The forecast of one resource from what was known of it, in any order; `None` for not known."""
    known = {
        at: totals
        for at, totals in history
        if totals is not None and totals.used is not None and now - SPAN <= at <= now
    }
    if not known:
        return Forecast(None, None, Outlook.SHORT, Basis(0, None, None))
    readings = _readings({at: float(totals.used or 0) for at, totals in known.items()})
    first, last = min(known), max(known)
    basis = Basis(len(readings), first, last)
    per_day = slope(readings) if last - first >= LEAST else None
    latest = known[last]
    days, outlook = _days_left(latest.used or 0, latest.limit, per_day)
    runs_out_at = None if days is None else last + timedelta(days=days)
    return Forecast(runs_out_at, per_day, outlook, basis)


def _days_left(used: int, limit: int | None, per_day: float | None) -> tuple[float | None, Outlook]:
    """Days until a limit is reached, `None` where there is no telling; and what to say of it."""
    if limit is None or limit == UNLIMITED:
        return None, Outlook.UNLIMITED
    if used >= limit:
        return 0.0, Outlook.USED_UP
    if per_day is None:
        return None, Outlook.SHORT
    if per_day <= 0:
        return None, Outlook.STEADY
    days = (limit - used) / per_day
    return (None, Outlook.FAR) if days > HORIZON / DAY else (days, Outlook.RUNS_OUT)


def slope(readings: Sequence[tuple[datetime, float]]) -> float:
    """The median of the slopes between all pairs, per day; at least two readings at different times."""
    return median((b - a) / ((later - at) / DAY) for (at, a), (later, b) in combinations(readings, 2))


def _readings(known: Mapping[datetime, float]) -> list[tuple[datetime, float]]:
    """The last reading in each six hours, in the order of time."""
    kept = {int(at.timestamp() // STEP.total_seconds()): (at, known[at]) for at in sorted(known)}
    return [kept[slot] for slot in sorted(kept)]
