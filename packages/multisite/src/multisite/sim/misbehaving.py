"""How answers are sent: whole, or as a fault has it."""

import asyncio
import itertools
import json
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from multisite.sim.faults import Fault
from multisite.sim.http import Answer, Refusal
from multisite.sim.identity.state import UNAUTHORIZED
from multisite.sim.service import Service, keystone_form

#: How a server that can cut connections offers it to the program, in the scope's extensions.
ABORT = "multisite.sim.abort"
#: Into how many pieces a dripping body is cut.
PIECES = 20
#: Ids of requests only have to differ.
_requests = itertools.count(1)


@dataclass(slots=True)
class Conversation:
    """One request and the way back to its caller; `now` is the answering service's clock."""

    scope: Any
    receive: Any
    send: Any
    now: float

    @property
    def head(self) -> bool:
        """Whether the caller wants headers only."""
        return bool(self.scope["method"] == "HEAD")

    async def deliver(self, answer: Answer) -> int:
        """Send an answer; returns the length of its body (bytes)."""
        return await deliver(answer, self.send, head=self.head, now=self.now)

    async def start(self, answer: Answer, length: int) -> None:
        """Send the headers of an answer whose body will be `length` bytes long."""
        headers = _headers(answer, length, self.now)
        await self.send({"type": "http.response.start", "status": answer.status, "headers": headers})

    def abort(self) -> None:
        """Cut the connection. Without a server that can, the caller's request fails all the same."""
        cut = (self.scope.get("extensions") or {}).get(ABORT)
        if cut is None:
            raise ConnectionResetError("the simulated region cut the connection")
        cut()

    async def gone(self) -> None:
        """Return when the caller has given up."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


async def deliver(answer: Answer, send: Any, *, head: bool, now: float) -> int:
    """Send an answer at the service's time `now`; returns the length of its body (bytes)."""
    raw = answer.raw()
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": _headers(answer, len(raw), now)}
    )
    await send({"type": "http.response.body", "body": b"" if head else raw})
    return len(raw)


def _headers(answer: Answer, length: int, now: float) -> list[tuple[bytes, bytes]]:
    headers = [
        (b"date", _date(int(now))),
        (b"content-length", str(length).encode()),
        (b"x-openstack-request-id", b"req-00000000-0000-4000-8000-%012x" % next(_requests)),
    ]
    if "Content-Type" not in answer.headers and length:
        headers.append((b"content-type", b"application/json"))
    return headers + [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]


@lru_cache(maxsize=64)
def _date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


async def strike(faults: list[Fault], answer: Answer, talk: Conversation, service: Service) -> int:
    """Let the faults strike an answer; returns the length of what was sent (bytes)."""
    for fault in faults:
        if fault.kind == "latency":
            await asyncio.sleep(fault.delay())
    fault = faults[-1]
    match fault.kind:
        case "hang":
            await talk.gone()
            return 0
        case "refuse":
            talk.abort()
            return 0
        case "reset":
            return await _reset(answer, talk)
        case "drip":
            return await _drip(fault, answer, talk)
        case _:
            return await talk.deliver(_changed(fault, answer, talk, service))


def _changed(fault: Fault, answer: Answer, talk: Conversation, service: Service) -> Answer:
    """What is sent in place of the answer."""
    raw, changed = answer.raw(), answer
    match fault.kind:
        case "truncate":
            changed = Answer(answer.status, raw[: len(raw) // 2], answer.headers)
        case "garbage":
            page = b"<html><body><h1>It works!</h1></body></html>"
            changed = Answer(200, page, {"Content-Type": "text/html"})
        case "wrong":
            changed = Answer(answer.status, _twisted(json.loads(raw or b"{}")), answer.headers)
        case "contradict":
            changed = Answer(answer.status, _impossible(json.loads(raw or b"{}"), [0]), answer.headers)
        case "status" | "expire":
            changed = refusal(fault, service)
        case "stale" if talk.scope["method"] == "GET":
            changed = fault.kept.setdefault((talk.scope["path"], talk.scope["query_string"]), answer)
    return changed


def refusal(fault: Fault, service: Service) -> Answer:
    """What is answered by a service that refuses, or by what stands before it."""
    if fault.kind == "expire":
        return keystone_form(Refusal(401, UNAUTHORIZED))
    wait = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    message = "The simulated service fails, as it was told to."
    return service.refuse(Refusal(fault.status, message, headers=wait))


async def _reset(answer: Answer, talk: Conversation) -> int:
    raw = answer.raw()
    half = raw[: len(raw) // 2]
    await talk.start(answer, len(raw))
    await talk.send({"type": "http.response.body", "body": half, "more_body": True})
    await asyncio.sleep(0.01)  # so that the half arrives before the reset
    talk.abort()
    return len(half)


async def _drip(fault: Fault, answer: Answer, talk: Conversation) -> int:
    raw = answer.raw()
    await talk.start(answer, len(raw))
    size = max(1, -(-len(raw) // PIECES))
    for first in range(0, len(raw), size):
        await asyncio.sleep(fault.delay())
        await talk.send({"type": "http.response.body", "body": raw[first : first + size], "more_body": True})
    await talk.send({"type": "http.response.body", "body": b""})
    return len(raw)


def _twisted(value: Any) -> Any:
    """JSON of another shape: each list becomes an object, each number text."""
    if isinstance(value, dict):
        return {key: _twisted(item) for key, item in value.items()}
    if isinstance(value, list):
        return {"items": [_twisted(item) for item in value]}
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _impossible(value: Any, count: list[int]) -> Any:
    """Figures that cannot be: whole numbers become negative, or larger than what they are part of."""
    if isinstance(value, dict):
        return {key: _impossible(item, count) for key, item in value.items()}
    if isinstance(value, list):
        return [_impossible(item, count) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        count[0] += 1
        return -value - 1 if count[0] % 2 else value * 1000 + 10**9
    return value
