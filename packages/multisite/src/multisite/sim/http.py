"""Requests and answers as the simulated services see them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from multisite.sim.identity.state import Token
    from multisite.sim.world import Region

Json = dict[str, Any]
Version = tuple[int, int]


class Refusal(Exception):
    """An error that a service answers with; `kind` is the service's own name for it where it has names.

    `more` stands beside the message in the body; `accept` is what the caller would like to read.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        more: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.headers = dict(headers or {})
        self.more = dict(more or {})
        self.accept = ""


@dataclass(slots=True)
class Answer:
    """A status, a body (JSON, or ready bytes) and headers beside the usual ones."""

    status: int
    body: Json | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def raw(self) -> bytes:
        """The body as it is sent."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else to_bytes(self.body)


@dataclass(slots=True)
class Call:
    """One request, after its token, microversion and body were looked at.

    `path` begins after the API's version; `base` is the service's URL up to its version; `ids` are what
    the route's placeholders stood for; `raw` is the body as it came.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    body: Json
    headers: Mapping[str, str]
    token: "Token"
    region: "Region"
    base: str
    version: Version
    ids: tuple[str, ...] = ()
    raw: bytes = b""

    def one(self, name: str, default: str = "") -> str:
        """The last value of a query parameter."""
        values = self.query.get(name)
        return values[-1] if values else default

    def whole(self, name: str, default: int) -> int:
        """A query parameter that has to be a natural number. Raises `Refusal`."""
        text = self.one(name)
        if not text:
            return default
        if not text.isdigit():
            raise Refusal(400, f"{name} must be a natural number, not {text!r}", kind="badRequest")
        return int(text)

    def part(self, name: str) -> Json:
        """The object under `name` in the body. Raises `Refusal`."""
        found = self.body.get(name)
        if not isinstance(found, dict):
            raise Refusal(400, f"Invalid input: the body has no object {name!r}", kind="badRequest")
        return found

    def url(self, path: str, query: Mapping[str, str | list[str]] | None = None) -> str:
        """An absolute URL of this service."""
        text = urlencode(query, doseq=True) if query else ""
        return f"{self.base}{path}" + (f"?{text}" if text else "")


Handler = Callable[[Call], Json | Answer]


def to_bytes(body: Json) -> bytes:
    """JSON, compact."""
    return json.dumps(body, separators=(",", ":")).encode()


def stamp(seconds: float) -> str:
    """A time as Nova, Neutron and Glance write it: whole seconds, `Z`."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_micro(seconds: float) -> str:
    """A time as Cinder writes it: microseconds, no zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def parse_stamp(text: str) -> float:
    """Seconds since the epoch of a time in a query; no zone means UTC. Raises `Refusal`."""
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Refusal(400, f"Invalid input: {text!r} is no time", kind="badRequest") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
