"""The line in front of the database: few transactions, each read whole, everyone is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import FixedClock
from multisite.errors import DatabaseAway
from multisite.inventory import writer as module
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import Reading
from multisite.inventory.parsing import parse
from multisite.inventory.store import InventoryStore
from multisite.inventory.writer import BOUNDS, InventoryWriter
from multisite.inventory.writing import Outcome, write_outcomes
from multisite.regions.model import Region
from tests.integration.service import Service


def outcome(region: Region, clock: FixedClock, kind: str, number: int) -> Outcome:
    raws = [{"id": f"{kind}-{each}", "name": "n"} for each in range(number)]
    items = {item.id: item for item in (parse(BY_NAME[kind], raw) for raw in raws)}
    return Outcome(region, kind, clock.now(), Reading(clock.now(), full=True, changed=items))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The kinds of each transaction."""
    seen: list[list[str]] = []

    async def write(connection: AsyncConnection, outcomes: Sequence[Outcome]) -> set[int]:
        seen.append([each.kind for each in outcomes])
        return await write_outcomes(connection, outcomes)

    monkeypatch.setattr(module, "write_outcomes", write)
    return seen


async def test_what_waits_is_written_together(
    service: Service, clock: FixedClock, batches: list[list[str]]
) -> None:
    region, line = await service.add("North"), InventoryWriter(service.assembly.database)
    stored = [await line.put(outcome(region, clock, kind, 3)) for kind in ("server", "volume", "image")]
    assert await asyncio.gather(*stored) == [True] * 3
    assert batches == [["server", "volume", "image"]]
    assert len(await InventoryStore(service.assembly.database).known(region.id, "volume")) == 3


async def test_a_large_read_is_whole_and_the_others_come_after_it(
    service: Service, clock: FixedClock, batches: list[list[str]]
) -> None:
    few = replace(BOUNDS, most=10)
    region, line = await service.add("North"), InventoryWriter(service.assembly.database, few)
    stored = [
        await line.put(outcome(region, clock, kind, number))
        for kind, number in (("server", 50), ("volume", 5), ("image", 5))
    ]
    await asyncio.gather(*stored)
    assert batches == [["server"], ["volume"], ["image"]]


async def test_nobody_is_far_ahead_of_the_database(service: Service, clock: FixedClock) -> None:
    short = replace(BOUNDS, full=5)
    region, line = await service.add("North"), InventoryWriter(service.assembly.database, short)
    first = await line.put(outcome(region, clock, "server", 9))
    second = asyncio.create_task(line.put(outcome(region, clock, "volume", 1)))
    await asyncio.sleep(0)
    assert not second.done()
    await first
    assert await (await second) is True


async def test_a_region_that_is_gone_is_told_and_harms_no_other(service: Service, clock: FixedClock) -> None:
    region, gone = await service.add("North"), await service.add("Gone")
    assert (await service.call("DELETE", "/v1/regions/Gone")).status == 204
    line = InventoryWriter(service.assembly.database)
    stored = [await line.put(outcome(each, clock, "server", 2)) for each in (gone, region)]
    assert await asyncio.gather(*stored) == [False, True]


async def test_one_who_gave_up_waiting_harms_no_other(service: Service, clock: FixedClock) -> None:
    region, line = await service.add("North"), InventoryWriter(service.assembly.database)
    gave_up = await line.put(outcome(region, clock, "server", 1))
    other = await line.put(outcome(region, clock, "volume", 1))
    gave_up.cancel()
    assert await other is True


async def test_what_waits_at_the_end_is_stored(service: Service, clock: FixedClock) -> None:
    region, line = await service.add("North"), InventoryWriter(service.assembly.database)
    stored = await line.put(outcome(region, clock, "server", 1))
    await line.close()
    assert stored.done()
    assert len(await InventoryStore(service.assembly.database).known(region.id, "server")) == 1


async def test_a_failure_is_told_to_all_who_wait_and_the_line_goes_on(
    service: Service, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, line = await service.add("North"), InventoryWriter(service.assembly.database)

    async def broken(_: AsyncConnection, __: Sequence[Outcome]) -> set[int]:
        raise DatabaseAway("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_outcomes", broken)
        stored = [await line.put(outcome(region, clock, kind, 1)) for kind in ("server", "volume")]
        told = await asyncio.gather(*stored, return_exceptions=True)
    assert [type(each) for each in told] == [DatabaseAway] * 2
    assert await (await line.put(outcome(region, clock, "image", 1))) is True
