"""HTTP of quotas."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from multisite.engine.routes import OperationAnswer, operation_answer
from multisite.engine.writes import RegionWrite
from multisite.errors import BadRequest
from multisite.http import PAGE, TEXT, Limit, Link, Marker, next_link, page, requester
from multisite.quotas.eventlog import EventRow
from multisite.quotas.limits import BoundsChange, QuotaChange
from multisite.quotas.model import (
    CLASS_NAME,
    Backend,
    Cap,
    DryRun,
    GlobalLimit,
    LimitChange,
    MissingService,
    ProjectQuota,
    ProjectQuotaRow,
    Proposal,
)
from multisite.quotas.resources import Kind
from multisite.quotas.rules import QuotaRuleService
from multisite.quotas.service import QuotaService
from multisite.regions.fields import Generation, Moment, Text

ProjectId = Annotated[
    str, Path(description="The project's id in the home Keystone.", max_length=64, pattern=TEXT)
]
ClassName = Annotated[str, Path(description="The class's name.", max_length=64, pattern=CLASS_NAME)]
EventProject = Annotated[
    str | None, Query(description="Only those of this project, by its id.", max_length=64, pattern=TEXT)
]
KindFilter = Annotated[list[str], Query(description="Only these kinds; repeatable.", max_length=100)]
#: A number that is one: JSON's true is none, and neither is a text.
Number = Annotated[int, Field(strict=True)]
Resource = Annotated[str, Field(max_length=300, pattern=TEXT)]
Sort = Annotated[
    str | None,
    Query(description="Most pressure on this resource first.", max_length=300, pattern=TEXT),
]
EventId = Annotated[
    int | None, Query(description="The id of the last event of the page before.", ge=1, lt=2**31)
]


def _number_or_object(value: Any) -> Any:
    """A number alone is a limit with nothing else said of it."""
    if isinstance(value, dict) or value is None:
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return {"limit": value}
    raise ValueError("write a whole number (-1 is unlimited), or an object with limit, kind and burst")


class Body(BaseModel):
    """A request body: unknown fields are refused, because they are typing errors."""

    model_config = ConfigDict(extra="forbid", strict=False)


class LimitBody(Body):
    """A global limit: -1 is unlimited. A `kind` that is left out stays as it is (hard for a new one)."""

    limit: Number
    kind: Kind | None = None
    burst: Number | None = None


Limited = Annotated[LimitBody | None, BeforeValidator(_number_or_object)]


class RaiseBody(Body):
    """A higher limit for a time."""

    limit: Number
    ends_at: Moment


class BoundsBody(Body):
    """What one region has to have, and may have at most, of a resource; its weight among the others.

    What is left out stays; a `maximum` of `null` is none.
    """

    minimum: Number | None = None
    maximum: Number | None = None
    weight: Number | None = None


class QuotaBody(Body):
    """What to change; what is left out stays, `null` takes something away.

    `limits` and `raises` by resource, `regions` by region and resource.
    """

    generation: Generation | None = None
    class_name: Annotated[str, Field(max_length=64, pattern=TEXT)] | None = None
    limits: Annotated[dict[Resource, Limited], Field(max_length=1000)] = {}
    raises: Annotated[dict[Resource, RaiseBody | None], Field(max_length=1000)] = {}
    regions: Annotated[dict[Resource, dict[Resource, BoundsBody | None]], Field(max_length=10000)] = {}


class PlanBody(QuotaBody):
    """What to try out: a change, or the end of all limits (`unset`)."""

    unset: bool = False


class BalanceBody(Body):
    """Regions in which more is wanted; none for an ordinary balance."""

    regions: Annotated[list[Text], Field(max_length=10000)] = []


class ClassBody(Body):
    """Limits of a class to change; `null` takes one out."""

    limits: Annotated[dict[Resource, Limited], Field(min_length=1, max_length=1000)]


class CapBody(Body):
    """What all projects of a domain, or of a project's `tree`, may have together; -1 for no cap."""

    scope: Literal["domain", "tree"]
    scope_id: Annotated[Text, Field(max_length=64)]
    resource: Resource
    limit: Annotated[int, Field(strict=True, ge=-1, le=2**31 - 1)]


class BackendBody(Body):
    """Where a service of a region keeps its limits; `null` to find it out."""

    backend: Backend | None


class ImportBody(Body):
    """Of which project, and which resources; all where none is named."""

    project_id: Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)]
    resources: Annotated[list[Resource], Field(max_length=1000)] = []
    kind: Kind | None = None


class QuotasAnswer(BaseModel):
    """A page of quotas, those under most pressure first."""

    quotas: list[ProjectQuotaRow]
    links: list[Link]


class ClassesAnswer(BaseModel):
    """All classes: name → resource → limit."""

    classes: dict[str, dict[str, GlobalLimit]]


class CapsAnswer(BaseModel):
    """What domains and trees may have."""

    caps: list[Cap]


class PinnedBackend(BaseModel):
    """Where an operator says that a service of a region keeps its limits."""

    region: str
    service: str
    backend: Backend


class BackendsAnswer(BaseModel):
    """What is pinned."""

    backends: list[PinnedBackend]


class PlannedWrite(BaseModel):
    """One write that would be made: `path` as it is after the API's version, `body` as it would be sent."""

    region: str
    service: str
    method: str
    path: str
    what: str
    before: Any
    after: Any
    body: Any


class PlanAnswer(BaseModel):
    """The exact writes that would be made now, in order; `missing`: where more may follow."""

    writes: list[PlannedWrite]
    missing: list[MissingService]


class ProjectPlan(PlanAnswer):
    """The writes to the regions of one project."""

    project_id: str
    project_name: str | None


class ClassPlanAnswer(BaseModel):
    """What a change of a class would write; `left_out`: projects for which it was not found out."""

    plans: list[ProjectPlan]
    left_out: int


class ProposalsAnswer(BaseModel):
    """Global limits that today's regional limits add up to."""

    project_id: str
    proposals: list[Proposal]


class EventsAnswer(BaseModel):
    """A page of events, the newest first."""

    events: list[EventRow]
    links: list[Link]


async def list_quotas(
    request: Request, sort: Sort = None, limit: Limit = PAGE, marker: Marker = None
) -> QuotasAnswer:
    """All quotas, those under most pressure first; a tenant sees its own."""
    rows = await _service(request).list(requester(request), sort)
    shown, links = page(request, rows, lambda row: row.project_id, limit=limit, marker=marker)
    return QuotasAnswer(quotas=shown, links=links)


async def show_quota(request: Request, project_id: ProjectId) -> ProjectQuota:
    """A project's quota: global limits, use, and what each region has of it."""
    return await _service(request).show(requester(request), project_id)


async def change_quota(request: Request, project_id: ProjectId, body: QuotaBody) -> OperationAnswer:
    """Decide on a project's quota and begin to write it; setting a limit is the consent to that."""
    return operation_answer(await _service(request).change(requester(request), project_id, _change(body)))


async def plan_quota(request: Request, project_id: ProjectId, body: PlanBody) -> PlanAnswer:
    """The exact writes that this change would make now; nothing is stored or written."""
    service, asking = _service(request), requester(request)
    if not body.unset:
        return PlanAnswer(**_dry(await service.plan(asking, project_id, _change(body))))
    if body.model_fields_set != {"unset"}:
        raise BadRequest("unset: the end of all limits is tried out by itself, without other changes")
    return PlanAnswer(**_dry(await service.plan_unset(asking, project_id)))


async def unset_quota(request: Request, project_id: ProjectId) -> OperationAnswer:
    """Govern a project no more: every region gets back what it had before."""
    return operation_answer(await _service(request).unset(requester(request), project_id))


async def balance_quota(request: Request, project_id: ProjectId, body: BalanceBody) -> OperationAnswer:
    """Balance a project's quota now."""
    service = _service(request)
    return operation_answer(await service.balance(requester(request), project_id, body.regions))


async def import_quota(request: Request, body: ImportBody) -> ProposalsAnswer:
    """Propose global limits from what the regions have today; nothing is written."""
    service = _service(request)
    found = await service.propose(requester(request), body.project_id, body.resources, body.kind)
    return ProposalsAnswer(project_id=body.project_id, proposals=list(found))


async def list_classes(request: Request) -> ClassesAnswer:
    """All quota classes."""
    found = await _rules(request).classes(requester(request))
    return ClassesAnswer(classes={name: dict(limits) for name, limits in found.items()})


async def change_class(request: Request, name: ClassName, body: ClassBody) -> ClassesAnswer:
    """Change a class; the projects that follow it are balanced soon."""
    found = await _rules(request).set_class(requester(request), name, _limits(body.limits))
    return ClassesAnswer(classes={name: dict(found)})


async def plan_class(request: Request, name: ClassName, body: ClassBody) -> ClassPlanAnswer:
    """The exact writes that this change of a class would make now; nothing is stored or written."""
    found = await _rules(request).plan_class(requester(request), name, _limits(body.limits))
    plans = [
        ProjectPlan(project_id=project.id, project_name=project.name, **_dry(plan))
        for project, plan in found.plans
    ]
    return ClassPlanAnswer(plans=plans, left_out=found.left_out)


async def delete_class(request: Request, name: ClassName) -> Response:
    """Forget a class that no project follows by its name."""
    await _rules(request).delete_class(requester(request), name)
    return Response(status_code=204)


async def list_caps(request: Request) -> CapsAnswer:
    """What domains and trees of projects may have."""
    return CapsAnswer(caps=list(await _rules(request).caps(requester(request))))


async def set_cap(request: Request, body: CapBody) -> CapsAnswer:
    """Set what a domain or a tree of projects may have; -1 takes the cap away."""
    cap = Cap(body.scope, body.scope_id, body.resource, body.limit)
    return CapsAnswer(caps=list(await _rules(request).set_cap(requester(request), cap)))


async def list_backends(request: Request) -> BackendsAnswer:
    """Where operators say that regions keep their limits."""
    return _backends(await _rules(request).backends(requester(request)))


async def set_backend(
    request: Request,
    region: Annotated[str, Path(description="The region's name.", max_length=255, pattern=TEXT)],
    service: Annotated[str, Path(description="The service, such as compute.", max_length=64, pattern=TEXT)],
    body: BackendBody,
) -> BackendsAnswer:
    """Say where a service of a region keeps its limits, or have it found out."""
    asked = requester(request)
    return _backends(await _rules(request).set_backend(asked, region, service, body.backend))


async def list_events(
    request: Request,
    kind: KindFilter = [],  # noqa: B006 - FastAPI copies it
    project_id: EventProject = None,
    limit: Limit = 100,
    marker: EventId = None,
) -> EventsAnswer:
    """What happened to quotas, the newest first; a tenant sees those of its project."""
    found = await _service(request).events(requester(request), kind, limit + 1, marker, project_id)
    shown = list(found[:limit])
    links = []
    if len(found) > limit:
        links = [Link(rel="next", href=next_link(request, limit, str(shown[-1].id)))]
    return EventsAnswer(events=shown, links=links)


def _backends(found: Any) -> BackendsAnswer:
    return BackendsAnswer(
        backends=[
            PinnedBackend(region=region, service=service, backend=backend)
            for region, service, backend in found
        ]
    )


def _dry(found: DryRun) -> dict[str, Any]:
    return {"writes": [_planned(write) for write in found.writes], "missing": list(found.missing)}


def _planned(write: RegionWrite) -> PlannedWrite:
    return PlannedWrite(
        region=write.region,
        service=write.service,
        method=write.method,
        path=write.route,
        what=write.what,
        before=write.before,
        after=write.after,
        body=write.body if write.body is not None else write.after,
    )


def _limits(body: Mapping[str, LimitBody | None]) -> dict[str, LimitChange | None]:
    return {
        name: LimitChange(each.limit, each.kind, each.burst) if each else None for name, each in body.items()
    }


def _bounds(body: BoundsBody) -> BoundsChange:
    no_maximum = body.maximum is None and "maximum" in body.model_fields_set
    return BoundsChange(body.minimum, body.maximum, body.weight, no_maximum)


def _change(body: QuotaBody) -> QuotaChange:
    raises: dict[str, tuple[int, datetime] | None] = {
        name: (each.limit, each.ends_at) if each else None for name, each in body.raises.items()
    }
    bounds = {
        (region, resource): _bounds(each) if each else None
        for region, resources in body.regions.items()
        for resource, each in resources.items()
    }
    follow = "class_name" in body.model_fields_set
    if not (body.limits or raises or bounds or follow):
        raise BadRequest("there is nothing to change: give limits, raises, regions or class_name")
    return QuotaChange(
        body.generation, _limits(body.limits), raises, bounds, follow=follow, class_name=body.class_name
    )


def _service(request: Request) -> QuotaService:
    service: QuotaService = request.app.state.quotas
    return service


def _rules(request: Request) -> QuotaRuleService:
    service: QuotaRuleService = request.app.state.quota_rules
    return service
