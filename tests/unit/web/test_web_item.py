"""The page of one item and the search: what is known, what belongs together, where links lead."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import MissingKind
from multisite.regions.states import State
from multisite.web.inventory.item import facts_of
from multisite.web.inventory.links import LINKS, links_of
from tests.unit.web.items import a_row

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser
    from tests.unit.web.items import Items


def related(answer: Answer) -> list[tuple[str, str, str]]:
    """(what, where to, text) of all that belongs to an item; an empty address is no link."""
    part = answer.text.partition('<ul class="related">')[2].partition("</ul>")[0]
    found = []
    for each in re.findall(r"<li>(.*?)</li>", part, re.DOTALL):
        what = re.search(r'class="of">([^<]*)<', each)
        link = re.search(r'<a href="([^"]*)"[^>]*>([^<]*)<|<span title="[^"]*">([^<]*)<', each)
        assert what
        assert link
        found.append((what[1], unescape(link[1] or ""), link[2] or link[3]))
    return found


async def test_a_port_leads_to_what_it_joins(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    items.add("network", "lan")
    items.add("security_group", "of others", project_id="p-beta")
    attributes = {
        "device_id": "id-of-db-1",
        "device_owner": "compute:nova",
        "network_id": "id-of-lan",
        "security_groups": ["id-of-of others", "id-of-lan"],
    }
    items.add("port", "p1", attributes=attributes)
    await browser.log_in("alice")
    answer = await browser.get("/inventory/ports/RegionOne/id-of-p1")
    assert related(answer) == [
        ("For", "/inventory/servers/RegionOne/id-of-db-1", "db-1"),
        ("Network", "/inventory/networks/RegionOne/id-of-lan", "lan"),
        ("Security group", "", "id-of-of…"),
        ("Security group", "", "id-of-lan"),
    ], "what is not there, or not the visitor's, is an id without a link"


async def test_a_server_has_what_belongs_to_it_and_all_its_attributes(browser: Browser, items: Items) -> None:
    items.related = [a_row("port", "p1", addresses=("10.0.0.5",)), a_row("volume", "data", status="in-use")]
    attributes = {"ram": 2048, "metadata": {"role": "db"}, "locked": False, "task_state": None, "host": "c-7"}
    items.add("server", "db-1", attributes=attributes)
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers/RegionOne/id-of-db-1")
    assert related(answer) == [
        ("Port", "/inventory/ports/RegionOne/id-of-p1", "p1"),
        ("Volume", "/inventory/volumes/RegionOne/id-of-data", "data"),
    ]
    assert "memory2 GiB" in answer.words
    assert "&#34;role&#34;: &#34;db&#34;" in answer.text
    assert "task state" not in answer.words
    assert answer.text.count("read ") >= 1
    assert "12 s ago" in answer.words


async def test_an_old_item_says_that_it_is_old(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", state=State.UNREACHABLE)
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers/RegionOne/id-of-db-1")
    assert "unreachable" in answer.words
    assert "the region has not told anything newer" in answer.words


@pytest.mark.parametrize("path", ["unicorns/RegionOne/x", "keypairs/RegionOne/x", "servers/RegionOne/nobody"])
async def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    await browser.log_in("root")
    assert (await browser.get(f"/inventory/{path}")).status == 404


@pytest.mark.parametrize("kind", BY_NAME)
@pytest.mark.parametrize("garbage", [None, 7, "text", ["x", 7, None], [{"server_id": 7}, 8], {"a": [1]}])
async def test_attributes_of_another_kind_break_nothing(
    browser: Browser, items: Items, kind: str, garbage: object
) -> None:
    names = [attribute.name for attribute in BY_NAME[kind].attributes]
    row = items.add(kind, "odd", attributes=dict.fromkeys(names, garbage))
    await browser.log_in("root")
    plural = BY_NAME[kind].plural
    for path in (f"/inventory/{plural}", f"/inventory/{plural}/RegionOne/{row.id}"):
        assert (await browser.get(path)).status == 200, path


def test_links_come_from_attributes_that_there_are() -> None:
    assert set(LINKS) <= set(BY_NAME)
    for kind in LINKS:
        values = {attribute.name: "x" for attribute in BY_NAME[kind].attributes}
        links_of(a_row(kind, "any", attributes=values))


async def test_what_is_found_stands_kind_by_kind(browser: Browser, items: Items) -> None:
    items.add("volume", "db-1-data", project_name="alpha")
    items.add("server", "db-1", "RegionTwo", addresses=("10.0.0.5",))
    await browser.log_in("root")
    answer = await browser.get("/search?q=DB-1")
    assert "2 items for “DB-1”" in answer.words
    assert re.findall(r'<h2 class="section">(\w+)', answer.text) == ["Volumes", "Servers"]
    assert 'href="/inventory/servers/RegionTwo/id-of-db-1"' in answer.text
    assert "exact name" in answer.words
    assert 'value="DB-1"' in answer.element("find")
    script = await browser.get("/search?q=DB-1", hx_request="true")
    assert "<html" not in script.text
    assert script.headers["hx-replace-url"] == "/search?q=DB-1"


async def test_a_search_says_what_it_lacks_and_what_to_write(browser: Browser, items: Items) -> None:
    items.missing = (MissingKind("RegionTwo", "network", State.STALE),)
    await browser.log_in("alice")
    nothing = await browser.get("/search?q=zzz")
    assert "Nothing has the id, name or address “zzz”." in nothing.words
    assert "RegionTwo. There may be more in it." in nothing.words
    empty = await browser.get("/search?q=++")
    assert "Write an id or its beginning" in empty.words
    assert items.searches == ["zzz"]


@pytest.mark.parametrize("path", ["/wall", "/regions", "/project", "/inventory/servers", "/search"])
async def test_the_box_is_on_every_page(browser: Browser, world: object, path: str) -> None:
    world.project({}, RegionOne=True)  # type: ignore[attr-defined]
    await browser.log_in("root")
    answer = await browser.get(path)
    assert answer.status == 200
    assert 'action="/search"' in answer.text
    assert "Where is this id, name or address?" in answer.words


def test_moments_and_names_of_attributes_are_for_people() -> None:
    row = a_row(
        "server", "db-1", attributes={"vcpus": 2, "launched_at": "2026-11-22T09:58:36.901228", "x_at": "?"}
    )
    assert [(fact.name, fact.text) for fact in facts_of(row)] == [
        ("VCPUs", "2"),
        ("launched at", "2026-11-22 09:58:36 UTC"),
        ("x at", "?"),
    ]
