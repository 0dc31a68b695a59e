"""HTTP of use."""

from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import BaseModel

from multisite.http import PAGE, TEXT, Fresh, Limit, Link, Marker, RegionFilter, page, requester
from multisite.usage.model import ProjectUsage, ProjectUsageRow
from multisite.usage.service import UsageService


class UsageAnswer(BaseModel):
    """The totals of projects."""

    projects: list[ProjectUsageRow]
    links: list[Link]


async def list_usage(
    request: Request,
    region: RegionFilter = [],  # noqa: B006 - FastAPI copies defaults
    sort: Annotated[
        str | None,
        Query(description="A resource such as compute/cores; most used first.", max_length=255),
    ] = None,
    limit: Limit = PAGE,
    marker: Marker = None,
) -> UsageAnswer:
    """What the followed projects use in total; a tenant sees its own."""
    rows = await _service(request).list(requester(request), sort=sort, names=region)
    shown, links = page(request, rows, lambda row: row.project_id, limit=limit, marker=marker)
    return UsageAnswer(projects=shown, links=links)


async def show_usage(
    request: Request,
    project_id: Annotated[
        str, Path(description="The project's id in the home Keystone.", max_length=64, pattern=TEXT)
    ],
    region: RegionFilter = [],  # noqa: B006
    fresh: Fresh = False,  # noqa: FBT002
) -> ProjectUsage:
    """What a project uses in every region, with limits and what is left."""
    return await _service(request).show(requester(request), project_id, names=region, fresh=fresh)


def _service(request: Request) -> UsageService:
    service: UsageService = request.app.state.usage
    return service
