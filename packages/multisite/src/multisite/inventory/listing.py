"""SQL of what users ask: pages of one kind, one item, and how fresh each region's items are.

Every order has an index that begins with the kind, and pages begin after a place (`queries.Place`), so that
a page costs the same wherever it is. On SQLite the planner cannot know how rare a value is; where a filter
leaves few rows it is told to filter first and sort then.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import (
    inventory_addresses,
    inventory_grants,
    inventory_items,
    inventory_keystones,
    inventory_projects,
    inventory_syncs,
    regions,
)
from multisite.inventory.addresses import MACS, Wanted
from multisite.inventory.kinds import SHARED_KINDS, Kind
from multisite.inventory.model import EVERYONE, UNKNOWN_TIME, Sync
from multisite.inventory.queries import Direction, Filters, Order, Place, Sort, Tenant
from multisite.regions.model import Identity

_I = inventory_items.c
#: So many items are sorted after they were found; of more, those that come first are looked for in order.
FEW_ITEMS = 3000

_COLUMNS: Mapping[Sort, sa.Column[Any]] = {
    Sort.NAME: _I.folded_name,
    Sort.REGION: _I.region,
    Sort.STATUS: _I.status,
    Sort.PROJECT: _I.project_name,
    Sort.CREATED_AT: _I.created_at,
    Sort.UPDATED_AT: _I.updated_at,
}


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One stored item; empty texts stand for what the region does not tell."""

    region_id: int
    kind: str
    id: str
    region: str
    name: str
    folded_name: str
    status: str
    project_id: str
    project_name: str
    user_id: str | None
    created_at: datetime
    updated_at: datetime
    shared: bool
    device_id: str | None
    addresses: Sequence[str]
    attributes: Mapping[str, Any]

    def place(self, sort: Sort) -> Place:
        """Its place in an order."""
        values: Mapping[Sort, str | datetime] = {
            Sort.NAME: self.folded_name,
            Sort.REGION: self.region,
            Sort.STATUS: self.status,
            Sort.PROJECT: self.project_name,
            Sort.CREATED_AT: self.created_at,
            Sort.UPDATED_AT: self.updated_at,
        }
        return Place(values[sort], self.region, self.id)


@dataclass(frozen=True, slots=True)
class RegionSync:
    """How far one kind of one enabled region has been read."""

    region_id: int
    region: str
    kind: str
    dashboard_url: str | None
    sync: Sync


class InventoryQueries:
    """Reads of the inventory for users."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.url.get_backend_name() == "sqlite"

    async def page(self, filters: Filters, order: Order, after: Place | None, limit: int) -> list[StoredItem]:
        """At most `limit` items after a place."""
        column = _COLUMNS[order.sort]
        keys: list[Any] = [column, _I.region, _I.id] if order.sort is not Sort.REGION else [_I.region, _I.id]
        query = sa.select(*WANTED).where(*conditions(filters))
        async with self._database.read() as connection:
            if self._sqlite and (filters.selective or await _status_is_rare(connection, filters)):
                keys = [_without_index(key) for key in keys]
            if after is not None:
                values = [after.value, after.region, after.id][-len(keys) :]
                place = sa.tuple_(
                    *(sa.literal(value, key.type) for value, key in zip(values, keys, strict=True))
                )
                here = sa.tuple_(*keys)
                query = query.where(here > place if order.direction is Direction.ASC else here < place)
            ordered = keys if order.direction is Direction.ASC else [key.desc() for key in keys]
            query = query.order_by(*ordered).limit(limit)
            rows = (await connection.execute(query)).mappings().all()
            items = [item_of(row) for row in rows]
            return await with_addresses(connection, items) if filters.kind.name == "server" else items

    async def item(self, filters: Filters, region: str, identity: str) -> StoredItem | None:
        """One item, if it is among those that the filters let through."""
        query = sa.select(*WANTED).where(*conditions(filters), _I.region == region, _I.id == identity)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                return None
            items = [item_of(row)]
            return (await with_addresses(connection, items) if filters.kind.name == "server" else items)[0]

    async def project(self, project_id: str) -> Tenant:
        """A project of the home Keystone; without names where that does not have it."""
        columns, keystones = inventory_projects.c, inventory_keystones.c
        query = (
            sa.select(columns.name, columns.domain_name)
            .join(inventory_keystones, keystones.keystone == columns.keystone)
            .join(regions, regions.c.id == keystones.region_id)
            .where(columns.project_id == project_id, regions.c.identity == Identity.HOME.value)
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Tenant(project_id, row.name, row.domain_name) if row else Tenant(project_id, None, None)

    async def syncs(
        self, kinds: Sequence[Kind], names: Sequence[str], fresh_since: datetime, shown: Collection[int] = ()
    ) -> list[RegionSync]:
        """How far the kinds of enabled regions, or of those called `names`, have been read.

        Only of those that were not read well since `fresh_since`, and of the regions in `shown`.
        """
        synced = inventory_syncs.c
        wanted = sa.union_all(*(sa.select(sa.literal(kind.name).label("kind")) for kind in kinds)).subquery()
        query = (
            sa.select(
                regions.c.id,
                regions.c.name,
                regions.c.dashboard_url,
                wanted.c.kind,
                *(column for column in inventory_syncs.c if column.name not in {"region_id", "kind"}),
            )
            .select_from(regions.join(wanted, sa.true()))
            .outerjoin(
                inventory_syncs,
                (inventory_syncs.c.region_id == regions.c.id) & (inventory_syncs.c.kind == wanted.c.kind),
            )
            .where(
                regions.c.enabled.is_(True),
                sa.or_(
                    regions.c.id.in_(shown),
                    synced.observed_at.is_(None),
                    synced.observed_at < fresh_since,
                    synced.error_code.is_not(None),
                ),
            )
            .order_by(regions.c.position, regions.c.name)
        )
        if names:
            query = query.where(regions.c.name.in_(names))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [_region_sync(row) for row in rows]


_PLUS: Any = sa.sql.operators.custom_op("+")

WANTED = [column for column in inventory_items.c if column.name not in {"parent_id", "version", "digest"}]


def conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """The filters as SQL."""
    found: list[sa.ColumnElement[bool]] = [_I.kind == filters.kind.name, in_enabled_region()]
    if filters.regions:
        found.append(_I.region.in_(filters.regions))
    if filters.tenant is not None:
        found.append(visible_to(filters.tenant, others=filters.sees_others))
    if filters.project is not None:
        found.append(visible_to(filters.project, others=False, by_id_anywhere=True))
    if filters.status is not None:
        found.append(_I.status == filters.status)
    if filters.name:
        found.append(contains(_I.folded_name, filters.name))
    if filters.address is not None:
        found.append(_has_address(filters.kind, filters.address))
    return found


def contains(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a folded text contains `text`, whose % and _ mean themselves."""
    return column.contains(text.casefold(), autoescape=True)


def in_enabled_region() -> sa.ColumnElement[bool]:
    """Whether an item's region is enabled; put so that no database begins with the list of regions."""
    return _I.region_id.not_in(sa.select(regions.c.id).where(regions.c.enabled.is_(False)))


def visible_to(tenant: Tenant, *, others: bool, by_id_anywhere: bool = False) -> sa.ColumnElement[bool]:
    """Whether an item is a project's own; with `others` also whether others show it to that project.

    In a region that shares the home Keystone's data a project is its id; elsewhere it is what has its name
    in the domain of that name, in the region's own Keystone. `by_id_anywhere` also takes the id for one of
    any Keystone, as operators mean it who read it in a listing.
    """
    keystones, projects = inventory_keystones.c, inventory_projects.c
    at_home = sa.select(regions.c.id).where(regions.c.identity == Identity.HOME.value)
    local = (
        sa.select(keystones.region_id, projects.project_id)
        .join(inventory_projects, projects.keystone == keystones.keystone)
        .join(regions, regions.c.id == keystones.region_id)
        .where(
            regions.c.identity == Identity.OWN.value,
            projects.name == (tenant.name or ""),
            projects.domain_name == (tenant.domain_name or ""),
        )
    )

    def is_tenant(
        region_id: sa.ColumnElement[int], project_id: sa.ColumnElement[str]
    ) -> sa.ColumnElement[bool]:
        here = (project_id == tenant.project_id) & region_id.in_(at_home)
        return sa.or_(here, sa.tuple_(region_id, project_id).in_(local))

    ids = sa.union_all(sa.select(sa.literal(tenant.project_id)), sa.select(local.subquery().c.project_id))
    whose = is_tenant(_I.region_id, _I.project_id)
    if by_id_anywhere:
        whose = whose | (_I.project_id == tenant.project_id)
    own = _I.project_id.in_(ids) & whose
    if not others:
        return own
    granted = inventory_grants.c
    shown = sa.select(granted.region_id, granted.kind, granted.id).where(
        sa.or_(granted.project_id == EVERYONE, is_tenant(granted.region_id, granted.project_id))
    )
    of_others = sa.or_(
        _I.shared.is_(True),
        sa.tuple_(_I.region_id, _I.kind, _I.id).in_(shown),
        (_I.kind == "subnet") & sa.tuple_(_I.region_id, sa.literal("network"), _I.parent_id).in_(shown),
    )
    return own | (_I.kind.in_(sorted(SHARED_KINDS)) & of_others)


def matches(wanted: Wanted) -> sa.ColumnElement[bool]:
    """Whether a stored address is one that is looked for."""
    columns = inventory_addresses.c
    if wanted.exact is not None:
        return columns.address == wanted.exact
    if wanted.prefix is not None:
        return begins(columns.address, wanted.prefix)
    # Not BETWEEN: PostgreSQL takes no COLLATE in it.
    return (columns.packed >= wanted.first) & (columns.packed <= wanted.last)


def begins(column: sa.ColumnElement[str], text: str) -> sa.ColumnElement[bool]:
    """Whether a text begins with `text`, in a form for which every database uses an index."""
    return (column >= text) & (column < text + "\U0010ffff")


def _has_address(kind: Kind, wanted: Wanted) -> sa.ColumnElement[bool]:
    """A server has the addresses of its ports, and the floating IPs of those."""
    columns, ports = inventory_addresses.c, inventory_items.alias("ports")
    if kind.name != "server":
        found = sa.select(columns.region_id, columns.id).where(columns.kind == kind.name, matches(wanted))
        return sa.tuple_(_I.region_id, _I.id).in_(found)
    found = (
        sa.select(ports.c.region_id, ports.c.device_id)
        .select_from(inventory_addresses)
        .join(
            ports,
            # Only ports have devices; naming their kind, SQLite would begin with all ports.
            (ports.c.region_id == columns.region_id) & (ports.c.id == columns.port_id),
        )
        .where(matches(wanted), ports.c.device_id.is_not(None))
    )
    return sa.tuple_(_I.region_id, _I.id).in_(found)


async def with_addresses(connection: AsyncConnection, servers: Sequence[StoredItem]) -> list[StoredItem]:
    """Servers with the IP addresses of their ports and the floating IPs of those: two queries.

    One join would be one query, for which SQLite takes the wrong index.
    """
    addresses = inventory_addresses.c
    ports = sa.select(_I.region_id, _I.id, _I.device_id).where(
        _I.device_id.in_([each.id for each in servers])
    )
    devices = {(row.region_id, row.id): row.device_id for row in await connection.execute(ports)}
    having = (
        sa.select(addresses.region_id, addresses.port_id, addresses.address)
        .where(addresses.port_id.in_({port_id for _, port_id in devices}), addresses.packed < MACS)
        .order_by(addresses.kind.desc(), addresses.packed)
    )
    found: dict[tuple[int, str], list[str]] = {}
    for region_id, port_id, address in await connection.execute(having):
        device = devices.get((region_id, port_id))
        if device is not None:
            found.setdefault((region_id, device), []).append(address)
    return [replace(server, addresses=found.get((server.region_id, server.id), [])) for server in servers]


def item_of(row: RowMapping) -> StoredItem:
    """The item of a row of `WANTED`."""
    return StoredItem(**{**row, "addresses": row["addresses"] or []})


def _region_sync(row: sa.Row[Any]) -> RegionSync:
    sync = Sync(
        observed_at=row.observed_at,
        full_at=row.full_at,
        failed_at=row.failed_at,
        error_code=row.error_code,
        error_detail=row.error_detail,
        malformed=row.malformed or 0,
        since=row.since,
    )
    return RegionSync(row.id, row.name, row.kind, row.dashboard_url, sync)


async def _status_is_rare(connection: AsyncConnection, filters: Filters) -> bool:
    if filters.status is None:
        return False
    some = sa.select(_I.id).where(_I.kind == filters.kind.name, _I.status == filters.status).limit(FEW_ITEMS)
    count = await connection.scalar(sa.select(sa.func.count()).select_from(some.subquery()))
    return (count or 0) < FEW_ITEMS


def _without_index(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """The column, by which SQLite must not choose an index."""
    return sa.type_coerce(sa.sql.expression.UnaryExpression(column, operator=_PLUS), column.type)


def time_of(value: datetime) -> datetime | None:
    """A stored time; `None` for the one that stands for none."""
    return value if value > UNKNOWN_TIME else None
