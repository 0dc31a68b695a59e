"""SQL of what operators decide: limits of projects and classes, raises, bounds, caps, back ends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import (
    quota_backends,
    quota_bounds,
    quota_caps,
    quota_classes,
    quota_limits,
    quota_projects,
    quota_raises,
)
from multisite.db.tables import regions
from multisite.db.upsert import upsert
from multisite.quotas.model import Backend, Cap, GlobalLimit, Project, RegionBounds
from multisite.quotas.resources import UNLIMITED, Kind

_P = quota_projects.c


async def put_project(
    connection: AsyncConnection, project: Project, due_at: datetime, handed_until: datetime | None = None
) -> None:
    """Govern a project from now on, or know its names anew; it is balanced at `due_at` at the latest.

    Until `handed_until` an operation does that, and nobody else.
    """
    row = {
        "project_id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "domain_name": project.domain_name,
        "parents": list(project.parents),
        "due_at": due_at,
        "handed_until": handed_until,
    }
    known = await connection.execute(
        sa.update(quota_projects).where(_P.project_id == project.id).values(**row)
    )
    if not known.rowcount:
        await connection.execute(
            sa.insert(quota_projects).values(**row, generation=0, asked_regions=[], pressure=0.0)
        )


async def next_generation(connection: AsyncConnection, project_id: str, held: int | None) -> bool:
    """Count one change of a project; `False` where it is not `held`, the generation that was read."""
    query = sa.update(quota_projects).where(_P.project_id == project_id)
    if held is not None:
        query = query.where(_P.generation == held)
    changed = await connection.execute(query.values(generation=_P.generation + 1))
    return bool(changed.rowcount)


async def set_class(connection: AsyncConnection, project_id: str, class_name: str | None) -> None:
    """Have a project follow a class."""
    await connection.execute(
        sa.update(quota_projects).where(_P.project_id == project_id).values(class_name=class_name)
    )


async def put_limits(connection: AsyncConnection, project_id: str, limits: Mapping[str, GlobalLimit]) -> None:
    """Set global limits of a project."""
    rows = [
        {
            "project_id": project_id,
            "resource": resource,
            "limit": each.limit,
            "kind": each.kind.value,
            "burst": each.burst,
            "releasing": False,
        }
        for resource, each in sorted(limits.items())
    ]
    if rows:
        await upsert(connection, quota_limits, ("project_id", "resource"), rows)


async def release(connection: AsyncConnection, project_id: str, resources: Iterable[str]) -> None:
    """Have no own global limit of these any more; what regions had before is written back."""
    rows = [
        {
            "project_id": project_id,
            "resource": resource,
            "limit": UNLIMITED,
            "kind": Kind.HARD.value,
            "burst": None,
            "releasing": True,
        }
        for resource in sorted(set(resources))
    ]
    if rows:
        await upsert(connection, quota_limits, ("project_id", "resource"), rows)


async def put_raises(
    connection: AsyncConnection, project_id: str, raises: Mapping[str, tuple[int, datetime] | None]
) -> None:
    """Raise limits until a moment; `None` ends a raise."""
    await connection.execute(
        sa.delete(quota_raises).where(
            quota_raises.c.project_id == project_id, quota_raises.c.resource.in_(raises)
        )
    )
    rows = [
        {"project_id": project_id, "resource": resource, "limit": each[0], "ends_at": each[1]}
        for resource, each in raises.items()
        if each is not None
    ]
    if rows:
        await connection.execute(sa.insert(quota_raises), rows)


async def end_raises(connection: AsyncConnection, now: datetime, project_id: str) -> Sequence[str]:
    """Delete a project's raises whose time is over; the resource of each."""
    gone = await connection.execute(
        sa.delete(quota_raises)
        .where(quota_raises.c.project_id == project_id, quota_raises.c.ends_at <= now)
        .returning(quota_raises.c.resource)
    )
    return [row.resource for row in gone]


async def put_bounds(
    connection: AsyncConnection, project_id: str, bounds: Mapping[tuple[int, str], RegionBounds | None]
) -> None:
    """Set what regions (by id) have to have and may have of resources; `None` for nothing in particular."""
    for (region_id, resource), each in bounds.items():
        where = (
            (quota_bounds.c.project_id == project_id)
            & (quota_bounds.c.region_id == region_id)
            & (quota_bounds.c.resource == resource)
        )
        await connection.execute(sa.delete(quota_bounds).where(where))
        if each is not None:
            await connection.execute(
                sa.insert(quota_bounds).values(
                    project_id=project_id,
                    region_id=region_id,
                    resource=resource,
                    minimum=each.minimum,
                    maximum=each.maximum,
                    weight=each.weight,
                )
            )


async def classes(connection: AsyncConnection) -> dict[str, dict[str, GlobalLimit]]:
    """All classes: name → resource → limit."""
    found: dict[str, dict[str, GlobalLimit]] = {}
    query = sa.select(quota_classes).order_by(quota_classes.c.name, quota_classes.c.resource)
    for row in await connection.execute(query):
        limit = GlobalLimit(row.limit, Kind(row.kind), row.burst, f"class {row.name}")
        found.setdefault(row.name, {})[row.resource] = limit
    return found


async def put_class(connection: AsyncConnection, name: str, limits: Mapping[str, GlobalLimit | None]) -> None:
    """Change a class; `None` takes a resource out."""
    await connection.execute(
        sa.delete(quota_classes).where(quota_classes.c.name == name, quota_classes.c.resource.in_(limits))
    )
    rows = [
        {
            "name": name,
            "resource": resource,
            "limit": each.limit,
            "kind": each.kind.value,
            "burst": each.burst,
        }
        for resource, each in limits.items()
        if each is not None
    ]
    if rows:
        await connection.execute(sa.insert(quota_classes), rows)


async def followers(connection: AsyncConnection, name: str, default: str) -> Sequence[str]:
    """The governed projects that follow a class: all of them the default one."""
    query = sa.select(_P.project_id)
    if name != default:
        query = query.where(_P.class_name == name)
    return list((await connection.scalars(query)).all())


async def named_followers(connection: AsyncConnection, name: str) -> Sequence[str]:
    """The governed projects that follow a class by its name."""
    query = sa.select(_P.project_id).where(_P.class_name == name).order_by(_P.name, _P.project_id)
    return list((await connection.scalars(query)).all())


async def due_now(connection: AsyncConnection, project_ids: Sequence[str], now: datetime) -> None:
    """Have projects balanced soon."""
    await connection.execute(
        sa.update(quota_projects).where(_P.project_id.in_(project_ids)).values(due_at=now)
    )


async def caps(connection: AsyncConnection) -> Sequence[Cap]:
    """What domains and trees of projects may have."""
    query = sa.select(quota_caps).order_by(quota_caps.c.scope, quota_caps.c.scope_id, quota_caps.c.resource)
    return [Cap(row.scope, row.scope_id, row.resource, row.limit) for row in await connection.execute(query)]


async def hold_caps(connection: AsyncConnection) -> None:
    """Decide alone what caps bound: two who do not see each other could both fit. First of all locks."""
    order = (quota_caps.c.scope, quota_caps.c.scope_id, quota_caps.c.resource)
    await connection.execute(sa.select(*order).order_by(*order).with_for_update())


async def put_cap(connection: AsyncConnection, cap: Cap) -> None:
    """Set what a domain or tree may have; -1 takes the cap away."""
    where = (
        (quota_caps.c.scope == cap.scope)
        & (quota_caps.c.scope_id == cap.scope_id)
        & (quota_caps.c.resource == cap.resource)
    )
    await connection.execute(sa.delete(quota_caps).where(where))
    if cap.limit != UNLIMITED:
        await connection.execute(
            sa.insert(quota_caps).values(
                scope=cap.scope, scope_id=cap.scope_id, resource=cap.resource, limit=cap.limit
            )
        )


async def put_backend(
    connection: AsyncConnection, region_id: int, service: str, backend: Backend | None
) -> None:
    """Pin where a service of a region keeps its limits; `None` to find it out."""
    await connection.execute(
        sa.delete(quota_backends).where(
            quota_backends.c.region_id == region_id, quota_backends.c.service == service
        )
    )
    if backend is not None:
        await connection.execute(
            sa.insert(quota_backends).values(region_id=region_id, service=service, backend=backend.value)
        )


async def pinned(connection: AsyncConnection) -> Sequence[tuple[str, str, Backend]]:
    """What is pinned: region, service, back end."""
    query = (
        sa.select(regions.c.name, quota_backends.c.service, quota_backends.c.backend)
        .join(regions, regions.c.id == quota_backends.c.region_id)
        .order_by(regions.c.name, quota_backends.c.service)
    )
    return [(name, service, Backend(backend)) for name, service, backend in await connection.execute(query)]
