"""Real processes of the service over simulated regions and one PostgreSQL, and ways to maltreat them."""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from multisite.db.engine import Database
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from tests.benchmarks.simulated import Simulation

#: Seconds; short, and still far above what a busy machine needs for a sign of life.
BEAT, TTL, INTERVAL = 0.5, 2.5, 1
START_SECONDS = 60
#: Processes of one `serve --workers`, each with a port of its own for metrics.
MOST_WORKERS = 8
#: The one call to this route is what a sweep is counted by.
SWEEP = "compute GET /os-hypervisors/detail"

_CONFIGURATION = """\
[database]
connection = {url}
[api]
port = {port}
[metrics]
port = {metrics}
[regions]
clouds_file = {clouds}
[sweep]
interval = {interval}
jitter = 0
[inventory]
enabled = false
[operations]
beat = {beat}
ttl = {ttl}
[page]
secret_file = {folder}/page.key
[keystone_authtoken]
www_authenticate_uri = {auth_url}
auth_type = none
"""


@dataclass
class Process:
    """One `multisite serve`."""

    popen: subprocess.Popen[bytes]
    port: int
    metrics_port: int
    log: Path

    def health(self) -> dict[str, Any]:
        """What it says of itself; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthcheck", timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            found = json.load(error)
        except (OSError, ValueError):
            return {}
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.popen.pid, number)

    def end(self) -> int:
        """End it as an operator would; its exit status."""
        self.popen.terminate()
        return self.popen.wait(20)


@dataclass
class Fleet:
    """Processes that share one database."""

    simulation: Simulation
    url: str
    folder: Path
    processes: list[Process] = field(default_factory=list)

    def register(self) -> None:
        """Make all simulated regions known."""

        async def work() -> None:
            database = Database(self.url)
            async with database.write() as connection:
                for name in self.simulation.regions:
                    await RegionStore(database).insert(connection, Region(name, name, "sim-admin"))
            await database.close()

        asyncio.run(work())

    def start(self, *words: str) -> Process:
        """Start one more, and wait until it answers."""
        process = self.launch(*words)
        self.until(lambda: process.health().get("database") == "ok", START_SECONDS)
        return process

    def launch(self, *words: str, url: str = "") -> Process:
        """Start one more."""
        number = len(self.processes)
        port, metrics, *_ = _free_ports(2 + MOST_WORKERS)
        configuration = self.folder / f"multisite-{number}.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                url=url or self.url,
                port=port,
                metrics=metrics,
                clouds=self.simulation.clouds_file,
                interval=INTERVAL,
                beat=BEAT,
                ttl=TTL,
                folder=self.folder,
                auth_url=f"{self.simulation.url}/identity/v3",
            )
        )
        log = self.folder / f"multisite-{number}.log"
        with log.open("ab") as output:
            popen = subprocess.Popen(
                [sys.executable, "-m", "multisite", "serve", "--config-file", str(configuration), *words],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
            )
        process = Process(popen, port, metrics, log)
        self.processes.append(process)
        return process

    def end(self) -> None:
        """End all."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.signal(signal.SIGCONT)
            process.popen.terminate()
        for process in self.processes:
            try:
                process.popen.wait(20)
            except subprocess.TimeoutExpired:
                process.popen.kill()
                process.popen.wait()

    def parts(self) -> dict[str, int]:
        """How many regions each executor has."""
        query = (
            "SELECT executors.id, count(region_id) FROM executors "
            "LEFT JOIN sweep_leases ON executor = executors.id GROUP BY executors.id"
        )
        return {str(name): int(count) for name, count in self.ask(query)}

    def holders(self) -> dict[str, str]:
        """Which executor has which region."""
        query = "SELECT regions.name, executor FROM sweep_leases JOIN regions ON regions.id = region_id"
        return {str(name): str(executor) for name, executor in self.ask(query)}

    def ask(self, query: str) -> list[Any]:
        """Ask the database; nothing while it is away."""
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []
        return []

    def shared(self, *parts: int) -> bool:
        """Whether each has its part, and each region is in one of them."""
        return sorted(self.parts().values()) == sorted(parts) and sum(parts) == len(self.simulation.regions)

    def sweeps(self, seconds: float) -> Mapping[str, int]:
        """How often each region is swept in so many seconds, as the simulator counted."""
        self.simulation.reset_calls()
        time.sleep(seconds)
        with urllib.request.urlopen(f"{self.simulation.url}/_sim/calls", timeout=60) as answer:
            regions = json.load(answer)["regions"]
        return {
            name: regions.get(name, {"routes": {}})["routes"].get(SWEEP, 0)
            for name in self.simulation.regions
        }

    def until(self, wanted: Callable[[], bool], seconds: float = 20.0) -> float:
        """Wait until it is as wanted; how many seconds that took."""
        begun = time.monotonic()
        while not wanted():
            if time.monotonic() > begun + seconds:
                raise AssertionError(f"after {seconds:g} s: {self.parts()}\n{self._last_words()}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def _last_words(self) -> str:
        return "\n".join(f"{each.log.name}: {each.log.read_text()[-2000:]}" for each in self.processes)


def _free_ports(count: int) -> list[int]:
    """Ports in a row that are free now, below those that connections take: workers have one each."""
    while True:
        first = random.randrange(24_000, 32_000)  # noqa: S311 - no secret
        ports = list(range(first, first + count))
        with contextlib.ExitStack() as stack:
            try:
                for port in ports:
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return ports
