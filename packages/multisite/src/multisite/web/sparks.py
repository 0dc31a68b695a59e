"""Lines through time as SVG paths: sparklines on tiles, and the chart for those who have no script.

What was not known is not drawn as a line: a path ends where a gap begins, and another one marks the gap on
the ground. The scale begins and ends where the values do, but spans ten points at least, so that noise does
not look like a mountain; the words beside the line say what it spans.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise

from multisite.capacity.history.trends import Trend
from multisite.web import figures

WIDTH, HEIGHT = 240.0, 28.0
_LEAST_RANGE = 10.0
_MARGIN = 2.0
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Spark:
    """Paths of a line, of the ground below it and of its gaps, with what they show in words."""

    line: str
    ground: str
    gaps: str
    label: str
    span: str
    range: str


def spark(trend: Trend | None, name: str) -> Spark | None:
    """The sparkline of a trend; `None` where nothing is known."""
    if trend is None:
        return None
    known = [value for value in trend.values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    middle = max(_LEAST_RANGE, high - low) / 2
    center = min(max((low + high) / 2, middle), max(100.0 - middle, middle))
    line, ground, gaps = paths(trend.values, center - middle, center + middle)
    span = span_text(trend.span)
    ends = [figures.percent(low), figures.percent(high)]
    numbers = ends[0] if ends[0] == ends[1] else f"{low:.0f}–{ends[1]}"
    lost = _gaps(trend.values)
    label = f"{name} in use, {span}: {numbers}"
    if trend.values[-1] is not None:
        label += f", now {figures.percent(trend.values[-1])}"
    if lost:
        label += f"; not known {'once' if lost == 1 else f'{lost} times'} in between"
    return Spark(line, ground, gaps, label, span, numbers)


def span_text(span: timedelta) -> str:
    """`last 6 h`; of one hour, `last hour`."""
    return "last hour" if span == _HOUR else f"last {figures.span(span.total_seconds())}"


def paths(values: Sequence[float | None], low: float, high: float) -> tuple[str, str, str]:
    """The line, the ground below it, and the gaps, in a box of `WIDTH` × `HEIGHT`."""
    step = WIDTH / len(values)
    line, ground, gaps = [], [], []
    place = 0
    for known, group in groupby(values, key=lambda value: value is not None):
        part = list(group)
        left, right = place * step, (place + len(part)) * step
        if known:
            heights = [_height(value, low, high) for value in part if value is not None]
            steps = "".join(f"V{height:.1f}h{step:.2f}" for height in heights)
            line.append(f"M{left:.1f},{heights[0]:.1f}{steps}")
            ground.append(f"M{left:.1f},{HEIGHT:.0f}{steps}V{HEIGHT:.0f}Z")
        elif place:  # what was before the first reading is not lost
            gaps.append(f"M{left:.1f},{HEIGHT - _MARGIN:.0f}H{right:.1f}")
        place += len(part)
    return "".join(line), "".join(ground), "".join(gaps)


def _height(value: float, low: float, high: float) -> float:
    share = (value - low) / (high - low) if high > low else 0.5
    return HEIGHT - _MARGIN - share * (HEIGHT - 2 * _MARGIN)


def _gaps(values: Sequence[float | None]) -> int:
    """How often something known was followed by something unknown."""
    return sum(before is not None and after is None for before, after in pairwise(values))
