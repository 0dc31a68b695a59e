"""Regions, their services and health, in the database."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.model import ImageSummary, PlacementSummary
from multisite.capacity.store import CapacityStore, Observation
from multisite.capacity.writer import ObservationWriter
from multisite.db.engine import Database
from multisite.db.tables import health, observations, regions, services
from multisite.errors import DatabaseAway
from multisite.openstack.breaker import Breaker
from multisite.regions.health import HealthRecord
from multisite.regions.model import Endpoint, Identity, Interface, Maintenance, Region
from multisite.regions.states import CallError, Last
from multisite.regions.store import RegionStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
REGION = Region(
    "RegionTwo",
    "region two",
    "lab-admin",
    Interface.INTERNAL,
    Identity.OWN,
    maintenance=Maintenance("disks", NOW),
    labels={"country": "no", "motto": "Bodø 🇳🇴"},
    position=-3,
    dashboard_url="https://horizon.example/",
    sweep_interval=30,
)


async def insert(database: Database, region: Region = REGION) -> Region:
    store = RegionStore(database)
    async with database.write() as connection:
        await store.insert(connection, region)
    return (await store.select([region.name]))[0]


async def update(database: Database, region: Region) -> bool:
    async with database.write() as connection:
        return await RegionStore(database).update(connection, region)


async def test_a_region_comes_back_as_it_was(database: Database) -> None:
    found = await insert(database)
    assert found == replace(REGION, id=found.id)


async def test_regions_come_by_position_then_name_and_only_those_asked_for(database: Database) -> None:
    for name, position in (("b", 1), ("c", 0), ("a", 1)):
        await insert(database, Region(name, name, "c", position=position))
    store = RegionStore(database)

    assert [region.name for region in await store.select()] == ["c", "a", "b"]
    assert [region.name for region in await store.select(["b", "nowhere"])] == ["b"]


async def test_a_name_is_taken_once(database: Database) -> None:
    await insert(database)
    with pytest.raises(IntegrityError):
        await insert(database)
    assert len(await RegionStore(database).select()) == 1


async def test_each_write_moves_the_generation_and_a_stale_one_writes_nothing(database: Database) -> None:
    region = await insert(database)

    assert await update(database, replace(region, enabled=False))
    assert not await update(database, replace(region, position=99))

    (found,) = await RegionStore(database).select()
    assert (found.generation, found.enabled, found.position) == (2, False, -3)


async def test_of_two_writers_at_once_with_one_generation_one_wins(
    database: Database, second_database: Database
) -> None:
    region = await insert(database)
    won = await asyncio.gather(
        *(
            update(one, replace(region, position=position))
            for position, one in enumerate([database, second_database] * 3)
        )
    )
    assert won.count(True) == 1
    (found,) = await RegionStore(database).select()
    assert (found.generation, found.position) == (2, won.index(True))


async def test_an_error_in_the_block_writes_nothing_at_all(database: Database) -> None:
    store = RegionStore(database)

    async def fail() -> None:
        async with database.write() as connection:
            await store.insert(connection, REGION)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await store.select() == []
    assert (await insert(database)).name == "RegionTwo"


async def test_services_are_replaced_as_a_whole(database: Database) -> None:
    region, store = await insert(database), RegionStore(database)
    compute = Endpoint("compute", "compute", "http://c", "2.1", "2.1", "2.103")
    for endpoints in ([compute, Endpoint("image", "image", "http://i")], [compute]):
        async with database.write() as connection:
            await store.replace_services(connection, region.id, endpoints)

    (row,) = (await store.services())[region.id]
    assert row.endpoint == compute


async def test_health_is_updated_in_place_and_that_of_unknown_regions_dropped(database: Database) -> None:
    region, store = await insert(database), RegionStore(database)
    good = HealthRecord("RegionTwo", "compute", Last(NOW), latency=41.7, clock_skew=0.2)
    bad = HealthRecord(
        "RegionTwo",
        "compute",
        Last(NOW, LATER),
        CallError("timeout", "GET http://c: no answer"),
        41.7,
        0.2,
        Breaker.OPEN,
        token_failure=True,
    )
    await store.write_health([good, HealthRecord("gone", "compute", Last(NOW))])
    await store.write_health([bad])

    (row,) = (await store.services())[region.id]
    assert (row.calls, row.call_error) == (Last(NOW, LATER), CallError("timeout", "GET http://c: no answer"))
    assert (row.latency, row.clock_skew, row.breaker, row.token_failure) == (41.7, 0.2, Breaker.OPEN, True)
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(health)) == 1


async def test_one_query_brings_services_health_and_figures_together(database: Database) -> None:
    region, store = await insert(database), RegionStore(database)
    async with database.write() as connection:
        await store.replace_services(connection, region.id, [Endpoint("network", "network", "http://n")])
    await store.write_health([HealthRecord("RegionTwo", "identity", Last(NOW))])
    await ObservationWriter(database).write(region.id, [Observation("image", NOW, ImageSummary(1, 2))])

    rows = {row.service: row for row in (await store.services(["RegionTwo"]))[region.id]}

    assert set(rows) == {"network", "identity", "image"}
    assert rows["network"].endpoint is not None
    assert rows["identity"].calls == Last(NOW)
    assert rows["image"].figures == Last(NOW)
    assert await store.services(["elsewhere"]) == {}


async def test_a_failure_keeps_the_figures_of_the_last_success(database: Database) -> None:
    region, store = await insert(database), CapacityStore(database)
    writer = ObservationWriter(database)
    summary = PlacementSummary(providers=2)
    await writer.write(region.id, [Observation("placement", NOW, summary)])
    error = CallError("timeout", "no answer")
    await writer.write(
        region.id,
        [Observation("placement", LATER, error=error), Observation("image", LATER, ImageSummary(1, 2))],
    )

    assert (await store.summaries())[region.id] == {"placement": summary, "image": ImageSummary(1, 2)}
    rows = {row.service: row for row in (await RegionStore(database).services())[region.id]}
    assert rows["placement"].figures == Last(NOW, LATER)
    assert rows["placement"].figures_error == error

    await writer.write(
        region.id, [Observation("placement", LATER + timedelta(minutes=1), PlacementSummary())]
    )
    rows = {row.service: row for row in (await RegionStore(database).services())[region.id]}
    assert not rows["placement"].figures.failing


async def test_observations_of_a_region_that_was_deleted_meanwhile_are_dropped(database: Database) -> None:
    region, store = await insert(database), CapacityStore(database)
    writer = ObservationWriter(database)
    await writer.write(region.id, [Observation("placement", NOW, PlacementSummary())])
    async with database.write() as connection:
        await RegionStore(database).delete(connection, region)
    await writer.write(region.id, [Observation("placement", LATER, PlacementSummary())])
    async with database.write() as connection:
        found = [Endpoint("image", "image", "http://i")]
        await RegionStore(database).replace_services(connection, region.id, found)

    async with database.read() as connection:
        assert (await connection.execute(sa.select(observations))).all() == []
        assert (await connection.execute(sa.select(services))).all() == []
    assert await store.summaries() == {}


async def test_what_is_read_again_is_seen_again_and_not_written_again(database: Database) -> None:
    region, writer = await insert(database), ObservationWriter(database)
    await writer.write(region.id, [Observation("image", NOW, ImageSummary(1, 2))])
    async with database.write() as connection:  # a mark that only a new document would wipe out
        await connection.execute(sa.update(observations).values(detail={"mark": 1}))
    await writer.write(region.id, [Observation("image", LATER, ImageSummary(1, 2))])
    async with database.read() as connection:
        row = (await connection.execute(sa.select(observations))).one()
    assert (row.observed_at, row.detail) == (LATER, {"mark": 1})

    await ObservationWriter(database).write(region.id, [Observation("image", LATER, ImageSummary(3, 4))])
    assert (await CapacityStore(database).summaries())[region.id] == {"image": ImageSummary(3, 4)}


async def test_many_regions_are_stored_in_few_transactions_and_none_is_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, writer, begun = RegionStore(database), ObservationWriter(database), []
    async with database.write() as connection:
        for number in range(300):
            await store.insert(connection, Region(f"r{number}", "r", "c"))
    regions_ = await store.select()
    write = database.write

    def counted() -> AbstractAsyncContextManager[AsyncConnection]:
        begun.append(1)
        return write()

    monkeypatch.setattr(database, "write", counted)
    await asyncio.gather(
        *(writer.write(item.id, [Observation("image", NOW, ImageSummary(item.id, 0))]) for item in regions_)
    )
    found = await CapacityStore(database).summaries()
    assert {region_id: one["image"] for region_id, one in found.items()} == {
        item.id: ImageSummary(item.id, 0) for item in regions_
    }
    assert len(begun) <= 3


async def test_a_database_that_is_away_is_told_to_everyone_who_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    region, writer = await insert(database), ObservationWriter(database)

    def away() -> None:
        raise DatabaseAway("gone")

    with monkeypatch.context() as broken:
        broken.setattr(database, "write", away)
        results = await asyncio.gather(
            *(writer.write(region.id, [Observation("image", NOW, ImageSummary(1, 2))]) for _ in range(3)),
            return_exceptions=True,
        )
    assert [type(result) for result in results] == [DatabaseAway] * 3
    await writer.write(region.id, [Observation("image", NOW, ImageSummary(1, 2))])
    assert await CapacityStore(database).summaries()


async def test_times_are_utc_whatever_zone_they_came_in_and_naive_ones_are_a_bug(database: Database) -> None:
    region = await insert(database)
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    await update(database, replace(region, maintenance=Maintenance("disks", tokyo)))

    (found,) = await RegionStore(database).select()
    assert found.maintenance
    assert found.maintenance.ends_at == NOW
    assert found.maintenance.ends_at.tzinfo is UTC
    with pytest.raises(sa.exc.StatementError, match="without time zone"):
        await update(database, replace(found, maintenance=Maintenance("x", NOW.replace(tzinfo=None))))


async def test_a_document_of_another_version_is_read_as_none(database: Database) -> None:
    region, store = await insert(database), CapacityStore(database)
    writer = ObservationWriter(database)
    await writer.write(region.id, [Observation("placement", NOW, PlacementSummary(providers=2))])
    async with database.write() as connection:
        await connection.execute(sa.update(observations).values(summary={"providers": "two"}))
    assert await store.summaries() == {}


async def test_what_regions_say_can_be_stored_even_when_it_is_odd(database: Database) -> None:
    region, store = await insert(database), CapacityStore(database)
    writer = ObservationWriter(database)
    odd = ImageSummary(1, 2, {"a\x00b": 1, "Bodø 🇳🇴": 2})
    await writer.write(region.id, [Observation("image", NOW, odd)])
    assert (await store.summaries())[region.id]["image"] == odd


async def test_a_negative_id_of_no_region_is_no_error(database: Database) -> None:
    await ObservationWriter(database).write(-1, [Observation("image", NOW, ImageSummary())])
    async with database.read() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(regions)) == 0
