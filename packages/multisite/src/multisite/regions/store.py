"""SQL of regions, their services and health."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import (
    health,
    inventory_addresses,
    inventory_grants,
    inventory_items,
    inventory_keystones,
    inventory_read_backs,
    inventory_syncs,
    observations,
    project_usage,
    regions,
    services,
    sweep_leases,
)
from multisite.db.upsert import upsert
from multisite.engine.executors import Fence
from multisite.errors import NotFound
from multisite.openstack.breaker import Breaker
from multisite.openstack.client import Target
from multisite.regions.health import HealthRecord
from multisite.regions.model import Endpoint, Identity, Interface, Maintenance, Region
from multisite.regions.states import CallError, Last
from multisite.regions.status import ServiceRow

#: Looked up, because to make an Enum from its value costs more, and a listing has thousands.
_BREAKERS: Mapping[str | None, Breaker] = {
    None: Breaker.CLOSED,
    **{breaker.value: breaker for breaker in Breaker},
}

#: Everything that is read of regions.
READ_TABLES = (
    services,
    health,
    observations,
    project_usage,
    inventory_items,
    inventory_addresses,
    inventory_grants,
    inventory_read_backs,
    inventory_syncs,
    inventory_keystones,
)


class RegionStore:
    """Regions and what is known of their services."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def require(self, name: str) -> None:
        """Raise `NotFound` where no region has this name."""
        if not await self.select([name]):
            raise NotFound(f"there is no region called {name!r}")

    async def select(self, names: Sequence[str] = ()) -> Sequence[Region]:
        """All regions, or those called `names`, in their order."""
        async with self.database.read() as connection:
            return await self.read(connection, names)

    async def read(self, connection: AsyncConnection, names: Sequence[str] = ()) -> Sequence[Region]:
        """As `select`, in a transaction."""
        query = sa.select(regions).order_by(regions.c.position, regions.c.name)
        if names:
            query = query.where(regions.c.name.in_(names))
        return [region_of(row) for row in (await connection.execute(query)).mappings()]

    async def swept_by(self, executor: str) -> Sequence[Region]:
        """The enabled regions that a process sweeps, in their order."""
        query = (
            sa.select(regions)
            .join(sweep_leases, sweep_leases.c.region_id == regions.c.id)
            .where(sweep_leases.c.executor == executor, regions.c.enabled)
            .order_by(regions.c.position, regions.c.name)
        )
        async with self.database.read() as connection:
            return [region_of(row) for row in (await connection.execute(query)).mappings()]

    async def services(self, names: Sequence[str] = ()) -> Mapping[int, Sequence[ServiceRow]]:
        """What is stored of the services, by the region's id: one query."""
        async with self.database.read() as connection:
            rows = (await connection.execute(_services_query(names))).mappings().all()
        found: dict[int, list[ServiceRow]] = {}
        for row in rows:
            found.setdefault(row["region_id"], []).append(_service_row(row))
        return found

    async def version(self) -> tuple[int, int, int]:
        """Another one whenever a region was inserted, updated or deleted."""
        query = sa.select(sa.func.count(), sa.func.max(regions.c.id), sa.func.sum(regions.c.generation))
        async with self.database.read() as connection:
            count, last, generations = (await connection.execute(query)).one()
        return int(count), int(last or 0), int(generations or 0)

    async def insert(self, connection: AsyncConnection, region: Region) -> int:
        """Insert a region; answers its id. Raises `IntegrityError` when the name is taken."""
        result = await connection.execute(
            sa.insert(regions).values(**_values(region), generation=1).returning(regions.c.id)
        )
        return int(result.scalar_one())

    async def update(self, connection: AsyncConnection, region: Region) -> bool:
        """Write a region if its generation is still the one that `region` carries."""
        result = await connection.execute(
            sa.update(regions)
            .where(regions.c.id == region.id, regions.c.generation == region.generation)
            .values(**_values(region), generation=regions.c.generation + 1)
        )
        return result.rowcount == 1

    async def delete(self, connection: AsyncConnection, region: Region) -> None:
        """Delete a region and all that is stored of it."""
        await connection.execute(sa.delete(regions).where(regions.c.id == region.id))

    async def forget_readings(self, connection: AsyncConnection, region_id: int) -> None:
        """Delete all that was read of a region: it is reached in another way now."""
        for table in READ_TABLES:
            await connection.execute(sa.delete(table).where(table.c.region_id == region_id))

    async def replace_services(
        self,
        connection: AsyncConnection,
        region_id: int,
        endpoints: Iterable[Endpoint],
        target: Target | None = None,
    ) -> None:
        """Store the services that discovery found, in place of those stored before.

        Those of a region that was deleted meanwhile, or is not reached as `target` any more, are dropped. Of
        two processes that do this at once, one waits for the other.
        """
        ours = sa.select(regions.c.id).where(regions.c.id == region_id)
        await connection.execute(ours.with_for_update(key_share=True))
        if not await reached_as(connection, region_id, target):
            return
        await connection.execute(sa.delete(services).where(services.c.region_id == region_id))
        rows = [
            {
                "region_id": region_id,
                "type": endpoint.type,
                "catalog_type": endpoint.catalog_type,
                "url": endpoint.url,
                "version": endpoint.version,
                "min_microversion": endpoint.min_microversion,
                "max_microversion": endpoint.max_microversion,
            }
            for endpoint in endpoints
        ]
        if rows:
            await connection.execute(sa.insert(services), rows)

    async def write_health(self, records: Sequence[HealthRecord], fence: Fence | None = None) -> bool:
        """Store what calls taught; `False`: the process behind `fence` was taken for dead, nothing is stored.

        Records of regions that were deleted meanwhile are dropped, and so is what others know better.
        """
        async with self.database.write() as connection:
            if fence is not None and not await fence.stands(connection):
                return False
            result = await connection.execute(sa.select(regions.c.name, regions.c.id))
            ids = {row.name: row.id for row in result}
            known = [(ids[record.region], record) for record in records if record.region in ids]
            stored = await _calls(connection, {region_id for region_id, _ in known})
            rows = [
                _health_values(region_id, record, later)
                for region_id, record in known
                if (later := _later(record.calls, stored.get((region_id, record.service), Last())))
            ]
            if rows:
                await upsert(connection, health, ("region_id", "service"), rows)
        return True


async def reached(connection: AsyncConnection, targets: Mapping[int, Target | None]) -> set[int]:
    """Those of the regions (by id) that are registered and, with a `Target`, still reached in that way."""
    query = sa.select(regions.c.id, regions.c.region_name, regions.c.credential, regions.c.interface)
    found = set()
    for region_id, *way in await connection.execute(query.where(regions.c.id.in_(targets))):
        target = targets[region_id]
        if target is None or way == [target.region_name, target.credential, target.interface]:
            found.add(region_id)
    return found


async def reached_as(connection: AsyncConnection, region_id: int, target: Target | None) -> bool:
    """Whether the region is registered and, with a `target`, still reached in that way."""
    return bool(await reached(connection, {region_id: target}))


def region_of(row: RowMapping) -> Region:
    """A `Region` from its row."""
    maintenance = None
    if row["maintenance_reason"] is not None:
        maintenance = Maintenance(row["maintenance_reason"], row["maintenance_ends_at"])
    return Region(
        id=row["id"],
        name=row["name"],
        region_name=row["region_name"],
        credential=row["credential"],
        interface=Interface(row["interface"]),
        identity=Identity(row["identity"]),
        enabled=row["enabled"],
        maintenance=maintenance,
        labels=row["labels"],
        position=row["position"],
        dashboard_url=row["dashboard_url"],
        sweep_interval=row["sweep_interval"],
        generation=row["generation"],
    )


def _values(region: Region) -> dict[str, Any]:
    return {
        "name": region.name,
        "region_name": region.region_name,
        "credential": region.credential,
        "interface": region.interface.value,
        "identity": region.identity.value,
        "enabled": region.enabled,
        "maintenance_reason": region.maintenance.reason if region.maintenance else None,
        "maintenance_ends_at": region.maintenance.ends_at if region.maintenance else None,
        "labels": dict(region.labels),
        "position": region.position,
        "dashboard_url": region.dashboard_url,
        "sweep_interval": region.sweep_interval,
    }


async def _calls(connection: AsyncConnection, region_ids: Collection[int]) -> Mapping[tuple[int, str], Last]:
    """When calls to services of regions last ended well, and ill."""
    query = sa.select(health.c.region_id, health.c.service, health.c.success_at, health.c.failure_at)
    rows = await connection.execute(query.where(health.c.region_id.in_(region_ids)))
    return {(region_id, service): Last(success, failure) for region_id, service, success, failure in rows}


def _later(heard: Last, stored: Last) -> Last | None:
    """The later of both, each for itself; `None` where what is stored is newer than all that was heard."""
    if stored.newest and (heard.newest is None or heard.newest < stored.newest):
        return None
    return Last(
        max(filter(None, (heard.success, stored.success)), default=None),
        max(filter(None, (heard.failure, stored.failure)), default=None),
    )


def _health_values(region_id: int, record: HealthRecord, calls: Last) -> dict[str, Any]:
    return {
        "region_id": region_id,
        "service": record.service,
        "success_at": calls.success,
        "failure_at": calls.failure,
        "error_code": record.error.code if record.error else None,
        "error_detail": record.error.detail if record.error else None,
        "latency": record.latency,
        "clock_skew": record.clock_skew,
        "breaker": record.breaker.value,
        "token_failure": record.token_failure,
    }


def _services_query(names: Sequence[str]) -> sa.Select[Any]:
    """Services ∪ health ∪ observations of each region: a service may be in any of the three."""
    keys = sa.union(
        sa.select(services.c.region_id, services.c.type.label("service")),
        sa.select(health.c.region_id, health.c.service),
        sa.select(observations.c.region_id, observations.c.service),
    ).subquery("keys")

    def at(table: sa.Table, column: sa.Column[Any]) -> sa.ColumnElement[bool]:
        return sa.and_(table.c.region_id == keys.c.region_id, column == keys.c.service)

    query = (
        sa.select(
            keys.c.region_id,
            keys.c.service,
            services.c.catalog_type,
            services.c.url,
            services.c.version,
            services.c.min_microversion,
            services.c.max_microversion,
            *(column for column in health.c if column.name not in {"region_id", "service"}),
            observations.c.observed_at,
            observations.c.failed_at,
            observations.c.error_code.label("figures_code"),
            observations.c.error_detail.label("figures_detail"),
        )
        .select_from(keys)
        .outerjoin(services, at(services, services.c.type))
        .outerjoin(health, at(health, health.c.service))
        .outerjoin(observations, at(observations, observations.c.service))
    )
    if names:
        query = query.where(keys.c.region_id.in_(sa.select(regions.c.id).where(regions.c.name.in_(names))))
    return query


def _service_row(row: RowMapping) -> ServiceRow:
    endpoint = None
    if row["url"] is not None:
        endpoint = Endpoint(
            type=row["service"],
            catalog_type=row["catalog_type"],
            url=row["url"],
            version=row["version"],
            min_microversion=row["min_microversion"],
            max_microversion=row["max_microversion"],
        )
    return ServiceRow(
        service=row["service"],
        endpoint=endpoint,
        calls=Last(row["success_at"], row["failure_at"]),
        call_error=_error(row["error_code"], row["error_detail"]),
        latency=row["latency"],
        clock_skew=row["clock_skew"],
        breaker=_BREAKERS[row["breaker"]],
        token_failure=bool(row["token_failure"]),
        figures=Last(row["observed_at"], row["failed_at"]),
        figures_error=_error(row["figures_code"], row["figures_detail"]),
    )


def _error(code: str | None, detail: str | None) -> CallError | None:
    return CallError(code, detail) if code else None
