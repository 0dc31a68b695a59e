"""The ASGI program: finds region, service and route of a request, answers, misbehaves if told to, and counts.

The path says all: `/identity/v3/…` is the shared Keystone, `/{region}/{service}/…` a service of a region,
`/_sim/…` the simulator's own controls.
"""

import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from multisite.sim import control, misbehaving
from multisite.sim.counters import Calls
from multisite.sim.faults import Fault, Faults
from multisite.sim.http import Answer, Call, Handler, Json, Refusal
from multisite.sim.identity.state import UNAUTHORIZED
from multisite.sim.plan import Plan
from multisite.sim.routing import Lost, Routes
from multisite.sim.service import Form, Service, keystone_form
from multisite.sim.services import SEGMENTS
from multisite.sim.world import Region, World

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: A request's body may be this long (bytes).
LONGEST_BODY = 16 * 1024 * 1024


@dataclass(slots=True)
class Asked:
    """Where a request goes: `path` begins after the API's version."""

    region: Region
    service: Service
    path: str
    base: str
    counted_as: str
    root: bool


class Simulator:
    """A cloud to talk to: give it to an ASGI server, or to an HTTP client that calls ASGI programs."""

    def __init__(self, plan: Plan | None = None, clock: Callable[[], float] = time.time) -> None:
        self.plan = plan or Plan()
        self.world = World(self.plan, clock)
        self.faults = Faults()
        self.calls = Calls()
        self.world.skew = self.faults.skew

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            return
        body = await _body(receive)
        path = unquote(scope["path"])
        if path == "/" or path.startswith("/_sim"):
            query = scope["query_string"].decode("latin-1")
            answer = control.answer(self, scope["method"], path, query, body)
            await misbehaving.deliver(answer, send, head=False, now=self.world.clock())
            return
        try:
            asked = self._find(path)
        except Refusal as refusal:
            await misbehaving.deliver(keystone_form(refusal), send, head=False, now=self.world.clock())
            return
        await self._answer(asked, scope, receive, send, body)

    def _find(self, path: str) -> Asked:
        """Region and service of a path. Raises `Refusal` (404)."""
        first, _, rest = path[1:].partition("/")
        if first == "identity" and not self.plan.own_keystone:
            region, segment, base = (
                self.world.region(self.world.names[0]),
                "identity",
                f"{self.plan.url}/identity",
            )
            counted_as = ""
        else:
            region = self.world.region(first)
            segment, _, rest = rest.partition("/")
            base = f"{self.plan.region_url(region.index)}/{first}/{segment}"
            counted_as = first
        service = SEGMENTS.get(segment)
        if service is None:
            raise Refusal(404, f"there is no service {segment!r} in a simulated region")
        if service.version:
            version, _, below = rest.partition("/")
            root = version != service.version
            if not root:
                base, rest = f"{base}/{version}", below
        else:
            root = False
        if service.kind == "volume" and not root:
            head, _, below = rest.partition("/")
            if len(head) == 32 and head.isalnum():  # older catalogs have the project in the path  # noqa: PLR2004
                rest = below
        return Asked(region, service, f"/{rest.strip('/')}", base, counted_as, root)

    async def _answer(self, asked: Asked, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        counters = self.calls.of(asked.counted_as)
        counters.begin()
        try:
            faults, route = self._struck(asked, scope["method"]) if self.faults else ([], "")
            if faults and not faults[-1].done:
                answer = misbehaving.refusal(faults[-1], asked.service)
            else:
                route, answer = self._work(asked, scope, body)
            counters.count(f"{asked.service.kind} {route}", answer.status)
            talk = misbehaving.Conversation(scope, receive, send, asked.region.now(asked.service.kind))
            if faults:
                counters.bytes += await misbehaving.strike(faults, answer, talk, asked.service)
            else:
                counters.bytes += await talk.deliver(answer)
        finally:
            counters.running -= 1

    def _struck(self, asked: Asked, method: str) -> tuple[list[Fault], str]:
        """The faults that strike a call, and the route's name."""
        if asked.root:
            route = f"{method} versions"
        else:
            _, route, _, _ = _find_route(asked.service.routes, method, asked.path)
        return self.faults.choose(asked.counted_as, asked.service.kind, route), route

    def _work(self, asked: Asked, scope: Scope, body: bytes) -> tuple[str, Answer]:
        """The route's name and the answer."""
        service, method = asked.service, scope["method"]
        if asked.root:
            answer = service.versions(asked.base)
            answer.headers |= service.headers
            return f"{method} versions", answer
        route = f"{method} {asked.path}"
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        told: dict[str, str] = dict(service.headers)
        try:
            handler, route, ids, lost = _find_route(service.routes, method, asked.path)
            token = _token(asked, headers, needed=route not in service.open_routes)
            version = (0, 0)
            if service.microversions:
                version = service.microversions.read(headers)
                told |= service.microversions.headers(version)
            if lost:
                return route, _refused(
                    lost, service.lost, told if service.kind == "placement" else service.headers, headers
                )
            call = Call(
                method, asked.path, {}, {}, headers, token, asked.region, asked.base, version, ids, body
            )  # fmt: skip
            return route, _serve(service, handler, call, scope["query_string"].decode("latin-1"), told)
        except _Unauthenticated as refusal:
            return route, _refused(refusal, service.unauthorized, service.headers, headers)
        except Refusal as refusal:
            return route, _refused(refusal, service.refuse, told, headers)


def _refused(refusal: Refusal, form: Form, told: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    refusal.accept = headers.get("accept", "")
    answer = form(refusal)
    answer.headers = {**told, **answer.headers}
    return answer


def _serve(service: Service, handler: Handler, call: Call, query: str, told: dict[str, str]) -> Answer:
    """What the route's handler answers; GETs of a region that nobody wrote to since are kept."""
    region, token = call.region, call.token
    key = None
    if call.method == "GET" and token and service.kind != "identity":
        key = (service.kind, call.path, query, token.view, token.user_id, call.version)
        kept = region.answers.get(key)
        if kept and kept[0] == region.revision:
            return kept[1]
    call.query = parse_qs(query, keep_blank_values=True)
    call.body = _json(call.raw, call.headers)
    result = handler(call)
    answer = result if isinstance(result, Answer) else Answer(200, result)
    if call.method not in {"GET", "HEAD"} and service.kind != "identity":
        region.touch()
    answer.headers = {**told, **answer.headers}
    answer.body = answer.raw()
    if key and answer.status == 200 and not region.compute.building:  # noqa: PLR2004
        region.keep(key, answer)
    return answer


class _Unauthenticated(Refusal):
    """No token, or one that has ended: the middleware in front of a service says so."""

    def __init__(self, auth_url: str) -> None:
        super().__init__(401, UNAUTHORIZED, headers={"WWW-Authenticate": f'Keystone uri="{auth_url}"'})


def _find_route(routes: Routes, method: str, path: str) -> tuple[Handler, str, tuple[str, ...], Lost | None]:
    """The route's handler, name and ids; where there is none, what to say once the token is checked."""
    try:
        return *routes.find(method, path), None
    except Lost as lost:
        if method == "HEAD":
            return _find_route(routes, "GET", path)
        return _nothing, f"{method} {path}", (), lost


def _nothing(_: Call) -> Json:
    return {}


def _token(asked: Asked, headers: Mapping[str, str], *, needed: bool) -> Any:
    """The request's token; none is fine on some routes. Raises `_Unauthenticated`."""
    token = asked.region.keystone.valid(headers.get("x-auth-token"))
    if token is None and needed:
        raise _Unauthenticated(asked.region.world.auth_url(asked.region.name))
    return token


def _json(body: bytes, headers: Mapping[str, str]) -> Json:
    if not body or headers.get("content-type") == "application/octet-stream":
        return {}  # a body of bytes is not read, but by those that want bytes
    try:
        parsed = json.loads(body)
    except ValueError:
        raise Refusal(400, "Malformed request body", kind="badRequest") from None
    if isinstance(parsed, list):
        return {"": parsed}
    if not isinstance(parsed, dict):
        raise Refusal(400, "Malformed request body", kind="badRequest")
    return parsed


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += bytes(message.get("body", b""))
        if len(body) > LONGEST_BODY or not message.get("more_body"):
            return body


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return
