"""HTTP to regions: one aiohttp session, deadlines on everything, plain dicts out.

aiohttp was measured to be the cheapest client by a factor of five. Every way in which a call can fail
becomes a `RegionCallError` here, so that nobody above handles aiohttp's exceptions.
"""

import asyncio
import math
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic_core import from_json

from multisite.openstack.clouds import Credential
from multisite.openstack.failures import RegionCallError

#: More than any page of a listing; a region that sends more is lying.
LARGEST_BODY = 64 * 1024 * 1024
_OK = range(200, 301)  # 300 is how Glance and Keystone list their versions


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of all calls to regions; deadlines in seconds."""

    call_deadline: float = 10.0
    connect_deadline: float = 3.0
    at_once: int = 200
    at_once_per_region: int = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with status 2xx (or 300): parsed JSON, headers, and how long it took (milliseconds)."""

    status: int
    body: dict[str, Any]
    latency: float
    headers: Mapping[str, str] = field(default_factory=dict)


class Transport:
    """Makes HTTP calls; lives on the region loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[tuple[object, object], ssl.SSLContext | bool] = {}

    async def request(
        self,
        method: str,
        url: str,
        *,
        credential: Credential,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One call, within the deadline.

        Raises `RegionCallError`; its detail names method and URL, never a header.
        """
        what = f"{method} {url}"
        deadline = self.limits.call_deadline
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with self._open_session().request(
                method, url, headers=headers, json=body, ssl=self.tls(credential), allow_redirects=False
            ) as answer:
                raw = await _read(answer, what)
                latency = (loop.time() - started) * 1000
                if answer.status not in _OK:
                    raise _refusal(what, answer.status, answer.headers, raw)
                return Answer(answer.status, _parse(raw, what), latency, answer.headers)
        except TimeoutError as error:
            raise RegionCallError("timeout", f"{what}: no answer within {deadline:g} s") from error
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, ConnectionRefusedError)
            code = "connection-refused" if refused else "connection-failed"
            raise RegionCallError(code, f"{what}: {error.strerror or error}") from error
        except (aiohttp.ClientError, ValueError, OSError) as error:
            text = str(error) or type(error).__name__
            raise RegionCallError("connection-failed", f"{what}: {text}") from error

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self.limits.at_once, ttl_dns_cache=60),
                timeout=aiohttp.ClientTimeout(
                    total=self.limits.call_deadline,
                    sock_connect=self.limits.connect_deadline,
                    ceil_threshold=math.inf,  # to the moment, not to the next whole second
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return self._session

    def tls(self, credential: Credential) -> ssl.SSLContext | bool:
        """What aiohttp takes for `ssl` in calls with this credential. Raises `RegionCallError`."""
        key = (credential.verify, credential.client_certificate)
        if key not in self._contexts:
            self._contexts[key] = _context(credential)
        return self._contexts[key]


def _context(credential: Credential) -> ssl.SSLContext | bool:
    if credential.verify is False:
        return False
    if credential.verify is True and credential.client_certificate is None:
        return True
    authority = credential.verify if isinstance(credential.verify, str) else None
    try:
        context = ssl.create_default_context(cafile=authority)
        if isinstance(credential.client_certificate, tuple):
            context.load_cert_chain(*credential.client_certificate)
        elif credential.client_certificate:
            context.load_cert_chain(credential.client_certificate)
    except OSError as error:
        detail = f"the TLS files of entry {credential.name!r} cannot be read: {error}"
        raise RegionCallError("credential-unusable", detail) from error
    return context


async def _read(answer: aiohttp.ClientResponse, what: str) -> bytes:
    raw = b""
    while len(raw) < LARGEST_BODY:
        raw += await answer.content.read(LARGEST_BODY - len(raw))
        if answer.content.at_eof():
            return raw
    raise RegionCallError("unexpected-answer", f"{what}: the answer is larger than {LARGEST_BODY} bytes")


def _parse(raw: bytes, what: str) -> dict[str, Any]:
    if not raw:
        return {}
    try:
        body = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise RegionCallError("unexpected-answer", f"{what}: the answer is not JSON") from error
    if not isinstance(body, dict):
        raise RegionCallError("unexpected-answer", f"{what}: the answer is not a JSON object")
    return body


def _refusal(what: str, status: int, headers: Mapping[str, str], raw: bytes) -> RegionCallError:
    codes = {
        401: "token-rejected",
        403: "forbidden",
        404: "not-found",
        413: "rate-limited",
        429: "rate-limited",
    }
    default = "server-error" if status >= 500 else "unexpected-answer"  # noqa: PLR2004 - HTTP's own boundary
    code = codes.get(status, default)
    if code == "rate-limited" and status == 413 and "Retry-After" not in headers:  # noqa: PLR2004
        code = "unexpected-answer"
    text = raw[:200].decode(errors="replace")
    said = "".join(char if char.isprintable() else " " for char in text).strip()
    detail = f"{what}: HTTP {status}" + (f": {said}" if said else "")
    return RegionCallError(code, detail, status=status, retry_after=_seconds(headers.get("Retry-After")))


def _seconds(text: str | None) -> float | None:
    try:
        return max(0.0, float(text)) if text else None
    except ValueError:
        return None
