"""HTTP to a region, made exactly once: for calls that change something.

A call that is repeated blindly may be done twice, so nothing here repeats one, and what may become of it
is told apart: the request never left (`NeverSent`), it left and no whole answer came back (`AnswerLost`:
nobody here knows whether it was done), or it was answered. Each call has a connection of its own: on a kept
one, a request may meet the connection's end, and nobody could tell whether it was read.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp

from multisite.openstack.clouds import Credential
from multisite.openstack.failures import RegionCallError
from multisite.openstack.transport import Transport

#: Bytes of an answer that are read; one item is far smaller.
LARGEST_REPLY = 4 * 1024 * 1024


class NeverSent(Exception):
    """The request did not reach the service, so nothing was done."""


class Silenced(NeverSent):
    """Nothing was sent: this process may have been taken for dead."""


class NoService(NeverSent):
    """The region does not have this service."""


class AnswerLost(Exception):
    """The request was sent, and no whole answer came: it may have been done."""


@dataclass(frozen=True, slots=True)
class RawReply:
    """Any answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


async def exchange(  # noqa: PLR0913 - what a call is made of
    transport: Transport,
    method: str,
    url: str,
    *,
    credential: Credential,
    headers: Mapping[str, str],
    body: Mapping[str, Any] | None,
    deadline: float,
    alive: Callable[[], bool] | None = None,
) -> RawReply:
    """One call within `deadline` seconds. Raises `NeverSent` or `AnswerLost`; neither names a header.

    `alive` is asked right before each byte goes out: a process that was stopped meanwhile, and that others
    take for dead, sends nothing, which raises `Silenced`.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=transport.limits.connect_deadline)
    data = json.dumps(body).encode() if body is not None else None
    connector = _LastLook(alive)
    with connector.telling(f"{method} {url}"):
        try:
            tls = transport.tls(credential)
            async with (
                asyncio.timeout(deadline),
                aiohttp.ClientSession(
                    connector=connector,
                    timeout=timeout,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    middlewares=(_no_second_try,),
                ) as session,
                session.request(
                    method, url, headers=headers, data=data, ssl=tls, allow_redirects=False
                ) as answer,
            ):
                raw = await answer.content.read(LARGEST_REPLY)
                while more := await answer.content.read(LARGEST_REPLY):
                    raw += more
                    if len(raw) > LARGEST_REPLY:
                        raise AnswerLost(f"the answer is larger than {LARGEST_REPLY} bytes")
                return RawReply(answer.status, answer.headers.copy(), raw)
        except RegionCallError as error:
            raise NeverSent(error.detail) from error
        except _UNCONNECTED as error:
            raise NeverSent(f"{method} {url}: {error}") from error
        except TimeoutError as error:
            raise AnswerLost(f"{method} {url}: no answer within {deadline:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise AnswerLost(f"{method} {url}: {error or type(error).__name__}") from error


class _LastLook(aiohttp.TCPConnector):
    """Makes connections on which bytes go out only as long as we live."""

    def __init__(self, alive: Callable[[], bool] | None) -> None:
        super().__init__(force_close=True)
        self._alive = alive
        self._watched: _Watched | None = None

    @contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Tell a call of which no byte was let out from one whose answer was lost."""
        try:
            yield
        except AnswerLost as error:
            if self._watched is not None and self._watched.silenced and not self._watched.sent:
                raise Silenced(f"{what}: this process may have been taken for dead") from error
            raise

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Any:
        """A connection whose transport looks before each write."""
        connection = await super().connect(req, traces, timeout)
        protocol = connection.protocol
        if self._alive is not None and protocol is not None and protocol.transport is not None:
            self._watched = _Watched(protocol.transport, self._alive)
            protocol.transport = cast("asyncio.Transport", self._watched)
        return connection


class _Watched:
    """A transport that is closed instead of written to once we are taken for dead.

    Nothing lies between the look and the write: between a connection and its first byte a busy loop may take
    long enough to be stopped in.
    """

    def __init__(self, transport: asyncio.Transport, alive: Callable[[], bool]) -> None:
        self._transport = transport
        self._alive = alive
        self.sent = self.silenced = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send, or close: whoever waits for an answer gets none."""
        if self._alive():
            self.sent = True
            self._transport.write(data)
        else:
            self.silenced = True
            self._transport.abort()

    def writelines(self, chunks: Iterable[bytes]) -> None:
        """As `write`."""
        self.write(b"".join(chunks))


_UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


async def _no_second_try(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a DELETE or PUT whose connection breaks: it does so by itself."""
    try:
        return await handler(request)
    except _UNCONNECTED:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        what = f"{request.method} {request.url}"
        raise AnswerLost(f"{what}: {str(error) or type(error).__name__}") from error
