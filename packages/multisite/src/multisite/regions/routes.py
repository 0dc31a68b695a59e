"""HTTP of regions."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from multisite.engine.routes import OperationAnswer, operation_answer
from multisite.errors import BadRequest
from multisite.http import PAGE, TEXT, Limit, Link, Marker, RegionFilter, page, requester
from multisite.regions.examination import Examination
from multisite.regions.fields import (
    Flag,
    Generation,
    Interval,
    Labels,
    Moment,
    NameField,
    Position,
    Prefix,
    Text,
    WebAddress,
)
from multisite.regions.model import Identity, Interface, Maintenance, Region, ServiceHealth
from multisite.regions.registration import Skipped
from multisite.regions.service import RegionService
from multisite.regions.states import Freshness, State
from multisite.regions.status import RegionView

Name = Annotated[str, Path(description="The region's name.", max_length=255, pattern=TEXT)]


class Body(BaseModel):
    """A request body: unknown fields are refused, because they are typing errors."""

    model_config = ConfigDict(extra="forbid", strict=False)


class MaintenanceBody(Body):
    """Planned work: why, and until when (with a time zone)."""

    reason: Text
    ends_at: Moment | None = None


class RegionCreate(Body):
    """A region to register."""

    name: NameField
    credential: Text
    region_name: Text | None = None
    interface: Interface = Interface.PUBLIC
    identity: Identity = Identity.HOME
    enabled: Flag = True
    labels: Labels = {}
    position: Position = 0
    dashboard_url: WebAddress | None = None
    sweep_interval: Interval | None = None


class RegionUpdate(Body):
    """What to change; `generation` is the one that was read. Fields that are left out stay."""

    generation: Generation
    credential: Text | None = None
    region_name: Text | None = None
    interface: Interface | None = None
    identity: Identity | None = None
    enabled: Flag | None = None
    maintenance: MaintenanceBody | None = None
    labels: Labels | None = None
    position: Position | None = None
    dashboard_url: WebAddress | None = None
    sweep_interval: Interval | None = None


class DiscoverBody(Body):
    """Which catalog to look into."""

    credential: Text
    interface: Interface = Interface.PUBLIC
    identity: Identity | None = None
    regions: Annotated[list[Text], Field(max_length=10000)] = []
    prefix: Prefix = ""
    dry_run: Flag = False


class DiscoverAllBody(Body):
    """Which catalogs to look into: those that these entries of the server's clouds.yaml see."""

    credentials: Annotated[list[Text], Field(min_length=1, max_length=10000)]
    interface: Interface = Interface.PUBLIC
    identity: Identity | None = None
    prefix: Prefix = ""
    dry_run: Flag = False


class TestAllBody(Body):
    """Which regions to test; all where none is named."""

    regions: Annotated[list[Text], Field(max_length=10000)] = []


class RegionAnswer(BaseModel):
    """A region; fields that only operators see are null for tenants."""

    name: str
    state: State
    services: Mapping[str, Freshness]
    region_name: str | None
    credential: str | None
    interface: Interface | None
    identity: Identity | None
    enabled: bool
    maintenance: Maintenance | None
    labels: Mapping[str, str]
    position: int
    dashboard_url: str | None
    sweep_interval: int | None
    generation: int | None


class RegionsAnswer(BaseModel):
    """A page of regions."""

    regions: list[RegionAnswer]
    links: list[Link]


class DiscoverAnswer(BaseModel):
    """What a discovery made, or would make."""

    created: list[RegionAnswer]
    existing: list[str]
    skipped: list[Skipped]
    dry_run: bool


class HealthAnswer(BaseModel):
    """How services are."""

    services: list[ServiceHealth]
    links: list[Link]


async def list_regions(
    request: Request,
    region: RegionFilter = [],  # noqa: B006 - FastAPI copies defaults
    label: Annotated[list[str], Query(description="key=value, all must match", max_length=64)] = [],  # noqa: B006
    limit: Limit = PAGE,
    marker: Marker = None,
) -> RegionsAnswer:
    """List regions and how they are."""
    views = await _service(request).list(requester(request), names=region)
    wanted = _labels(label)
    matching = [view for view in views if wanted.items() <= dict(view.region.labels).items()]
    shown, links = page(request, matching, lambda view: view.region.name, limit=limit, marker=marker)
    return RegionsAnswer(regions=[_answer(view) for view in shown], links=links)


async def create_region(request: Request, body: RegionCreate) -> RegionAnswer:
    """Register a region."""
    values = body.model_dump() | {"region_name": body.region_name or body.name}
    region = Region(**values)
    return _answer(await _service(request).create(requester(request), region))


async def discover_regions(request: Request, body: DiscoverBody) -> DiscoverAnswer:
    """Register the regions of the catalog that a credential sees."""
    found = await _service(request).discover(
        requester(request),
        credential=body.credential,
        interface=body.interface,
        identity=body.identity,
        only=body.regions,
        prefix=body.prefix,
        dry_run=body.dry_run,
    )
    created = [_answer(RegionView(region, State.STALE, {})) for region in found.created]
    return DiscoverAnswer(
        created=created,
        existing=list(found.existing),
        skipped=list(found.skipped),
        dry_run=found.dry_run,
    )


async def discover_all_regions(request: Request, body: DiscoverAllBody) -> OperationAnswer:
    """Begin to register the regions of the catalogs that many credentials see."""
    return operation_answer(
        await _service(request).discover_all(
            requester(request),
            credentials=body.credentials,
            interface=body.interface,
            identity=body.identity,
            prefix=body.prefix,
            dry_run=body.dry_run,
        )
    )


async def test_all_regions(request: Request, body: TestAllBody) -> OperationAnswer:
    """Begin to test the credentials of many regions."""
    return operation_answer(await _service(request).test_all(requester(request), body.regions))


async def show_region(request: Request, name: Name) -> RegionAnswer:
    """Show a region and how it is."""
    return _answer(await _service(request).show(requester(request), name))


async def update_region(request: Request, name: Name, body: RegionUpdate) -> RegionAnswer:
    """Change a region."""
    view = await _service(request).update(requester(request), name, body.generation, _changes(body))
    return _answer(view)


async def delete_region(request: Request, name: Name) -> Response:
    """Forget a region."""
    await _service(request).delete(requester(request), name)
    return Response(status_code=204)


async def test_region(request: Request, name: Name) -> Examination:
    """Say in one line what a region's credential lacks."""
    return await _service(request).test(requester(request), name)


async def region_health(request: Request, name: Name) -> HealthAnswer:
    """How the services of one region are."""
    await _service(request).show(requester(request), name)
    services = await _service(request).health(requester(request), names=[name])
    return HealthAnswer(services=list(services), links=[])


async def list_health(
    request: Request,
    region: RegionFilter = [],  # noqa: B006
    service: Annotated[list[str], Query(description="Only these services.", max_length=100)] = [],  # noqa: B006
    limit: Limit = PAGE,
    marker: Marker = None,
) -> HealthAnswer:
    """How the services of all regions are; the marker is `REGION/SERVICE`."""
    found = await _service(request).health(requester(request), names=region, services=service)
    shown, links = page(
        request, found, lambda item: f"{item.region}/{item.service}", limit=limit, marker=marker
    )
    return HealthAnswer(services=shown, links=links)


def _service(request: Request) -> RegionService:
    service: RegionService = request.app.state.regions
    return service


def _answer(view: RegionView) -> RegionAnswer:
    region = view.region
    details = bool(region.credential)
    return RegionAnswer(
        name=region.name,
        state=view.state,
        services=view.services,
        region_name=region.region_name or None,
        credential=region.credential or None,
        interface=region.interface if details else None,
        identity=region.identity if details else None,
        enabled=region.enabled,
        maintenance=region.maintenance,
        labels=region.labels,
        position=region.position,
        dashboard_url=region.dashboard_url,
        sweep_interval=region.sweep_interval,
        generation=region.generation if details else None,
    )


#: Fields that null empties; for the others null is a mistake.
_NULLABLE = {"maintenance", "dashboard_url", "sweep_interval"}


def _changes(body: RegionUpdate) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in body.model_fields_set - {"generation"}:
        value = getattr(body, name)
        if value is None and name not in _NULLABLE:
            raise BadRequest(f"{name}: null is no value; leave the field out to keep it as it is")
        changes[name] = value
    if body.maintenance is not None:
        changes["maintenance"] = Maintenance(body.maintenance.reason, body.maintenance.ends_at)
    return changes


def _labels(pairs: list[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise BadRequest(f"label: {pair!r} is not of the form key=value")
        labels[key] = value
    return labels
