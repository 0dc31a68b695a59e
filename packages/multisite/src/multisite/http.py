"""What the routes of every domain share: the requester, paging, links."""

import re
from collections.abc import Callable, Sequence
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BaseModel, BeforeValidator, Field

from multisite.errors import BadRequest
from multisite.requester import Requester

T = TypeVar("T")

#: Rows of one page, unless the request asks for fewer.
PAGE = 1000

#: A key as the database may be asked for it: PostgreSQL takes no NUL.
TEXT = r"^[^\x00]*$"
#: What is said of what is no moment.
MOMENT = "write a moment with its time zone, such as 2026-12-01T06:00:00Z"
#: What a filter is written with: nothing has a line break or another control character in its name.
LINE = r"^[^\x00-\x1f\x7f]*$"

RegionFilter = Annotated[
    list[Annotated[str, Field(pattern=TEXT)]],
    Query(alias="region", description="Only these regions, by name; repeatable.", max_length=1000),
]


def _written_truth(value: Any) -> Any:
    """`yes`, `on` and `1`, which pydantic would take, are no truth values here."""
    if isinstance(value, str) and value.lower() not in {"true", "false"}:
        raise ValueError("write true or false")
    return value


def written_moment(value: Any) -> Any:
    """Numbers, which pydantic would take for seconds since 1970, are no moments here."""
    if not (isinstance(value, str) and re.match(r"\d{4}-", value)):
        raise ValueError(MOMENT)
    return value


#: A moment in a parameter; `aware` looks at its zone.
Moment = Annotated[datetime, BeforeValidator(written_moment)]
Truth = Annotated[bool, BeforeValidator(_written_truth)]
Fresh = Annotated[Truth, Query(description="Read the regions now, within [sweep] fresh_deadline.")]
Limit = Annotated[int, Query(ge=1, le=PAGE, description="Rows of one page.")]
Marker = Annotated[str | None, Query(description="The key of the last row of the page before.")]


class Link(BaseModel):
    """A link to another page of a listing."""

    rel: str
    href: str


def aware(name: str, at: datetime | None) -> datetime | None:
    """The moment of the parameter `name` in UTC. Raises `BadRequest` without zone, at the calendar's ends."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise BadRequest(f"{name}: {at.isoformat()} does not say its time zone, as {at.isoformat()}Z does")
    if not MINYEAR < at.year < MAXYEAR:  # a day before it, or in another zone, there is none
        raise BadRequest(f"{name}: {at} is beyond the calendar")
    return at.astimezone(UTC)


def requester(request: Request) -> Requester:
    """Who asks; the application put it there after it checked the token."""
    found = request.state.requester
    if not isinstance(found, Requester):
        raise TypeError("the route is not guarded")
    return found


def page(
    request: Request, rows: Sequence[T], key: Callable[[T], str], *, limit: int, marker: str | None
) -> tuple[list[T], list[Link]]:
    """The rows after `marker`, at most `limit`, and a link to the next page where there is one.

    Raises `BadRequest` for a marker that is no row's key.
    """
    start = 0
    if marker is not None:
        keys = [key(row) for row in rows]
        if marker not in keys:
            raise BadRequest(f"marker: there is no row {marker!r} to continue after")
        start = keys.index(marker) + 1
    shown = list(rows[start : start + limit])
    if start + limit >= len(rows):
        return shown, []
    return shown, [Link(rel="next", href=next_link(request, limit, key(shown[-1])))]


def next_link(request: Request, limit: int, marker: str) -> str:
    """The path and query of the page after `marker`."""
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if name not in {"limit", "marker"}
    ]
    return f"{request.scope.get('root_path', '')}{_path(request)}?" + urlencode(
        [*kept, ("limit", limit), ("marker", marker)]
    )


def _path(request: Request) -> str:
    path = str(request.scope["path"])
    root = str(request.scope.get("root_path", ""))
    return path.removeprefix(root) if root else path
