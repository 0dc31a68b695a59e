"""SQL of what reads found: the outcomes of many reads, of any regions, in one transaction.

Statements are made once and run for all rows of all outcomes together: with thousands of regions, a
transaction for each read and a statement for each of its parts cost five times what reading it did.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.tables import (
    inventory_addresses,
    inventory_grants,
    inventory_items,
    inventory_read_backs,
    inventory_syncs,
)
from multisite.db.upsert import upsert
from multisite.engine.executors import Fence
from multisite.inventory.kinds import ADDRESSED, SHARED_KINDS
from multisite.inventory.model import Grant, Item, Reading
from multisite.inventory.reading import malformed_sentence
from multisite.regions.discovery import target_of
from multisite.regions.model import Region
from multisite.regions.states import CallError
from multisite.regions.store import reached

T = TypeVar("T")
Row = dict[str, Any]
Key = tuple[int, str, str]

#: Rows of one statement.
SLICE = 200
_KEY = ("region_id", "kind", "id")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the read of one kind of one region at a time: a reading, or an error.

    It is stored only as long as `fence` stands, that of the process which read.
    """

    region: Region
    kind: str
    at: datetime
    reading: Reading | None = None
    error: CallError | None = None
    project_names: Mapping[str, str] = field(default_factory=dict)
    fence: Fence | None = None

    @property
    def weight(self) -> int:
        """How many rows it writes, about."""
        return 1 + (len(self.reading.changed) + len(self.reading.gone) if self.reading else 0)


async def write_outcomes(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> set[int]:
    """Write the outcomes; answers the regions (by id) that are still there and reached in the same way.

    What was read of others is dropped.
    """
    there = await reached(connection, {each.region.id: target_of(each.region) for each in outcomes})
    kept = [each for each in outcomes if each.region.id in there]
    read = [(each, each.reading) for each in kept if each.reading is not None]
    seen_later = await _sort_out_read_backs(connection, read)
    read = [(each, _without(reading, seen_later[each.region.id, each.kind])) for each, reading in read]
    gone = [(each.region.id, each.kind, key) for each, reading in read for key in sorted(reading.gone)]
    await remove_items(connection, gone)
    changed = [(each, item) for each, reading in read for item in reading.changed.values()]
    rows = (item_row(each.region, each.kind, item, each.project_names) for each, item in changed)
    await upsert_items(connection, rows)
    await replace_addresses(connection, [(each.region.id, each.kind, item) for each, item in changed])
    await _replace_grants(connection, [pair for pair in read if pair[1].grants is not None])
    syncs: dict[tuple[str, ...], list[Row]] = {}
    for each, reading in read:
        row = _sync_row(each, reading, mark=not seen_later[each.region.id, each.kind])
        syncs.setdefault(tuple(row), []).append(row)
    for some in syncs.values():
        await upsert(connection, inventory_syncs, ("region_id", "kind"), some)
    failed = [_failure_row(each, each.error) for each in kept if each.error is not None]
    if failed:
        await upsert(connection, inventory_syncs, ("region_id", "kind"), failed)
    return there


async def upsert_items(connection: AsyncConnection, rows: Iterable[Row]) -> None:
    """Write the rows of items."""
    for some in sliced(list(rows)):
        await upsert(connection, inventory_items, _KEY, some)


async def remove_items(connection: AsyncConnection, keys: Sequence[Key]) -> None:
    """Remove items, and what goes with them."""
    for table, delete in _DELETES.items():
        wanted = keys if table == "inventory_items" else [key for key in keys if key[1] in _HAVING[table]]
        for some in sliced(wanted):
            await connection.execute(delete, [dict(zip(("r", "k", "i"), key, strict=True)) for key in some])


async def replace_addresses(connection: AsyncConnection, items: Sequence[tuple[int, str, Item]]) -> None:
    """Write the addresses of items, and nothing else of them."""
    having = [each for each in items if each[1] in ADDRESSED]
    for some in sliced(having):
        keys = [{"r": region_id, "k": kind, "i": item.id} for region_id, kind, item in some]
        await connection.execute(_DELETES["inventory_addresses"], keys)
    rows = [
        {
            "region_id": region_id,
            "kind": kind,
            "id": item.id,
            "address": address.address,
            "packed": address.packed,
            "port_id": address.port_id,
        }
        for region_id, kind, item in having
        for address in item.addresses
    ]
    for slice_ in sliced(rows):
        await connection.execute(_INSERT_ADDRESSES, list(slice_))


def sliced(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """The rows, a statement's worth at a time."""
    for start in range(0, len(rows), SLICE):
        yield rows[start : start + SLICE]


def item_row(region: Region, kind: str, item: Item, project_names: Mapping[str, str]) -> Row:
    """The row of an item."""
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
        "observed_at": None,
    }


async def note_read_back(
    connection: AsyncConnection, region_id: int, kind: str, item: str, at: datetime
) -> None:
    """Remember that an action saw this item, or its end, at a time.

    Done before anything else of the item is written: reads go the same way, so neither waits for the other
    in a circle.
    """
    row = {"region_id": region_id, "kind": kind, "id": item, "at": at}
    await upsert(connection, inventory_read_backs, _KEY, [row])


async def _sort_out_read_backs(
    connection: AsyncConnection, read: Sequence[tuple[Outcome, Reading]]
) -> Mapping[tuple[int, str], set[str]]:
    """By (region, kind), the items that actions saw after these reads began; forgets those seen before."""
    began: dict[tuple[int, str], datetime] = {}
    for each, reading in read:
        key = (each.region.id, each.kind)
        began[key] = min(reading.at, began.get(key, reading.at))
    later: dict[tuple[int, str], set[str]] = {key: set() for key in began}
    columns = inventory_read_backs.c
    for some in sliced(sorted({region_id for region_id, _ in began})):
        query = sa.select(columns.region_id, columns.kind, columns.id, columns.at).where(
            columns.region_id.in_(some)
        )
        for region_id, kind, item, at in (await connection.execute(query)).all():
            key = (region_id, kind)
            if key in began and at > began[key]:
                later[key].add(item)
            elif key in began:
                await connection.execute(_DELETE_READ_BACK, {"r": region_id, "k": kind, "i": item})
    return later


def _without(reading: Reading, items: set[str]) -> Reading:
    if not items:
        return reading
    changed = {key: item for key, item in reading.changed.items() if key not in items}
    return replace(reading, changed=changed, gone=reading.gone - items)


async def _replace_grants(connection: AsyncConnection, read: Sequence[tuple[Outcome, Reading]]) -> None:
    """Write how the grants differ from those that are stored."""
    if not read:
        return
    columns = inventory_grants.c
    query = sa.select(columns.region_id, columns.kind, columns.id, columns.project_id).where(
        columns.region_id.in_({each.region.id for each, _ in read})
    )
    stored: dict[int, set[Grant]] = {}
    for region_id, *grant in await connection.execute(query):
        stored.setdefault(region_id, set()).add(Grant(*grant))
    over: list[Row] = []
    new: list[Row] = []
    for each, reading in read:
        before = {grant for grant in stored.get(each.region.id, ()) if _speaks_of(reading, grant)}
        now = reading.grants or frozenset()
        over += [_grant_row(each.region.id, grant) for grant in sorted(before - now)]
        new += [_grant_row(each.region.id, grant) for grant in sorted(now - before)]
    for some in sliced(over):
        keys = [{f"a_{name}": value for name, value in row.items()} for row in some]
        await connection.execute(_DELETE_GRANT, keys)
    for some in sliced(new):
        await connection.execute(sa.insert(inventory_grants), list(some))


def _speaks_of(reading: Reading, grant: Grant) -> bool:
    if grant.kind not in reading.granted_kinds:
        return False
    return reading.granted_ids is None or grant.id in reading.granted_ids


def _grant_row(region_id: int, grant: Grant) -> Row:
    return {"region_id": region_id, "kind": grant.kind, "id": grant.id, "project_id": grant.project_id}


def _sync_row(outcome: Outcome, reading: Reading, *, mark: bool) -> Row:
    """What is known of a kind after a read; without `mark` the next one asks from where this one did."""
    sentence = malformed_sentence(reading.malformed)
    row: Row = {
        "region_id": outcome.region.id,
        "kind": outcome.kind,
        "observed_at": reading.at,
        "failed_at": None,
        "error_code": "unexpected-answer" if sentence else None,
        "error_detail": sentence,
        "malformed": len(reading.malformed),
    }
    if mark:
        row["since"] = reading.since
    return {**row, "full_at": reading.at} if reading.full else row


def _failure_row(outcome: Outcome, error: CallError) -> Row:
    return {
        "region_id": outcome.region.id,
        "kind": outcome.kind,
        "failed_at": outcome.at,
        "error_code": error.code,
        "error_detail": error.detail,
        "malformed": 0,
    }


def _delete(table: sa.Table) -> sa.Delete:
    return sa.delete(table).where(
        table.c.region_id == sa.bindparam("r"),
        table.c.kind == sa.bindparam("k"),
        table.c.id == sa.bindparam("i"),
    )


_DELETES: Mapping[str, sa.Delete] = {
    table.name: _delete(table) for table in (inventory_addresses, inventory_grants, inventory_items)
}
_DELETE_READ_BACK = _delete(inventory_read_backs)
_HAVING = {"inventory_addresses": ADDRESSED, "inventory_grants": SHARED_KINDS}
_INSERT_ADDRESSES = sa.insert(inventory_addresses)
_DELETE_GRANT = sa.delete(inventory_grants).where(
    *(
        inventory_grants.c[name] == sa.bindparam(f"a_{name}")
        for name in ("region_id", "kind", "id", "project_id")
    )
)
