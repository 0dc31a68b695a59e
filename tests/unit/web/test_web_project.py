"""A project's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from multisite.regions.states import State
from multisite.usage.model import ResourceUsage, resource_usage
from multisite.web.usage_rows import grouped, use

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser, World

RESOURCES = {
    "compute/cores": resource_usage(18, 20, reserved=1),
    "compute/ram": resource_usage(2048, -1),
    "compute/key_pairs": resource_usage(None, 100),
    "image/image_size_total": resource_usage(3 * 2**30, None),
}


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


async def test_it_shows_use_limit_and_left_per_region_and_in_total(world: World, browser: Browser) -> None:
    world.project(RESOURCES, RegionOne=True, RegionTwo=True)
    await browser.log_in("alice")
    answer = await browser.get("/project")
    assert answer.status == 200
    assert "VCPU 38 40 2" in answer.words
    assert "19 of 20" in answer.words
    assert "1 left" in answer.words
    assert "Complete: fresh figures of every region" in answer.words


async def test_a_limit_that_nobody_knows_is_a_dash_once(world: World, browser: Browser) -> None:
    world.project(RESOURCES, RegionOne=True, RegionTwo=True)
    await browser.log_in("alice")
    words = (await browser.get("/project")).words
    assert plain("Image space 6 GiB – Complete") in plain(words), "used, limit, and nothing left to tell"
    assert plain("3 GiB of") not in plain(words)


async def test_one_region_shows_all_its_resources(world: World, browser: Browser) -> None:
    world.project(RESOURCES, RegionOne=True, RegionTwo=True)
    await browser.log_in("alice")
    answer = await browser.get("/project?region=RegionTwo")
    assert "use-RegionTwo" in answer.text
    assert "use-RegionOne" not in answer.text
    assert (await browser.get("/project?region=nowhere")).status == 404


async def test_a_region_without_the_project_says_so(world: World, browser: Browser) -> None:
    world.project(RESOURCES, RegionOne=True, RegionTwo=False)
    await browser.log_in("alice")
    assert "The project does not exist in this region." in (await browser.get("/project")).words


async def test_what_is_missing_is_named(world: World, browser: Browser) -> None:
    world.region("RegionTwo", ill={"volume": State.UNREACHABLE})
    world.project(RESOURCES, RegionOne=True, RegionTwo=True)
    await browser.log_in("alice")
    answer = await browser.get("/project")
    assert "Incomplete: 1 of 2 regions missing in whole or in part: RegionTwo" in answer.words
    assert "degraded volume unreachable" in answer.words


@pytest.mark.parametrize(
    ("usage", "used", "limit", "left", "share"),
    [
        (resource_usage(3, 20), "3", "20", "17", 15.0),
        (resource_usage(3, 20, reserved=2), "5", "20", "15", 25.0),
        (resource_usage(25, 20), "25", "20", "-5", 100.0),
        (resource_usage(0, 0), "0", "0", "0", 0.0),
        (resource_usage(3, -1), "3", "unlimited", "", None),
        (resource_usage(3, None), "3", "–", "", None),
        (resource_usage(None, 20), "–", "20", "", None),
    ],
)
def test_rows(usage: ResourceUsage, used: str, limit: str, left: str, share: float | None) -> None:
    row = use("compute/cores", usage)
    assert (row.used, row.limit, row.left, row.full_share) == (used, limit, left, share)


def test_units_are_the_resources_own() -> None:
    assert plain(use("compute/ram", resource_usage(2048, -1)).used) == "2 GiB"
    assert plain(use("volume/gigabytes_ssd", resource_usage(2048, -1)).used) == "2 TiB"
    assert plain(use("image/image_size_total", resource_usage(2048, -1)).used) == "2 KiB"


def test_resources_of_services_that_we_do_not_know_come_last() -> None:
    groups = grouped({"shared-file-system/shares": resource_usage(1, 2), **RESOURCES})
    assert list(groups) == ["compute", "image", "shared-file-system"]


async def test_a_total_says_which_of_its_services_lacks_regions(world: World, browser: Browser) -> None:
    world.region("RegionTwo", ill={"volume": State.STALE})
    world.project(
        {"compute/cores": resource_usage(1, 2), "volume/volumes": resource_usage(1, 2)},
        RegionOne=True,
        RegionTwo=True,
    )
    await browser.log_in("alice")
    text = (await browser.get("/project")).text
    cards = text.split('data-service="')[1:]
    assert {card.split('"')[0]: "without 1 region" in card for card in cards} == {
        "compute": False,
        "volume": True,
    }
