"""What balancing quotas over many simulated regions costs, against a bare aiohttp loop with the same GETs.

`python -m tests.benchmarks.quotas PROJECTS REGIONS ROUNDS` prints one line of JSON. Each project has hard
limits of seven resources. *First* writes them everywhere; *steady* balances again where nothing changed. The
floor of a phase makes the same calls with the same token, and throws the answers away.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.engine.executors import Executors, Fence
from multisite.engine.writes import Journal, RegionWrite
from multisite.garbage import look_seldom
from multisite.openstack import keystone
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.paths import route
from multisite.openstack.service_types import versioned
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Transport
from multisite.openstack.users import Reply, UserCalls
from multisite.quotas import decisions
from multisite.quotas.balancer import Balancer
from multisite.quotas.model import GlobalLimit, Project
from multisite.quotas.reading import QuotaReader
from multisite.quotas.resources import Kind
from multisite.quotas.rounds import Rounds
from multisite.quotas.store import QuotaStore
from multisite.quotas.writing import Sender
from multisite.regions.discovery import target_of
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import QuotaSettings
from multisite.sweeps.reading import RegionClients
from tests.benchmarks.simulated import Simulation, simulation
from tests.benchmarks.sweep import AT_ONCE, each, timed
from tests.recording import RecordingTransport

LIMITS = {
    name: GlobalLimit(limit, Kind.HARD)
    for name, limit in {
        "compute/cores": 20_000,
        "compute/instances": 10_000,
        "compute/ram": 20_000_000,
        "volume/volumes": 20_000,
        "volume/gigabytes": 2_000_000,
        "network/network": 10_000,
        "network/floatingip": 10_000,
    }.items()
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call, for repeating it."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class RecordingSender(Sender):
    """The real sender, which also remembers what was written."""

    asked: list[Call] = field(default_factory=list)

    async def _once(
        self, region: Region, token: str, write: RegionWrite, request_id: str, fence: Fence
    ) -> Reply:
        base = versioned(
            write.service, await self.calls.regions.client(target_of(region)).endpoint(write.service)
        )
        body = write.body if isinstance(write.body, dict) else None
        self.asked.append(Call(write.method, base + route(*write.path), {"X-Auth-Token": token}, body))
        return await Sender._once(self, region, token, write, request_id, fence)


async def measure(cloud: Simulation, folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Balance so many projects in all regions; figures of each phase."""
    url = f"sqlite:///{folder}/quotas.sqlite"
    schema.upgrade(url)
    database, clock, transport = Database(url), SystemClock(), RecordingTransport()
    clients = Regions(Clouds(cloud.clouds_file), Tokens(clock, deadline=60), transport, HealthBook(), clock)
    regions, quotas = RegionStore(database), QuotaStore(database)
    executors = Executors(database, clock, name="bench", ttl=3600)
    await executors.enter()
    sender = RecordingSender(UserCalls(clients, 60), lambda _: True)
    rounds_ = Rounds(
        quotas,
        regions,
        QuotaReader(RegionClients(clients), clock, 600),
        sender,
        Journal(database),
        lambda: executors.fence,
        QuotaSettings(interval=24 * 3600),  # so that none is due twice in a phase
        clock,
    )
    projects = await prepare(database, regions, clients, cloud, count)
    look_seldom()  # as `serve` does; the floor gains by it too

    balancer = Balancer(rounds_)

    async def balance() -> None:
        async with database.write() as connection:
            await decisions.due_now(connection, [project.id for project in projects], clock.now())
        before = balancer.status.rounds
        await balancer.catch_up()
        await balancer.idle()
        assert balancer.status.rounds - before == len(projects)

    cloud.reset_calls()
    first = await timed(balance)
    phases = {"first": await figures(cloud, [*_gets(transport), *sender.asked], first)}
    transport.asked.clear()
    sender.asked.clear()
    await balance()
    asked = [*_gets(transport), *sender.asked]
    clients.transport = Transport(transport.limits)  # the plain one: what is measured remembers nothing
    rows = []
    for _ in range(rounds):
        cloud.reset_calls()
        steady = await timed(balance)
        rows.append(await figures(cloud, asked, steady))
    phases["steady"] = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    await clients.close()  # and its transport
    await transport.close()
    await database.close()
    return {"projects": len(projects), "regions": len(cloud.regions), **phases}


async def prepare(
    database: Database, store: RegionStore, clients: Regions, cloud: Simulation, count: int
) -> Sequence[Project]:
    """Register all regions, and give so many projects their limits."""
    async with database.write() as connection:
        for name in cloud.regions:
            await store.insert(connection, Region(name, name, "sim-admin"))
    client = RegionClients(clients).client((await store.select())[0])
    found = [each for each in await keystone.projects(client) if each.name not in {"admin", "service"}]
    projects = [Project(each.id, each.name, each.domain_id, each.domain_name) for each in found[:count]]
    async with database.write() as connection:
        for project in projects:
            await decisions.put_project(connection, project, SystemClock().now())
            await decisions.put_limits(connection, project.id, LIMITS)
    return projects


async def figures(cloud: Simulation, asked: Sequence[Call], ours: tuple[float, float]) -> dict[str, float]:
    """Calls, wall and CPU of a phase, with its floor."""
    calls = cloud.calls()
    gets = sum(call.method == "GET" for call in asked)
    floor = await timed(partial(bare, asked))
    return {
        "calls": calls, "gets": gets, "wall": ours[0], "cpu": ours[1], "floor_wall": floor[0],
        "floor_cpu": floor[1], "ratio": ours[1] / floor[1],
    }  # fmt: skip


def _gets(transport: RecordingTransport) -> list[Call]:
    return [Call("GET", url, headers) for url, headers in transport.asked]


async def bare(calls: Sequence[Call]) -> None:
    """The same calls by themselves."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE * 4)) as session:

        async def ask(call: Call) -> None:
            async with session.request(call.method, call.url, headers=call.headers, json=call.body) as answer:
                await answer.read()
                assert answer.ok, (
                    f"{call.method} {call.url}: {answer.status}"
                )  # or the floor would be too low

        await each(calls, ask, AT_ONCE * 4)


def main() -> int:
    """Measure once, and print the figures."""
    projects, regions, rounds = (int(word) for word in sys.argv[1:4])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=regions, servers=5, projects=projects) as cloud:
            print(json.dumps(asyncio.run(measure(cloud, folder, projects, rounds))))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
