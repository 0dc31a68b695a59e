"""A call that is made once, by a process that may have been taken for dead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from multisite.openstack.clouds import Credential
from multisite.openstack.once import AnswerLost, RawReply, Silenced, exchange
from multisite.openstack.transport import Limits, Transport

CREDENTIAL = Credential("lab", "lab", "http://127.0.0.1/v3", None, True, None, None, "public")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Region:
    """Hears requests; answers each, unless it is `dumb`: then it hangs up."""

    url: str = ""
    heard: list[bytes] = field(default_factory=list)
    dumb: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if request := await reader.read(4096):
            self.heard.append(request)
            if not self.dumb:
                writer.write(ANSWER)
        writer.close()


@pytest_asyncio.fixture
async def region() -> AsyncIterator[Region]:
    made = Region()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/groups"
    async with server:
        yield made


async def post(region: Region, alive: Callable[[], bool] | None) -> RawReply:
    return await exchange(
        Transport(Limits()),
        "POST",
        region.url,
        credential=CREDENTIAL,
        headers={},
        body={"name": "web"},
        deadline=10,
        alive=alive,
    )


async def test_one_that_lives_is_answered(region: Region) -> None:
    assert (await post(region, lambda: True)).raw == b"{}"
    assert (await post(region, None)).status == 200
    assert [request[:4] for request in region.heard] == [b"POST", b"POST"]


async def test_one_that_is_taken_for_dead_sends_nothing_and_knows_it(region: Region) -> None:
    with pytest.raises(Silenced, match="may have been taken for dead"):
        await post(region, lambda: False)
    assert region.heard == []


async def test_an_answer_that_was_lost_is_no_silence(region: Region) -> None:
    region.dumb = True
    with pytest.raises(AnswerLost):
        await post(region, lambda: True)
    assert len(region.heard) == 1
