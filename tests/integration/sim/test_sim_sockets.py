"""What a caller of the simulator sees on the wire: cuts, hangs, drips, refused connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
import pytest_asyncio

from multisite.sim import Plan
from multisite.sim.listening import Running, running

PLAN = Plan(regions=2, hosts=1, servers=5, projects=1, names=("one", "two"))
PATH = "/one/compute/v2.1/"  # the version document: no token


@pytest.fixture
def cloud() -> Iterator[Running]:
    with running(PLAN) as made:
        yield made


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


async def get(client: aiohttp.ClientSession, url: str) -> tuple[int, bytes]:
    async with client.get(url) as answer:
        return answer.status, await answer.read()


async def test_it_answers_and_tells_what_it_has(cloud: Running, client: aiohttp.ClientSession) -> None:
    status, raw = await get(client, cloud.url + PATH)
    assert (status, b"2.104" in raw) == (200, True)
    async with client.get(cloud.url) as answer:
        assert (await answer.json())["regions"] == ["one", "two"]


async def test_refuse_ends_the_connection_without_a_byte(
    cloud: Running, client: aiohttp.ClientSession
) -> None:
    cloud.set("refuse", region="one")
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await get(client, cloud.url + PATH)
    assert (await get(client, cloud.url + PATH.replace("one", "two")))[0] == 200


async def test_reset_comes_in_the_middle_of_the_body(cloud: Running, client: aiohttp.ClientSession) -> None:
    cloud.set("reset", region="one")
    async with client.get(cloud.url + PATH) as answer:
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await answer.read()


async def test_hang_lasts_until_the_caller_gives_up(cloud: Running, client: aiohttp.ClientSession) -> None:
    cloud.set("hang", region="one")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await get(client, cloud.url + PATH)
    counters = cloud.simulator.calls.of("one")
    async with asyncio.timeout(5):
        while counters.running:  # noqa: ASYNC110 - another loop counts
            await asyncio.sleep(0.01)
    assert counters.peak == 1


async def test_latency_and_drip_take_their_time(cloud: Running, client: aiohttp.ClientSession) -> None:
    for kind, seconds, least in (("latency", 0.3, 0.3), ("drip", 0.02, 0.02 * 15)):
        fault = cloud.set(kind, region="one", seconds=seconds)
        started = time.monotonic()
        status, raw = await get(client, cloud.url + PATH)
        assert time.monotonic() - started >= least
        assert (status, b"2.104" in raw) == (200, True)
        cloud.clear(fault)


async def test_truncated_and_garbage_answers_are_whole_on_the_wire(
    cloud: Running, client: aiohttp.ClientSession
) -> None:
    whole = (await get(client, cloud.url + PATH))[1]
    fault = cloud.set("truncate", region="one")
    assert (await get(client, cloud.url + PATH)) == (200, whole[: len(whole) // 2])
    cloud.clear(fault)
    cloud.set("garbage", region="one")
    assert (await get(client, cloud.url + PATH))[1].startswith(b"<html>")


async def test_a_region_with_a_port_of_its_own_refuses_the_connection_and_comes_back(
    client: aiohttp.ClientSession,
) -> None:
    with running(PLAN, own_ports=True) as cloud:
        one, two = cloud.simulator.plan.region_urls
        assert (await get(client, one + PATH))[0] == 200
        fault = cloud.set("refuse", region="one")
        with pytest.raises(aiohttp.ClientConnectorError):
            await get(client, one + PATH)
        assert (await get(client, two + PATH.replace("one", "two")))[0] == 200
        cloud.clear(fault)
        async with asyncio.timeout(5):
            while True:
                try:
                    assert (await get(client, one + PATH))[0] == 200
                    break
                except aiohttp.ClientConnectorError:
                    await asyncio.sleep(0.01)
