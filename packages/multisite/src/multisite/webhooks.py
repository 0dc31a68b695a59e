"""Sends what happened to addresses that an operator named: signed, within a deadline, without redirects.

A receiver checks the signature: it takes `Multisite-Timestamp` and the body as it came, makes the HMAC-SHA256
of `TIMESTAMP.BODY` with the secret that both know, and compares it with each `v1=` of `Multisite-Signature`.
The timestamp is in the signature, so an old message cannot be sent again later by somebody who saw it.

Names are looked up in threads of its own: a name server that hangs must not take those that others on the
same loop wait for. An address may hold a secret (a token in the path), so texts and logs name its host only.
"""

import asyncio
import hashlib
import hmac
import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from multisite.errors import ConfigurationError

#: Seconds within which a connection stands, and within which the answer's head is there.
CONNECT, DEADLINE = 5.0, 10.0
#: Names that are looked up at a time.
LOOKUPS = 8
#: Characters of a secret.
SHORTEST = 16
TIMESTAMP, SIGNATURE = "Multisite-Timestamp", "Multisite-Signature"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that gets messages; `key` is what the database knows it by."""

    url: str = field(repr=False)

    @property
    def key(self) -> str:
        """32 hexadecimal digits that follow from the address and do not tell it."""
        return hashlib.blake2b(self.url.encode(), digest_size=16).hexdigest()

    @property
    def host(self) -> str:
        """What may be told of it."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The HMAC-SHA256 of `TIMESTAMP.BODY`, in hexadecimal digits (RFC 2104)."""
    return hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()


def read_secrets(path: Path | None) -> Sequence[str]:
    """The secrets in a file, one a line; none without a file. Raises `ConfigurationError`."""
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigurationError(f"[quotas] webhook_secret_file {path} cannot be read: {reason}") from error
    secrets = [line.strip() for line in lines if line.strip()]
    if not secrets or min(map(len, secrets)) < SHORTEST:
        raise ConfigurationError(
            f"[quotas] webhook_secret_file {path}: write a secret of {SHORTEST} characters or more on a line"
        )
    return secrets


class Webhooks:
    """Posts messages; lives on one event loop. `deadline` in seconds bounds one of them."""

    def __init__(self, secrets: Sequence[str], *, deadline: float = DEADLINE) -> None:
        self._secrets = tuple(secrets)
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self, endpoint: Endpoint, body: bytes, timestamp: int, headers: Mapping[str, str]
    ) -> str | None:
        """Send a JSON document; `timestamp` in seconds since 1970.

        `None` when it was taken (an answer 2xx), else why not: a few words without the address.
        """
        signed = {
            "Content-Type": "application/json",
            "User-Agent": "multisite",
            TIMESTAMP: str(timestamp),
            SIGNATURE: ",".join(f"v1={signature(secret, timestamp, body)}" for secret in self._secrets),
            **headers,
        }
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._opened().post(endpoint.url, data=body, headers=signed, allow_redirects=False) as answer,
            ):
                status = answer.status
        except TimeoutError:
            return f"no answer within {self._deadline:g} s"
        except aiohttp.ClientConnectorCertificateError:
            return "its certificate is not to be trusted"
        except aiohttp.ClientConnectorError as error:
            return f"no connection: {error.strerror or 'the name or address leads nowhere'}"
        except (aiohttp.ClientError, ValueError, OSError) as error:
            return f"the connection failed ({type(error).__name__})"
        return None if 200 <= status < 300 else f"HTTP {status}"  # noqa: PLR2004 - HTTP's own boundaries

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # One connection a message: on a kept one that ends just now, nobody knew whether it came.
                connector=aiohttp.TCPConnector(ttl_dns_cache=60, force_close=True, resolver=_Resolver()),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class _Resolver(AbstractResolver):
    """Looks names up as the system does, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="webhooks")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name. Raises `OSError`."""
        look_up = partial(
            socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=numeric,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Wait for nothing."""
        self._threads.shutdown(wait=False, cancel_futures=True)
