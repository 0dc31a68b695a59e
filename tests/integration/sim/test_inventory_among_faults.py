"""Every way in which a simulated region misbehaves: its rows stay as they were, others are read as ever."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from multisite.inventory.kinds import BY_NAME
from multisite.inventory.queries import Filters
from multisite.sim import Plan
from multisite.sim.listening import running
from multisite.sim.load import change
from multisite.sim.world import Region
from tests.integration.sim.inventoried import Inventoried, truth
from tests.integration.sim.over_regions import DEADLY

PLAN = Plan(regions=3, hosts=3, servers=8, projects=2, names=("one", "two", "three"))
SERVICES = {"compute", "volume", "network", "image"}


@pytest.fixture
def inventoried(tmp_path: Path) -> Iterator[Inventoried]:
    with running(PLAN, own_ports=True) as cloud:
        made = Inventoried(cloud, tmp_path)
        try:
            yield made
        finally:
            made.close()


def assert_true(inventoried: Inventoried, *regions: str) -> None:
    """What is listed of these regions is what they have."""
    listed = inventoried.listed()
    for name in regions:
        for kind, things in truth(inventoried.cloud, name).items():
            assert listed[name][kind] == things, (name, kind)


def grow(inventoried: Inventoried, name: str) -> None:
    """A server more, and one fewer."""
    region = inventoried.cloud.simulator.world.region(name)

    def work() -> None:
        gone = next(iter(region.compute.servers.values()))
        region.compute.delete_server(gone)
        model = next(iter(region.compute.servers.values()))
        region.compute.create_server(
            name="one-more",
            project_id=model.project_id,
            user_id=model.user_id,
            flavor=model.flavor,
            image_id=model.image_id,
        )
        region.touch()

    inventoried.cloud.run(work)


def _change(region: Region, draws: random.Random) -> None:
    for _ in range(8):
        change(region, draws)


def test_without_faults_everything_is_true(inventoried: Inventoried) -> None:
    inventoried.refresh()
    assert inventoried.missing() == ()
    assert_true(inventoried, "one", "two", "three")
    for name in ("one", "two"):
        grow(inventoried, name)
    inventoried.refresh()
    assert_true(inventoried, "one", "two", "three")


def test_a_hidden_image_is_listed_as_hidden(inventoried: Inventoried) -> None:
    region = inventoried.cloud.simulator.world.region("one")
    image = next(iter(region.image.images.values()))
    inventoried.refresh()
    image.hidden = True
    inventoried.cloud.run(region.touch)
    inventoried.refresh()
    assert_true(inventoried, "one")
    read = inventoried.queries.item(Filters(BY_NAME["image"]), "one", image.id)
    item = inventoried.run(lambda: read)
    assert item is not None
    assert item.attributes["hidden"] is True


@pytest.mark.parametrize(("fault", "code"), DEADLY, ids=str)
def test_a_region_that_misbehaves_keeps_its_rows_and_is_named(
    inventoried: Inventoried, fault: dict[str, Any], code: str
) -> None:
    inventoried.refresh()
    before = inventoried.listed()["two"]
    for name in ("one", "two"):
        grow(inventoried, name)
    values = dict(fault)
    inventoried.cloud.set(values.pop("kind"), region="two", **values)
    started = time.monotonic()
    inventoried.refresh()
    assert time.monotonic() - started < 20, "nobody waits longer than a deadline"
    assert inventoried.listed()["two"] == before
    assert_true(inventoried, "one", "three")
    missing = inventoried.missing()
    assert {each.region for each in missing} == {"two"}
    assert {each.service for each in missing} == SERVICES
    assert code in {each.code for each in missing}
    inventoried.cloud.clear()
    inventoried.restart()
    inventoried.refresh()
    assert inventoried.missing() == ()
    assert_true(inventoried, "one", "two", "three")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "latency", "seconds": 0.1, "spread": 0.1},
        {"kind": "status", "status": 503, "calls": 1, "service": "compute"},
        {"kind": "status", "status": 429, "calls": 1, "retry_after": 0.1, "service": "network"},
        {"kind": "reset", "calls": 1, "service": "volume"},
        {"kind": "expire", "calls": 1},
        {"kind": "skew", "seconds": 7200},
        {"kind": "skew", "seconds": 86400 * 400},
    ],
    ids=str,
)
def test_what_passes_is_not_noticed(inventoried: Inventoried, fault: dict[str, Any]) -> None:
    inventoried.refresh()
    grow(inventoried, "two")
    values = dict(fault)
    inventoried.cloud.set(values.pop("kind"), region="two", **values)
    inventoried.refresh()
    assert inventoried.missing() == ()
    assert_true(inventoried, "one", "two", "three")
    grow(inventoried, "two")
    inventoried.refresh()
    assert_true(inventoried, "two")


def test_a_clock_that_was_ahead_hides_nothing_when_it_is_set_right(inventoried: Inventoried) -> None:
    inventoried.cloud.set("skew", region="two", seconds=3600)
    grow(inventoried, "two")
    inventoried.refresh()
    inventoried.cloud.clear()
    for _ in range(2):
        grow(inventoried, "two")
        inventoried.refresh()
        assert_true(inventoried, "two")


def test_a_clock_that_falls_behind_is_made_good_by_the_next_full_read(inventoried: Inventoried) -> None:
    grow(inventoried, "two")
    inventoried.refresh()
    inventoried.cloud.set("skew", region="two", seconds=-7200)
    grow(inventoried, "two")
    inventoried.refresh()
    inventoried.settings = replace(inventoried.settings, full_interval=0)
    inventoried.restart()
    inventoried.refresh()
    assert_true(inventoried, "two")


def test_a_region_away_and_back(inventoried: Inventoried) -> None:
    inventoried.refresh()
    before = inventoried.listed()["two"]
    inventoried.cloud.set("refuse", region="two")
    for _ in range(4):
        grow(inventoried, "two")
        inventoried.refresh()
        assert inventoried.listed()["two"] == before
    assert {each.region for each in inventoried.missing()} == {"two"}
    inventoried.cloud.clear()
    inventoried.restart()
    inventoried.refresh()
    assert_true(inventoried, "one", "two", "three")


def test_figures_that_contradict_lose_no_item(inventoried: Inventoried) -> None:
    inventoried.refresh()
    before = inventoried.listed()
    inventoried.cloud.set("contradict", region="two")
    inventoried.refresh()
    listed = inventoried.listed()
    for kind, things in before["two"].items():
        assert listed["two"][kind].keys() == things.keys(), kind
    assert_true(inventoried, "one", "three")


def test_a_stale_answer_is_made_good_when_the_region_tells_the_truth(inventoried: Inventoried) -> None:
    inventoried.refresh()
    inventoried.cloud.set("stale", region="two")
    inventoried.refresh()
    grow(inventoried, "two")
    inventoried.refresh()
    inventoried.cloud.clear()
    inventoried.refresh()
    assert_true(inventoried, "one", "two", "three")


def test_a_listing_that_fails_on_its_third_page_changes_nothing(
    inventoried: Inventoried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multisite.openstack.nova.PAGE", 3, raising=True)
    inventoried.refresh()
    before = inventoried.listed()["two"]
    region = inventoried.cloud.simulator.world.region("two")
    two = list(region.compute.servers.values())[:2]
    for each in two:
        inventoried.cloud.run(partial(region.compute.delete_server, each))
    inventoried.cloud.run(region.touch)
    inventoried.settings = replace(inventoried.settings, full_interval=0)
    inventoried.restart()
    seen = 0
    faults = inventoried.cloud.simulator.faults
    choose = faults.choose

    def third(region: str, service: str, route: str) -> Any:
        nonlocal seen
        if region == "two" and route.startswith("GET /servers/detail"):
            seen += 1
            if seen < 3:
                return []
        return choose(region, service, route)

    inventoried.cloud.set("status", region="two", route="GET /servers/detail", status=500)
    monkeypatch.setattr(faults, "choose", third)
    inventoried.refresh()
    assert seen >= 3
    assert inventoried.listed()["two"]["server"].keys() == before["server"].keys(), "ports were read as ever"
    assert {(each.region, each.service) for each in inventoried.missing()} == {("two", "compute")}
    inventoried.cloud.clear()
    inventoried.restart()
    inventoried.refresh()
    assert_true(inventoried, "one", "two", "three")


def test_many_changes_of_tenants_are_all_seen(inventoried: Inventoried) -> None:
    draws = random.Random(7)  # noqa: S311 - a seeded world
    inventoried.refresh()
    for _ in range(3):
        for name in ("one", "two", "three"):
            region = inventoried.cloud.simulator.world.region(name)
            inventoried.cloud.run(partial(_change, region, draws))
        inventoried.refresh()
        assert_true(inventoried, "one", "two", "three")
