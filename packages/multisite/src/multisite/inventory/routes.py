"""HTTP of the inventory."""

from typing import Annotated, Literal

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

from multisite.errors import BadRequest
from multisite.http import LINE, PAGE, TEXT, Fresh, Limit, Link, RegionFilter, Truth, next_link, requester
from multisite.inventory import export
from multisite.inventory.keypairs import Keypairs, KeypairService
from multisite.inventory.model import InventoryRow, MissingKind
from multisite.inventory.queries import Direction, Order, Sort
from multisite.inventory.search import MOST, SearchResult, SearchService
from multisite.inventory.service import InventoryService, Question

#: Says of a CSV, which has no room for it, whether everything is in it.
COMPLETE = "X-Multisite-Complete"


class InventoryAnswer(BaseModel):
    """A page of items; `complete` and what is missing are about all pages.

    `missing` names the first of the `missing_regions` that were not read well.
    """

    items: tuple[InventoryRow, ...]
    complete: bool
    missing: tuple[MissingKind, ...]
    missing_regions: int
    links: list[Link]


_ADAPTER = TypeAdapter(InventoryAnswer)

KindPath = Annotated[
    str, Path(description="The kind, in the plural: servers, floating-ips, …", max_length=32)
]
Marker = Annotated[str | None, Query(description="From a page's link.", max_length=8000, pattern=TEXT)]
Text = Query(max_length=255, pattern=LINE)


async def list_inventory(  # noqa: PLR0913, PLR0917 - query parameters
    request: Request,
    kind: KindPath,
    region: RegionFilter = [],  # noqa: B006 - FastAPI copies defaults
    project_id: Annotated[str | None, Text] = None,
    status: Annotated[str | None, Text] = None,
    name: Annotated[str | None, Text] = None,
    address: Annotated[str | None, Text] = None,
    visible: Annotated[Truth, Query(description="Also what others show the project.")] = False,  # noqa: FBT002
    sort: Sort = Sort.NAME,
    direction: Direction = Direction.ASC,
    fresh: Fresh = False,  # noqa: FBT002
    limit: Limit = PAGE,
    marker: Marker = None,
    format: Literal["json", "csv"] | None = None,  # noqa: A002 - the parameter's name in the API
) -> Response:
    """The items of one kind in all regions; as CSV all of them at once."""
    question = Question(tuple(region), project_id, status, name, address, visible, fresh)
    order = Order(sort, direction)
    service = service_of(request)
    if format == "csv" or (format is None and "text/csv" in request.headers.get("accept", "")):
        if paging := sorted({"limit", "marker"} & set(request.query_params)):
            raise BadRequest(f"{paging[0]}: a CSV has no pages, it has all rows at once")
        found = await service.export(requester(request), kind, question, order)
        return StreamingResponse(
            export.lines(found),
            media_type="text/csv; charset=utf-8",
            headers={
                COMPLETE: str(not found.missing.regions).lower(),
                "Content-Disposition": f'attachment; filename="{found.kind.plural}.csv"',
            },
        )
    page = await service.list(requester(request), kind, question, order, limit=limit, marker=marker)
    answer = InventoryAnswer.model_construct(
        items=page.rows,
        complete=not page.missing.regions,
        missing=page.missing.named,
        missing_regions=page.missing.regions,
        links=[Link(rel="next", href=next_link(request, limit, page.next))] if page.next else [],
    )
    return Response(_ADAPTER.dump_json(answer), media_type="application/json")


async def show_item(
    request: Request,
    kind: KindPath,
    region: Annotated[str, Path(description="The region's name.", max_length=255, pattern=TEXT)],
    id: Annotated[str, Path(description="The item's id.", max_length=255, pattern=TEXT)],  # noqa: A002
    fresh: Fresh = False,  # noqa: FBT002
) -> InventoryRow:
    """One item."""
    return await service_of(request).show(requester(request), kind, region, id, fresh=fresh)


async def search_inventory(
    request: Request,
    q: Annotated[
        str, Query(description="An id, a name, an address, or a part.", max_length=255, pattern=LINE)
    ],
    limit: Annotated[int, Query(ge=1, le=MOST, description="Items in the answer.")] = 50,
) -> SearchResult:
    """Where is this id, this name, this address?"""
    search: SearchService = request.app.state.search
    return await search.search(requester(request), q, limit=limit)


async def list_keypairs(
    request: Request,
    user_id: Annotated[
        str | None, Query(description="Whose; by default your own.", max_length=64, pattern=TEXT)
    ] = None,
    region: RegionFilter = [],  # noqa: B006
) -> Keypairs:
    """A user's keypairs in all regions, read now."""
    keypairs: KeypairService = request.app.state.keypairs
    return await keypairs.list(requester(request), user_id, region)


def service_of(request: Request) -> InventoryService:
    """The service behind the routes."""
    service: InventoryService = request.app.state.inventory
    return service
