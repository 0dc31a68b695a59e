"""The wall, the tenants' list and the filter."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from multisite.capacity.model import CapacityWarning
from multisite.regions.model import Maintenance
from multisite.regions.states import State

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser, World

DEAD = dict.fromkeys(("compute", "image", "network", "placement", "volume"), State.UNREACHABLE)
STALE = dict.fromkeys(DEAD, State.STALE)


def names(answer: Answer) -> list[str]:
    return re.findall(r'<li class="tile[^"]*" id="tile-([^"]+)"', answer.text)


@pytest.fixture
async def every_state(world: World) -> World:
    """One region in each condition that a tile can be in."""
    world.views.clear()
    world.region("well")
    world.region("dead", ill=DEAD)
    world.region("part", ill={"volume": State.UNREACHABLE})
    world.region("old", ill=STALE)
    world.region("off", enabled=False)
    world.region("planned", maintenance=Maintenance("new racks"))
    world.region("planned-dead", ill=DEAD, maintenance=Maintenance("new racks"))
    world.region("tight", warnings=(CapacityWarning("VCPU", 4.2, 10.0),))
    return world


def look(tile: str) -> tuple[str, ...]:
    """What makes a tile look as it does: the classes and the state that the style sheet knows."""
    start = re.search(r'<li class="(tile[^"]*)"[^>]* data-state="([^"]+)"', tile)
    assert start
    return (*sorted(start.group(1).split()), start.group(2))


async def test_every_condition_looks_different(every_state: World, browser: Browser) -> None:
    await browser.log_in("root")
    wall = await browser.get("/wall")
    looks = {name: look(wall.tile(name)) for name in every_state.views}
    assert len(set(looks.values())) == len(looks), looks


@pytest.mark.usefixtures("every_state")
async def test_every_state_has_a_word_and_a_shape_of_its_own(browser: Browser) -> None:
    await browser.log_in("root")
    wall = await browser.get("/wall")
    states = {"well": "fresh", "dead": "unreachable", "part": "degraded", "old": "stale", "off": "disabled"}
    for name, state in states.items():
        head = wall.tile(name).split("</div>")[0]
        assert f'href="#i-{state}"' in head
        assert re.search(rf'data-state="{state}">.*{state}</span>', head)
        assert f'<symbol id="i-{state}"' in wall.text
    assert "Maintenance" in wall.tile("planned")
    assert "new racks" in wall.tile("planned")
    assert "VCPU: 4\u00a0% free" in wall.tile("tight")


@pytest.mark.usefixtures("every_state")
async def test_the_style_sheet_knows_every_state(browser: Browser) -> None:
    css = (await browser.get("/static/wall.css")).text
    for state in ("unreachable", "degraded", "stale", "disabled"):
        assert f'.tile[data-state="{state}"]' in css
    assert ".tile.maintenance" in css


@pytest.mark.usefixtures("every_state")
async def test_a_dead_region_says_why_and_since_when_and_keeps_its_last_figures(browser: Browser) -> None:
    await browser.log_in("root")
    tile = (await browser.get("/wall")).tile("dead")
    assert "connection-refused" in tile
    assert "12\u00a0s ago" in tile
    assert "last figures" in tile
    assert "<b>4</b> of 40" in tile


async def test_the_age_of_a_tile_is_that_of_what_it_shows(world: World, browser: Browser) -> None:
    """They are read every ten minutes, and a tile shows none of them."""
    view = world.views["RegionOne"]
    old = world.clock.now() - timedelta(minutes=9)
    services = dict(view.services)
    services["image"] = replace(services["image"], observed_at=old)
    world.views["RegionOne"] = replace(view, services=services)
    await browser.log_in("root")
    assert ">12\u00a0s ago</time>" in (await browser.get("/wall")).tile("RegionOne")
    services["identity"] = replace(services["image"], observed_at=world.clock.now())
    services |= {name: replace(services[name], state=State.UNREACHABLE) for name in DEAD}
    world.views["RegionOne"] = replace(view, services=services)
    assert ">12\u00a0s ago</time>" in (await browser.get("/wall")).tile("RegionOne"), "nor that of Keystone"
    services["volume"] = replace(services["volume"], state=State.FRESH, observed_at=old)
    world.views["RegionOne"] = replace(view, services=services)
    assert ">9\u00a0min ago</time>" in (await browser.get("/wall")).tile("RegionOne")


@pytest.mark.usefixtures("every_state")
async def test_totals_say_what_is_missing(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    totals = (await browser.get("/wall")).words
    assert "Incomplete: 4 regions are missing in whole or in part" in totals
    assert "part volume unreachable" in totals
    world.views = {"well": world.views["well"]}
    world.capacities = {"well": world.capacities["well"]}
    assert "Complete: fresh figures of every region" in (await browser.get("/wall")).words


async def test_maintenance_that_has_ended_is_not_shown(world: World, browser: Browser) -> None:
    ends_at = world.clock.now() + timedelta(minutes=1)
    world.region("RegionOne", maintenance=Maintenance("new racks", ends_at))
    await browser.log_in("root")
    assert "new racks" in (await browser.get("/wall")).text
    world.clock.advance(timedelta(minutes=2))
    assert "new racks" not in (await browser.get("/wall")).text


async def test_the_order_is_by_position_by_name_or_worst_first(world: World, browser: Browser) -> None:
    world.views.clear()
    world.region("a", position=3)
    world.region("B", position=1)
    world.region("c", position=2, ill=DEAD)
    await browser.log_in("root")
    assert names(await browser.get("/wall")) == ["B", "c", "a"]
    assert names(await browser.get("/wall?order=name")) == ["a", "B", "c"]
    assert names(await browser.get("/wall?order=state")) == ["c", "B", "a"]
    for field, there in (
        ("order", "position, name, state"),
        ("state", "fresh, "),
        ("density", "full, compact"),
    ):
        refused = await browser.get(f"/wall?{field}=nonsense")
        assert refused.status == 400
        assert f"{field}: there is no 'nonsense'; there are: {there}" in refused.words.lower()


async def test_filters_by_name_label_and_state(world: World, browser: Browser) -> None:
    world.views.clear()
    world.region("Oslo", labels={"country": "no"})
    world.region("Bergen", labels={"country": "no"}, ill=DEAD)
    world.region("Malmo", labels={"country": "se"})
    await browser.log_in("root")
    assert names(await browser.get("/wall?name=OSL")) == ["Oslo"]
    assert names(await browser.get("/wall?label=country%3Dno")) == ["Bergen", "Oslo"]
    assert names(await browser.get("/wall?label=country%3Dno&state=unreachable")) == ["Bergen"]
    nothing = await browser.get("/wall?name=nowhere")
    assert names(nothing) == []
    assert "no region fits the filter" in nothing.words


async def test_totals_are_those_of_the_regions_that_are_shown(world: World, browser: Browser) -> None:
    world.region("RegionTwo", used=40)
    await browser.log_in("root")
    assert "44 of 80 used" in (await browser.get("/wall")).words
    assert "40 of 40 used" in (await browser.get("/wall?name=two")).words


async def test_many_regions_make_small_tiles_unless_the_viewer_wants_large_ones(
    world: World, browser: Browser
) -> None:
    for number in range(80):
        world.region(f"r{number}")
    await browser.log_in("root")
    assert "board compact" in (await browser.get("/wall")).element("board")
    assert "compact" not in (await browser.get("/wall?density=full")).element("board")
    assert "compact" not in (await browser.get("/wall?name=r79")).element("board")


async def test_a_tenant_has_no_wall_and_no_region_page(browser: Browser) -> None:
    await browser.log_in("alice")
    for path in ("/wall", "/wall/regions/RegionOne"):
        answer = await browser.get(path)
        assert answer.status == 403
        assert "Capacity is for operators." in answer.words
        assert "catalog-RegionOne" not in answer.text


async def test_a_tenant_sees_states_and_codes_only(every_state: World, browser: Browser) -> None:
    await browser.log_in("alice")
    every_state.project({}, well=True, dead=True)
    for path in ("/regions", "/project", "/project?region=dead"):
        answer = await browser.get(path)
        assert answer.status == 200
        for secret in ("10.20.30.40", "refused the connection", "lab-admin", "catalog-", "VCPU: 4"):
            assert secret not in answer.text, path
    regions = await browser.get("/regions")
    assert "all services: connection-refused" in regions.words
    assert names(regions) == sorted(every_state.views)
    assert 'href="/wall' not in regions.text
    assert every_state.capacity_questions == 0


async def test_a_dashboard_is_a_link_only_where_it_is_a_web_address(world: World, browser: Browser) -> None:
    world.region("RegionOne", dashboard_url="https://dashboard.example/")
    world.region("RegionTwo", dashboard_url="javascript:alert(1)")
    await browser.log_in("alice")
    answer = await browser.get("/regions")
    assert 'href="https://dashboard.example/"' in answer.text
    assert "javascript:" not in answer.text


async def test_a_total_says_which_of_its_bars_lacks_regions(world: World, browser: Browser) -> None:
    world.views, world.capacities = {}, {}
    world.region("RegionOne")
    world.region("RegionTwo", ill={"volume": State.UNREACHABLE})
    await browser.log_in("root")
    text = (await browser.get("/wall")).text
    totals = text[text.index('id="totals"') : text.index("</dl>")]
    lacking = {part.split("<")[0]: "without 1 region" in part for part in totals.split("<dt>")[1:]}
    assert lacking == {
        "VCPU": False,
        "Memory": False,
        "Disk": False,
        "Volumes": True,
        "Ext. IPv4": False,
        "Servers": False,
    }
