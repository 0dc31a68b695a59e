"""SQL of single items, and of how far each kind of a region was read.

What reads found is written by `writing.py`; here is what is asked before a read, and what actions change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.tables import inventory_items, inventory_syncs
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import Item, Known, Reading, Sync
from multisite.inventory.writing import (
    Outcome,
    item_row,
    note_read_back,
    remove_items,
    replace_addresses,
    upsert_items,
    write_outcomes,
)
from multisite.regions.discovery import target_of
from multisite.regions.model import Region
from multisite.regions.states import CallError
from multisite.regions.store import reached_as


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a region, as far as a read needs it: per kind."""

    syncs: Mapping[str, Sync] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, Known]] = field(default_factory=dict)


class InventoryStore:
    """What is stored of the items of all regions."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def stored(self, region_id: int, kinds: Sequence[str]) -> Stored:
        """How far kinds of a region have been read, and what tells changed items of them from others."""
        synced = sa.select(inventory_syncs).where(inventory_syncs.c.region_id == region_id)
        known: dict[str, dict[str, Known]] = {kind: {} for kind in kinds}
        async with self.database.read() as connection:
            syncs = (await connection.execute(synced)).mappings().all()
            rows = await connection.execute(_KNOWN, {"region": region_id, "kinds": list(kinds)})
            for kind, identity, digest, version in rows:
                known[kind][identity] = Known(digest, version)
        return Stored({row["kind"]: _sync(dict(row)) for row in syncs}, known)

    async def known(self, region_id: int, kind: str) -> Mapping[str, Known]:
        """What tells changed items of a kind from others, by their ids."""
        return (await self.stored(region_id, [kind])).known[kind]

    async def write(
        self, region: Region, kind: str, reading: Reading, project_names: Mapping[str, str]
    ) -> bool:
        """Store one read. Answers `False`, and stores nothing, for a region that is gone or another now."""
        async with self.database.write() as connection:
            outcome = Outcome(region, kind, reading.at, reading, None, project_names)
            return bool(await write_outcomes(connection, [outcome]))

    async def write_failure(
        self, region: Region, kinds: Sequence[str], at: datetime, error: CallError
    ) -> None:
        """Note that kinds could not be read; what is stored of them stays."""
        async with self.database.write() as connection:
            await write_outcomes(connection, [Outcome(region, kind, at, error=error) for kind in kinds])

    async def put(
        self, region: Region, kind: str, item: Item, project_names: Mapping[str, str], at: datetime
    ) -> None:
        """Store one item as its owner was shown it at a time; the next refresh reads it again.

        A refresh that began before says nothing about it.
        What only operators are shown stays as it is, and the project's name where `project_names` lacks it.
        """
        columns = inventory_items.c
        query = sa.select(columns.attributes, columns.project_name).where(
            columns.region_id == region.id, columns.kind == kind, columns.id == item.id
        )
        async with self.database.write() as connection:
            if not await reached_as(connection, region.id, target_of(region)):
                return
            row = item_row(region, kind, item, project_names) | {
                "version": "",
                "digest": "",
                "observed_at": at,
            }
            stored = (await connection.execute(query)).one_or_none()
            if stored is not None:
                kept = {name: stored.attributes.get(name) for name in BY_NAME[kind].operator_attributes}
                row["attributes"] |= {name: value for name, value in kept.items() if value is not None}
                row["project_name"] = row["project_name"] or stored.project_name
            await note_read_back(connection, region.id, kind, item.id, at)
            await upsert_items(connection, [row])
            await replace_addresses(connection, [(region.id, kind, item)])

    async def remove(self, region: Region, kind: str, identity: str, at: datetime) -> None:
        """Forget one item that was gone, for its owner, at a time."""
        async with self.database.write() as connection:
            if not await reached_as(connection, region.id, target_of(region)):
                return
            await note_read_back(connection, region.id, kind, identity, at)
            await remove_items(connection, [(region.id, kind, identity)])

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


_KNOWN = sa.select(
    inventory_items.c.kind, inventory_items.c.id, inventory_items.c.digest, inventory_items.c.version
).where(
    inventory_items.c.region_id == sa.bindparam("region"),
    inventory_items.c.kind.in_(sa.bindparam("kinds", expanding=True)),
)


def _sync(row: Mapping[str, Any]) -> Sync:
    return Sync(**{name: value for name, value in row.items() if name not in {"region_id", "kind"}})
