"""Calls to regions in the name of a user: with the user's own token, each made once.

The endpoints are those that the region's own credential sees, so a user's token goes nowhere else. An open
breaker holds users' calls back too, but these teach it nothing: a request that makes a service stumble must
not make the region look dead for everybody. Users have slots of their own, so that they cannot hold up the
sweeps.

The token is in one header and nowhere else: it is not printed, and an answer that repeats it is blotted out.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode

from multisite.openstack.breaker import Breaker
from multisite.openstack.client import RegionClient, Regions, Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.once import AnswerLost, NeverSent, NoService, RawReply, exchange
from multisite.openstack.paths import route
from multisite.openstack.service_types import versioned

LOG = logging.getLogger(__name__)

#: Calls of users to one region that may be under way at once.
AT_ONCE = 8
LONGEST_MESSAGE = 500
_REQUEST_ID = re.compile(r"req-[0-9a-fA-F-]{36}")
_GOOD = range(200, 300)
_REFUSED = range(400, 500)


@dataclass(frozen=True, slots=True)
class UserToken:
    """A user's token; it does not show when it is printed."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer. `request_id` is the region's own, where it told one."""

    body: Mapping[str, Any]
    request_id: str | None
    status: int


class Refused(Exception):
    """The region refused (HTTP 4xx), in its own words; it did nothing."""

    def __init__(self, status: int, message: str, request_id: str | None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.request_id = request_id


class Stumbled(Exception):
    """The region answered with an error of its own (HTTP 5xx); it may have done what was asked, or a part."""

    def __init__(self, status: int, request_id: str | None) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Sent:
    """A call that changes something, as it goes to a region; `path` are the segments after the version."""

    region: str
    service: str
    method: str
    path: Sequence[str]


class Recorder(Protocol):
    """Writes down what is sent to regions, and what came of it."""

    async def begin(self, sent: Sent) -> int:
        """Before it is sent; the number of the record. What this raises keeps it from being sent."""
        ...

    async def conclude(self, number: int, came: "Reply | Exception") -> None:
        """Afterwards."""
        ...


class UserCalls:
    """Makes clients for users; lives on the region loop. `deadline` (seconds) bounds each call."""

    def __init__(self, regions: Regions, deadline: float) -> None:
        self.regions = regions
        self.deadline = deadline
        self._slots: dict[str, asyncio.Semaphore] = {}

    def client(
        self,
        target: Target,
        token: UserToken,
        request_id: str,
        recorder: Recorder | None = None,
        alive: Callable[[], bool] | None = None,
    ) -> "UserClient":
        """The client of a region for one request of a user, whose id the region gets to know.

        `alive` is asked right before something is sent.
        """
        slots = self._slots.setdefault(target.name, asyncio.Semaphore(AT_ONCE))
        return UserClient(self, self.regions.client(target), token, request_id, slots, recorder, alive)


class UserClient:
    """Calls to one region for one request of a user."""

    def __init__(  # noqa: PLR0913, PLR0917 - made by `UserCalls.client` alone
        self,
        calls: UserCalls,
        client: RegionClient,
        token: UserToken,
        request_id: str,
        slots: asyncio.Semaphore,
        recorder: Recorder | None = None,
        alive: Callable[[], bool] | None = None,
    ) -> None:
        self._calls = calls
        self._client = client
        self._token = token
        self._request_id = request_id
        self._slots = slots
        self._recorder = recorder
        self._alive = alive

    async def read(
        self,
        service: str,
        path: Sequence[str],
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,
    ) -> Mapping[str, Any]:
        """GET a route. Raises `Refused`, and `NeverSent` for everything else: a read changes nothing."""
        try:
            reply = await self.write("GET", service, path, None, parameters, microversion=microversion)
        except (AnswerLost, Stumbled) as error:
            raise NeverSent(str(error)) from error
        return reply.body

    async def write(  # noqa: PLR0913 - what a call is made of
        self,
        method: str,
        service: str,
        path: Sequence[str],
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,
        revision: object = None,
    ) -> Reply:
        """One call; `path` are the segments after the API's version.

        With a `revision` Neutron does it only if the item still has that one.

        Raises `NeverSent` (nothing was done), `Refused` (nothing was done), `Stumbled` and `AnswerLost` (it
        may have been done).
        """
        send = partial(
            self._send, method, service, path, body, parameters, microversion=microversion, revision=revision
        )
        if self._recorder is None or method == "GET":
            return await send()
        number = await self._recorder.begin(Sent(self._client.target.name, service, method, path))
        try:
            reply = await send()
        except (NeverSent, Refused, Stumbled, AnswerLost) as error:
            await self._recorder.conclude(number, error)
            raise
        await self._recorder.conclude(number, reply)
        return reply

    async def _send(  # noqa: PLR0913 - as `write`
        self,
        method: str,
        service: str,
        path: Sequence[str],
        body: Mapping[str, Any] | None,
        parameters: Mapping[str, str | int] | None,
        *,
        microversion: str | None,
        revision: object,
    ) -> Reply:
        if self._client.breaker(service) is Breaker.OPEN:
            raise NeverSent(f"{service} failed repeatedly and is left alone for a while")
        try:
            base = versioned(service, await self._client.endpoint(service))
            credential = self._calls.regions.clouds.credential(self._client.target.credential)
        except RegionCallError as error:
            kind = NoService if error.code == "no-endpoint" else NeverSent
            raise kind(error.detail) from error
        url = base + route(*path) + (f"?{urlencode(parameters)}" if parameters else "")
        LOG.info("region %s: %s %s for a user (%s)", self._client.target.name, method, url, self._request_id)
        async with self._slot():
            reply = await exchange(
                self._calls.regions.transport,
                method,
                url,
                credential=credential,
                headers=self._headers(microversion, revision),
                body=body,
                deadline=self._calls.deadline,
                alive=self._alive,
            )
        return self._judged(method, url, reply)

    @asynccontextmanager
    async def _slot(self) -> Any:
        try:
            async with asyncio.timeout(self._calls.deadline):
                await self._slots.acquire()
        except TimeoutError as error:
            raise NeverSent(f"{AT_ONCE} calls of users to this region are under way already") from error
        try:
            yield
        finally:
            self._slots.release()

    def _headers(self, microversion: str | None, revision: object) -> dict[str, str]:
        headers = {
            "X-Auth-Token": self._token.value,
            "X-OpenStack-Request-ID": self._request_id,
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": "multisite",
        }
        if isinstance(revision, int):
            headers["If-Match"] = f"revision_number={revision}"
        if microversion:
            headers["OpenStack-API-Version"] = microversion
        return headers

    def _judged(self, method: str, url: str, reply: RawReply) -> Reply:
        raw = reply.raw.replace(self._token.value.encode(), b"(token)")
        told = reply.headers.get("X-OpenStack-Request-Id") or reply.headers.get("X-Compute-Request-Id") or ""
        request_id = told if _REQUEST_ID.fullmatch(told) else None
        if reply.status in _REFUSED:
            raise Refused(reply.status, message_of(raw), request_id)
        if reply.status not in _GOOD:
            LOG.warning("region %s: %s %s: HTTP %s", self._client.target.name, method, url, reply.status)
            raise Stumbled(reply.status, request_id)
        try:
            body = json.loads(raw) if raw else {}
        except (ValueError, RecursionError) as error:
            raise AnswerLost(f"{method} {url}: the answer is not JSON") from error
        if not isinstance(body, dict):
            raise AnswerLost(f"{method} {url}: the answer is not a JSON object")
        return Reply(body, request_id, reply.status)


def message_of(raw: bytes) -> str:
    """What a service says in an error, in the form of any of them."""
    try:
        body: Any = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    text = _said(body) or ""
    plain = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(plain.split())[:LONGEST_MESSAGE].rstrip(" .")


def _said(body: Any) -> str | None:
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return next((found for found in map(_said, body) if found), None)
    if not isinstance(body, dict):
        return None
    for key in ("message", "detail"):
        if isinstance(body.get(key), str) and body[key]:
            return str(body[key])
    return next((found for found in map(_said, body.values()) if isinstance(found, str)), None)
