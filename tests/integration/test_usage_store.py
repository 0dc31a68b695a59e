"""Use of projects, in the database."""

from datetime import UTC, datetime, timedelta

from multisite.db.engine import Database
from multisite.openstack.client import Target
from multisite.regions.model import Region
from multisite.regions.states import CallError, Last
from multisite.regions.store import RegionStore
from multisite.usage.model import resource_usage
from multisite.usage.store import TrackedProject, UsageReading, UsageStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
CORES = {"compute/cores": resource_usage(3, 20, 1), "compute/key_pairs": resource_usage(None, 100)}


async def region(database: Database, name: str = "r") -> int:
    async with database.write() as connection:
        return await RegionStore(database).insert(connection, Region(name, name, "c"))


async def test_figures_come_back_as_they_were(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    await store.write("p", region_id, [UsageReading("compute", NOW, CORES)])

    ((row,),) = (await store.rows(["p", "q"])).values()
    assert (row.service, row.found, row.figures, row.error) == ("compute", True, Last(NOW), None)
    assert row.resources == CORES


async def test_a_failure_keeps_the_figures_of_the_last_success(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    await store.write("p", region_id, [UsageReading("compute", NOW, CORES)])
    await store.write("p", region_id, [UsageReading("compute", LATER, error=CallError("timeout", "why"))])

    ((row,),) = (await store.rows(["p"])).values()
    assert row.figures == Last(NOW, LATER)
    assert row.error == CallError("timeout", "why")
    assert row.resources == CORES


async def test_a_large_figure_is_kept_exactly(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    bytes_ = {"image/image_size_total": resource_usage(2**70 + 1, None)}
    await store.write("p", region_id, [UsageReading("image", NOW, bytes_)])
    assert (await store.rows(["p"]))["p"][0].resources == bytes_


async def test_use_of_a_deleted_region_is_dropped(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    await store.write("p", region_id, [UsageReading("compute", NOW, CORES)])
    regions = RegionStore(database)
    async with database.write() as connection:
        await regions.delete(connection, (await regions.select())[0])
    await store.write("p", region_id, [UsageReading("compute", LATER, CORES)])
    assert await store.rows(["p"]) == {}


async def test_a_name_that_is_not_known_does_not_replace_one_that_is(database: Database) -> None:
    store = UsageStore(database)
    await store.track([TrackedProject("p", "alpha", "Default")], NOW)
    await store.track([TrackedProject("p")], LATER)

    assert await store.project("p") == TrackedProject("p", "alpha", "Default", LATER)
    assert await store.project("q") is None


async def test_projects_are_followed_since_the_last_question(database: Database) -> None:
    store = UsageStore(database)
    await store.track([TrackedProject("old"), TrackedProject("new")], NOW)
    await store.track([TrackedProject("new")], LATER)

    assert [project.project_id for project in await store.tracked(LATER)] == ["new"]
    assert [project.project_id for project in await store.tracked(NOW)] == ["new", "old"]


async def test_what_nobody_asks_for_any_more_is_forgotten_with_its_figures(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    await store.track([TrackedProject("old"), TrackedProject("new")], NOW)
    for project in ("old", "new"):
        await store.write(project, region_id, [UsageReading("compute", NOW, CORES)])
    await store.track([TrackedProject("new")], LATER)

    await store.forget(LATER)

    assert set(await store.rows(["old", "new"])) == {"new"}
    assert await store.project("old") is None


async def test_a_project_that_is_found_is_absent_in_no_service_any_more(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    absent = [UsageReading(service, NOW, found=False) for service in ("compute", "volume", "image")]
    await store.write("p", region_id, absent)
    await store.write("p", region_id, [UsageReading("compute", LATER, error=CallError("timeout", "why"))])
    assert len((await store.rows(["p"]))["p"]) == 3, "a failure proves nothing"

    await store.write("p", region_id, [UsageReading("compute", LATER, CORES)])

    ((row,),) = (await store.rows(["p"])).values()
    assert (row.service, row.found) == ("compute", True)


async def test_use_that_was_read_with_what_a_region_was_before_is_dropped(database: Database) -> None:
    store, region_id = UsageStore(database), await region(database)
    await store.write(
        "p", region_id, [UsageReading("compute", NOW, CORES)], Target("r", "r", "other", "public")
    )
    assert await store.rows(["p"]) == {}
    await store.write("p", region_id, [UsageReading("compute", NOW, CORES)], Target("r", "r", "c", "public"))
    assert set(await store.rows(["p"])) == {"p"}
