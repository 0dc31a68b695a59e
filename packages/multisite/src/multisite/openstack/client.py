"""Calls to one region.

A `RegionClient` knows the region's name in its catalog, its credential and the interface to use. Every
call goes: breaker, slots (per region and over all), token, HTTP with a deadline, one re-authentication on
401, retries with jitter for reads. What each call taught is told to a `Listener`, which keeps the health.
"""

import asyncio
import logging
import random
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlencode

from multisite.clock import Clock
from multisite.openstack.breaker import Breaker, CircuitBreaker
from multisite.openstack.clouds import Clouds, Credential
from multisite.openstack.failures import RegionCallError
from multisite.openstack.service_types import versioned
from multisite.openstack.slots import Slots
from multisite.openstack.tokens import Access, Tokens
from multisite.openstack.transport import Answer, Transport
from multisite.request_ids import new_request_id

LOG = logging.getLogger(__name__)

#: Reads are tried this often in all.
ATTEMPTS = 2
#: The longest wait between two attempts (seconds).
LONGEST_WAIT = 2.0
#: How many pages of one listing are followed before we call it a loop.
MOST_PAGES = 10_000
#: A service that answers is heard of once in so many seconds: of several successes the last one says all.
LATELY = 1.0
#: What every call says.
_FOR_ALL = {"Accept": "application/json", "User-Agent": "multisite"}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class Target:
    """Which region to call, and how: what of a region's registration matters for a call."""

    name: str
    region_name: str
    credential: str
    interface: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call taught about a service.

    `error` is `None` for a success, of which `latency` is in milliseconds. `clock_skew` is the region's
    clock minus ours in seconds, where the answer carried the time.
    """

    region: str
    service: str
    at: datetime
    error: RegionCallError | None
    latency: float | None = None
    clock_skew: float | None = None
    breaker: Breaker = Breaker.CLOSED


class Listener(Protocol):
    """Hears of every call."""

    def heard(self, outcome: Outcome) -> None:
        """A call ended."""
        ...


class Regions:
    """Clients of all regions: they share connections, tokens and slots. Lives on the region loop."""

    def __init__(
        self, clouds: Clouds, tokens: Tokens, transport: Transport, listener: Listener, clock: Clock
    ) -> None:
        self.clouds = clouds
        self.tokens = tokens
        self.transport = transport
        self.listener = listener
        self.clock = clock
        self._slots = Slots(transport.limits.at_once)
        self._clients: dict[str, RegionClient] = {}

    def client(self, target: Target) -> "RegionClient":
        """The client of a region; the same one as long as its registration stays the same."""
        client = self._clients.get(target.name)
        if client is None or client.target != target:
            client = RegionClient(target, self, self._slots)
            self._clients[target.name] = client
        return client

    def forget(self, name: str) -> None:
        """Drop what is kept for a region that was deleted."""
        self._clients.pop(name, None)

    async def close(self) -> None:
        """Close connections and threads."""
        self.tokens.close()
        await self.transport.close()


class RegionClient:
    """Makes calls to one region. Make it with `Regions.client`."""

    def __init__(self, target: Target, regions: Regions, slots: Slots) -> None:
        self.target = target
        self._regions = regions
        self._all_slots = slots
        self._own_slots = Slots(regions.transport.limits.at_once_per_region)
        self._breakers: dict[str, CircuitBreaker] = {}
        self._access: Access | None = None
        #: When a service last told us that it is well (monotonic); gone when it fails.
        self._well: dict[str, float] = {}
        #: Where each service's routes begin, by the catalog of `_access`.
        self._bases: dict[str, str] = {}

    @classmethod
    def once(cls, regions: Regions, target: Target) -> "RegionClient":
        """A client for one examination: breakers of its own, so that it tries what a sweep gave up."""
        return cls(target, regions, Slots(regions.transport.limits.at_once))

    async def access(self) -> Access:
        """The token of this region's credential; what happens on the way is heard as that of `identity`."""
        tokens = self._regions.tokens
        try:
            credential = self._credential()
            access = tokens.held(credential) or await tokens.access(credential)
        except RegionCallError as error:
            self._hear("identity", error)
            raise
        if access is not self._access:
            self._access = access
            self._bases.clear()
            self._hear("identity", None, access.latency, access.clock_skew)
        return access

    async def get(
        self,
        service: str,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,
    ) -> dict[str, Any]:
        """GET a route of a service: `path` begins after the API's version, as in `/servers/detail`.

        `microversion` is the header's value, such as `compute 2.53`. Raises `RegionCallError`.
        """
        query = f"?{urlencode(parameters)}" if parameters else ""
        answer = await self._read(service, path + query, microversion)
        return answer.body

    async def pages(
        self,
        service: str,
        path: str,
        key: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """All pages of a listing: the list under `key` of each, following its `next` link."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        where: str | None = path + query
        seen: set[str] = set()
        while where:
            if where in seen or len(seen) > MOST_PAGES:
                raise RegionCallError("unexpected-answer", f"the pages of {service} {path} do not end")
            seen.add(where)
            answer = await self._read(service, where, microversion)
            items = answer.body.get(key)
            if not isinstance(items, list):
                raise RegionCallError(
                    "unexpected-answer", f"{service} {path}: the answer has no list {key!r}"
                )
            yield items
            where = _next_page(answer.body, key) if items else None

    async def probe(self, service: str, path: str) -> Answer:
        """GET with the token; used where only the service's health is of interest."""
        return await self._read(service, path, None)

    async def fetch(self, service: str, url: str) -> Answer:
        """GET an absolute URL without a token, such as a version document; heard like every call."""
        return await self._guarded(service, lambda: self._send(url, {}))

    async def endpoint(self, service: str) -> str:
        """The URL of a service from the catalog, as it stands there."""
        access = await self.access()
        url = access.catalog.url(self.target.region_name, service, self.target.interface)
        if url is None:
            detail = (
                f"the catalog has no {self.target.interface} endpoint of {service} "
                f"in region {self.target.region_name!r}"
            )
            raise RegionCallError("no-endpoint", detail)
        return url

    def breaker(self, service: str) -> Breaker:
        """The state of the breaker of one service."""
        return self._breaker(service).state

    async def _read(self, service: str, where: str, microversion: str | None) -> Answer:
        attempt = 1
        while True:
            try:
                return await self._guarded(service, lambda: self._authorized(service, where, microversion))
            except RegionCallError as error:
                wait = error.retry_after if error.retry_after is not None else random.uniform(0.1, 0.5)  # noqa: S311
                if attempt >= ATTEMPTS or not error.transient or wait > LONGEST_WAIT:
                    raise
                attempt += 1
                await asyncio.sleep(wait)

    async def _guarded(self, service: str, send: "Send") -> Answer:
        breaker = self._breaker(service)
        if not breaker.admit():
            raise RegionCallError(
                "breaker-open", f"{service} failed repeatedly and is left alone for a while"
            )
        try:
            async with self._own_slots, self._all_slots:
                answer = await send()
        except RegionCallError as error:
            if error.answered or error.code in {"no-endpoint", "credential-unusable"}:
                breaker.succeeded()
            else:
                breaker.failed()
            # A question about something that is not there has been answered: nothing is wrong.
            self._hear(service, None if error.code == "not-found" else error)
            raise
        except BaseException:
            breaker.abandoned()
            raise
        breaker.succeeded()
        now = self._regions.clock.monotonic()
        if now - self._well.get(service, -LATELY) >= LATELY:
            self._well[service] = now
            skew = _date_skew(answer, self._regions.clock.now())
            self._hear(service, None, answer.latency, skew)
        return answer

    async def _authorized(self, service: str, where: str, microversion: str | None) -> Answer:
        access = await self.access()
        base = self._bases.get(service)
        if base is None:
            base = self._bases[service] = versioned(service, await self.endpoint(service))
        url = _absolute(base, where)
        try:
            return await self._send(url, _headers(access.token, microversion))
        except RegionCallError as error:
            if error.code != "token-rejected":
                raise
        renewed = await self._regions.tokens.renewed(self._credential(), access.token)
        return await self._send(url, _headers(renewed.token, microversion))

    async def _send(self, url: str, headers: Mapping[str, str]) -> Answer:
        request_id = new_request_id()
        sent = {**headers, **_FOR_ALL, "X-OpenStack-Request-ID": request_id}
        LOG.debug("region %s: GET %s (%s)", self.target.name, url, request_id)
        return await self._regions.transport.request("GET", url, credential=self._credential(), headers=sent)

    def _credential(self) -> Credential:
        return self._regions.clouds.credential(self.target.credential)

    def _breaker(self, service: str) -> CircuitBreaker:
        breaker = self._breakers.get(service)
        if breaker is None:
            breaker = self._breakers[service] = CircuitBreaker(self._regions.clock)
        return breaker

    def _hear(
        self,
        service: str,
        error: RegionCallError | None,
        latency: float | None = None,
        clock_skew: float | None = None,
    ) -> None:
        if error is not None:
            self._well.pop(service, None)
        self._regions.listener.heard(
            Outcome(
                region=self.target.name,
                service=service,
                at=self._regions.clock.now(),
                error=error,
                latency=round(latency, 1) if latency is not None else None,
                clock_skew=clock_skew,
                breaker=self._breaker(service).state,
            )
        )


class Send(Protocol):
    """Makes one call."""

    async def __call__(self) -> Answer:
        """The answer, or `RegionCallError`."""
        ...


def _headers(token: str, microversion: str | None) -> dict[str, str]:
    headers = {"X-Auth-Token": token}
    if microversion:
        headers["OpenStack-API-Version"] = microversion
    return headers


def _absolute(base: str, where: str) -> str:
    """The URL of a route, or of a `next` link, which services write in three ways.

    Only the path and query of an absolute link are used: a region's answer must not send our token to
    another host.
    """
    scheme, _, rest = base.partition("://")
    host, _, prefix = rest.partition("/")
    if not where.startswith("/") and _SCHEME.match(where):
        path = where.partition("://")[2].partition("/")[2]
        return f"{scheme}://{host}/{path.lstrip('/')}"
    path = "/" + where.lstrip("/")
    if prefix and path.startswith(f"/{prefix}/"):
        return f"{scheme}://{host}{path}"
    return base + _without_version(base, path)


def _without_version(base: str, where: str) -> str:
    """Glance's `next` is `/v2/images?…` even where its endpoint has a path before the version."""
    last = "/" + base.rsplit("/", 1)[-1]
    return where[len(last) :] if where.startswith(last + "/") else where


def _next_page(body: Mapping[str, Any], key: str) -> str | None:
    """The `next` link: Glance has it as `next`, the others in a list `links` or `{key}_links`."""
    if isinstance(body.get("next"), str):
        return str(body["next"])
    for link in body.get(f"{key}_links") or body.get("links") or ():
        if isinstance(link, dict) and link.get("rel") == "next":
            return str(link.get("href") or "") or None
    return None


def _date_skew(answer: Answer, now: datetime) -> float | None:
    """The answer's `Date` against the middle of the call; the header is cut to whole seconds."""
    date = _parsed_date(answer.headers.get("Date") or "")
    if date is None:
        return None
    return round((date - now).total_seconds() + 0.5 + answer.latency / 2000, 1)


@lru_cache(maxsize=256)  # all answers of one second say the same
def _parsed_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
