"""What a scrape of `/metrics` costs with 1,000 regions, all their figures and 173,000 items stored.

`python -m tests.benchmarks.metrics FILE [ROUNDS]`: FILE is a database that `tests.benchmarks.inventory`
filled; figures of each region's capacity are added to it. Prints the median of the wall clock and CPU of one
scrape (seconds), its size (MB of text) and its lines as one line of JSON.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from multisite import settings
from multisite.assembly import Assembly, assemble
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
from multisite.clock import SystemClock
from multisite.metrics import create_metrics_app
from multisite.regions.store import RegionStore

CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB", "PCPU", "VGPU")


async def fill(assembly: Assembly) -> None:
    """Figures of every region."""
    figures = {name: Capacity(100, 1, 400, 37, 363) for name in CLASSES}
    summaries: dict[str, Any] = {
        "placement": PlacementSummary(figures, {"nova": figures, "az2": figures}, {}, 10),
        "compute": ComputeSummary(9, 1, 0, 10, 9),
        "volume": VolumeSummary(total=100, free=90),
        "network": NetworkSummary(external_ipv4=AddressCount(253, 2, 251)),
        "image": ImageSummary(3, 2**40),
    }
    writer, at = ObservationWriter(assembly.database), assembly.clock.now()
    for region in await RegionStore(assembly.database).select():
        rows = [Observation(service, at, summary) for service, summary in summaries.items()]
        await writer.write(region.id, rows)


async def scrape(app: Starlette) -> bytes:
    """The text of one scrape."""
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        parts.append(message.get("body", b""))

    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "query_string": b""}
    await app(scope, receive, send)
    return b"".join(parts)


async def measure(file: str, rounds: int) -> dict[str, float]:
    """The figures."""
    with tempfile.TemporaryDirectory() as name:
        conf = Path(name) / "multisite.conf"
        conf.write_text(f"[database]\nconnection = sqlite:///{file}\n", encoding="utf-8")
        assembly = assemble(settings.load(files=[conf]), SystemClock())
    await fill(assembly)
    app = create_metrics_app(assembly, None)
    text, wall, cpu = await scrape(app), [], []
    for _ in range(rounds):
        started, spent = time.perf_counter(), time.process_time()
        text = await scrape(app)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - spent)
    await assembly.database.close()
    size, lines = len(text) / 1e6, text.count(b"\n")
    return {"wall": statistics.median(wall), "cpu": statistics.median(cpu), "megabytes": size, "lines": lines}


def main() -> int:
    """Measure once, and print the figures."""
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    print(json.dumps(asyncio.run(measure(sys.argv[1], rounds))))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
