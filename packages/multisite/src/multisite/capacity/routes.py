"""HTTP of capacity."""

from typing import Annotated

from fastapi import Path, Request
from pydantic import BaseModel

from multisite.capacity.details import CapacityDetail
from multisite.capacity.model import CapacityTotals, RegionCapacity
from multisite.capacity.service import CapacityService
from multisite.http import PAGE, TEXT, Fresh, Limit, Link, Marker, RegionFilter, page, requester


class CapacityAnswer(BaseModel):
    """Capacity region by region; `totals` are over all regions that the filter lets through."""

    regions: list[RegionCapacity]
    totals: CapacityTotals
    links: list[Link]


async def list_capacity(
    request: Request,
    region: RegionFilter = [],  # noqa: B006 - FastAPI copies defaults
    fresh: Fresh = False,  # noqa: FBT002 - a query parameter
    limit: Limit = PAGE,
    marker: Marker = None,
) -> CapacityAnswer:
    """What all regions have, and what of it is used."""
    listing = await _service(request).list(requester(request), names=region, fresh=fresh)
    shown, links = page(request, listing.regions, lambda item: item.region, limit=limit, marker=marker)
    return CapacityAnswer(regions=shown, totals=listing.totals, links=links)


async def show_capacity(
    request: Request,
    region: Annotated[str, Path(description="The region's name.", max_length=255, pattern=TEXT)],
    fresh: Fresh = False,  # noqa: FBT002
) -> CapacityDetail:
    """One region with its providers, hosts, pools, networks, stores, and how many servers fit."""
    return await _service(request).show(requester(request), region, fresh=fresh)


def _service(request: Request) -> CapacityService:
    service: CapacityService = request.app.state.capacity
    return service
