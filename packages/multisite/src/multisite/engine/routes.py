"""HTTP of operations."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request
from pydantic import BaseModel, Field, TypeAdapter
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response

from multisite.engine.model import Failure, JsonObject, Operation, Part, State, Wanted
from multisite.engine.service import OperationService
from multisite.engine.writes import WriteRecord
from multisite.errors import BadRequest, MultisiteError
from multisite.http import TEXT, Limit, Link, Marker, next_link, requester
from multisite.requester import Requester

LOG = logging.getLogger(__name__)

#: Rows of one page, unless the request asks for fewer.
PAGE = 100
#: Seconds between two looks for something new to tell.
LOOK = 1.0
#: Seconds for which one stream lasts at most; clients come back by themselves.
STREAM = 3600.0
HEARTBEAT = 15
#: Of the id of a write, at most.
_DIGITS = 9

Text = Annotated[str, Field(pattern=TEXT, max_length=255)]
Id = Annotated[str, Path(description="The operation's id.", max_length=64, pattern=TEXT)]


class OperationAnswer(BaseModel):
    """An operation; `parts` count its parts by state, `failure` is that of the first that did not work."""

    id: str
    kind: str
    state: State
    percent: int
    arguments: dict[str, Any]
    parts: dict[State, int]
    failure: Failure | None
    project_id: str | None
    user_id: str
    user_name: str
    request_id: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    generation: int


class OperationsAnswer(BaseModel):
    """A page of operations, the newest first."""

    operations: list[OperationAnswer]
    links: list[Link]


class RegionsOfOperation(BaseModel):
    """An operation, and how far it is in each region."""

    operation: OperationAnswer
    regions: list[Part]


class WritesAnswer(BaseModel):
    """What an operation wrote to regions, in order."""

    writes: list[WriteRecord]
    links: list[Link]


async def list_operations(  # noqa: PLR0913, PLR0917 - one argument per parameter
    request: Request,
    kind: Annotated[list[Text], Query(description="Only these kinds; repeatable.", max_length=64)] = [],  # noqa: B006
    state: Annotated[list[State], Query(description="Only in these states; repeatable.")] = [],  # noqa: B006
    region: Annotated[Text | None, Query(description="Only those with a part in this region.")] = None,
    user: Annotated[Text | None, Query(description="Only those of the user with this id.")] = None,
    limit: Limit = PAGE,
    marker: Marker = None,
) -> OperationsAnswer:
    """List operations, the newest first."""
    wanted = Wanted(kinds=kind, states=state, region=region, user_id=user)
    shown, following = await _service(request).list(requester(request), wanted, limit, marker)
    links = [Link(rel="next", href=next_link(request, limit, following))] if following else []
    return OperationsAnswer(operations=[operation_answer(each) for each in shown], links=links)


async def show_operation(request: Request, id: Id) -> RegionsOfOperation:  # noqa: A002 - as in the path
    """Show an operation, and how far it is in each region."""
    operation, parts = await _service(request).show(requester(request), id)
    return RegionsOfOperation(operation=operation_answer(operation), regions=list(parts))


async def cancel_operation(request: Request, id: Id) -> OperationAnswer:  # noqa: A002
    """Cancel an operation: what waits ends, what is at work is undone, what has ended stays."""
    return operation_answer(await _service(request).cancel(requester(request), id))


async def retry_operation(request: Request, id: Id) -> OperationAnswer:  # noqa: A002
    """Try again what failed or was cancelled; go on undoing where that failed."""
    return operation_answer(await _service(request).retry(requester(request), id))


async def list_writes(
    request: Request,
    id: Id,  # noqa: A002
    limit: Limit = PAGE,
    marker: Marker = None,
) -> WritesAnswer:
    """List what an operation wrote to regions, in order."""
    if marker is not None and not (marker.isdecimal() and len(marker) <= _DIGITS):
        raise BadRequest(f"marker: {marker!r} is not the id of a write")
    records = await _service(request).writes(requester(request), id, limit + 1, int(marker or 0))
    shown, more = list(records[:limit]), len(records) > limit
    links = [Link(rel="next", href=next_link(request, limit, str(shown[-1].id)))] if more else []
    return WritesAnswer(writes=shown, links=links)


async def follow_operation(request: Request, id: Id) -> Response:  # noqa: A002
    """Follow an operation: an event `operation` with each change, until it has ended."""
    service, who = _service(request), requester(request)
    first = await service.show(who, id)  # a refusal is an answer of its own, before the stream begins
    return EventSourceResponse(_events(service, who, first), ping=HEARTBEAT, sep="\n")


async def _events(
    service: OperationService, who: Requester, first: tuple[Operation, Any]
) -> AsyncIterator[ServerSentEvent]:
    """Read from the database, so that any process tells of any operation; clients come back where it ends."""
    operation, parts = first
    told = None
    until = asyncio.get_running_loop().time() + STREAM
    while asyncio.get_running_loop().time() < until:
        if operation.generation != told:
            told = operation.generation
            shown = RegionsOfOperation(operation=operation_answer(operation), regions=list(parts))
            data = _ADAPTER.dump_json(shown).decode()
            yield ServerSentEvent(data, event="operation", id=str(told))
        if operation.state.ended:
            return
        await asyncio.sleep(LOOK)
        try:
            if await service.generation(operation.id) != told:
                operation, parts = await service.show(who, operation.id)
        except MultisiteError as error:
            LOG.log(error.log_level, "a stream of operation %s ends: %s", operation.id, error.detail)
            return


_ADAPTER = TypeAdapter(RegionsOfOperation)


def _service(request: Request) -> OperationService:
    service: OperationService = request.app.state.operations
    return service


def operation_answer(operation: Operation) -> OperationAnswer:
    """An operation as it is answered."""
    arguments: JsonObject = operation.arguments
    return OperationAnswer(
        id=operation.id,
        kind=operation.kind,
        state=operation.state,
        percent=operation.percent,
        arguments=dict(arguments),
        parts=dict(operation.parts_by_state),
        failure=operation.failure,
        project_id=operation.project_id,
        user_id=operation.user_id,
        user_name=operation.user_name,
        request_id=operation.request_id,
        created_at=operation.created_at,
        started_at=operation.started_at,
        finished_at=operation.finished_at,
        cancel_requested_at=operation.cancel_requested_at,
        generation=operation.generation,
    )
