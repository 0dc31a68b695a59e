"""What a process read before it was taken for dead is not stored; totals are right whoever swept."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from multisite.capacity.history.store import HistoryStore
from multisite.capacity.writer import ObservationWriter
from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.tables import capacity_history_totals, executors, health, observations, project_usage
from multisite.engine.executors import Executors
from multisite.inventory.kinds import KINDS
from multisite.inventory.writer import InventoryWriter
from multisite.inventory.writing import Outcome
from multisite.openstack.breaker import Breaker
from multisite.regions.health import HealthRecord
from multisite.regions.model import Region
from multisite.regions.states import CallError, Last
from multisite.regions.store import RegionStore
from multisite.sweeps.sharing import Sharing
from multisite.usage.store import UsageReading, UsageStore
from tests.integration.service import Service
from tests.integration.test_history import MINUTE, Sweeping


async def count(database: Database, table: sa.Table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@pytest.fixture
async def region(service: Service) -> Region:
    return await service.add("one", "placement")


@pytest.fixture
async def process(database: Database, clock: FixedClock) -> Executors:
    made = Executors(database, clock, name="us", ttl=20.0)
    await made.enter()
    return made


async def bury(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.delete(executors))


async def store_everything(database: Database, region: Region, process: Executors, clock: FixedClock) -> None:
    fence, now = process.fence, clock.now()
    error = CallError("timeout", "late")
    sweep = Sweeping(database, clock, [region])
    await ObservationWriter(database).write(region.id, [sweep.placement(4)], None, fence)
    outcome = Outcome(region, KINDS[0].name, now, error=error, fence=fence)
    assert await (await InventoryWriter(database).put(outcome)) in {True, False}
    await UsageStore(database).write("p", region.id, [UsageReading("compute", now, {})], None, fence)
    record = HealthRecord("one", "compute", Last(now), breaker=Breaker.CLOSED)
    await RegionStore(database).write_health([record], fence)


@pytest.mark.parametrize("dead", [False, True])
async def test_a_process_that_was_taken_for_dead_stores_nothing_of_what_it_read(
    database: Database, region: Region, process: Executors, clock: FixedClock, *, dead: bool
) -> None:
    old = process.fence
    if dead:
        await bury(database)
        await process.enter()  # it begins anew, but what it read before is old
        process._incarnation = old.incarnation
    await store_everything(database, region, process, clock)
    tables = (observations, project_usage, health)
    assert [await count(database, table) for table in tables] == ([0, 0, 0] if dead else [1, 1, 1])


@pytest.mark.usefixtures("region")
async def test_older_news_of_a_service_does_not_replace_what_another_process_knows(
    database: Database, clock: FixedClock
) -> None:
    store, now = RegionStore(database), clock.now()
    newer = HealthRecord("one", "compute", Last(now, now - MINUTE))
    await store.write_health([newer])
    await store.write_health([HealthRecord("one", "compute", Last(None, now - timedelta(seconds=9)))])
    await store.write_health([HealthRecord("one", "compute", Last(None, now + MINUTE))])
    async with database.read() as connection:
        row = (await connection.execute(sa.select(health.c.success_at, health.c.failure_at))).one()
    assert row.success_at == now, "what the other process heard is kept"
    assert row.failure_at == now + MINUTE


async def test_regions_of_a_process_that_left_nothing_behind_are_free(
    database: Database, region: Region, process: Executors, clock: FixedClock
) -> None:
    sharing = Sharing(database, process, clock, 5.0)
    await sharing.take((await sharing.look(())).take)
    assert sharing.held == {region.id}
    await bury(database)
    other = Executors(database, clock, name="other", ttl=20.0)
    await other.enter()
    its = Sharing(database, other, clock, 5.0)
    await sharing.take({region.id})
    await its.take((await its.look(())).take)
    assert its.held == {region.id}


async def test_totals_are_those_of_all_regions_whoever_sweeps_them(
    service: Service, clock: FixedClock
) -> None:
    names = ("one", "two")
    regions = [await service.add(name, "placement") for name in names]
    database = service.assembly.database
    ours, theirs = (Sweeping(database, clock, [each]) for each in regions)
    for used in (4, 5):
        clock.advance(MINUTE)
        for each in (ours, theirs):
            await each.recorder.follow(each.regions)
            await each.writer.write(each.regions[0].id, [each.placement(used)])
        clock.advance(timedelta(seconds=1))
        await ours.totals.maintain(regions)
    async with database.read() as connection:
        table = capacity_history_totals
        found = await connection.execute(sa.select(table.c.figures).order_by(table.c.at))
        assert [row.figures["VCPU"] for row in found] == [[20, 80, 8, 72, 2], [20, 80, 10, 70, 2]]
    assert (await HistoryStore(database).last_totals()).row is not None
