"""What a listing of the capacity of 1,000 stored regions costs, against the SELECTs behind it alone.

`python -m tests.benchmarks.listing ROUNDS` prints medians in milliseconds as one line of JSON. No round
writes anything, so the summaries that the listing keeps parsed are good: as between two sweeps.
"""

import asyncio
import json
import statistics
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from multisite.capacity.model import Capacity, ComputeSummary, PlacementSummary
from multisite.capacity.service import CapacityService
from multisite.capacity.store import CapacityStore, Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import observations, regions
from multisite.regions.model import Endpoint, Region
from multisite.regions.service import RegionService
from multisite.regions.status import Rhythm
from multisite.regions.store import RegionStore
from tests.benchmarks.sweep import timed

REGIONS = 1000


async def measure(folder: Path, rounds: int) -> dict[str, float]:
    """The listing and its floor, in turn."""
    url = f"sqlite:///{folder}/listing.sqlite"
    schema.upgrade(url)
    database, clock = Database(url), SystemClock()
    store, capacity = RegionStore(database), CapacityStore(database)
    await _fill(database, store, clock)
    rhythm = Rhythm(60, 15, 600, 30)
    service = RegionService(store, None, None, None, rhythm, clock)  # type: ignore[arg-type]
    listings = CapacityService(capacity, service, None, None, {"VCPU": 10.0}, clock)  # type: ignore[arg-type]

    async def floor() -> None:
        async with database.read() as connection:
            (await connection.execute(sa.select(regions))).all()
            (await connection.execute(sa.select(observations.c.region_id, observations.c.summary))).all()

    await listings.listing()
    rows = [(*await timed(listings.listing), *await timed(floor)) for _ in range(rounds)]
    await database.close()
    wall, cpu, floor_wall, floor_cpu = (
        statistics.median(column) * 1000 for column in zip(*rows, strict=True)
    )
    ratio = statistics.median(row[1] / row[3] for row in rows)
    return {
        "regions": REGIONS, "wall": wall, "cpu": cpu, "floor_wall": floor_wall, "floor_cpu": floor_cpu,
        "ratio": ratio,
    }  # fmt: skip


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


def main() -> int:
    """Measure once, and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(asyncio.run(measure(Path(name), int(sys.argv[1])))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
