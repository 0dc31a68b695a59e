"""HTTP of requests for more quota."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query, Request
from pydantic import AfterValidator, BaseModel, Field

from multisite.engine.routes import OperationAnswer, operation_answer
from multisite.http import TEXT, Limit, Link, Marker, next_link, requester
from multisite.quotas.requests.model import Filter, QuotaRequest, RequestState
from multisite.quotas.requests.service import QuotaRequestService
from multisite.quotas.routes import Body, Number, Resource
from multisite.texts import visible


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("write a few words")
    return visible(text.strip())


RequestId = Annotated[str, Path(alias="id", description="The request's id.", max_length=64, pattern=TEXT)]
Words = Annotated[str, Field(max_length=1000), AfterValidator(_said)]
Limits = Annotated[dict[Resource, Number], Field(min_length=1, max_length=100)]


class CreateQuotaRequestBody(Body):
    """Which global limits are asked for, and why; -1 is unlimited."""

    limits: Limits
    reason: Words


class ApproveBody(Body):
    """What is granted of what was asked for; all of it where nothing is said."""

    limits: Limits | None = None
    answer: Words | None = None


class RefuseBody(Body):
    """Why it is refused."""

    reason: Words


class QuotaRequestAnswer(BaseModel):
    """A request; `decided_by` and `operation_id` are for operators."""

    id: str
    at: datetime
    project_id: str
    project_name: str | None
    user_id: str
    user_name: str
    limits: dict[str, int]
    reason: str
    state: RequestState
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None
    granted: dict[str, int] | None
    operation_id: str | None


class QuotaRequestsAnswer(BaseModel):
    """A page of requests, the newest first."""

    requests: list[QuotaRequestAnswer]
    links: list[Link]


async def list_quota_requests(
    request: Request,
    state: Annotated[
        list[RequestState], Query(description="Only in these states; repeatable.", max_length=4)
    ] = [],  # noqa: B006 - FastAPI copies defaults
    project_id: Annotated[
        str | None, Query(description="Only of this project.", max_length=64, pattern=TEXT)
    ] = None,
    limit: Limit = 100,
    marker: Marker = None,
) -> QuotaRequestsAnswer:
    """Requests for more quota, the newest first; a tenant sees those of its project."""
    service = _service(request)
    found, following = await service.list(requester(request), Filter(state, project_id), limit, marker)
    links = [Link(rel="next", href=next_link(request, limit, following))] if following else []
    return QuotaRequestsAnswer(requests=[_answer(each) for each in found], links=links)


async def create_quota_request(request: Request, body: CreateQuotaRequestBody) -> QuotaRequestAnswer:
    """Ask for more quota for the project of the token."""
    return _answer(await _service(request).create(requester(request), body.limits, body.reason))


async def show_quota_request(request: Request, request_id: RequestId) -> QuotaRequestAnswer:
    """One request for more quota."""
    return _answer(await _service(request).show(requester(request), request_id))


async def cancel_quota_request(request: Request, request_id: RequestId) -> QuotaRequestAnswer:
    """Take a request back that nobody decided on."""
    return _answer(await _service(request).cancel(requester(request), request_id))


async def approve_quota_request(
    request: Request, request_id: RequestId, body: ApproveBody
) -> OperationAnswer:
    """Grant what is asked for, or part of it, and begin to write it."""
    service = _service(request)
    limits: Mapping[str, int] = body.limits or {}
    return operation_answer(await service.approve(requester(request), request_id, limits, body.answer))


async def refuse_quota_request(
    request: Request, request_id: RequestId, body: RefuseBody
) -> QuotaRequestAnswer:
    """Refuse a request, and say why."""
    return _answer(await _service(request).refuse(requester(request), request_id, body.reason))


def _answer(request: QuotaRequest) -> QuotaRequestAnswer:
    return QuotaRequestAnswer(
        id=request.id,
        at=request.at,
        project_id=request.project_id,
        project_name=request.project_name,
        user_id=request.user_id,
        user_name=request.user_name,
        limits=dict(request.limits),
        reason=request.reason,
        state=request.state,
        decided_at=request.decided_at,
        decided_by=request.decided_by,
        answer=request.answer,
        granted=dict(request.granted) if request.granted is not None else None,
        operation_id=request.operation_id,
    )


def _service(request: Request) -> QuotaRequestService:
    service: QuotaRequestService = request.app.state.quota_requests
    return service
