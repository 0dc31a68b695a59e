"""How old the figures of healthy regions get while others hang or are slow.

`python -m tests.benchmarks.freshness REGIONS SECONDS` runs the real scheduler over a simulated cloud, first
with all regions well, then with 1 % of them hanging and 5 % answering after 2 s, and prints the ages of the
figures of the regions that are well in both, as one line of JSON.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from multisite.capacity.writer import ObservationWriter
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.lease import Lease
from multisite.db.tables import observations
from multisite.engine.executors import Executors
from multisite.garbage import look_seldom
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Limits, Transport
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.scheduler import Scheduler
from multisite.sweeps.sharing import Sharing
from multisite.sweeps.sweeper import Sweeper
from tests.benchmarks.simulated import Simulation, simulation

INTERVAL = 20
SETTINGS = SweepSettings(
    interval=INTERVAL, health_interval=15, jitter=0.1, deadline=30, fresh_deadline=10, inventory_age=600,
    image_interval=600, regions_at_once=50,
)  # fmt: skip


async def ages(cloud: Simulation, folder: Path, ill: set[str], seconds: float) -> list[float]:
    """The ages (seconds) of the figures of the regions that are not `ill`, looked at each second."""
    url = f"sqlite:///{folder}/{time.monotonic_ns()}.sqlite"
    schema.upgrade(url)
    database, clock, book = Database(url), SystemClock(), HealthBook()
    clients = Regions(Clouds(cloud.clouds_file), Tokens(clock, deadline=60), Transport(Limits()), book, clock)
    store = RegionStore(database)
    async with database.write() as connection:
        for name in cloud.regions:
            await store.insert(connection, Region(name, name, "sim-admin"))
    well = [region.id for region in await store.select() if region.name not in ill]
    sweeper = Sweeper(clients, store, ObservationWriter(database), SETTINGS, clock)
    executors = Executors(database, clock, name="bench", ttl=float("inf"))
    await executors.enter()
    lease = Lease(database, clock, name="totals", holder="bench", seconds=20)
    scheduler = Scheduler(
        sweeper, store, book, Sharing(database, executors, clock, 5.0), lease, SETTINGS, clock
    )
    running = asyncio.create_task(scheduler.run())
    found: list[float] = []
    try:
        await asyncio.sleep(2 * INTERVAL)  # the first sweep, and the spreading of those after it
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(1)
            found += await _ages(database, clock, well)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await scheduler.stop()
        await sweeper.stop()
        await clients.close()
        await database.close()
    return sorted(found)


async def _ages(database: Database, clock: SystemClock, region_ids: list[int]) -> list[float]:
    """The age of each region's oldest figures; endless where there are none."""
    query = (
        sa.select(observations.c.region_id, sa.func.min(observations.c.observed_at))
        .where(observations.c.service != "image")
        .group_by(observations.c.region_id)
    )
    async with database.read() as connection:
        rows = dict((await connection.execute(query)).all())
    now = clock.now()
    return [
        (now - rows[region_id]).total_seconds() if rows.get(region_id) else float("inf")
        for region_id in region_ids
    ]


async def measure(cloud: Simulation, folder: Path, seconds: float) -> dict[str, float]:
    """Ages without and with ill regions."""
    look_seldom()
    names = cloud.regions
    hanging, slow = names[:: max(1, len(names) // max(1, len(names) // 100))], names[7::20]
    ill = {*hanging, *slow}
    before = await ages(cloud, folder, ill, seconds)
    for name in hanging:
        cloud.set(kind="hang", region=name)
    for name in set(slow) - set(hanging):
        cloud.set(kind="latency", region=name, seconds=2)
    after = await ages(cloud, folder, ill, seconds)
    return {
        "regions": len(names), "hanging": len(hanging), "slow": len(set(slow) - set(hanging)),
        "p50": _at(before, 0.5), "p99": _at(before, 0.99),
        "p50_ill": _at(after, 0.5), "p99_ill": _at(after, 0.99),
    }  # fmt: skip


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]


def main() -> int:
    """Measure once, and print the figures."""
    regions, seconds = int(sys.argv[1]), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=regions, servers=50, projects=20) as cloud:
            print(json.dumps(asyncio.run(measure(cloud, folder, seconds))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
