"""The application in this process: a small ASGI client before it, an authenticator of our own inside.

The authenticator stands where keystonemiddleware would: a token is a name from `PEOPLE`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI

from multisite import settings
from multisite.api.app import create_app
from multisite.assembly import Assembly, assemble
from multisite.clock import Clock
from multisite.errors import DomainScopedToken, KeystoneAway, Unauthenticated
from multisite.regions.model import Endpoint, Region
from multisite.regions.store import RegionStore
from multisite.requester import Requester

ALPHA, BETA = "a" * 32, "b" * 32
#: The entries of the service's clouds.yaml.
CREDENTIALS = ("c", "lab", "lab-admin", "other", "secret-entry")


def person(name: str, *roles: str, project: str | None = ALPHA, system: bool = False) -> Requester:
    """Somebody with a token; their project is called as they are."""
    return Requester(f"id-{name}", name, "Default", project, name, "Default", frozenset(roles), system)


PEOPLE = {
    "operator": person("operator", "admin", "member", "reader", project="c" * 32),
    "system-reader": person("system-reader", "reader", project=None, system=True),
    "reader": person("reader", "reader"),
    "member": person("member", "member", "reader"),
    "manager": person("manager", "manager", "member", "reader"),
    "foreigner": person("foreigner", "member", "reader", project=BETA),
    "roleless": person("roleless", "creator"),
}


class Authenticator:
    """Knows `PEOPLE`; `domain` is a domain-scoped token, `away` is a Keystone that does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def authenticate(
        self, token: str, *, service_token: str | None = None, method: str = "GET", path: str = "/"
    ) -> Requester:
        """Who the token belongs to."""
        assert service_token is None
        self.asked.append(f"{method} {path}")
        if token == "domain":
            raise DomainScopedToken("this token is scoped to a domain")
        if token == "away":
            raise KeystoneAway("the home Keystone does not answer")
        if token not in PEOPLE:
            raise Unauthenticated("the token is missing, wrong or expired")
        return PEOPLE[token]


@dataclass
class Answer:
    """What the application answered."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)

    @property
    def error(self) -> dict[str, Any]:
        """The one error of an answer in the API-SIG form."""
        (error,) = self.json["errors"]
        assert set(error) == {"status", "code", "title", "detail", "request_id"}
        assert error["status"] == self.status
        assert error["request_id"] == self.headers["x-openstack-request-id"]
        assert error["detail"]
        return dict(error)


@dataclass
class Service:
    """The application, its parts, and a way to call it."""

    app: FastAPI
    assembly: Assembly
    authenticator: Authenticator
    store: RegionStore
    #: Set, the client speaks as uvicorn does behind a proxy with this root path.
    root_path: str = ""

    async def call(
        self,
        method: str,
        url: str,
        token: str | None = "operator",  # noqa: S107 - a name of PEOPLE
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request. `body` is sent as JSON, `raw` as it is."""
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", "content-length": str(len(content)), **(headers or {})}
        if token is not None:
            sent["X-Auth-Token"] = token
        parts = urlsplit(url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "server": ("multisite.example", 8118),
            "client": ("127.0.0.1", 1),
            "path": unquote(self.root_path + parts.path),
            "raw_path": (self.root_path + parts.path).encode(),
            "root_path": self.root_path,
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
        }
        return await self._exchange(scope, content)

    async def _exchange(self, scope: dict[str, Any], content: bytes) -> Answer:
        messages: list[dict[str, Any]] = []

        sent = False

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:  # the client stays: a streamed answer waits for it to go
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        try:
            await self.app(scope, receive, send)
        except Exception:
            if not messages:  # Starlette answers first and then raises for the server's log
                raise
        (start,) = (message for message in messages if message["type"] == "http.response.start")
        text = b"".join(message.get("body", b"") for message in messages).decode()
        headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], headers, text)

    async def add(self, name: str, *services: str, **fields: Any) -> Region:
        """Put a region into the database, with endpoints of `services`."""
        region = Region(name, f"{name}-catalog", "secret-entry", **fields)
        endpoints = [Endpoint(kind, kind, f"http://10.9.8.7/{kind}", "2.1") for kind in services]
        async with self.store.database.write() as connection:
            region_id = await self.store.insert(connection, region)
            await self.store.replace_services(connection, region_id, endpoints)
        return (await self.store.select([name]))[0]


@asynccontextmanager
async def opened(url: str, folder: Path, clock: Clock, regions: str = "") -> AsyncIterator[Service]:
    """The application over the database at `url`, with its own files in `folder`.

    `regions` are more lines of the configuration's section of that name.
    """
    file = folder / "multisite.conf"
    file.write_text(
        f"""
[database]
connection = {url}
[page]
secret_file = {folder}/page.key
[regions]
clouds_file = {folder}/clouds.yaml
{regions}
[keystone_authtoken]
www_authenticate_uri = http://127.0.0.1:9/v3
auth_type = none
""",
        encoding="utf-8",
    )
    entry = "{auth: {auth_url: 'http://127.0.0.1:9/v3', username: u, password: p, project_name: p}}"
    clouds = "".join(f"  {name}: {entry}\n" for name in CREDENTIALS)
    (folder / "clouds.yaml").write_text(f"clouds:\n{clouds}", encoding="utf-8")
    assembly = assemble(settings.load(files=[file]), clock, shared_for=0)
    app = create_app(assembly)
    app.state.authenticator.close()
    authenticator = app.state.authenticator = Authenticator()
    assembly.loop.start()  # but not the scheduler: nothing is read unless a request asks for it
    await assembly.loop.run(assembly.engine.executors.enter())  # or what is read is not stored
    try:
        yield Service(app, assembly, authenticator, RegionStore(assembly.database))
    finally:
        await assembly.stop()
