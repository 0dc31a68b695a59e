"""Operations in a database, and processes that do them."""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.db.tables import executors
from multisite.engine.durable import Durable
from multisite.engine.model import Operation, Part
from multisite.engine.service import OperationService
from multisite.engine.store import OperationStore
from multisite.engine.writes import Journal
from multisite.regions.store import RegionStore
from multisite.requester import Requester
from tests.integration.engine.executor import Orders, kinds
from tests.integration.engine.world import World

WHO = Requester("u1", "olga", "Default", "p1", "ops", "Default", frozenset({"admin", "member"}))


class Everything:
    """A policy that allows all."""

    def require(self, *_: Any) -> None:
        """Allow it."""


class Nursery:
    """Starts and ends processes; several threads may ask it at once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.engine.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._running: set[int] = set()
        self._asking = threading.Lock()

    def start(self, orders: Orders) -> int:
        """A new process; its pid."""
        pid = self._ask(asdict(orders))
        self._running.add(pid)
        return pid

    def wait(self, pid: int, seconds: float = 60) -> int:
        """Wait for the end of a process; its exit status."""
        process = os.pidfd_open(pid)
        try:
            ended, _, _ = select.select([process], [], [], seconds)
        finally:
            os.close(process)
        assert ended, f"process {pid} did not end within {seconds:g} s"
        status = self._ask({"wait": pid})
        self._running.discard(pid)
        return status

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a process."""
        os.kill(pid, number)

    def kill(self, pid: int) -> None:
        """End a process as a power cut would."""
        os.kill(pid, signal.SIGKILL)
        self.wait(pid)

    def end(self) -> None:
        """End all."""
        for pid in list(self._running):
            self.kill(pid)
        self._process.communicate(timeout=10)

    def _ask(self, question: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        with self._asking:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())


class Desk:
    """What a user does with operations, from a test without a loop."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.world = World(folder)
        self._runner = asyncio.Runner()
        self._database = Database(url)
        self._durable = Durable(url, "desk", 50)
        self.store = OperationStore(self._database)
        self.service = OperationService(
            self.store,
            Journal(self._database),
            self._durable,
            kinds(self.world),
            Everything(),  # type: ignore[arg-type]
            SystemClock(),
            RegionStore(self._database).require,
        )

    def run(self, work: Any) -> Any:
        """Run a coroutine."""
        return self._runner.run(work)

    def begin(
        self, parts: Sequence[str] = ("one",), kind: str = "ten-things", priority: int = 10, **arguments: Any
    ) -> str:
        """Enqueue an operation, a saga of ten steps for each part."""

        async def work() -> str:
            async with self._database.write() as connection:
                return await self.service.enqueue(connection, WHO, kind, arguments, parts, priority=priority)

        return str(self.run(work()))

    def until(self, true: Callable[[], bool], seconds: float = 20, pause: float = 0.01) -> float:
        """Wait until something is true; how long it took (seconds)."""
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds
            time.sleep(pause)
        return time.monotonic() - began

    def operation(self, operation_id: str) -> Operation:
        """How it stands."""
        found: Operation = self.run(self.store.get(operation_id))
        return found

    def parts(self, operation_id: str) -> Sequence[Part]:
        """How its parts stand."""
        found: Sequence[Part] = self.run(self.store.parts(operation_id))
        return found

    def executors(self) -> set[str]:
        """The names of the processes that live, as far as anybody knows."""

        async def work() -> set[str]:
            async with self._database.read() as connection:
                return set(await connection.scalars(sa.select(executors.c.id)))

        return set(self.run(work()))

    def wait(self, operation_id: str, seconds: float = 20) -> Operation:
        """Wait until it has ended."""
        until = time.monotonic() + seconds
        while not (found := self.operation(operation_id)).state.ended:
            assert time.monotonic() < until, (found, self.parts(operation_id))
            time.sleep(0.05)
        return found

    def orders(self, name: str, **more: Any) -> Orders:
        """Orders for a process over the same database and world."""
        return Orders(self.url, str(self.folder), name, **more)

    def close(self) -> None:
        """Close the connections."""
        self.run(self._database.close())
        self._durable.close()
        self._runner.close()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.end()


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(database_url, tmp_path / "world")
    yield made
    made.close()
