"""SQL behind the search: items of all kinds by id, name or address, as far as a tenant may see them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.tables import inventory_addresses, inventory_items
from multisite.inventory.addresses import Wanted
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.listing import (
    WANTED,
    StoredItem,
    begins,
    contains,
    in_enabled_region,
    item_of,
    matches,
    visible_to,
    with_addresses,
)
from multisite.inventory.queries import Tenant

_I = inventory_items.c


class Finder:
    """Finds stored items; `tenant` is `None` for somebody who sees all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, tenant: Tenant | None, text: str, limit: int) -> list[StoredItem]:
        """Items whose id begins with `text`."""
        return await self._select(tenant, [begins(_I.id, text)], [_I.id], limit)

    async def by_name(
        self, tenant: Tenant | None, folded: str, limit: int, *, whole: bool
    ) -> list[StoredItem]:
        """Items of that folded name, or with it in their names."""
        kinds = _I.kind.in_(list(BY_NAME))
        if whole:
            return await self._select(tenant, [kinds, _I.folded_name == folded], [], limit)
        return await self._select(tenant, [kinds, contains(_I.folded_name, folded)], [], limit)

    async def by_address(self, tenant: Tenant | None, wanted: Wanted, limit: int) -> list[StoredItem]:
        """Items with such an address, and the servers whose ports have one."""
        columns, ports = inventory_addresses.c, inventory_items.alias("ports")
        # Who sees all needs no more than the first; a tenant's may be anywhere among those of others.
        most = limit if tenant is None else None
        having = sa.select(columns.region_id, columns.kind, columns.id).where(matches(wanted)).limit(most)
        serving = (
            sa.select(ports.c.region_id, sa.literal("server"), ports.c.device_id)
            .select_from(inventory_addresses)
            .join(
                ports,
                (ports.c.region_id == columns.region_id) & (ports.c.id == columns.port_id),
            )
            .where(matches(wanted), ports.c.device_id.is_not(None))
            .limit(most)
        )
        key = sa.tuple_(_I.region_id, _I.kind, _I.id)
        found = await self._select(tenant, [key.in_(having)], [], limit)
        return found + await self._select(tenant, [key.in_(serving)], [], limit)

    async def with_addresses(self, items: Sequence[StoredItem]) -> list[StoredItem]:
        """The items, servers among them with the addresses of their ports."""
        servers = [item for item in items if item.kind == "server"]
        async with self._database.read() as connection:
            known = {(item.region_id, item.id): item for item in await with_addresses(connection, servers)}
        return [
            known.get((item.region_id, item.id), item) if item.kind == "server" else item for item in items
        ]

    async def _select(
        self,
        tenant: Tenant | None,
        where: list[sa.ColumnElement[bool]],
        order: list[sa.ColumnElement[Any]],
        limit: int,
    ) -> list[StoredItem]:
        query = sa.select(*WANTED).where(*where, in_enabled_region()).order_by(*order).limit(limit)
        if tenant is not None:
            query = query.where(visible_to(tenant, others=True))
        async with self._database.read() as connection:
            return [item_of(row) for row in (await connection.execute(query)).mappings()]
