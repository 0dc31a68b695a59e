"""The page in this process: a world of plain values behind it, a small browser before it.

`World` holds what the services would answer, and counts what it was asked. `Browser` speaks ASGI: it keeps
cookies, follows no redirect, and sends what a browser sends with a form.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from multisite import errors
from multisite.capacity.details import CapacityDetail
from multisite.capacity.history.model import Point
from multisite.capacity.history.service import Question, Resolution, Series
from multisite.capacity.history.trends import Trend
from multisite.capacity.model import (
    Capacity,
    CapacityTotals,
    CapacityWarning,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    RegionCapacity,
    VolumeSummary,
)
from multisite.clock import FixedClock
from multisite.engine.model import Operation, Part
from multisite.openstack.home import IssuedToken
from multisite.regions.model import Maintenance, Region, ServiceHealth
from multisite.regions.states import CallError, Freshness, Missing, State, region_state
from multisite.regions.status import RegionView
from multisite.requester import Requester
from multisite.usage.model import ProjectUsage, RegionUsage, ResourceUsage, UsageTotals, total_usage
from multisite.web.pages import Pages, create_pages
from multisite.web.services import Services
from multisite.web.session import SessionSealer
from tests.unit.web.items import Items
from tests.unit.web.quotas import History, Quotas
from tests.unit.web.requests import Requests
from tests.unit.web.work import Operations

SERVICES = ("compute", "image", "network", "placement", "volume")
SECRET_ADDRESS = "http://10.20.30.40:8774"
KEY = b"0123456789abcdef0123456789abcdef"


@dataclass
class World:
    """What there is, and how often it was asked for."""

    clock: FixedClock
    views: dict[str, RegionView] = field(default_factory=dict)
    capacities: dict[str, RegionCapacity] = field(default_factory=dict)
    details: dict[str, CapacityDetail] = field(default_factory=dict)
    usage: dict[str, ProjectUsage] = field(default_factory=dict)
    people: dict[str, Requester] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    away: bool = False
    broken: Exception | None = None
    capacity_questions: int = 0
    logins: list[dict[str, Any]] = field(default_factory=list)
    trends: dict[str, Trend] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def region(  # noqa: PLR0913 - the ways in which regions differ
        self,
        name: str,
        *,
        ill: Mapping[str, State] | None = None,
        enabled: bool = True,
        maintenance: Maintenance | None = None,
        labels: Mapping[str, str] | None = None,
        position: int | None = None,
        warnings: tuple[CapacityWarning, ...] = (),
        used: int = 4,
        observed_at: datetime | None = None,
        dashboard_url: str | None = None,
    ) -> None:
        """Put a region into the world, or change it."""
        if position is None:
            position = self.views[name].region.position if name in self.views else 0
        read = observed_at or self.clock.now() - timedelta(seconds=12)
        error = CallError("connection-refused", f"{SECRET_ADDRESS} refused the connection")
        usual = State.FRESH if enabled else State.DISABLED
        services = {}
        for service in SERVICES:
            state = (ill or {}).get(service, usual)
            services[service] = Freshness(state, read, 12.0, error if state is State.UNREACHABLE else None)
        region = Region(
            name,
            f"catalog-{name}",
            "lab-admin",
            enabled=enabled,
            maintenance=maintenance,
            labels=labels or {},
            position=position,
            dashboard_url=dashboard_url,
        )
        state = region_state([each.state for each in services.values()], enabled=enabled)
        self.views[name] = RegionView(region, state, services)
        figures = Capacity(total=10, usable=40, used=used, free=40 - used)
        self.capacities[name] = RegionCapacity(
            name,
            state,
            services,
            placement=PlacementSummary({"VCPU": figures}, {"nova": {"VCPU": figures}}, {}, 1),
            compute=ComputeSummary(hosts=2, hosts_available=2, running_servers=3),
            volume=VolumeSummary(total=100, free=90, pools=1),
            network=NetworkSummary(),
            image=ImageSummary(),
            warnings=warnings,
        )
        self.details[name] = CapacityDetail(self.capacities[name])

    def project(self, resources: Mapping[str, ResourceUsage], **regions: bool) -> None:
        """What project `p-alpha` uses, the same in each region; `False` where it does not exist."""
        rows = tuple(
            RegionUsage(
                name, self.views[name].state, found, self.views[name].services, resources if found else {}
            )
            for name, found in regions.items()
        )
        found = [row for row in rows if row.found]
        sums = {name: total_usage([row.resources[name] for row in found]) for name in resources}
        missing = tuple(
            Missing(row.region, service, each.state)
            for row in rows
            for service, each in row.services.items()
            if each.state in {State.STALE, State.UNREACHABLE}
        )
        self.usage["p-alpha"] = ProjectUsage(
            "p-alpha", "alpha", "Default", rows, UsageTotals(sums, not missing, missing)
        )

    def person(self, name: str, *roles: str, system_scope: bool = False) -> None:
        """Somebody who can log in; the token is `token-NAME`."""
        self.people[f"token-{name}"] = Requester(
            user_id=name,
            user_name=name,
            user_domain_name="Default",
            project_id=None if system_scope else "p-alpha",
            project_name=None if system_scope else "alpha",
            project_domain_name="Default",
            roles=frozenset(roles),
            system_scope=system_scope,
            expires_at=self.clock.now() + timedelta(hours=1),
        )


class _Authenticator:
    def __init__(self, world: World) -> None:
        self.world = world

    async def authenticate(self, token: str) -> Requester:
        if token in self.world.refused:
            raise errors.Unauthenticated
        if self.world.away:
            raise errors.KeystoneAway
        known = token not in self.world.revoked or token in self.world.remembered
        if token not in self.world.people or not known:
            raise errors.Unauthenticated
        return self.world.people[token]

    def refuse(self, token: str) -> None:
        self.world.refused.append(token)


class _Keystone:
    def __init__(self, world: World) -> None:
        self.world = world

    async def issue_token(
        self,
        *,
        user_name: str,
        password: str,
        user_domain: str,
        project: str | None,
        project_domain: str | None,
    ) -> IssuedToken:
        if self.world.away:
            raise errors.KeystoneAway
        self.world.logins.append(
            {"user_domain": user_domain, "project": project, "project_domain": project_domain}
        )
        requester = self.world.people.get(f"token-{user_name}")
        if requester is None or password != "right" or user_domain != "Default":
            raise errors.Unauthenticated
        if project not in {None, "alpha"}:
            raise errors.Forbidden
        expires_at = self.world.clock.now() + timedelta(hours=1)
        token = f"token-{user_name}"
        return IssuedToken(token, expires_at, user_name, requester.project_id, requester.project_name)

    async def revoke_token(self, token: str) -> None:
        if self.world.away:
            raise errors.KeystoneAway
        self.world.revoked.append(token)


class _Regions:
    def __init__(self, world: World, work: Operations) -> None:
        self.world, self.work = world, work

    async def test_all(self, requester: Requester, names: Sequence[str] = ()) -> Operation:
        assert not names
        if "admin" not in requester.roles:
            raise errors.Forbidden("Testing is for operators.")
        self.work.tested.append(requester.user_name)
        self.work.add("tested", *(Part(name) for name in self.world.views))
        return self.work.there["tested"]

    async def list(self, requester: Requester, *, names: Sequence[str] = ()) -> Sequence[RegionView]:
        assert not names
        return [self._view(requester, view) for view in self.world.views.values()]

    async def show(self, requester: Requester, name: str) -> RegionView:
        if name not in self.world.views:
            raise errors.NotFound(f"There is no region {name!r}.")
        return self._view(requester, self.world.views[name])

    async def health(
        self, requester: Requester, *, names: Sequence[str] = (), services: Sequence[str] = ()
    ) -> Sequence[ServiceHealth]:
        assert not services
        rows = [
            ServiceHealth(
                name, service, each.state, SECRET_ADDRESS, "2.1", "2.1", "2.103", 41.7, each.observed_at,
                each.observed_at, each.error, clock_skew=0.2,
            )
            for name in names
            for service, each in self.world.views[name].services.items()
        ]  # fmt: skip
        return rows if requester.operator_reader else [row.for_tenant() for row in rows]

    def _view(self, requester: Requester, view: RegionView) -> RegionView:
        if requester.operator_reader:
            return view
        hidden = {name: each.for_tenant() for name, each in view.services.items()}
        return replace(view, services=hidden)


@dataclass(frozen=True)
class Listing:
    regions: tuple[RegionCapacity, ...]
    totals: CapacityTotals


class _Capacity:
    def __init__(self, world: World) -> None:
        self.world = world

    async def list(self, requester: Requester, *, names: Sequence[str] = (), fresh: bool = False) -> Listing:
        assert not fresh
        self.world.capacity_questions += 1
        if self.world.broken:
            raise self.world.broken
        if not requester.operator_reader:
            raise errors.Forbidden("Capacity is for operators.")
        chosen = [each for name, each in self.world.capacities.items() if not names or name in names]
        missing = tuple(
            Missing(each.region, service, freshness.state)
            for each in chosen
            for service, freshness in each.services.items()
            if freshness.state in {State.STALE, State.UNREACHABLE}
        )
        vcpus = sum((each.placement.resources["VCPU"] for each in chosen if each.placement), Capacity())
        totals = CapacityTotals(
            PlacementSummary({"VCPU": vcpus}),
            ComputeSummary(),
            VolumeSummary(),
            NetworkSummary(),
            ImageSummary(),
            not missing,
            missing,
        )
        return Listing(tuple(chosen), totals)

    async def show(self, requester: Requester, name: str) -> CapacityDetail:
        if not requester.operator_reader:
            raise errors.Forbidden("Capacity is for operators.")
        if name not in self.world.details:
            raise errors.NotFound(f"There is no region {name!r}.")
        return self.world.details[name]


class _History:
    def __init__(self, world: World) -> None:
        self.world = world

    async def show(self, requester: Requester, question: Question) -> Series:
        if not requester.operator_reader:
            raise errors.Forbidden("Capacity is for operators.")
        self.world.questions.append(question)
        now = self.world.clock.now()
        points = [each for each in self.world.points if each.region in question.regions]
        return Series(now, now, Resolution.RAW, points, more=False)

    async def trends(self, requester: Requester, views: Sequence[RegionView]) -> Mapping[str, Trend]:
        assert requester.operator_reader
        assert views is not None
        return self.world.trends


class _Usage:
    def __init__(self, world: World) -> None:
        self.world = world

    async def show(
        self, requester: Requester, project_id: str, *, names: Sequence[str] = (), fresh: bool = False
    ) -> ProjectUsage:
        assert not fresh
        assert requester.project_id == project_id
        usage = self.world.usage[project_id]
        return replace(usage, regions=tuple(r for r in usage.regions if not names or r.region in names))


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    def element(self, identifier: str) -> str:
        """The start tag of the element with an id, as written."""
        found = re.search(rf'<[a-z]+[^>]*\bid="{re.escape(identifier)}"[^>]*>', self.text)
        assert found, f"no element {identifier}"
        return found.group()

    def tile(self, name: str) -> str:
        """A region's tile as written."""
        found = re.search(
            rf'<li class="tile[^"]*" id="tile-{re.escape(name)}".*?\n</li>', self.text, re.DOTALL
        )
        assert found, f"no tile {name}"
        return found.group()

    @property
    def words(self) -> str:
        """What a person reads, without tags."""
        return words(self.text)

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        assert found, f"no field {name}"
        return found.group(1)


def words(html: str) -> str:
    """The text of HTML, white space made one."""
    parts: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            parts.append(data)

    parser = Reader()
    parser.feed(html)
    return " ".join("".join(parts).replace("\u00a0", " ").replace("\u202f", " ").split())


class Browser:
    """Keeps cookies and asks."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookies: dict[str, str] = {}
        self.scheme = "http"

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self._ask("GET", path, b"", headers)

    async def post(self, path: str, fields: Mapping[str, str | Sequence[str]], **headers: str) -> Answer:
        """POST a form; `origin` is the page's own unless said otherwise."""
        headers = {
            "content_type": "application/x-www-form-urlencoded",
            "origin": f"{self.scheme}://page.example",
            **headers,
        }
        return await self._ask("POST", path, urlencode(fields, doseq=True).encode(), headers)

    async def log_in(self, user: str, root: str = "", **fields: str) -> Answer:
        """Open the log-in and send it."""
        form = await self.get(f"{root}/login")
        return await self.post(
            f"{root}/login",
            {"form_token": form.field("form_token"), "user": user, "password": "right", "domain": "Default"}
            | fields,
        )

    def stream(self, path: str) -> Stream:
        """Open a stream of server-sent events."""
        return Stream(self, path)

    def scope(self, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """The ASGI scope of a request."""
        parts = urlsplit(path)
        sent = {"host": "page.example", **{key.replace("_", "-"): value for key, value in headers.items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{key}={value}" for key, value in self.cookies.items())
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(key.encode(), value.encode()) for key, value in sent.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("page.example", 80),
        }

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        messages: list[dict[str, Any]] = []

        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        await self.app(self.scope(method, path, headers), receive, send)
        sent = [(key.decode(), value.decode()) for key, value in messages[0]["headers"]]
        cookies = [value for key, value in sent if key == "set-cookie"]
        for cookie in cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        text = b"".join(message.get("body", b"") for message in messages[1:]).decode()
        return Answer(messages[0]["status"], dict(sent), cookies, text)


class Stream:
    """One open stream: `async with browser.stream(path) as events: event, data = await events.next()`."""

    def __init__(self, browser: Browser, path: str) -> None:
        self._browser, self._path = browser, path
        self._events: asyncio.Queue[tuple[str, str] | None] = asyncio.Queue()
        self._gone = asyncio.Event()
        self._text = ""
        self.status = 0

    async def __aenter__(self) -> Self:
        scope = self._browser.scope("GET", self._path, {"accept": "text/event-stream"})
        self._task = asyncio.create_task(self._browser.app(scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(self._task, 5)

    async def next(self, patience: float = 5.0) -> tuple[str, str] | None:
        """The next event as (name, data); `None` at the end of the stream."""
        return await asyncio.wait_for(self._events.get(), patience)

    async def ended(self) -> bool:
        """Whether the server ended the stream by itself."""
        await asyncio.wait_for(asyncio.shield(self._task), 5)
        return not self._gone.is_set()

    async def _receive(self) -> dict[str, Any]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self._text += message["body"].decode().replace("\r\n", "\n")
        *whole, self._text = self._text.split("\n\n")
        for block in whole:
            lines = [line.partition(": ") for line in block.split("\n")]
            name = "".join(value for key, _, value in lines if key == "event")
            if name:
                self._events.put_nowait((name, "\n".join(value for key, _, value in lines if key == "data")))
        if not message.get("more_body"):
            self._events.put_nowait(None)


@pytest.fixture
def world(clock: FixedClock) -> World:
    """Two regions that are well, an operator and a tenant."""
    world = World(clock)
    world.region("RegionOne", position=1)
    world.region("RegionTwo", position=2)
    world.person("root", "admin", "member", "reader")
    world.person("alice", "member", "reader")
    return world


@pytest.fixture
def sealer() -> SessionSealer:
    return SessionSealer(KEY)


@pytest.fixture
def items() -> Items:
    """An empty inventory."""
    return Items()


@pytest.fixture
def work(world: World) -> Operations:
    """No operations yet."""
    return Operations(world.clock.now())


@pytest.fixture
def quotas(work: Operations) -> Quotas:
    """No project is governed."""
    return Quotas(work)


@pytest.fixture
def asked(quotas: Quotas) -> Requests:
    """Nobody asked for more yet."""
    return Requests(quotas)


@pytest.fixture
def pages(
    world: World, items: Items, work: Operations, quotas: Quotas, asked: Requests, sealer: SessionSealer
) -> Pages:
    services = Services(
        _Authenticator(world),
        _Keystone(world),
        _Regions(world, work),
        _Capacity(world),
        _Usage(world),
        history=_History(world),
        operations=work,
        inventory=items.services(),
        quotas=quotas,
        quota_rules=quotas,
        quota_history=History(quotas),
        quota_requests=asked,
    )
    return create_pages(services, sealer, world.clock, event_interval=0.01)


@pytest.fixture
def browser(pages: Pages) -> Browser:
    return Browser(Starlette(routes=[Route("/", pages.home), *pages.routes]))


@pytest.fixture
def below(pages: Pages) -> Browser:
    """A browser of the same page under the root path `/multisite`."""
    inner = Starlette(routes=[Route("/", pages.home), *pages.routes])
    return Browser(Starlette(routes=[Mount("/multisite", app=inner)]))
