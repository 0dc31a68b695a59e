"""When each region is read, by a clock that we move."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from multisite.errors import DatabaseAway
from multisite.openstack.client import Outcome
from multisite.openstack.failures import RegionCallError
from multisite.regions.model import Region
from multisite.sweeps.sharing import Move
from tests.unit.sweeps.conftest import ONE, TWO, World


async def test_every_enabled_region_is_swept_at_once_and_then_at_its_interval(world: World) -> None:
    world.store.regions = [ONE, replace(TWO, enabled=False)]

    assert await world.tick() == ["one"]
    assert await world.tick(after=59.9) == []
    assert await world.tick(after=0.1) == ["one"]


async def test_a_region_may_have_an_interval_of_its_own(world: World) -> None:
    world.store.regions = [replace(ONE, sweep_interval=5), TWO]

    assert await world.tick() == ["one", "two"]
    assert await world.tick(after=5) == ["one"]


async def test_jitter_stays_within_its_share_of_the_interval(world: World) -> None:
    world.scheduler.settings = replace(world.scheduler.settings, jitter=0.1)
    spread = {world.scheduler._spread(60) for _ in range(500)}
    assert 54 <= min(spread) < 57
    assert 63 < max(spread) <= 66


async def test_only_the_regions_that_we_hold_are_read(world: World) -> None:
    world.shares.others = {2}
    assert await world.tick() == ["one"]
    assert (world.scheduler.status.regions, world.scheduler.status.enabled) == (1, 2)

    world.shares.move = Move(take=frozenset({2}))
    assert await world.tick(after=1) == ["two"]
    assert world.scheduler.status.regions == 2


async def test_a_region_that_is_given_up_is_swept_no_more_before_it_is_free(world: World) -> None:
    world.sweeps.held["two"] = asyncio.Event()
    await world.tick()
    task = world.scheduler._plans[2].task
    assert task
    still: list[bool] = []

    async def give(region_ids: Any) -> None:
        still.append(not task.done())
        world.shares.others |= set(region_ids)

    world.shares.give = give  # type: ignore[method-assign]
    world.shares.move = Move(give=frozenset({2}))
    await world.tick(after=1)
    assert world.shares.busy == {2}
    assert still == [False]
    assert world.sweeps.forgotten == ["two"]
    assert await world.tick(after=60) == ["one"]


async def test_a_region_that_somebody_took_from_us_is_dropped(world: World) -> None:
    dropped: list[int] = []

    def drop(region_id: int) -> list[asyncio.Task[None]]:
        dropped.append(region_id)
        return []

    world.scheduler.drop = [drop]
    await world.tick()
    world.shares.others = {1, 2}
    assert await world.tick(after=60) == []
    assert sorted(dropped) == [1, 2]
    world.shares.others = set()
    assert await world.tick(after=1) == ["one", "two"]


async def test_whoever_was_taken_for_dead_drops_everything_at_once(world: World) -> None:
    world.sweeps.held |= {"one": asyncio.Event(), "two": asyncio.Event()}
    await world.tick()
    tasks = [plan.task for plan in world.scheduler._plans.values() if plan.task]
    heard(world, "compute")

    world.scheduler.lose()

    assert all(task.cancelling() for task in tasks)
    assert len(tasks) == 2
    world.sweeps.held.clear()
    assert await world.tick(after=60) == []
    assert world.store.written == [], "what was heard before is old"


async def test_nothing_is_read_while_others_may_have_our_regions(world: World) -> None:
    world.shares.alive = False
    heard(world, "compute")
    assert await world.tick() == []
    assert world.store.written == []

    world.shares.alive = True
    assert await world.tick(after=1) == ["one", "two"]


async def test_a_sweep_that_is_still_under_way_is_not_started_again(world: World) -> None:
    world.sweeps.held["one"] = asyncio.Event()
    assert await world.tick() == ["one", "two"]
    assert await world.tick(after=60) == ["two"]

    world.sweeps.held["one"].set()
    await world.tick()
    assert await world.tick(after=60) == ["one", "two"]


async def test_a_new_region_is_swept_at_once(world: World) -> None:
    await world.tick()
    world.store.regions = [ONE, TWO, Region("three", "three", "c", id=3)]
    assert await world.tick(after=1) == ["three"]


@pytest.mark.parametrize("gone", [[TWO], [replace(ONE, enabled=False), TWO]], ids=["deleted", "disabled"])
async def test_a_region_that_is_gone_is_forgotten_and_its_sweep_ended(
    world: World, gone: list[Region]
) -> None:
    world.sweeps.held["one"] = asyncio.Event()
    await world.tick()
    task = world.scheduler._plans[1].task
    world.store.regions = gone
    await world.tick(after=1)

    assert task
    assert task.cancelled() or task.cancelling()
    assert world.sweeps.forgotten == ["one"]
    assert list(world.scheduler._plans) == [2]


async def test_a_region_that_was_changed_is_read_anew_at_once(world: World) -> None:
    await world.tick()
    world.store.regions = [replace(ONE, credential="other", generation=2), TWO]
    assert await world.tick(after=1) == ["one"]
    assert world.sweeps.forgotten == ["one"]


@pytest.mark.parametrize("failure", [DatabaseAway("gone"), RuntimeError("surprise")])
async def test_a_sweep_that_fails_is_counted_and_tried_again(world: World, failure: Exception) -> None:
    world.sweeps.failure = failure
    await world.tick()
    assert (world.scheduler.status.failures, world.scheduler.status.sweeps) == (2, 0)

    world.sweeps.failure = None
    assert await world.tick(after=60) == ["one", "two"]
    assert world.scheduler.status.sweeps == 2


@pytest.mark.parametrize("failure", [DatabaseAway("gone"), RuntimeError("surprise")])
async def test_the_loop_survives_a_database_that_is_away(world: World, failure: Exception) -> None:
    world.store.failure = failure
    assert await world.tick() == []
    assert world.scheduler.status.failures == 1

    world.store.failure = None
    assert await world.tick(after=1) == ["one", "two"]


def heard(world: World, service: str, code: str | None = None) -> None:
    error = RegionCallError(code, "why") if code else None
    world.scheduler.book.heard(Outcome("one", service, world.clock.now(), error))


async def test_what_calls_taught_is_stored_at_the_next_tick_whoever_has_the_region(world: World) -> None:
    world.shares.others = {1, 2}
    heard(world, "compute")
    await world.tick()
    assert [record.service for record in world.store.written] == ["compute"]


async def test_what_could_not_be_stored_is_stored_later(world: World) -> None:
    heard(world, "compute", "timeout")
    world.store.failure = DatabaseAway("gone")
    await world.tick()
    world.store.failure = None
    await world.tick(after=1)

    (record,) = world.store.written
    assert record.calls.failing


def probing(monkeypatch: pytest.MonkeyPatch, answers: Callable[[str], bool]) -> list[str]:
    probed: list[str] = []

    async def probe(client: str, service: str) -> bool:
        if client == "one":
            probed.append(service)
        return answers(service)

    monkeypatch.setattr("multisite.sweeps.scheduler.probe", probe)
    return probed


async def test_only_services_that_were_not_heard_from_are_probed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = probing(monkeypatch, lambda _: False)
    await world.tick()
    assert probed == []

    world.clock.advance(timedelta(seconds=14))
    heard(world, "compute")
    await world.tick(after=1)
    assert probed == ["volume"]


async def test_a_region_of_which_a_service_is_back_is_swept_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.tick()
    heard(world, "volume", "connection-refused")
    probing(monkeypatch, lambda service: service == "volume")
    await world.tick(after=15)

    assert "one" in await world.tick(after=1)


async def test_a_service_that_was_well_all_along_brings_no_sweep_forward(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.tick()
    probing(monkeypatch, lambda _: True)
    await world.tick(after=15)
    assert await world.tick(after=1) == []


def noting(notes: list[list[str]]) -> Callable[[Any], Any]:
    async def work(regions: Any) -> None:
        notes.append([region.name for region in regions])

    return work


async def test_periodic_work_gets_the_regions_that_we_sweep(world: World) -> None:
    given: list[list[str]] = []
    world.scheduler.periodic = [noting(given)]
    world.store.regions = [ONE, TWO, Region("three", "three", "c", id=3, enabled=False)]
    world.shares.others = {2}
    await world.tick()
    assert given == [["one"]]


async def test_work_for_all_regions_is_done_by_the_one_with_the_lease(world: World) -> None:
    given: list[list[str]] = []
    world.scheduler.together = [noting(given)]
    world.store.regions = [ONE, TWO, Region("three", "three", "c", id=3, enabled=False)]
    world.shares.others = {2}
    await world.tick()
    world.lease.ours = False
    await world.tick(after=1)
    assert given == [["one", "two"]]


async def test_stopping_ends_what_is_under_way_stores_what_was_heard_and_gives_all_up(
    world: World,
) -> None:
    world.sweeps.held["one"] = asyncio.Event()
    await world.tick()
    task = world.scheduler._plans[1].task
    heard(world, "compute")

    await world.scheduler.stop()

    assert task
    assert task.cancelled()
    assert len(world.store.written) == 1
    assert world.shares.events == ["left"]
    assert world.lease.released
