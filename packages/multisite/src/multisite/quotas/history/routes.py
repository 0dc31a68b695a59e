"""HTTP of the history of quotas."""

from datetime import datetime
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, Field

from multisite.errors import BadRequest
from multisite.http import PAGE, TEXT, Limit, Link, Marker, Moment, aware, next_link, requester
from multisite.quotas.history.forecast import Forecast
from multisite.quotas.history.model import Totals
from multisite.quotas.history.service import Question, QuotaHistoryService, Resolution
from multisite.quotas.routes import ProjectId

Resources = Annotated[
    list[Annotated[str, Field(pattern=TEXT, max_length=300)]],
    Query(alias="resource", description="Only these; repeatable.", max_length=100),
]
Since = Annotated[Moment | None, Query(description="From when on (default: a day before `until`).")]
Until = Annotated[Moment | None, Query(description="Until when (default: now).")]
Fineness = Annotated[Resolution | None, Query(description="Every change, or one reading an hour.")]


class QuotaPoint(BaseModel):
    """What was known from `at` on; a resource that is not there was not known."""

    at: datetime
    resources: dict[str, Totals]


class QuotaHistoryAnswer(BaseModel):
    """Points of a project, and when its resources run out by the trend of the last two weeks."""

    project_id: str
    since: datetime
    until: datetime
    resolution: Resolution
    points: list[QuotaPoint]
    forecast: dict[str, Forecast]
    links: list[Link]


async def list_quota_history(  # noqa: PLR0913, PLR0917 - one argument per parameter
    request: Request,
    project_id: ProjectId,
    resource: Resources = [],  # noqa: B006 - FastAPI copies defaults
    since: Since = None,
    until: Until = None,
    resolution: Fineness = None,
    limit: Limit = PAGE,
    marker: Marker = None,
) -> QuotaHistoryAnswer:
    """How a project's quota was used over time, and when it runs out."""
    service: QuotaHistoryService = request.app.state.quota_history
    question = Question(
        resource, aware("since", since), aware("until", until), resolution, limit, _after(marker)
    )
    found = await service.show(requester(request), project_id, question)
    links = []
    if found.more:
        links = [Link(rel="next", href=next_link(request, limit, found.points[-1].at.isoformat()))]
    return QuotaHistoryAnswer(
        project_id=project_id,
        since=found.since,
        until=found.until,
        resolution=found.resolution,
        points=[QuotaPoint(at=point.at, resources=dict(point.resources)) for point in found.points],
        forecast=dict(found.forecast),
        links=links,
    )


def _after(marker: str | None) -> datetime | None:
    if marker is None:
        return None
    try:
        at = datetime.fromisoformat(marker)
    except ValueError:
        raise BadRequest(f"marker: {marker!r} is not one that a next link has") from None
    return aware("marker", at)
