"""What keeping the inventory of many simulated regions costs, against a bare loop with the same GETs.

`python -m tests.benchmarks.inventory_refresh REGIONS ROUNDS [FILE]` measures in this process, so that its
memory is that of so many regions, and prints one line of JSON. The *first fill* reads everything into an
empty database. A *steady* refresh reads all regions again after 1 % of their servers were stopped or started.
The floor is an aiohttp loop that makes the same GETs with the same token, and throws the bodies away.
With a FILE the filled database is kept there.
"""

import asyncio
import json
import resource
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import inventory_items, inventory_syncs
from multisite.garbage import look_seldom
from multisite.inventory.kinds import KINDS
from multisite.inventory.projects import Projects, ProjectStore
from multisite.inventory.refresher import InventoryRefresher
from multisite.inventory.store import InventoryStore
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Transport
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import InventorySettings
from multisite.sweeps.reading import RegionClients
from tests.benchmarks.simulated import Simulation, simulation
from tests.benchmarks.sweep import AT_ONCE, each, timed
from tests.recording import RecordingTransport

SERVERS, PROJECTS = 50, 200
CHANGING = 0.01
DEADLINE = 900.0
SETTINGS = InventorySettings(enabled=True, interval=120, full_interval=3600)

Call = tuple[str, dict[str, str]]


async def measure(cloud: Simulation, url: str, rounds: int) -> dict[str, Any]:
    """Fill an empty database, then refresh it `rounds` times, each with its floor."""
    schema.upgrade(url)
    database, clock, transport = Database(url), SystemClock(), RecordingTransport()
    clients = Regions(Clouds(cloud.clouds_file), Tokens(clock, deadline=60), transport, HealthBook(), clock)
    store = RegionStore(database)
    async with database.write() as connection:
        for name in cloud.regions:
            await store.insert(connection, Region(name, name, "sim-admin"))
    regions = await store.select()
    refresher = InventoryRefresher(
        RegionClients(clients),
        InventoryStore(database),
        Projects(ProjectStore(database), clock),
        SETTINGS,
        AT_ONCE,
        DEADLINE,
        clock,
    )

    async def refresh() -> None:
        await each(regions, lambda region: refresher.read_now([region], KINDS, DEADLINE))

    look_seldom()  # as `serve` does; the floor gains by it too
    before = _memory()
    await each(cloud.regions, lambda name: _touch(cloud, name))  # the simulator makes a region when asked
    cloud.reset_calls()
    fill = await timed(refresh)
    peak = _memory()
    asked = _gets(transport)
    clients.transport = Transport(transport.limits)
    floor = await timed(lambda: bare(asked))
    fill_figures = _figures(fill, floor, len(asked))
    transport.asked.clear()
    rows: list[dict[str, float]] = []
    for number in range(rounds):
        changed = await change(cloud, asked, number)
        clients.transport = transport
        ours = await timed(refresh)
        calls = _gets(transport)
        clients.transport = Transport(transport.limits)
        floor = await timed(partial(bare, calls))
        rows.append({**_figures(ours, floor, len(calls)), "changed": changed})
        transport.asked.clear()
    counts = await _counts(database)
    await clients.close()
    await transport.close()
    await database.close()
    steady = {name: statistics.median(row[name] for row in rows) for name in (rows[0] if rows else {})}
    return {
        "regions": len(regions),
        **counts,
        "failures": refresher.status.failures,
        "fill": fill_figures | {"memory": peak, "memory_before": before},
        "steady": steady,
    }


async def bare(calls: Sequence[Call]) -> None:
    """The same GETs by themselves."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE * 4)) as session:

        async def get(call: Call) -> None:
            async with session.get(call[0], headers=call[1]) as answer:
                await answer.read()

        await each(calls, get, AT_ONCE * 4)


async def change(cloud: Simulation, asked: Sequence[Call], number: int) -> int:
    """Stop or start 1 % of the servers as an operator would; answers how many changed."""
    listings = [call for call in asked if "/servers/detail" in call[0] and "marker" not in call[0]]
    wanted = round(len(cloud.regions) * SERVERS * CHANGING)
    at = [(index * 7 + number) % len(listings) for index in range(wanted)]
    changed = 0
    async with aiohttp.ClientSession() as session:

        async def act(index: int) -> None:
            nonlocal changed
            url, headers = listings[index]
            async with session.get(url, headers=headers) as answer:
                servers = (await answer.json())["servers"]
            server = servers[(index + number) % len(servers)]
            action = "os-stop" if server["status"] == "ACTIVE" else "os-start"
            target = f"{url.split('/servers/')[0]}/servers/{server['id']}/action"
            async with session.post(target, headers=headers, json={action: None}) as answer:
                changed += answer.ok

        await each(at, act)
    return changed


async def _touch(cloud: Simulation, name: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{cloud.url}/{name}/compute/") as answer:
        await answer.read()


def _gets(transport: RecordingTransport) -> list[Call]:
    """The calls that a region was asked, without those for tokens."""
    return [call for call in transport.asked if not call[0].endswith("/auth/tokens")]


def _figures(ours: tuple[float, float], floor: tuple[float, float], calls: int) -> dict[str, float]:
    return {
        "calls": calls, "wall": ours[0], "cpu": ours[1], "floor_wall": floor[0], "floor_cpu": floor[1],
        "ratio": ours[1] / floor[1],
    }  # fmt: skip


async def _counts(database: Database) -> dict[str, int]:
    read = (
        sa.select(sa.func.count()).select_from(inventory_syncs).where(inventory_syncs.c.error_code.is_(None))
    )
    async with database.read() as connection:
        items = await connection.scalar(sa.select(sa.func.count()).select_from(inventory_items))
        return {"items": items or 0, "kinds_read": await connection.scalar(read) or 0}


def _memory() -> float:
    """The most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(regions: int, rounds: int = 3, file: Path | None = None) -> dict[str, Any]:
    """The figures: seconds, calls, MiB."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=regions, servers=SERVERS, projects=PROJECTS) as cloud:
            url = f"sqlite:///{file or folder / 'inventory.sqlite'}"
            return asyncio.run(measure(cloud, url, rounds))


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None)))  # noqa: T201
