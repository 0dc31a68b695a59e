"""SQL of what refreshes write: items, addresses, grants, and how far each kind of each region was read.

One read of one kind of one region is one transaction, and writes only what differs. Rows go to the
database in slices, so that other work on the loop gets its turn in between.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.db.tables import (
    inventory_addresses,
    inventory_grants,
    inventory_items,
    inventory_syncs,
)
from multisite.db.upsert import upsert
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import Grant, Item, Known, Reading, Sync
from multisite.inventory.reading import malformed_sentence
from multisite.regions.discovery import target_of
from multisite.regions.model import Region
from multisite.regions.states import CallError
from multisite.regions.store import reached_as

T = TypeVar("T")

#: Rows of one statement.
SLICE = 200
_KEY = ("region_id", "kind", "id")


class InventoryStore:
    """What is stored of the items of all regions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def syncs(self, region_id: int) -> dict[str, Sync]:
        """How far each kind of a region has been read."""
        query = sa.select(inventory_syncs).where(inventory_syncs.c.region_id == region_id)
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {row["kind"]: _sync(dict(row)) for row in rows}

    async def known(self, region_id: int, kind: str) -> dict[str, Known]:
        """What tells changed items of a kind from others, by their ids."""
        items = inventory_items.c
        query = sa.select(items.id, items.digest, items.version).where(
            items.region_id == region_id, items.kind == kind
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.id: Known(row.digest, row.version) for row in rows}

    async def write(
        self, region: Region, kind: str, reading: Reading, project_names: Mapping[str, str]
    ) -> bool:
        """Store one read. Answers `False`, and stores nothing, for a region that is gone or another now."""
        async with self.database.write() as connection:
            if not await reached_as(connection, region.id, target_of(region)):
                return False
            await self._remove(connection, region.id, kind, sorted(reading.gone))
            for items in sliced(list(reading.changed.values())):
                rows = [_item_row(region, kind, item, project_names) for item in items]
                await upsert(connection, inventory_items, _KEY, rows)
                await _replace_addresses(connection, region.id, kind, items)
            if reading.grants is not None:
                await _replace_grants(connection, region.id, reading, reading.grants)
            await upsert(
                connection, inventory_syncs, ("region_id", "kind"), [_sync_row(region.id, kind, reading)]
            )
        return True

    async def write_failure(
        self, region: Region, kinds: Sequence[str], at: datetime, error: CallError
    ) -> None:
        """Note that kinds could not be read; what is stored of them stays."""
        async with self.database.write() as connection:
            if not await reached_as(connection, region.id, target_of(region)):
                return
            rows = [
                {
                    "region_id": region.id,
                    "kind": kind,
                    "failed_at": at,
                    "error_code": error.code,
                    "error_detail": error.detail,
                    "malformed": 0,
                }
                for kind in kinds
            ]
            await upsert(connection, inventory_syncs, ("region_id", "kind"), rows)

    async def put(self, region: Region, kind: str, item: Item, project_names: Mapping[str, str]) -> None:
        """Store one item as its owner was shown it just now; the next refresh reads it again.

        What only operators are shown stays as it is, and the project's name where `project_names` lacks it.
        """
        columns = inventory_items.c
        query = sa.select(columns.attributes, columns.project_name).where(
            columns.region_id == region.id, columns.kind == kind, columns.id == item.id
        )
        async with self.database.write() as connection:
            if not await reached_as(connection, region.id, target_of(region)):
                return
            row = _item_row(region, kind, item, project_names) | {"version": "", "digest": ""}
            stored = (await connection.execute(query)).one_or_none()
            if stored is not None:
                kept = {name: stored.attributes.get(name) for name in BY_NAME[kind].operator_attributes}
                row["attributes"] |= {name: value for name, value in kept.items() if value is not None}
                row["project_name"] = row["project_name"] or stored.project_name
            await upsert(connection, inventory_items, _KEY, [row])
            await _replace_addresses(connection, region.id, kind, [item])

    async def remove(self, region: Region, kind: str, identity: str) -> None:
        """Forget one item that its owner ended."""
        async with self.database.write() as connection:
            await self._remove(connection, region.id, kind, [identity])

    async def ids_of_images(self, region_id: int, visibility: str) -> set[str]:
        """The images of a region that have this visibility."""
        items = inventory_items.c
        query = sa.select(items.id).where(
            items.region_id == region_id,
            items.kind == "image",
            items.attributes["visibility"].as_string() == visibility,
        )
        async with self.database.read() as connection:
            return set((await connection.execute(query)).scalars())

    async def _remove(
        self, connection: AsyncConnection, region_id: int, kind: str, ids: Sequence[str]
    ) -> None:
        for some in sliced(ids):
            for table in (inventory_addresses, inventory_grants, inventory_items):
                await connection.execute(
                    sa.delete(table).where(
                        table.c.region_id == region_id, table.c.kind == kind, table.c.id.in_(some)
                    )
                )


def sliced(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows, a statement's worth at a time."""
    for start in range(0, len(rows), SLICE):
        yield rows[start : start + SLICE]


async def _replace_addresses(
    connection: AsyncConnection, region_id: int, kind: str, items: Sequence[Item]
) -> None:
    addresses = inventory_addresses.c
    await connection.execute(
        sa.delete(inventory_addresses).where(
            addresses.region_id == region_id,
            addresses.kind == kind,
            addresses.id.in_([item.id for item in items]),
        )
    )
    rows = [
        {
            "region_id": region_id,
            "kind": kind,
            "id": item.id,
            "address": address.address,
            "packed": address.packed,
            "port_id": address.port_id,
        }
        for item in items
        for address in item.addresses
    ]
    for some in sliced(rows):
        await connection.execute(sa.insert(inventory_addresses), list(some))


async def _replace_grants(
    connection: AsyncConnection, region_id: int, reading: Reading, grants: frozenset[Grant]
) -> None:
    columns = inventory_grants.c
    query = sa.select(columns.kind, columns.id, columns.project_id).where(
        columns.region_id == region_id, columns.kind.in_(reading.granted_kinds)
    )
    stored = {Grant(*row) for row in await connection.execute(query)}
    if reading.granted_ids is not None:
        stored = {grant for grant in stored if grant.id in reading.granted_ids}
    for grant in sorted(stored - grants):
        await connection.execute(
            sa.delete(inventory_grants).where(
                columns.region_id == region_id,
                columns.kind == grant.kind,
                columns.id == grant.id,
                columns.project_id == grant.project_id,
            )
        )
    rows = [
        {"region_id": region_id, "kind": grant.kind, "id": grant.id, "project_id": grant.project_id}
        for grant in sorted(grants - stored)
    ]
    for some in sliced(rows):
        await connection.execute(sa.insert(inventory_grants), list(some))


def _item_row(region: Region, kind: str, item: Item, project_names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "region_id": region.id,
        "kind": kind,
        "id": item.id,
        "region": region.name,
        "folded_name": item.name.casefold(),
        "status": item.status,
        "project_id": item.project_id,
        "project_name": project_names.get(item.project_id, ""),
        "created_at": item.created_at,
        "updated_at": item.updated_at,
        "shared": item.shared,
        "parent_id": item.parent_id,
        "device_id": item.device_id,
        "user_id": item.user_id or None,
        "name": item.name,
        "version": item.version,
        "digest": item.digest,
        "addresses": [address.address for address in item.addresses],
        "attributes": dict(item.attributes),
    }


def _sync_row(region_id: int, kind: str, reading: Reading) -> dict[str, Any]:
    sentence = malformed_sentence(reading.malformed)
    row: dict[str, Any] = {
        "region_id": region_id,
        "kind": kind,
        "observed_at": reading.at,
        "failed_at": None,
        "error_code": "unexpected-answer" if sentence else None,
        "error_detail": sentence,
        "malformed": len(reading.malformed),
        "since": reading.since,
    }
    return {**row, "full_at": reading.at} if reading.full else row


def _sync(row: dict[str, Any]) -> Sync:
    return Sync(**{name: value for name, value in row.items() if name not in {"region_id", "kind"}})
