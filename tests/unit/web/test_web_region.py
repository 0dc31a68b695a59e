"""A region's page, and names that mean harm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from multisite.capacity.details import Fit, Host, Network, Pool, Store, Subnet
from multisite.capacity.model import Inventory, Provider
from multisite.regions.model import Maintenance
from multisite.regions.states import State
from multisite.usage.model import resource_usage
from multisite.web import region

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser, World

EVIL = '"><script>alert(1)<%2Fscript><img src=x onerror=alert(2)>'


def fill(world: World, name: str, text: str) -> None:
    """Details of a region, every name in them `text`."""
    world.details[name] = replace(
        world.details[name],
        providers=(
            Provider("u1", text, "u1", 1, "nova", True, False, {"VCPU": Inventory(8, 0, 4.0)}, {"VCPU": 6}),
        ),
        hosts=(Host(text, "nova-compute", text, "disabled", "down", text),),
        pools=(
            Pool(text, text, 100.0, 40.0, 12.0, 20.0, True),
            Pool("nfs", None, "infinite", "unknown", 0.0, 1.0, False),
        ),
        networks=(
            Network("n1", text, "p1", True, (Subnet("s1", text, "2001:db8::/64", 6, 2**64, 5, 2**64 - 5),)),
        ),
        stores=(Store(text, 3, 1048576),),
        flavors=(Fit("1", text, 2, 4096, 20, 17), Fit("2", "huge", 96, 2**20, 0, 0)),
    )


async def test_it_shows_services_and_everything_below(world: World, browser: Browser) -> None:
    fill(world, "RegionOne", "some-name")
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/RegionOne")
    assert answer.status == 200
    for text in (
        "http://10.20.30.40:8774", "2.1 – 2.103", "42 ms", "12 s ago", "closed", "+0.2 s",
        "Zone nova", "6 of 32", "disabled: some-name", "infinite", "unknown", "thin, 20 times",
        "1.84 × 10¹⁹", "1 MiB", "4 GiB", "17",
    ):  # fmt: skip
        assert text in answer.words, text


async def test_an_error_is_told_in_full_to_operators(world: World, browser: Browser) -> None:
    world.region("RegionOne", ill={"compute": State.UNREACHABLE})
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/RegionOne")
    assert "http://10.20.30.40:8774 refused the connection" in answer.words


async def test_an_unknown_region_is_not_found(browser: Browser) -> None:
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/nowhere")
    assert answer.status == 404
    assert "There is no region 'nowhere'." in answer.words


async def test_a_long_list_is_cut_and_says_so(
    world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "MOST_ROWS", 1)
    fill(world, "RegionOne", "some-name")
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/RegionOne")
    assert "The first 1 of 2; all of them: openstack multisite capacity show RegionOne" in answer.words
    assert "huge" not in answer.words


async def test_hostile_names_stay_text_on_every_page(world: World, browser: Browser) -> None:
    evil = EVIL.replace("%2F", "")
    world.region(evil, labels={evil: evil}, maintenance=Maintenance(evil))
    world.project({evil: resource_usage(1, 2)}, **{evil: True})
    world.usage["p-alpha"] = replace(world.usage["p-alpha"], project_name=evil, domain_name=evil)
    fill(world, evil, evil)
    world.people["token-root"] = replace(world.people["token-root"], user_name=evil, project_name=evil)
    await browser.log_in("root")
    for path in (
        "/wall", "/regions", "/project", f"/wall/regions/{evil}", f"/project?region={quote(evil)}",
        f"/wall?name={quote(evil)}&label={quote(evil)}", f"/login?next={quote('/' + evil)}",
        "/wall/regions/nowhere<script>",
    ):  # fmt: skip
        answer = await browser.get(path)
        assert "<script>" not in answer.text, path
        assert "<img" not in answer.text, path
    assert "&lt;script&gt;" in (await browser.get("/wall")).text
