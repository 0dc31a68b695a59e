"""A simulated cloud, called in process: no socket, no server."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from multisite.sim import Plan, Simulator
from multisite.sim.plan import password


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


class SimulatedCloud:
    """A simulator, and users who call it; `get` and its like take a path with a query."""

    def __init__(self, **plan: Any) -> None:
        self.now = 1_800_000_000.0
        self.simulator = Simulator(Plan(**plan), clock=lambda: self.now)
        self.world = self.simulator.world
        self._tokens: dict[tuple[str, str], str] = {}

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Reply:
        """One request; `token` is sent as X-Auth-Token, and JSON is asked for."""
        headers = {"Accept": "application/json"} | headers
        sent: list[Any] = []
        parts = urlsplit(path)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
        lines = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
        if token:
            lines.append((b"x-auth-token", token.encode()))

        async def receive() -> Any:
            return {"type": "http.request", "body": raw}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": method, "path": parts.path, "headers": lines}
        asyncio.run(self.simulator(scope | {"query_string": parts.query.encode()}, receive, send))
        start, *rest = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], told, b"".join(message.get("body", b"") for message in rest))

    def log_in(self, user: str = "admin", *, region: str = "", project: str | None = None) -> Reply:
        """The answer of Keystone to a log-in with a password."""
        identity = {"user": {"name": user, "domain": {"name": "Default"}, "password": password(user)}}
        scope = {"project": {"name": project or user, "domain": {"name": "Default"}}}
        body = {"auth": {"identity": {"methods": ["password"], "password": identity}, "scope": scope}}
        return self.call("POST", f"{self._keystone(region)}/auth/tokens", body)

    def token(self, user: str = "admin", *, region: str = "") -> str:
        """A token of a user for the project of the same name."""
        key = (user, region)
        if key not in self._tokens:
            self._tokens[key] = self.log_in(user, region=region).headers["x-subject-token"]
        return self._tokens[key]

    def ask(self, path: str, *, user: str = "admin", status: int = 200, **headers: str) -> Any:
        """GET as a user; what it answers as JSON."""
        reply = self.call("GET", path, token=self.token(user), **headers)
        assert reply.status == status, reply.raw
        return reply.json

    def send(
        self, method: str, path: str, body: Any = None, *, user: str = "admin", status: int, **headers: str
    ) -> Any:
        """Write as a user; what it answers as JSON, or nothing."""
        reply = self.call(method, path, body, token=self.token(user), **headers)
        assert reply.status == status, reply.raw
        return reply.json if reply.raw else None

    def project_id(self, name: str) -> str:
        """The id of a project."""
        project = self.world.keystone(self.world.names[0]).find("projects", {"name": name})
        assert project
        return str(project["id"])

    def _keystone(self, region: str) -> str:
        return f"/{region}/identity/v3" if region else "/identity/v3"


@pytest.fixture
def cloud() -> SimulatedCloud:
    """Two regions with ten servers each."""
    return SimulatedCloud(regions=2, hosts=3, servers=10, projects=3, names=("one", "two"))
