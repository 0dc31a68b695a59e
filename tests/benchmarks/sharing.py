"""How long processes need to share many regions, and to take those of a dead one over; what a look costs.

`python -m tests.benchmarks.sharing REGIONS` has three executors on a private PostgreSQL, with the default
beat and ttl; no region is called. It prints one line of JSON (seconds), with the reading of the regions' ids
alone as the floor of a look.
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass

import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.db.tables import regions, sweep_leases
from multisite.engine.engine import WATCH
from multisite.engine.executors import Executors
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.sweeps.sharing import Sharing
from tests.postgresql import cluster

BEAT, TTL = 5.0, 20.0
NAMES = ("one", "two", "three")


@dataclass
class Process:
    """What of a process shares regions."""

    database: Database
    executors: Executors
    sharing: Sharing

    @classmethod
    def of(cls, url: str, name: str) -> "Process":
        """A process with connections of its own."""
        database, clock = Database(url, owner=name), SystemClock()
        executors = Executors(database, clock, name=name, ttl=TTL)
        return cls(database, executors, Sharing(database, executors, clock, BEAT))

    async def live(self) -> None:
        """Beat, watch and look, until cancelled, as the engine does."""
        beat_at = float("-inf")
        while True:
            if time.monotonic() >= beat_at:
                await self.executors.beat()
                beat_at = time.monotonic() + BEAT
            await self.executors.look()
            await self.executors.bury()
            await self.look()
            await asyncio.sleep(WATCH)

    async def look(self) -> None:
        """Look once, and take or give up."""
        found = await self.sharing.look(())
        await self.sharing.give(found.give)
        await self.sharing.take(found.take)


async def measure(url: str, count: int) -> dict[str, float]:
    """Share so many regions among three, then let one die."""
    processes = [Process.of(url, name) for name in NAMES]
    database = processes[0].database
    async with database.write() as connection:
        for number in range(count):
            await RegionStore(database).insert(connection, Region(f"region-{number}", "r", "c"))
    for process in processes:
        await process.executors.enter()
    began = time.perf_counter()
    lives = [asyncio.create_task(process.live()) for process in processes]
    await _until(database, count, 3)
    shared = time.perf_counter() - began
    lives[0].cancel()
    began = time.perf_counter()
    await _until(database, count, 2)
    moved = time.perf_counter() - began
    cpu, rounds = time.process_time(), 20
    for _ in range(rounds):
        processes[1].sharing._look_at = float("-inf")
        await processes[1].look()
    look = (time.process_time() - cpu) / rounds
    cpu = time.process_time()
    for _ in range(rounds):
        async with database.read() as connection:
            (await connection.execute(sa.select(regions.c.id))).all()
            (await connection.execute(sa.select(sweep_leases))).all()
    floor = (time.process_time() - cpu) / rounds
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    for process in processes:
        await process.database.close()
    return {
        "regions": count, "shared": shared, "moved": moved, "bound": TTL + BEAT, "look_cpu": look,
        "floor_cpu": floor,
    }  # fmt: skip


async def _until(database: Database, count: int, processes: int) -> None:
    """Until so many processes have their fair part of all regions."""
    fair = -(-count // processes)
    query = sa.select(sa.func.count()).select_from(sweep_leases).group_by(sweep_leases.c.executor)
    while True:
        async with database.read() as connection:
            held = list(await connection.scalars(query))
        if sum(held) == count and len(held) == processes and max(held) <= fair:
            return
        await asyncio.sleep(0.05)


def main() -> int:
    """Measure once, and print the figures."""
    with cluster() as server:
        figures = asyncio.run(measure(server.upgraded(), int(sys.argv[1])))
    print(json.dumps(figures))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
