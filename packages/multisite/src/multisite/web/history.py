"""A region's chart: how much there was, what was usable and in use, over an hour up to three months.

The page has the chart as an image and as a table; with a script, uPlot draws it from the same points, which
`/wall/regions/{name}/history` answers. There a gap is `null`; it is a dotted ground in the image,
and a row in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from multisite.capacity.details import CapacityDetail
from multisite.capacity.history.model import Figures, Point, Quantity
from multisite.capacity.history.service import Question, Resolution
from multisite.clock import Clock
from multisite.requester import Requester
from multisite.web import figures
from multisite.web.filters import one_of
from multisite.web.services import HistoryService
from multisite.web.sparks import paths
from multisite.web.visitors import Visitor

SPANS = {
    "hour": ("hour", timedelta(hours=1)),
    "quarter-day": ("6 hours", timedelta(hours=6)),
    "day": ("24 hours", timedelta(days=1)),
    "week": ("7 days", timedelta(days=7)),
    "quarter": ("90 days", timedelta(days=90)),
}
USUAL = {
    "VCPU": "VCPU",
    "MEMORY_MB": "Memory",
    "DISK_GB": "Disk",
    "volume": "Volumes",
    "external_ipv4": "Ext. IPv4",
    "servers": "Servers",
}
#: Points of a page, and rows of the table.
MOST_POINTS = 1000
MOST_ROWS = 200
#: Values of the image.
COLUMNS = 240


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the chart is of; from an address."""

    resource: str
    span: str

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Chosen":
        """From an address. Raises `BadRequest` for a span that there is not."""
        span = one_of(query, "span", tuple(SPANS))
        resource = query.get("resource", "")[:255]
        if not resource or "\0" in resource:
            resource = "VCPU"
        return cls(resource, span or "day")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a time, and the figures from then on; none in a gap."""

    at: datetime
    total: str = ""
    usable: str = ""
    used: str = ""
    free: str = ""
    gap: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that the page shows of it."""

    chosen: Chosen
    name: str
    span: str
    resources: Mapping[str, str]
    spans: Mapping[str, str]
    rows: Sequence[Row]
    more: bool
    used_line: str
    used_ground: str
    usable_line: str
    gaps: str
    highest: str


@dataclass(frozen=True, slots=True)
class HistoryChart:
    """Charts of regions."""

    history: HistoryService
    clock: Clock

    async def chart(self, requester: Requester, name: str, chosen: Chosen, detail: CapacityDetail) -> Chart:
        """The chart of one region."""
        points, since, until = await self._points(requester, name, chosen)
        unit = unit_of(chosen.resource)
        times = [point.at for point in points]
        used = [_value(point, "used") for point in points]
        usable = [_value(point, "usable") for point in points]
        highest = max((value for value in [*used, *usable] if value is not None), default=None)
        top = float(highest or 1) * 1.05
        used_line, used_ground, gaps = paths(sampled(times, used, since, until), 0.0, top)
        usable_line, _, _ = paths(sampled(times, usable, since, until), 0.0, top)
        names = resources_of(detail, chosen.resource)
        rows = table(points, unit)
        return Chart(
            chosen=chosen,
            name=names[chosen.resource],
            span=SPANS[chosen.span][0],
            resources=names,
            spans={key: text for key, (text, _) in SPANS.items()},
            rows=rows[-MOST_ROWS:][::-1],
            more=len(rows) > MOST_ROWS,
            used_line=used_line,
            used_ground=used_ground,
            usable_line=usable_line,
            gaps=gaps,
            highest=unit(highest),
        )

    async def data(self, request: Request, visitor: Visitor) -> Response:
        """The points for the script: columns of seconds since 1970 and of figures, `null` for a gap."""
        chosen = Chosen.of(request.query_params)
        points, since, until = await self._points(visitor.requester, request.path_params["name"], chosen)
        columns: dict[str, Any] = {
            "since": since.timestamp(),
            "until": until.timestamp(),
            "scale": scale_of(chosen.resource),
            "at": [round(point.at.timestamp(), 3) for point in points],
        }
        for figure in ("total", "usable", "used", "free"):
            columns[figure] = [_value(point, figure) for point in points]
        return JSONResponse(columns)

    async def _points(
        self, requester: Requester, name: str, chosen: Chosen
    ) -> tuple[list[Point], datetime, datetime]:
        until = self.clock.now()
        since = until - SPANS[chosen.span][1]
        resolution = Resolution.RAW if SPANS[chosen.span][1] <= timedelta(days=1) else Resolution.HOUR
        points: list[Point] = []
        after: tuple[str | None, datetime] | None = None
        while True:
            question = Question([name], [chosen.resource], since, until, resolution, MOST_POINTS, after)
            series = await self.history.show(requester, question)
            points += series.points
            if not series.more:
                return points, since, until
            after = name, points[-1].at


def resources_of(detail: CapacityDetail, chosen: str) -> dict[str, str]:
    """What a chart may be of, as the page calls it: the usual ones first."""
    names = dict(USUAL)
    placement = detail.region.placement
    names |= {name: name for name in (placement.resources if placement else {}) if name not in names}
    return names | ({} if chosen in names else {chosen: chosen})


def table(points: Sequence[Point], unit: Any) -> list[Row]:
    """The rows; what stayed the same is told once."""
    rows: list[Row] = []
    before: Figures | None = None
    for point in points:
        each = next(iter(point.resources.values()), None)
        if each == before and rows:
            continue
        if each is None:
            rows.append(Row(point.at, gap=True))
        else:
            rows.append(Row(point.at, unit(each.total), unit(each.usable), unit(each.used), unit(each.free)))
        before = each
    return rows


def sampled(
    times: Sequence[datetime], values: Sequence[float | None], since: datetime, until: datetime
) -> list[float | None]:
    """A step function at `COLUMNS` moments: the greatest value of each column."""
    width = (until - since) / COLUMNS
    columns: list[float | None] = []
    place, held = 0, None
    for number in range(COLUMNS):
        end = since + width * (number + 1)
        found = [] if held is None else [held]
        while place < len(times) and times[place] < end:
            held = values[place]
            if held is not None:
                found.append(held)
            place += 1
        columns.append(max(found, default=None))
    return columns


def unit_of(resource: str) -> Any:
    """The function that prints a figure of the resource."""
    return {"MiB": figures.from_mebibytes, "GiB": figures.from_gibibytes, "B": figures.from_bytes}.get(
        scale_of(resource), figures.count
    )


def scale_of(resource: str) -> str:
    """The unit in which a resource is counted, empty for a plain number."""
    known = {
        "MEMORY_MB": "MiB",
        "DISK_GB": "GiB",
        "volume": "GiB",
        "volume_provisioned": "GiB",
        "image_bytes": "B",
    }
    return known.get(resource.removeprefix("shared:"), "")


def _value(point: Point, figure: str) -> Quantity:
    each = next(iter(point.resources.values()), None)
    return getattr(each, figure) if each else None
