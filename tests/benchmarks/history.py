"""What history costs a sweep: storing the observations of many regions without it and with it.

`python -m tests.benchmarks.history REGIONS` stores sweeps of simulated figures into SQLite: nothing
changed, a tenth of the regions changed, all of them did; then adds up the totals, asks for the trends of a
wall, and thins. It prints JSON. Only storing is measured: no region is called.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from multisite.capacity.documents import Summary
from multisite.capacity.history.recorder import Recorder
from multisite.capacity.history.store import HistoryStore
from multisite.capacity.history.summing import Totals
from multisite.capacity.history.trends import Trends
from multisite.capacity.model import (
    AddressCount,
    Capacity,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    VolumeSummary,
)
from multisite.capacity.store import Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import FixedClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import capacity_history
from multisite.regions.model import Region
from multisite.regions.status import Rhythm
from multisite.regions.store import RegionStore
from multisite.settings import HistorySettings

RHYTHM = Rhythm(60, 15, 600, 30)
MINUTE = timedelta(minutes=1)


def observations(number: int, used: int, at: datetime) -> list[Observation]:
    """What one sweep of a region read."""
    resources = {
        name: Capacity(1000 + number, 0, 4000 + number, used + number % 7, 3000)
        for name in ("VCPU", "MEMORY_MB", "DISK_GB")
    }
    count = AddressCount(253, used % 200, 53)
    summaries: dict[str, Summary] = {
        "placement": PlacementSummary(resources, {"nova": resources}, {}, 10),
        "compute": ComputeSummary(20, 0, 0, 10, 10, 50),
        "volume": VolumeSummary(60000, 59000, 700, 1_200_000, 1, 0, 0, 3, 0),
        "network": NetworkSummary(count, AddressCount(), count, AddressCount(2**64, 3, 2**64 - 3), 5),
        "image": ImageSummary(4, 2**33),
    }
    return [Observation(service, at, summary) for service, summary in summaries.items()]


async def timed(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    return time.perf_counter() - wall, time.process_time() - cpu


async def measure(regions: int, folder: Path, *, with_history: bool) -> dict[str, float]:
    """Sweeps of all regions."""
    url = f"sqlite:///{folder}/{with_history}.sqlite"
    schema.upgrade(url)
    database, clock = Database(url), FixedClock(datetime(2026, 11, 22, 12, 10, tzinfo=UTC))
    store = HistoryStore(database)
    recorder = Recorder(store, RHYTHM, clock)
    totals = Totals(store, HistorySettings(86400, 90 * 86400), RHYTHM, clock)
    writer = ObservationWriter(database, recorder if with_history else None)
    named = [Region(f"region-{number}", "r", "c") for number in range(regions)]
    async with database.write() as connection:
        known = [
            replace(region, id=await RegionStore(database).insert(connection, region)) for region in named
        ]

    async def sweep(changed: int) -> None:
        clock.advance(MINUTE)
        if with_history:
            await recorder.follow(known)
            await totals.maintain(known)
        used = {region.id: 5 for region in known}
        used |= {region.id: clock.now().minute for region in known[:changed]}
        await asyncio.gather(
            *(writer.write(each.id, observations(each.id, used[each.id], clock.now())) for each in known)
        )

    found: dict[str, float] = {}
    await sweep(0)
    for name, changed in (("unchanged", 0), ("a tenth", regions // 10), ("all", regions)):
        times = [await timed(lambda changed=changed: sweep(changed)) for _ in range(3)]  # type: ignore[misc]
        found[f"{name}: wall s"], found[f"{name}: CPU s"] = (
            round(min(each), 3) for each in zip(*times, strict=True)
        )
    if with_history:
        await _ask(database, totals, store, clock, known, found)
    await database.close()
    return found


async def _ask(
    database: Database,
    totals: Totals,
    store: HistoryStore,
    clock: FixedClock,
    known: list[Region],
    found: dict[str, float],
) -> None:
    clock.advance(MINUTE)
    found["totals: s"] = round((await timed(lambda: totals.maintain(known)))[0], 3)
    trends, pairs = Trends(store, 60, clock), [(region.id, True) for region in known]
    found["trends, first: s"] = round((await timed(lambda: trends.of(pairs)))[0], 3)
    clock.advance(MINUTE)
    found["trends, next: s"] = round((await timed(lambda: trends.of(pairs)))[0], 3)
    async with database.read() as connection:
        found["rows"] = await connection.scalar(sa.select(sa.func.count()).select_from(capacity_history)) or 0
        pages = int(
            await connection.scalar(
                sa.text("SELECT SUM(pgsize) FROM dbstat WHERE name LIKE '%capacity_history%'")
            )
            or 0
        )
    found["bytes a row"] = round(pages / max(1, found["rows"]))
    clock.advance(timedelta(days=2))
    found["a bite of thinning: s"] = round((await timed(lambda: totals.maintain([])))[0], 3)


async def main(regions: int) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        without = await measure(regions, Path(folder), with_history=False)
        with_it = await measure(regions, Path(folder), with_history=True)
    print(json.dumps({"regions": regions, "without": without, "with": with_it}, indent=1))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000))
