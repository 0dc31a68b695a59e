"""SQL of what users ask: pages of one kind, one item, and how fresh each region's items are.

Every order has an index that begins with the kind, and pages begin after a place (`queries.Place`), so that
a page costs the same wherever it is. On SQLite a filter that leaves few rows decides first (`plans.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import (
    inventory_addresses,
    inventory_items,
    inventory_keystones,
    inventory_projects,
    inventory_syncs,
    regions,
)
from multisite.inventory import plans
from multisite.inventory.addresses import MACS
from multisite.inventory.conditions import conditions
from multisite.inventory.kinds import Kind
from multisite.inventory.model import UNKNOWN_TIME, Sync
from multisite.inventory.queries import Direction, Filters, Order, Place, Sort, Tenant
from multisite.regions.model import Identity

_I = inventory_items.c
_COLUMNS: Mapping[Sort, str] = {
    Sort.NAME: "folded_name",
    Sort.REGION: "region",
    Sort.STATUS: "status",
    Sort.PROJECT: "project_name",
    Sort.CREATED_AT: "created_at",
    Sort.UPDATED_AT: "updated_at",
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
    observed_at: datetime | None

    def place(self, sort: Sort) -> Place:
        """Its place in an order."""
        return Place(getattr(self, _COLUMNS[sort]), self.region, self.id)


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
        async with self._database.read() as connection:
            found = None
            if self._sqlite:
                await connection.execute(sa.text("BEGIN"))  # the number of a row is its own until the end
                found = await plans.few(connection, filters)
            if found is None:
                query = wanted(inventory_items).where(*conditions(inventory_items, filters))
                query = _ordered(query, inventory_items, order, after).limit(limit)
            else:
                few = plans.rows(found)
                chosen = sa.select(few.c.number).where(*conditions(few, filters))
                chosen = _ordered(chosen, few, order, after).limit(limit)
                query = wanted(inventory_items).where(plans.ROW.in_(chosen))
                query = _ordered(query, inventory_items, order, None)
            rows = (await connection.execute(query)).mappings().all()
            stored = [item_of(row) for row in rows]
            return await with_addresses(connection, stored) if filters.kind.name == "server" else stored

    async def item(self, filters: Filters, region: str, identity: str) -> StoredItem | None:
        """One item, if it is among those that the filters let through."""
        asked = conditions(inventory_items, filters)
        query = wanted(inventory_items).where(*asked, _I.region == region, _I.id == identity)
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
        self,
        kinds: Sequence[Kind],
        names: Sequence[str],
        fresh_since: datetime,
        shown: Collection[tuple[int, str]] = (),
    ) -> list[RegionSync]:
        """How far the kinds of enabled regions, or of those called `names`, have been read.

        Only of those that were not read well since `fresh_since`, and those in `shown` (region and kind).
        """
        known = _syncs_of(kinds, names)
        told = sa.union(
            *([known.where(_of_these(shown))] if shown else []),
            known.where(_not_well(fresh_since)),
        )
        async with self._database.read() as connection:
            found: list[RowMapping] = list((await connection.execute(told)).mappings())
            never = await _never_read(connection, kinds, names)
        found += never
        found.sort(key=lambda row: (row["position"], row["name"]))
        return [_region_sync(row) for row in found]


_S = inventory_syncs.c


def _syncs_of(kinds: Sequence[Kind], names: Sequence[str]) -> sa.Select[Any]:
    """The syncs of kinds of enabled regions, or of those called `names`."""
    query = (
        sa.select(
            regions.c.id,
            regions.c.name,
            regions.c.dashboard_url,
            regions.c.position,
            *(column for column in _S if column.name != "region_id"),
        )
        .join(regions, regions.c.id == _S.region_id)
        .where(_S.kind.in_([kind.name for kind in kinds]), regions.c.enabled.is_(True))
    )
    return query.where(regions.c.name.in_(names)) if names else query


def _of_these(shown: Collection[tuple[int, str]]) -> sa.ColumnElement[bool]:
    """Whether a sync is of one of these regions and kinds; of few kinds, so that each takes its regions."""
    by_kind: dict[str, list[int]] = {}
    for region_id, kind in shown:
        by_kind.setdefault(kind, []).append(region_id)
    return sa.or_(*((_S.kind == kind) & _S.region_id.in_(ids) for kind, ids in sorted(by_kind.items())))


def _not_well(fresh_since: datetime) -> sa.ColumnElement[bool]:
    """Whether a kind was not read well since a time; all of it stands in one index."""
    return sa.or_(_S.observed_at.is_(None), _S.observed_at < fresh_since, _S.error_code.is_not(None))


async def _never_read(
    connection: AsyncConnection, kinds: Sequence[Kind], names: Sequence[str]
) -> Sequence[RowMapping]:
    """The kinds of enabled regions of which there is no sync at all: looked for where some are lacking."""
    kind_names = [kind.name for kind in kinds]
    of_region = (
        sa.select(sa.func.count())
        .where(_S.region_id == regions.c.id, _S.kind.in_(kind_names))
        .scalar_subquery()
    )
    some = sa.select(regions.c.id, regions.c.name, regions.c.dashboard_url, regions.c.position).where(
        regions.c.enabled.is_(True), of_region < len(kind_names)
    )
    lacking = (some.where(regions.c.name.in_(names)) if names else some).cte().prefix_with("MATERIALIZED")
    all_kinds = sa.union_all(*(sa.select(sa.literal(name).label("kind")) for name in kind_names)).subquery()
    query = (
        sa.select(lacking, all_kinds.c.kind)
        .join(all_kinds, sa.true())
        .where(~sa.exists().where(_S.region_id == lacking.c.id, _S.kind == all_kinds.c.kind))
    )
    return (await connection.execute(query)).mappings().all()


_UNWANTED = frozenset({"parent_id", "version", "digest"})


def wanted(items: sa.FromClause) -> sa.Select[Any]:
    """What is read of items."""
    return sa.select(*(column for column in items.c if column.name not in _UNWANTED))


def _ordered(
    query: sa.Select[Any], items: sa.FromClause, order: Order, after: Place | None
) -> sa.Select[Any]:
    """The items after a place, in their order."""
    names = [_COLUMNS[order.sort], "region", "id"] if order.sort is not Sort.REGION else ["region", "id"]
    keys: list[sa.ColumnElement[Any]] = [items.c[name] for name in names]
    if after is not None:
        values = [after.value, after.region, after.id][-len(keys) :]
        place = sa.tuple_(*(sa.literal(value, key.type) for value, key in zip(values, keys, strict=True)))
        here = sa.tuple_(*keys)
        query = query.where(here > place if order.direction is Direction.ASC else here < place)
    return query.order_by(*(keys if order.direction is Direction.ASC else [key.desc() for key in keys]))


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
    """The item of a row of `wanted`."""
    return StoredItem(**{**row, "addresses": row["addresses"] or []})


def _region_sync(row: RowMapping) -> RegionSync:
    sync = Sync()
    if "malformed" in row:
        sync = Sync(**{each.name: row[each.name] for each in fields(Sync)})
    return RegionSync(row["id"], row["name"], row["kind"], row["dashboard_url"], sync)


def time_of(value: datetime) -> datetime | None:
    """A stored time; `None` for the one that stands for none."""
    return value if value > UNKNOWN_TIME else None
