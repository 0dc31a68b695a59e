"""Live views: what is sent, to whom, and until when."""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from multisite import errors
from multisite.regions.states import State
from multisite.usage.model import resource_usage
from multisite.web.streams import MOST_STREAMS
from tests.unit.web.conftest import SERVICES

if TYPE_CHECKING:
    from multisite.web.pages import Pages
    from tests.unit.web.conftest import Browser, Stream, World


def elements(data: str) -> list[str]:
    """The ids of the elements in an event, those inside others included."""
    return re.findall(r'<[a-z]+[^>]*\bid="([^"]+)"[^>]*hx-swap-oob="true"', data)


async def next_update(stream: Stream) -> str:
    event = await stream.next()
    assert event
    assert event[0] == "update"
    return event[1]


async def connect(browser: Browser, path: str = "/wall") -> str:
    """The address of the stream that belongs to a page."""
    found = re.search(r'sse-connect="([^"]+)"', (await browser.get(path)).text)
    assert found
    return found.group(1).replace("&amp;", "&")


async def test_only_the_tile_that_changed_is_sent(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        ages = await next_update(stream)
        assert set(elements(ages)) == {"age-RegionOne", "age-RegionTwo"}, "the page has everything else"
        world.region("RegionTwo", used=30)
        data = await next_update(stream)
        assert "tile-RegionTwo" in elements(data)
        assert "totals" in elements(data)
        assert "tile-RegionOne" not in data
        assert "age-RegionOne" not in data
        assert "<b>30</b> of 40" in data


async def test_a_new_reading_without_news_sends_an_age_and_no_tile(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.region("RegionTwo", observed_at=world.clock.now())
        assert elements(await next_update(stream)) == ["age-RegionTwo"]


async def test_time_that_passes_sends_nothing(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        read = world.clock.now() - timedelta(seconds=12)
        world.clock.advance(timedelta(seconds=40))
        world.region("RegionOne", used=5, observed_at=read)
        data = await next_update(stream)
        assert "52\u00a0s ago" in data, "the clock did move"
        assert "RegionTwo" not in data


async def test_a_state_that_changes_changes_the_counts(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.region("RegionTwo", ill={"compute": State.UNREACHABLE})
        assert {"counts", "totals", "tile-RegionTwo"} <= set(elements(await next_update(stream)))


async def test_a_region_that_comes_or_goes_sends_the_whole_list(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.region("RegionThree", position=3)
        data = await next_update(stream)
        assert "tiles" in elements(data)
        assert data.count('id="tile-') == 3
        del world.views["RegionThree"], world.capacities["RegionThree"]
        assert 'id="tile-RegionThree"' not in await next_update(stream)


async def test_a_regions_page_is_live_too(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser, "/wall/regions/RegionOne")) as stream:
        world.region("RegionOne", used=5)
        await next_update(stream)
        world.region("RegionTwo", used=9)
        world.region("RegionOne", used=30)
        data = await next_update(stream)
        assert elements(data) == ["capacity"], "what did not change is not sent"
        assert "<b>30</b> of 40" in data
        world.region("RegionOne", used=30, ill=dict.fromkeys(SERVICES, State.UNREACHABLE))
        data = await next_update(stream)
        assert {"head", "health"} <= set(elements(data))
        assert '<template><tbody id="health"' in data, "rows behind other elements would be lost"


async def test_a_tenant_has_no_stream_of_a_region(browser: Browser) -> None:
    await browser.log_in("alice")
    assert (await browser.get("/events?view=region&region=RegionOne")).status == 403


async def test_a_project_that_was_read_again_is_sent_though_its_figures_are_the_same(
    world: World, browser: Browser
) -> None:
    world.project({"compute/cores": resource_usage(4, 20)}, RegionOne=True, RegionTwo=True)
    await browser.log_in("alice")
    async with browser.stream(await connect(browser, "/project")) as stream:
        world.project({"compute/cores": resource_usage(5, 20)}, RegionOne=True, RegionTwo=True)
        await next_update(stream)
        world.region("RegionTwo", observed_at=world.clock.now())
        world.project({"compute/cores": resource_usage(5, 20)}, RegionOne=True, RegionTwo=True)
        assert elements(await next_update(stream)) == ["use-RegionTwo"]


async def test_who_comes_back_gets_what_it_lacks(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    address = await connect(browser)
    world.region("RegionTwo", used=30)
    async with browser.stream(address) as stream:
        assert {"tiles", "totals", "counts"} <= set(elements(await next_update(stream)))


async def test_all_viewers_share_one_computation(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    address = await connect(browser)
    streams = [browser.stream(address) for _ in range(20)]
    for number, stream in enumerate(streams):
        if number % MOST_STREAMS == 0:
            world.person(f"operator-{number}", "admin", "reader")
            await browser.log_in(f"operator-{number}")
        await stream.__aenter__()
        await next_update(stream)
    before = world.capacity_questions
    world.region("RegionTwo", used=30)
    for stream in streams:
        assert "tile-RegionTwo" in await next_update(stream)
    assert world.capacity_questions - before < len(streams)
    for stream in streams:
        await stream.__aexit__()


async def test_nothing_is_computed_when_nobody_watches(browser: Browser, pages: Pages) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        assert len(pages.feeds._tasks) == 1
    assert pages.feeds._tasks == {}


async def test_a_filtered_wall_gets_its_own_tiles_only(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser, "/wall?name=two")) as stream:
        assert elements(await next_update(stream)) == ["age-RegionTwo"]
        world.region("RegionOne", used=9)
        world.region("RegionTwo", used=30)
        data = await next_update(stream)
        assert "tile-RegionTwo" in data
        assert "tile-RegionOne" not in data


async def test_viewers_of_different_filters_do_not_mix(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    one, two = await connect(browser, "/wall?name=one"), await connect(browser, "/wall?name=two")
    async with browser.stream(one) as first, browser.stream(two) as second:
        assert elements(await next_update(first)) == ["age-RegionOne"]
        assert elements(await next_update(second)) == ["age-RegionTwo"]
        world.region("RegionOne", used=9)
        world.region("RegionTwo", used=30)
        assert "tile-RegionTwo" not in await next_update(first)
        assert "tile-RegionOne" not in await next_update(second)


async def test_it_ends_with_the_token(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.clock.advance(timedelta(hours=1))
        event = await stream.next()
        while event and event[0] == "update":
            event = await stream.next()
        assert event == ("ended", "The session has ended.")
        assert await stream.next() is None
        assert await stream.ended()


async def test_it_ends_when_the_token_is_revoked(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.revoked.append("token-root")
        world.clock.advance(timedelta(seconds=61))
        assert await stream.next() == ("ended", "The session has ended.")


async def test_keystone_away_does_not_end_it(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.away = True
        world.clock.advance(timedelta(seconds=61))
        world.region("RegionTwo", used=30)
        assert "tile-RegionTwo" in await next_update(stream)


async def test_without_a_session_it_ends_at_once(browser: Browser) -> None:
    async with browser.stream("/events?view=wall") as stream:
        assert await stream.next() == ("ended", "The session has ended.")
        assert await stream.next() is None


async def test_a_tenant_gets_no_wall(browser: Browser) -> None:
    await browser.log_in("alice")
    async with browser.stream("/events?view=wall") as stream:
        assert await stream.ended()
        assert stream.status == 403
    assert (await browser.get("/events?view=nonsense")).status == 404


async def test_a_tenant_is_not_served_from_the_operators_feed(world: World, browser: Browser) -> None:
    world.region("RegionTwo", ill={"compute": State.UNREACHABLE})
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as operators:
        await next_update(operators)
        await browser.log_in("alice")
        async with browser.stream("/events?view=regions") as stream:
            data = await next_update(stream)
            assert "connection-refused" in data
            assert "of 40" not in data
            assert "10.20.30.40" not in data


async def test_a_view_that_cannot_be_computed_says_so_and_goes_on(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.broken = errors.DatabaseAway("postgresql://secret-host is away")
        data = await next_update(stream)
        assert elements(data) == ["trouble"]
        assert "The database cannot be used." in data
        assert "secret-host" not in data
        world.broken = None
        world.region("RegionTwo", used=30)
        data = await next_update(stream)
        if "tile-RegionTwo" not in data:
            data += await next_update(stream)
        assert '<p id="trouble" role="alert" hx-swap-oob="true"></p>' in data
        assert "tile-RegionTwo" in data


@pytest.mark.parametrize("error", [RuntimeError("a bug")])
async def test_even_a_bug_does_not_end_it(world: World, browser: Browser, error: Exception) -> None:
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        world.broken = error
        assert "Something went wrong here." in await next_update(stream)


async def test_closing_ends_every_stream_without_a_farewell(browser: Browser, pages: Pages) -> None:
    await browser.log_in("root")
    address = await connect(browser)
    async with browser.stream(address) as one, browser.stream(address) as two:
        for stream in (one, two):
            await next_update(stream)
        await asyncio.wait_for(pages.close(), 2)
        for stream in (one, two):
            assert await stream.next() is None, "no 'ended': the browser has to come back"
            assert await stream.ended()


async def test_closing_does_not_wait_for_the_next_computation(browser: Browser, pages: Pages) -> None:
    pages.feeds._interval = 3600
    await browser.log_in("root")
    async with browser.stream(await connect(browser)) as stream:
        await next_update(stream)
        await asyncio.wait_for(pages.close(), 1)
        assert await stream.next() is None


async def test_a_session_has_a_bounded_number_of_streams(browser: Browser) -> None:
    await browser.log_in("root")
    async with AsyncExitStack() as streams:
        for _ in range(MOST_STREAMS):
            stream = await streams.enter_async_context(browser.stream("/events?view=wall"))
            assert await stream.next()
        refused = await asyncio.wait_for(browser.get("/events?view=wall"), 5)
        assert refused.status == 429
        assert "has 8 live views open already; close one of them" in refused.words

        await browser.log_in("alice")
        async with browser.stream("/events?view=regions") as other:
            assert await other.next(), "another session has streams of its own"
    await browser.log_in("root")
    async with browser.stream("/events?view=wall") as stream:
        assert await stream.next(), "streams that ended do not count"


async def test_a_stream_that_fails_at_once_does_not_count(browser: Browser) -> None:
    await browser.log_in("root")
    for _ in range(MOST_STREAMS + 1):
        assert (await browser.get("/events?view=nothing")).status == 404
