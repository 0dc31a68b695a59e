"""Somebody who wants to hear of events: a listener that does with each message what the test says."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Behaviour = Callable[["Message"], Awaitable[web.StreamResponse]]


@dataclass
class Message:
    """What came: the body as it was sent, and its headers."""

    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> Any:
        """The body's document."""
        return json.loads(self.body)


async def take(message: Message) -> web.StreamResponse:
    """Answer well."""
    del message
    return web.Response(status=204)


async def hang(message: Message) -> web.StreamResponse:
    """Never answer."""
    del message
    await asyncio.sleep(3600)
    return web.Response()


def answer(status: int, **headers: str) -> Behaviour:
    """Answer with a status."""

    async def behave(message: Message) -> web.StreamResponse:
        del message
        return web.Response(status=status, headers=headers)

    return behave


@dataclass
class Receiver:
    """Where messages go, and those that came, in order."""

    url: str = ""
    behave: Behaviour = take
    messages: list[Message] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def ids(self) -> list[int]:
        """The events that came, in order."""
        return [message.event["id"] for message in self.messages]

    async def got(self, number: int) -> None:
        """Wait for so many messages."""
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: len(self.messages) >= number)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One message."""
        message = Message(await request.read(), dict(request.headers))
        async with self._came:
            self.messages.append(message)
            self._came.notify_all()
        return await self.behave(message)


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook/{secret}", receiver.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"{'https' if tls else 'http'}://{host}:{port}/hook/token-in-the-path"
    try:
        yield receiver
    finally:
        await runner.cleanup()
