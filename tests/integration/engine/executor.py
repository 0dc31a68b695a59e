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

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.engine import durable as durables
from multisite.engine import saga as sagas
from multisite.engine.durable import Durable
from multisite.engine.engine import Engine
from multisite.engine.executors import Executors, Fence
from multisite.engine.kinds import Kind, Kinds, Run
from multisite.engine.model import Json
from multisite.engine.runner import Runner
from multisite.engine.saga import Saga, Step, StepError
from multisite.engine.schedules import Scheduling
from multisite.engine.store import OperationStore
from multisite.engine.writer import Writer
from multisite.engine.writes import Journal, RegionWrite
from multisite.openstack.client import Regions, Target
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Limits, Transport
from multisite.openstack.users import UserCalls
from multisite.quotas.reading import QuotaReader
from multisite.quotas.rounds import Rounds
from multisite.quotas.store import QuotaStore
from multisite.quotas.workflows import QuotaWorkflows
from multisite.quotas.writing import Sender
from multisite.regions.health import HealthBook
from multisite.regions.store import RegionStore
from multisite.settings import OperationSettings, QuotaSettings
from multisite.sweeps.reading import RegionClients
from tests.integration.engine.world import World

STEPS = 10


@dataclass(frozen=True)
class Orders:
    """What the process shall do.

    It runs until `operation` has ended, or for ever. It kills itself `when` ("before" or "after") its commit
    number `crash_at`. `careless` steps do not look for their own result. `unfenced` it writes although it was
    taken for dead. `form` is the form in which it stores parts, `steps` how many its saga has.
    """

    url: str
    world: str
    name: str
    operation: str | None = None
    crash_at: int = 0
    when: str = "before"
    careless: bool = False
    unfenced: bool = False
    form: str = "multisite-1"
    steps: int = STEPS
    clouds: str | None = None
    at_once: int = 50
    beat: float = 0.1
    ttl: float = 0.5


def kinds(world: World, *, careless: bool = False, steps: int = STEPS) -> Kinds:
    """A saga of ten steps that make ten things; it fails at the last one where the arguments say so.

    Each step asks the fence right before it makes its thing, as one that writes to a region does.
    """

    return Kinds(
        [
            Kind("ten-things", _ten_things(world, careless=careless, steps=steps), steps),
            Kind("busy", lambda saga: saga.do(partial(_be_busy, world))),
        ]
    )


def _ten_things(world: World, *, careless: bool, steps: int) -> Run:
    async def make(number: int, step: Step) -> Json:
        name = f"{step.part}-{number}"
        if step.operation.arguments.get("pause"):
            await asyncio.sleep(step.operation.arguments["pause"])
        await step.stored(_nothing)
        if careless or not world.has(name):
            world.make(name)
        if number == steps and step.operation.arguments.get("fails") and not world.has("luck"):
            raise StepError("no-way", "the last step cannot be done")
        return name

    async def remove(number: int, step: Step, result: Json) -> None:
        del result
        if step.operation.arguments.get("pause"):
            await asyncio.sleep(step.operation.arguments["pause"])
        name = f"{step.part}-{number}"
        if careless or world.has(name):
            world.remove(name)
        if number == 4 and step.operation.arguments.get("stuck") and not world.has("key"):
            raise StepError("locked", "the key is missing")

    async def run(saga: Saga) -> Json:
        return [
            await saga.do(_named(f"make {n}", partial(make, n)), undo=partial(remove, n))
            for n in range(1, steps + 1)
        ]

    return run


async def _be_busy(world: World, step: Step) -> Json:
    world.enter(step.part)
    await asyncio.sleep(0.05)
    world.leave(step.part)
    return None


async def _nothing(_: AsyncConnection) -> None:
    """Write nothing: only the fence is asked."""


def _named(name: str, step: Callable[[Step], Awaitable[Json]]) -> Callable[[Step], Awaitable[Json]]:
    async def named(given: Step) -> Json:
        return await step(given)

    named.__name__ = name
    return named


async def _mark(regions: Regions, step: Step) -> Json:
    """Make a security group in a region, unless it is there."""
    target = Target(step.part, step.part, "sim-admin", "public")
    name = f"mark-{step.operation.id}"
    found = await regions.client(target).get("network", "/security-groups", {"name": name})
    if found["security_groups"]:
        return found["security_groups"][0]["id"]
    body = {"security_group": {"name": name}}
    reply = await step.write(
        target,
        RegionWrite(step.part, "network", "POST", ("security-groups",), f"make group {name}", after=body),
    )
    return reply.body["security_group"]["id"]


def engine_of(orders: Orders) -> Engine:
    """The engine, not started."""
    database, clock = Database(orders.url, owner=orders.name), SystemClock()
    beats = Database(orders.url, owner=orders.name)
    executors = Executors(beats, clock, name=orders.name, ttl=orders.ttl)
    durable = Durable(orders.url, orders.name, orders.at_once)
    store = OperationStore(database)
    every = kinds(World(Path(orders.world)), careless=orders.careless, steps=orders.steps)
    clouds = Clouds(Path(orders.clouds) if orders.clouds else None)
    regions = Regions(clouds, Tokens(clock, deadline=20), Transport(Limits()), HealthBook(), clock)
    every.add(Kind("mark", lambda saga: saga.do(partial(_mark, regions))))
    calls = UserCalls(regions, 20)
    for kind in QuotaWorkflows(_rounds(database, executors, regions, calls)).kinds:
        every.add(kind)
    writer = Writer(calls, Journal(database), clock)
    runner = Runner(store, durable, executors, every, writer, clock)
    scheduling = Scheduling(database, clock, orders.name, [])
    settings = OperationSettings(orders.beat, orders.ttl, orders.at_once, 10_000, 10_000, 10_000)
    return Engine(store, durable, executors, runner, scheduling, settings, clock)


def _rounds(database: Database, executors: Executors, regions: Regions, calls: UserCalls) -> Rounds:
    clock = SystemClock()
    return Rounds(
        QuotaStore(database),
        RegionStore(database),
        QuotaReader(RegionClients(regions), clock, 20),
        Sender(calls, executors.may_send),
        Journal(database),
        lambda: executors.fence,
        QuotaSettings(interval=3600, settle=0),
        clock,
    )


async def work(orders: Orders) -> None:
    """Run the engine until the operation has ended."""
    engine = engine_of(orders)
    if orders.unfenced:
        Fence.check = _nothing_more  # type: ignore[method-assign, assignment]
    if orders.crash_at:
        _crash_at(orders.crash_at, orders.when)
    await engine.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    seen: int | None = None
    while not stop.is_set():
        await asyncio.sleep(0.02)
        if orders.operation is None or (told := await engine.store.generation(orders.operation)) == seen:
            continue
        seen = told
        operation = await engine.store.get(orders.operation)
        if operation is not None and operation.state.ended:
            return  # without a farewell: it is for tests of those that die
    await engine.stop()


async def _nothing_more(*_: object) -> None:
    """Let everything pass."""


def main(orders: Orders) -> None:
    """The process."""
    logging.basicConfig(level=logging.ERROR)
    durables.POLL, durables.FORMAT = 0.02, orders.form
    sagas.UNDO_PAUSE = 0.01
    asyncio.new_event_loop().run_until_complete(work(orders))


def _crash_at(number: int, when: str) -> None:
    """End this process, as a power cut would, before or after a commit of something that was written."""
    count = 0
    commit = sa.Connection._commit_impl

    def note(connection: sa.Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            connection.info["wrote"] = True

    def commit_or_die(connection: sa.Connection) -> None:
        nonlocal count
        wrote = connection.info.pop("wrote", False)
        count += wrote
        this = wrote and count == number
        if this and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(connection)
        if this:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    sa.Connection._commit_impl = commit_or_die  # type: ignore[method-assign, assignment]
