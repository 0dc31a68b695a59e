"""SQL behind the search: items of all kinds by id, name or address, as far as a tenant may see them.

A tenant's own items and those that others show it are asked for apart: an index leads to the former, and the
latter are of few kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import inventory_addresses, inventory_items
from multisite.inventory import plans
from multisite.inventory.addresses import Wanted
from multisite.inventory.conditions import (
    HAVING_ADDRESSES,
    PORTS,
    Condition,
    begins,
    contains,
    found_by,
    has_address,
    in_enabled_region,
    kinds_with_addresses_of,
    off_index,
    project_ids,
    shown_to,
    visible_to,
)
from multisite.inventory.kinds import ADDRESSED, BY_NAME, SHARED_KINDS
from multisite.inventory.listing import StoredItem, item_of, wanted, with_addresses
from multisite.inventory.queries import Tenant

_I = inventory_items.c
#: From so many addresses on, those of a tenant are looked for among its items, not among all that match.
FEW_ADDRESSES = 200
_AT_PORTS = kinds_with_addresses_of(BY_NAME["server"])


class Finder:
    """Finds stored items; `tenant` is `None` for somebody who sees all."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.url.get_backend_name() == "sqlite"

    async def by_id(self, tenant: Tenant | None, text: str, limit: int) -> list[StoredItem]:
        """Items whose id begins with `text`."""
        asked = [begins(_I.id, text)]
        if tenant is not None:
            asked.append(visible_to(inventory_items, tenant, others=True))
        async with self._database.read() as connection:
            return await self._select(connection, asked, limit, _I.id)

    async def by_name(
        self, tenant: Tenant | None, folded: str, limit: int, *, whole: bool
    ) -> list[StoredItem]:
        """Items of that folded name, or with it in their names."""
        named = _I.folded_name == folded if whole else contains(_I.folded_name, folded)
        async with self._database.read() as connection:
            found = []
            for scope in _scopes(tenant, sorted(BY_NAME)):
                asked = [_I.kind.in_(scope.kinds), named]
                if self._sqlite and not scope.led:  # an index has all of this; then rows are fetched
                    first = sa.select(plans.ROW).where(*asked, in_enabled_region(inventory_items))
                    asked = [plans.ROW.in_(first if scope.whose else first.limit(limit))]
                found += await self._select(connection, asked + scope.whose, limit)
        return found

    async def by_address(self, tenant: Tenant | None, wanted: Wanted, limit: int) -> list[StoredItem]:
        """Items with such an address, and the servers whose ports have one."""
        async with self._database.read() as connection:
            if tenant is None or await plans.few_addresses(connection, wanted, ADDRESSED, FEW_ADDRESSES):
                return await self._at_addresses(connection, tenant, wanted, limit)
            found = []
            for scope in _scopes(tenant, sorted(HAVING_ADDRESSES)):
                for asked in await self._having(connection, scope, wanted):
                    found += await self._select(connection, [*asked, *scope.whose], limit)
        return found

    async def _having(
        self, connection: AsyncConnection, scope: "_Scope", wanted: Wanted
    ) -> list[Sequence[Condition]]:
        """Which items of a scope have such an address: servers by their ports, all others alike."""
        asked: list[Sequence[Condition]] = []
        for kinds in (ADDRESSED.intersection(scope.kinds), {"server"}.intersection(scope.kinds)):
            if not kinds:
                continue
            kind = BY_NAME[min(kinds)]
            alone = self._sqlite and not scope.led and len(kinds) == 1
            if alone and await plans.few_addresses(connection, wanted, kinds):
                asked.append([plans.ROW.in_(plans.at_addresses(kind, wanted))])
            else:
                asked.append([_I.kind.in_(sorted(kinds)), has_address(inventory_items, kind, wanted)])
        return asked

    async def with_addresses(self, items: Sequence[StoredItem]) -> list[StoredItem]:
        """The items, servers among them with the addresses of their ports."""
        servers = [item for item in items if item.kind == "server"]
        async with self._database.read() as connection:
            known = {(item.region_id, item.id): item for item in await with_addresses(connection, servers)}
        return [
            known.get((item.region_id, item.id), item) if item.kind == "server" else item for item in items
        ]

    async def _at_addresses(
        self, connection: AsyncConnection, tenant: Tenant | None, wanted: Wanted, limit: int
    ) -> list[StoredItem]:
        columns, ports = inventory_addresses.c, PORTS
        # Who sees all needs no more than the first; a tenant's may be anywhere among those of others.
        most = limit if tenant is None else None
        having = sa.select(columns.region_id, columns.kind, columns.id).where(
            found_by(inventory_addresses, wanted, ADDRESSED)
        )
        serving = (
            sa.select(ports.c.region_id, sa.literal("server"), ports.c.device_id)
            .select_from(inventory_addresses)
            .join(ports, (ports.c.region_id == columns.region_id) & (ports.c.id == columns.port_id))
            .where(found_by(inventory_addresses, wanted, _AT_PORTS), ports.c.device_id.is_not(None))
        )
        whose = [] if tenant is None else [visible_to(inventory_items, tenant, others=True)]
        key = sa.tuple_(_I.region_id, _I.kind, _I.id)
        found = await self._select(connection, [key.in_(having.limit(most)), *whose], limit)
        return found + await self._select(connection, [key.in_(serving.limit(most)), *whose], limit)

    async def _select(
        self,
        connection: AsyncConnection,
        asked: Sequence[Condition],
        limit: int,
        *order: sa.ColumnElement[Any],
    ) -> list[StoredItem]:
        query = wanted(inventory_items).where(*asked, in_enabled_region(inventory_items))
        rows = await connection.execute(query.order_by(*order).limit(limit))
        return [item_of(row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class _Scope:
    """Whose items of which kinds are asked for; `led` when an index leads to them."""

    kinds: list[str]
    whose: list[Condition]
    led: bool


def _scopes(tenant: Tenant | None, kinds: Sequence[str]) -> list[_Scope]:
    if tenant is None:
        return [_Scope(list(kinds), [], led=False)]
    own = [_I.project_id.in_(project_ids(tenant)), visible_to(inventory_items, tenant, others=False)]
    others = [kind for kind in kinds if kind in SHARED_KINDS]
    not_own = off_index(_I.project_id).not_in(project_ids(tenant))
    return [
        _Scope(list(kinds), own, led=True),
        _Scope(others, [shown_to(inventory_items, tenant), not_own], led=False),
    ]
