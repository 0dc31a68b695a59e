"""The service over two simulated regions, on a socket: users act with tokens of the simulator's Keystone."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db.tables import audit_records, region_writes
from multisite.errors import Unauthenticated
from multisite.regions.model import Region
from multisite.requester import Requester
from multisite.sim import Plan
from multisite.sim.clouds import clouds, write_clouds
from multisite.sim.listening import Running, running
from tests.integration.service import Answer, Service, opened

PLAN = Plan(
    *(2, 2, 3, 4, 2), names=("north", "south"), project_names=("alpha", "beta")
)  # regions, hosts, networks, servers, projects


@dataclass
class Users:
    """Stands where keystonemiddleware would: knows the tokens that it issued."""

    known: dict[str, Requester] = field(default_factory=dict)

    async def authenticate(self, token: str, **_: object) -> Requester:
        """Who the token belongs to."""
        if token not in self.known:
            raise Unauthenticated("the token is missing, wrong or expired")
        return self.known[token]

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class Acting:
    """The service, the cloud behind it, and users of both."""

    service: Service
    cloud: Running
    users: Users
    tokens: dict[str, str] = field(default_factory=dict)

    def token(self, name: str, *roles: str) -> str:
        """A token of a user for the project of the same name, with these roles (default: all theirs)."""
        if (name + "/".join(roles)) in self.tokens:
            return self.tokens[name + "/".join(roles)]
        keystone = self.cloud.simulator.world.region("north").keystone
        user = keystone.find("users", {"name": name})
        project = keystone.find("projects", {"name": name})
        assert user is not None
        assert project is not None
        scope = {"project": {"id": project["id"]}}
        issued = self.cloud.run(lambda: keystone.issue(user, ["password"], scope))
        if roles:
            issued.roles = roles
        self.users.known[issued.id] = Requester(
            *(user["id"], name, "Default", project["id"], name, "Default"), frozenset(issued.roles)
        )
        self.tokens[name + "/".join(roles)] = issued.id
        return str(issued.id)

    async def call(
        self, method: str, path: str, body: Any = None, user: str = "alpha", **more: Any
    ) -> Answer:
        """A request of a user."""
        return await self.service.call(method, path, self.token(user), body, **more)

    def region(self, name: str = "north") -> Any:
        """The simulated region's own state."""
        return self.cloud.simulator.world.region(name)

    def new_server(self, user: str = "alpha", **fields: Any) -> dict[str, Any]:
        """The body of a request for a server in north."""
        region = self.region()
        image = next(each for each in region.image.images.values() if each.name == "debian-12")
        flavor = next(each for each in region.compute.flavors.values() if each.name == "m1.tiny")
        project = region.keystone.find("projects", {"name": user})["id"]
        network = next(
            each for each in region.network.visible_networks(project) if each.project_id == project
        )
        body = {"region": "north", "name": "web", "image_id": image.id, "flavor_id": flavor.id}
        return body | {"network_ids": [network.id]} | fields

    def servers(self, name: str) -> list[Any]:
        """The servers of a name that are really there."""
        return [each for each in self.region().compute.servers.values() if each.name == name]

    async def written(self) -> list[dict[str, Any]]:
        """The journal of writes to regions."""
        query = sa.select(region_writes).order_by(region_writes.c.id)
        async with self.service.assembly.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]

    async def audited(self) -> list[dict[str, Any]]:
        """All records of the audit."""
        query = sa.select(audit_records).order_by(audit_records.c.id)
        async with self.service.assembly.database.read() as connection:
            return [dict(row) for row in (await connection.execute(query)).mappings()]


@pytest.fixture
def cloud() -> Iterator[Running]:
    with running(PLAN) as made:
        yield made


@pytest_asyncio.fixture
async def acting(
    cloud: Running, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Acting]:
    caplog.set_level("DEBUG")
    async with opened(database_url, tmp_path, SystemClock(), "action_deadline = 2") as service:
        write_clouds(clouds(cloud.simulator.world), tmp_path / "clouds.yaml")
        users = Users()
        service.app.state.authenticator = users
        async with service.store.database.write() as connection:
            for number, name in enumerate(PLAN.names):
                await service.store.insert(connection, Region(name, name, "sim-admin", position=number))
        made = Acting(service, cloud, users)
        yield made
        await nothing_leaked(made, tmp_path, caplog)


def read(folder: Path) -> bytes:
    """All files of a folder, one after the other."""
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def nothing_leaked(acting: Acting, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No user's token is in a log line, or in any file (the database among them)."""
    for token in acting.tokens.values():
        assert token not in caplog.text
        assert token.encode() not in read(folder)
    for rows in (await acting.audited(), await acting.written()):
        assert "gAAAA" not in json.dumps(rows, default=str)
