"""A process with an engine, which may kill itself around any commit. Run by `nursery.py`."""

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.engine import durable as durables
from multisite.engine import saga as sagas
from multisite.engine.durable import Durable
from multisite.engine.engine import Engine
from multisite.engine.executors import Executors
from multisite.engine.kinds import Kind, Kinds
from multisite.engine.model import Json
from multisite.engine.runner import Runner
from multisite.engine.saga import Saga, Step, StepError
from multisite.engine.schedules import Scheduling
from multisite.engine.store import OperationStore
from multisite.settings import OperationSettings
from tests.integration.engine.world import World

STEPS = 10


@dataclass(frozen=True)
class Orders:
    """What the process shall do.

    It runs until `operation` has ended, or for ever. It kills itself `when` ("before" or "after") its commit
    number `crash_at`. `careless` steps do not look for their own result.
    """

    url: str
    world: str
    name: str
    operation: str | None = None
    crash_at: int = 0
    when: str = "before"
    careless: bool = False
    beat: float = 0.2
    ttl: float = 1.0


def kinds(world: World, *, careless: bool = False) -> Kinds:
    """A saga of ten steps that make ten things; it fails at the last one where the arguments say so."""

    async def make(number: int, step: Step) -> Json:
        name = f"{step.part}-{number}"
        if step.operation.arguments.get("pause"):
            await asyncio.sleep(step.operation.arguments["pause"])
        if careless or not world.has(name):
            world.make(name)
        if number == STEPS and step.operation.arguments.get("fails"):
            raise StepError("no-way", "the last step cannot be done")
        return name

    async def remove(number: int, step: Step, result: Json) -> None:
        del result
        name = f"{step.part}-{number}"
        if careless or world.has(name):
            world.remove(name)
        if number == 4 and step.operation.arguments.get("stuck") and not world.has("key"):
            raise StepError("locked", "the key is missing")

    async def run(saga: Saga) -> Json:
        return [
            await saga.do(_named(f"make {n}", partial(make, n)), undo=partial(remove, n))
            for n in range(1, STEPS + 1)
        ]

    return Kinds([Kind("ten-things", run, STEPS)])


def _named(name: str, step: Callable[[Step], Awaitable[Json]]) -> Callable[[Step], Awaitable[Json]]:
    async def named(given: Step) -> Json:
        return await step(given)

    named.__name__ = name
    return named


def engine_of(orders: Orders, made: Kinds | None = None) -> Engine:
    """The engine, not started."""
    database, clock = Database(orders.url), SystemClock()
    executors = Executors(database, clock, name=orders.name, ttl=orders.ttl)
    durable = Durable(orders.url, orders.name, 50)
    store = OperationStore(database)
    every = made or kinds(World(Path(orders.world)), careless=orders.careless)
    runner = Runner(store, durable, executors, every, None, clock)  # type: ignore[arg-type]
    scheduling = Scheduling(database, clock, orders.name, [])
    settings = OperationSettings(orders.beat, orders.ttl, 50, 10_000)
    return Engine(store, durable, executors, runner, scheduling, settings, clock)


async def work(orders: Orders) -> None:
    """Run the engine until the operation has ended."""
    engine = engine_of(orders)
    if orders.crash_at:
        _crash_at(orders.crash_at, orders.when)
    await engine.start()
    while True:
        await asyncio.sleep(0.02)
        if orders.operation is None:
            continue
        operation = await engine.store.get(orders.operation)
        if operation is not None and operation.state.ended:
            break
    await engine.stop()
    engine.durable.close()


def main(orders: Orders) -> None:
    """The process."""
    logging.basicConfig(level=logging.WARNING)
    durables.POLL = 0.02
    sagas.UNDO_PAUSE = 0.01
    asyncio.run(work(orders))


def _crash_at(number: int, when: str) -> None:
    """End this process, as a power cut would, before or after a commit."""
    count = 0

    def patch(dialect: type[DefaultDialect]) -> None:
        commit = dialect.do_commit

        def do_commit(self: DefaultDialect, connection: Any) -> None:
            nonlocal count
            count += 1
            this = count == number
            if this and when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            commit(self, connection)  # type: ignore[no-untyped-call]
            if this:
                os.kill(os.getpid(), signal.SIGKILL)

        dialect.do_commit = do_commit  # type: ignore[method-assign]

    for dialect in (SQLiteDialect_pysqlite, PGDialect_psycopg):
        patch(dialect)
