"""`make bench`: what multisite costs, as a ratio to a floor that is measured in the same run.

1. *A sweep* of the lab's regions, against a bare aiohttp loop that makes the same GETs with the same token
   and throws the bodies away.
2. *A listing* of the capacity of 1,000 stored regions, against the two SELECTs behind it alone.

The rounds of both are taken in turn, so that a machine whose speed drifts drifts for both. The result
is written to docs/reference/performance.md, with the machine and the date.
"""

import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from lab import state
from lab.layout import REPOSITORY, root_folder
from multisite.capacity.model import Capacity, ComputeSummary, PlacementSummary
from multisite.capacity.service import CapacityService
from multisite.capacity.store import CapacityStore, Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import observations, regions
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.regions.health import HealthBook
from multisite.regions.model import Endpoint, Region
from multisite.regions.service import RegionService
from multisite.regions.status import Rhythm
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.sweeper import Sweeper
from tests.recording import RecordingTransport

ROUNDS = 15
REGIONS = 1000
PAGE = REPOSITORY / "docs" / "reference" / "performance.md"
SETTINGS = SweepSettings(60, 15, 0, 30, 10, 600, 600, 20, 50)


@dataclass(frozen=True)
class Cost:
    """Medians over the rounds, in milliseconds; `ratio` is that of the CPU times, pair by pair."""

    wall: float
    cpu: float
    floor_wall: float
    floor_cpu: float
    ratio: float
    spread: tuple[float, float]


async def in_turn(ours: Callable[[], Awaitable[object]], floor: Callable[[], Awaitable[object]]) -> Cost:
    """Both, `ROUNDS` times after a round that does not count."""
    rows = [(*await _timed(ours), *await _timed(floor)) for _ in range(ROUNDS + 1)][1:]
    ratios = [row[1] / row[3] for row in rows]
    columns = zip(*rows, strict=True)
    wall, cpu, floor_wall, floor_cpu = (statistics.median(column) * 1000 for column in columns)
    return Cost(wall, cpu, floor_wall, floor_cpu, statistics.median(ratios), (min(ratios), max(ratios)))


async def _timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def sweep_cost(folder: Path) -> tuple[Cost, int, int]:
    """What a sweep of the lab's regions costs; also the number of regions and of calls."""
    lab = state.running(root_folder())
    database, clock, transport = make_database(folder / "sweep.sqlite"), SystemClock(), RecordingTransport()
    clients = Regions(Clouds(lab.clouds_file), Tokens(clock, deadline=10), transport, HealthBook(), clock)
    store = RegionStore(database)
    async with database.write() as connection:
        for region in lab.regions:
            await store.insert(connection, Region(region.name, region.name, f"{lab.regions[0].name}-admin"))
    found = await store.select()
    sweeper = Sweeper(clients, store, ObservationWriter(database), SETTINGS, clock)
    await asyncio.gather(*(sweeper.sweep(region) for region in found))
    transport.asked.clear()
    await asyncio.gather(*(sweeper.sweep(region) for region in found))
    calls = list(transport.asked)

    async def ours() -> None:
        await asyncio.gather(*(sweeper.sweep(region) for region in found))

    async with aiohttp.ClientSession() as session:

        async def get(url: str, headers: dict[str, str]) -> None:
            async with session.get(url, headers=headers) as answer:
                await answer.read()

        cost = await in_turn(ours, lambda: asyncio.gather(*(get(*call) for call in calls)))
    await clients.close()
    await database.close()
    return cost, len(found), len(calls)


async def listing_cost(folder: Path) -> Cost:
    """What a listing of the capacity of many stored regions costs."""
    database, clock = make_database(folder / "listing.sqlite"), SystemClock()
    store, capacity = RegionStore(database), CapacityStore(database)
    await _fill(database, store, clock)
    service = RegionService(store, None, None, Rhythm(60, 15, 600, 30), clock)  # type: ignore[arg-type]
    listings = CapacityService(capacity, service, None, None, {"VCPU": 10.0}, clock)  # type: ignore[arg-type]

    async def floor() -> None:
        async with database.read() as connection:
            (await connection.execute(sa.select(regions))).all()
            (await connection.execute(sa.select(observations.c.region_id, observations.c.summary))).all()

    cost = await in_turn(listings.listing, floor)
    await database.close()
    return cost


async def _fill(database: Database, store: RegionStore, clock: SystemClock) -> None:
    figures = {name: Capacity(100, 1, 400, 37, 363) for name in ("VCPU", "MEMORY_MB", "DISK_GB")}
    placement = PlacementSummary(figures, {"nova": figures, "az2": figures}, {}, 10)
    async with database.write() as connection:
        for number in range(REGIONS):
            name = f"region-{number:04}"
            region_id = await store.insert(connection, Region(name, name, "credential"))
            endpoints = [Endpoint(service, service, "http://region") for service in ("placement", "compute")]
            await store.replace_services(connection, region_id, endpoints)
    at = clock.now() - timedelta(seconds=5)
    for region in await store.select():
        rows = [
            Observation("placement", at, placement),
            Observation("compute", at, ComputeSummary(9, 1, 0, 10, 9)),
        ]
        await ObservationWriter(database).write(region.id, rows)


def make_database(path: Path) -> Database:
    """A new database with the present schema."""
    schema.upgrade(f"sqlite:///{path}")
    return Database(f"sqlite:///{path}")


def page(sweep: tuple[Cost, int, int], listing: Cost) -> str:
    """docs/reference/performance.md."""
    cost, count, calls = sweep
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"""# Performance

Written by `make bench` on {time.strftime("%Y-%m-%d")} ({machine}; load before: {os.getloadavg()[0]:.1f}).
Medians of {ROUNDS} rounds, ours and the floor in turn; the ratio is that of CPU time (smallest, largest).

| what | wall ms | CPU ms | floor wall ms | floor CPU ms | CPU ratio |
|---|---|---|---|---|---|
| a sweep of {count} real regions ({calls} calls), stored | {_row(cost)} |
| capacity of {REGIONS} stored regions, with totals | {_row(listing)} |

- The floor of a sweep is a bare aiohttp loop that makes the same GETs and throws the bodies away.
- The floor of the listing is its two largest SELECTs alone.
- The listing keeps the summaries that it parsed, until a sweep writes newer ones. On 2026-11-22 the same
  benchmark took 277 ms of CPU without that (7.1 times its floor) and 152 ms with it (4.0 times).
- A sweep of a region with two resource providers costs 12 calls when no inventory moved (pinned by a test).
"""


def _row(cost: Cost) -> str:
    figures = f"{cost.wall:.0f} | {cost.cpu:.0f} | {cost.floor_wall:.0f} | {cost.floor_cpu:.0f}"
    return f"{figures} | {cost.ratio:.1f} ({cost.spread[0]:.1f} to {cost.spread[1]:.1f})"


async def main() -> int:
    """Measure, write, print."""
    with tempfile.TemporaryDirectory() as folder:
        text = page(await sweep_cost(Path(folder)), await listing_cost(Path(folder)))
    PAGE.write_text(text)
    print(text)  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
