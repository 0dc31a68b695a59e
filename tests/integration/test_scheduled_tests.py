"""The credentials of all enabled regions are tested every so often, as an operation that operators see."""

from dataclasses import replace

from multisite.clock import FixedClock
from multisite.engine.schedules import Scheduling
from multisite.regions.model import Region
from multisite.regions.workflows import schedule_of_tests
from tests.integration.service import Service


async def test_a_tick_begins_one_operation_over_the_enabled_regions(
    service: Service, clock: FixedClock
) -> None:
    region = Region("north", "north", "lab-admin")
    async with service.store.database.write() as connection:
        for each in (region, replace(region, name="south"), replace(region, name="off", enabled=False)):
            await service.store.insert(connection, each)
    database, operations = service.assembly.database, service.assembly.operations
    schedule = schedule_of_tests(3600, service.store, operations)
    for process in ("one", "two"):
        await Scheduling(database, clock, process, [schedule]).look()
    answer = await service.call("GET", "/v1/operations")
    (operation,) = answer.json["operations"]
    assert (operation["kind"], operation["user_name"], operation["project_id"]) == (
        "region-test", "multisite", None,
    )  # fmt: skip
    shown = await service.call("GET", f"/v1/operations/{operation['id']}")
    assert [part["name"] for part in shown.json["regions"]] == ["north", "south"]
