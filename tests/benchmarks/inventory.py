"""What a page of the inventory costs with 1,000 regions × 50 servers stored.

`python -m tests.benchmarks.inventory [sqlite|postgresql://…]`: fills a database, asks for pages with every
sort and filter and for what people search, each `ROUNDS` times, and prints the median and the 95th
percentile. What is measured is the service's own call, from the policy to the rows.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from multisite import settings
from multisite.assembly import Assembly, assemble
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.inventory.kinds import BY_NAME, Kind
from multisite.inventory.model import Item, Reading
from multisite.inventory.parsing import parse
from multisite.inventory.queries import Direction, Order, Sort
from multisite.inventory.service import Question
from multisite.inventory.store import InventoryStore
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.requester import Requester

REGIONS, SERVERS, PROJECTS, ROUNDS = 1000, 50, 200, 20
OPERATOR = Requester("u", "op", "Default", "p", "op", "Default", frozenset({"admin", "member", "reader"}))
WORDS = ("web", "db", "cache", "worker", "api", "batch", "mail", "dns")
STATUSES = ("ACTIVE",) * 90 + ("SHUTOFF",) * 8 + ("ERROR", "BUILD")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def fill(assembly: Assembly) -> None:
    """Regions, and in each of them servers with a port each, some with a floating IP."""
    regions, store = RegionStore(assembly.database), InventoryStore(assembly.database)
    async with assembly.database.write() as connection:
        for number in range(REGIONS):
            await regions.insert(connection, Region(f"region-{number:04}", "r", "c"))
    names = {f"{number:032x}": f"project-{number:03}" for number in range(PROJECTS)}
    for region in await regions.select():
        for kind, raws in contents(random.Random(region.id), region).items():  # noqa: S311
            reading = Reading(assembly.clock.now(), full=True, changed=items(BY_NAME[kind], raws))
            await store.write(region, kind, reading, names)


def contents(draws: random.Random, region: Region) -> dict[str, list[dict[str, Any]]]:
    """What a region's services would answer."""
    found: dict[str, list[dict[str, Any]]] = {"server": [], "port": [], "floating_ip": []}
    for number in range(SERVERS):
        at = (BEGIN + timedelta(seconds=draws.randrange(25_000_000))).isoformat()
        common = {"created": at, "updated": at, "created_at": at, "updated_at": at, "user_id": "u" * 32}
        project = f"{draws.randrange(PROJECTS):032x}"
        server, port = (str(uuid.UUID(int=draws.getrandbits(128))) for _ in range(2))
        word = draws.choice(WORDS)
        found["server"].append(
            {
                **common,
                "id": server,
                "name": f"{word}-{draws.randrange(10**4)}",
                "status": draws.choice(STATUSES),
                "tenant_id": project,
                "flavor": {"original_name": "m1.small", "vcpus": 2, "ram": 4096, "disk": 40},
                "metadata": {"role": word},
            }
        )
        host = f"10.{region.id // 250}.{region.id % 250}.{number + 10}"
        found["port"].append(
            {
                **common,
                "id": port,
                "name": "",
                "status": "ACTIVE",
                "project_id": project,
                "device_id": server,
                "device_owner": "compute:nova",
                "mac_address": f"fa:16:3e:{region.id // 250:02x}:{region.id % 250:02x}:{number:02x}",
                "fixed_ips": [{"ip_address": host, "subnet_id": "s"}],
                "revision_number": 1,
            }
        )
        if number % 5 == 0:
            address = {"floating_ip_address": f"172.{region.id // 250}.{region.id % 250}.{number}"}
            floating = {**common, **address, "id": str(uuid.UUID(int=draws.getrandbits(128)))}
            found["floating_ip"].append(
                {**floating, "port_id": port, "status": "ACTIVE", "project_id": project}
            )
    return found


def items(kind: Kind, raws: list[dict[str, Any]]) -> dict[str, Item]:
    """The items of a service's answer."""
    return {item.id: item for item in (parse(kind, raw) for raw in raws)}


async def measure(assembly: Assembly) -> None:
    """Print what each question costs."""
    tenant = Requester(
        "u", "t", "Default", f"{7:032x}", "project-007", "Default", frozenset({"member", "reader"})
    )
    questions: dict[str, tuple[Requester, Question]] = {
        "all": (OPERATOR, Question()),
        "region": (OPERATOR, Question(regions=("region-0500",))),
        "three regions": (OPERATOR, Question(regions=("region-0001", "region-0500", "region-0999"))),
        "status common": (OPERATOR, Question(status="ACTIVE")),
        "status rare": (OPERATOR, Question(status="ERROR")),
        "name common": (OPERATOR, Question(name="web")),
        "name rare": (OPERATOR, Question(name="web-1234")),
        "name nowhere": (OPERATOR, Question(name="nothing-like-it")),
        "project": (OPERATOR, Question(project_id=f"{9:032x}")),
        "address": (OPERATOR, Question(address="10.2.3.20")),
        "address begins": (OPERATOR, Question(address="10.2.3.")),
        "address network": (OPERATOR, Question(address="10.2.0.0/16")),
        "tenant": (tenant, Question()),
        "tenant visible": (tenant, Question(visible=True)),
        "status, project": (OPERATOR, Question(status="SHUTOFF", project_id=f"{9:032x}")),
    }
    worst = 0.0
    for sort in Sort:
        for label, (requester, question) in questions.items():
            order = Order(sort, Direction.DESC if label == "status common" else Direction.ASC)
            worst = max(worst, await timed(f"{sort} / {label}", lister(assembly, requester, question, order)))
    for text in ("web", "web-1234", "nothing-like-it", "10.2.3.20", "10.2.", "fa:16:3e:01:02:03", "0a1b"):
        for who, requester in (("operator", OPERATOR), ("tenant", tenant)):
            worst = max(worst, await timed(f"search {text} ({who})", searcher(assembly, requester, text)))
    print(f"worst p95: {worst:.1f} ms")  # noqa: T201


def lister(
    assembly: Assembly, requester: Requester, question: Question, order: Order
) -> Callable[[], Awaitable[object]]:
    """Asks for the second page of 100 where there is one, else for the first."""
    marker: str | None = None

    async def ask() -> object:
        nonlocal marker
        page = await assembly.inventory.list(requester, "servers", question, order, limit=100, marker=marker)
        marker = marker or page.next
        return page

    return ask


def searcher(assembly: Assembly, requester: Requester, text: str) -> Callable[[], Awaitable[object]]:
    """Searches."""
    return lambda: assembly.search.search(requester, text, limit=50)


async def timed(label: str, ask: Callable[[], Awaitable[object]]) -> float:
    """Print the median and 95th percentile (ms) of one question; returns the latter."""
    await ask()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    p95 = times[int(len(times) * 0.95) - 1]
    print(f"{label:40} {statistics.median(times):8.1f} {p95:8.1f}", flush=True)  # noqa: T201
    return p95


async def main(url: str) -> None:
    """Fill and measure."""
    with tempfile.TemporaryDirectory() as folder:
        if url == "sqlite":
            url = f"sqlite:///{folder}/inventory.sqlite"
        filled = await asyncio.to_thread(Path(url.removeprefix("sqlite:///")).is_file)
        file = Path(folder) / "multisite.conf"
        file.write_text(
            f"[database]\nconnection = {url}\n[inventory]\ninterval = 1000000\n", encoding="utf-8"
        )
        schema.upgrade(url)
        assembly = assemble(settings.load(files=[file]), SystemClock())
        started = time.perf_counter()
        if not filled:
            await fill(assembly)
        print(f"filled in {time.perf_counter() - started:.1f} s")  # noqa: T201
        await measure(assembly)
        await assembly.database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "sqlite"))
