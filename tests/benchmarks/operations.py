"""What operations cost: parts and steps through the queue of one process, and a takeover.

`python -m tests.benchmarks.operations OPERATIONS [STEPS]` begins so many operations of one part each, whose
steps do nothing, on SQLite, and runs them in this process. It prints one line of JSON: seconds of CPU and
wall per part, and as a floor those of a transaction that updates one row.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.db.tables import operations
from multisite.engine import durable as durables
from multisite.engine.durable import Durable
from multisite.engine.executors import Executors
from multisite.engine.kinds import Kind, Kinds
from multisite.engine.model import Json
from multisite.engine.runner import Runner
from multisite.engine.saga import Saga, Step
from multisite.engine.service import OperationService
from multisite.engine.store import OperationStore
from multisite.engine.writes import Journal
from multisite.regions.store import RegionStore
from multisite.requester import Requester

WHO = Requester("u", "op", "Default", "p", "op", "Default", frozenset({"admin"}))
REGIONS = 30
AT_ONCE = 50


def kinds(steps: int) -> Kinds:
    """A kind whose steps do nothing."""

    async def nothing(_: Step) -> Json:
        return None

    async def run(saga: Saga) -> Json:
        for _ in range(steps):
            await saga.do(nothing)
        return None

    return Kinds([Kind("nothing", run, steps)])


async def measure(url: str, count: int, steps: int) -> dict[str, float]:
    """Run so many operations."""
    schema.upgrade(url)
    durables.migrate(url)
    database, clock = Database(url), SystemClock()
    durable, executors = Durable(url, "bench", AT_ONCE), Executors(database, clock, name="bench", ttl=20)
    store, known = OperationStore(database), kinds(steps)
    runner = Runner(store, durable, executors, known, None, clock)  # type: ignore[arg-type]
    require = RegionStore(database).require
    service = OperationService(store, Journal(database), durable, known, None, clock, require)  # type: ignore[arg-type]
    await executors.enter()
    await durable.share(1)
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        async with database.write() as connection:
            await service.enqueue(connection, WHO, "nothing", {}, [f"region-{number % REGIONS}"])
    enqueued, enqueued_cpu = time.perf_counter() - began, time.process_time() - cpu
    began, cpu = time.perf_counter(), time.process_time()
    durable.launch(runner.run)
    while await _open(database):  # noqa: ASYNC110 - DBOS's threads do the work
        await asyncio.sleep(0.25)
    ran, ran_cpu = time.perf_counter() - began, time.process_time() - cpu
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        async with database.write() as connection:
            await connection.execute(
                sa.update(operations).values(priority=1).where(operations.c.id == "none")
            )
    floor, floor_cpu = time.perf_counter() - began, time.process_time() - cpu
    await durable.stop()
    durable.close()
    await database.close()
    return {
        "operations": count,
        "steps": steps,
        "enqueue_cpu": enqueued_cpu / count,
        "enqueue_wall": enqueued / count,
        "cpu": ran_cpu / count,
        "wall": ran / count,
        "floor_cpu": floor_cpu / count,
        "floor_wall": floor / count,
    }


async def _open(database: Database) -> bool:
    query = sa.select(sa.exists().where(operations.c.finished_at.is_(None)))
    async with database.read() as connection:
        return bool(await connection.scalar(query))


def main() -> int:
    """Measure once, and print the figures."""
    count, steps = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'operations.sqlite'}"
        print(json.dumps(asyncio.run(measure(url, count, steps))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
