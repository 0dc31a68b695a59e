"""Lists of the inventory as live views: what changed is sent, and nothing around it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

from multisite.inventory.model import MissingKind
from multisite.regions.states import State
from multisite.web.inventory.tables import key_of
from tests.unit.web.items import NOW

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser, Stream
    from tests.unit.web.items import Items


def stream_of(answer: Answer) -> str:
    """Where the live view of a list is."""
    found = re.search(r'sse-connect="([^"]+)"', answer.text)
    assert found
    return unescape(found.group(1))


async def update(stream: Stream) -> str:
    """The next news."""
    event = await stream.next()
    assert event
    assert event[0] == "update"
    return event[1]


async def test_a_row_that_changed_is_sent_alone(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    items.add("server", "web-1")
    await browser.log_in("root")
    async with browser.stream(stream_of(await browser.get("/inventory/servers?name=1"))) as events:
        await update(events)  # the ages, once
        items.rows[0] = replace(items.rows[0], status="ERROR")
        news = await update(events)
    assert f'<template><tr id="{key_of("RegionOne", "id-of-db-1")}"' in news
    assert "ERROR" in news
    assert key_of("RegionOne", "id-of-web-1") not in news
    assert "<tbody" not in news
    assert 'id="count"' not in news


async def test_a_row_that_was_only_read_again_is_sent_as_a_time(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    async with browser.stream(stream_of(await browser.get("/inventory/servers"))) as events:
        await update(events)
        items.rows[0] = replace(items.rows[0], observed_at=NOW + timedelta(seconds=10))
        news = await update(events)
    key = key_of("RegionOne", "id-of-db-1")
    assert re.findall(r'id="([^"]+)"', news) == [f"{key}-read"]


async def test_rows_that_come_and_go_change_the_list_and_its_count(browser: Browser, items: Items) -> None:
    await browser.log_in("root")
    page = await browser.get("/inventory/servers")
    assert '<tbody id="rows" hx-swap-oob="true"></tbody>' in page.text
    async with browser.stream(stream_of(page)) as events:
        items.add("server", "db-1")
        items.missing = (MissingKind("RegionTwo", "compute", State.UNREACHABLE, "timeout"),)
        news = await update(events)
        assert '<template><tbody id="rows"' in news
        assert "1 server<" in news
        assert "RegionTwo" in news
        assert '<div id="empty" hx-swap-oob="true"></div>' in news
        items.rows.clear()
        assert "There are no servers." in await update(events)


async def test_a_live_list_asks_what_its_address_asks(browser: Browser, items: Items) -> None:
    await browser.log_in("alice")
    page = await browser.get("/inventory/servers?region=RegionOne,RegionTwo&status=ERROR&sort=region")
    async with browser.stream(stream_of(page)):
        question = items.questions[-1]
    assert (question.regions, question.status) == (("RegionOne", "RegionTwo"), "ERROR")


async def test_a_script_gets_a_list_that_is_live_under_its_own_filter(browser: Browser) -> None:
    await browser.log_in("alice")
    answer = await browser.get("/inventory/servers?name=db", hx_request="true")
    assert "view=inventory&kind=servers&name=db" in stream_of(answer)


async def test_keypairs_and_mistakes_are_not_live(browser: Browser) -> None:
    await browser.log_in("alice")
    for path in ("keypairs", "servers?sort=bogus"):
        assert "sse-connect" not in (await browser.get(f"/inventory/{path}")).text
    for query, status in (("kind=keypairs", 404), ("kind=unicorns", 404), ("kind=servers&sort=bogus", 400)):
        assert (await browser.get(f"/events?view=inventory&{query}")).status == status


async def test_several_regions_are_chosen_and_stay_in_the_address(browser: Browser, items: Items) -> None:
    await browser.log_in("root")
    page = await browser.get("/inventory/servers?region=RegionTwo&region=RegionOne&region=RegionTwo")
    assert items.questions[-1].regions == ("RegionTwo", "RegionOne")
    assert re.findall(r'name="region" value="(\w+)" checked', page.text) == ["RegionOne", "RegionTwo"]
    assert 'name="query" value="region=RegionTwo%2CRegionOne"' in page.text


async def test_a_filter_that_there_is_not_is_told(browser: Browser, items: Items) -> None:
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers?stauts=ERROR")
    assert answer.status == 400
    assert "There is no filter 'stauts'; there are: name, region, status, address, project" in answer.words
    assert items.questions == []
    many = "&".join(f"region=r{number}" for number in range(65))
    assert "Region: 65 are more than 64." in (await browser.get(f"/inventory/servers?{many}")).words
