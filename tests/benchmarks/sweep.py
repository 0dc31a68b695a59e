"""What a sweep over many simulated regions costs, against a bare aiohttp loop with the same GETs.

`python -m tests.benchmarks.sweep REGIONS ROUNDS` measures in this process, so that its memory is that of so
many regions, and prints one line of JSON. The first sweep, which finds services and reads every inventory, is
not measured; what is, is what happens every minute.
"""

import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import aiohttp

from multisite.capacity.writer import ObservationWriter
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.garbage import look_seldom
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Transport
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.sweeper import Sweeper
from tests.benchmarks.simulated import Simulation, simulation
from tests.recording import RecordingTransport

T = TypeVar("T")
AT_ONCE = 50
SETTINGS = SweepSettings(
    interval=60, health_interval=15, jitter=0, deadline=30, fresh_deadline=10, inventory_age=100_000,
    image_interval=100_000, regions_at_once=AT_ONCE,
)  # fmt: skip


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def measure(cloud: Simulation, folder: Path, rounds: int) -> dict[str, float]:
    """Sweep all regions, and repeat their GETs barely, in turn."""
    url = f"sqlite:///{folder}/sweep.sqlite"
    schema.upgrade(url)
    database, clock, transport, book = Database(url), SystemClock(), RecordingTransport(), HealthBook()
    clients = Regions(Clouds(cloud.clouds_file), Tokens(clock, deadline=60), transport, book, clock)
    store = RegionStore(database)
    async with database.write() as connection:
        for name in cloud.regions:
            await store.insert(connection, Region(name, name, "sim-admin"))
    regions = await store.select()
    sweeper = Sweeper(clients, store, ObservationWriter(database), SETTINGS, clock)

    async def sweep() -> None:
        await each(regions, sweeper.sweep)
        await store.write_health(book.take_changes())

    look_seldom()  # as `serve` does; the floor gains by it too
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await sweep()
    transport.asked.clear()
    cloud.reset_calls()
    await sweep()
    made = cloud.calls()
    calls = list(transport.asked)
    clients.transport = Transport(transport.limits)  # the plain one: what is measured remembers nothing
    rows: list[tuple[float, float, float, float]] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE * 4)) as session:

        async def get(call: tuple[str, dict[str, str]]) -> None:
            async with session.get(call[0], headers=call[1]) as answer:
                await answer.read()

        async def bare() -> None:
            await each(calls, get, AT_ONCE * 4)

        before = await timed(bare)
        for _ in range(rounds):
            ours, after = await timed(sweep), await timed(bare)
            # The machine is not equally fast at all times: ours stands between two floors.
            rows.append((*ours, (before[0] + after[0]) / 2, (before[1] + after[1]) / 2))
            before = after
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await clients.close()
    await transport.close()
    await database.close()
    wall, cpu, floor_wall, floor_cpu = (statistics.median(column) for column in zip(*rows, strict=True))
    return {
        "regions": len(regions), "calls": made, "wall": wall, "cpu": cpu, "floor_wall": floor_wall,
        "floor_cpu": floor_cpu, "ratio": statistics.median(row[1] / row[3] for row in rows),
        "memory": peak / 1024, "memory_before": memory / 1024,
    }  # fmt: skip


async def each(items: Sequence[T], work: Callable[[T], Awaitable[object]], at_once: int = AT_ONCE) -> None:
    """Do the work for all items, so many at once."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await asyncio.gather(*(worker() for _ in range(at_once)))


def main() -> int:
    """Measure once, and print the figures."""
    regions, rounds = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=regions, servers=50, projects=20) as cloud:
            print(json.dumps(asyncio.run(measure(cloud, folder, rounds))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
