"""HTTP of history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from multisite.capacity.history.model import ADDRESSES, Figures, Point, Quantity, written
from multisite.capacity.history.service import HistoryService, Question, Resolution
from multisite.errors import BadRequest
from multisite.http import PAGE, TEXT, Limit, Link, Marker, Moment, aware, next_link, requester

#: Regions of one request.
MOST_REGIONS = 100

Text = Annotated[str, Field(pattern=TEXT, max_length=255)]
Regions = Annotated[
    list[Text],
    Query(alias="region", description="These regions, by name; repeatable.", max_length=MOST_REGIONS),
]
Resources = Annotated[
    list[Text], Query(alias="resource", description="Only these; repeatable.", max_length=MOST_REGIONS)
]
Since = Annotated[Moment | None, Query(description="From when on (default: a day before `until`).")]
Until = Annotated[Moment | None, Query(description="Until when (default: now).")]
Fineness = Annotated[Resolution | None, Query(description="Every change, or one reading an hour.")]


class HistoryFigures(BaseModel):
    """Of one resource; addresses, and what passes 2^53, are decimal text. `null` is not known."""

    total: int | float | str | None
    usable: int | float | str | None
    used: int | float | str | None
    free: int | float | str | None
    regions: int | None


class HistoryPoint(BaseModel):
    """What was known from `at` on; a resource that is not there was not known."""

    region: str | None
    at: datetime
    regions: int | None
    resources: dict[str, HistoryFigures]


class HistoryAnswer(BaseModel):
    """Points of the regions, or of the totals."""

    since: datetime
    until: datetime
    resolution: Resolution
    points: list[HistoryPoint]
    links: list[Link]


async def show_history(  # noqa: PLR0913, PLR0917 - one argument per parameter
    request: Request,
    region: Regions = [],  # noqa: B006 - FastAPI copies defaults
    resource: Resources = [],  # noqa: B006
    since: Since = None,
    until: Until = None,
    resolution: Fineness = None,
    limit: Limit = PAGE,
    marker: Marker = None,
) -> HistoryAnswer:
    """How the capacity of regions was over time; without a region, that of all together."""
    service: HistoryService = request.app.state.history
    question = Question(
        regions=region,
        resources=resource,
        since=aware("since", since),
        until=aware("until", until),
        resolution=resolution,
        limit=limit,
        after=_after(marker),
    )
    series = await service.show(requester(request), question)
    links = []
    if series.more:
        last = series.points[-1]
        links = [Link(rel="next", href=next_link(request, limit, _marker(last)))]
    return HistoryAnswer(
        since=series.since,
        until=series.until,
        resolution=series.resolution,
        points=answer(series.points),
        links=links,
    )


def answer(points: Sequence[Point]) -> list[HistoryPoint]:
    """The points as the API answers them; nothing is validated that we have written ourselves."""
    return [
        HistoryPoint.model_construct(
            region=point.region,
            at=point.at,
            regions=point.regions,
            resources=_resources(point.resources),
        )
        for point in points
    ]


def _resources(resources: Mapping[str, Figures]) -> dict[str, HistoryFigures]:
    return {
        name: HistoryFigures.model_construct(
            total=_shown(name, each.total),
            usable=_shown(name, each.usable),
            used=_shown(name, each.used),
            free=_shown(name, each.free),
            regions=each.regions,
        )
        for name, each in sorted(resources.items())
    }


def _shown(name: str, quantity: Quantity) -> int | float | str | None:
    return str(quantity) if name in ADDRESSES and quantity is not None else written(quantity)


def _marker(point: Point) -> str:
    return f"{point.at.isoformat()}/{point.region or ''}"


def _after(marker: str | None) -> tuple[str | None, datetime] | None:
    if marker is None:
        return None
    text, _, region = marker.partition("/")
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"marker: {marker!r} is not one that a next link has") from None
    return region or None, aware("marker", at) or at
