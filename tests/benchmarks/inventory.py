"""What a page of the inventory costs with 1,000 regions × 50 servers stored, and all that goes with them.

`python -m tests.benchmarks.inventory [sqlite|URL|FILE] [--json]`: fills a database by reading the
simulator (unless the FILE is filled already), asks for pages of every kind with every sort and filter, and
for what people search, each `ROUNDS` times, and prints a table: per question the order that is slowest, its
median and 95th percentile (ms). What is measured is the service's own call, from the policy to the rows.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from multisite import settings
from multisite.assembly import Assembly, assemble
from multisite.clock import SystemClock
from multisite.db.tables import inventory_addresses, inventory_items, inventory_projects
from multisite.inventory.kinds import KINDS
from multisite.inventory.queries import Direction, Order, Sort
from multisite.inventory.service import Question
from multisite.requester import Requester
from tests.benchmarks import inventory_refresh
from tests.benchmarks.simulated import simulation

REGIONS, ROUNDS = 1000, 20
OPERATOR = Requester("u", "op", "Default", "p", "op", "Default", frozenset({"admin", "member", "reader"}))

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Sample:
    """Things that are stored, to ask for."""

    tenant: Requester
    address: str
    mac: str
    id: str
    name: str


@dataclass(frozen=True)
class Cost:
    """What one question costs (ms); `cpu` is this process's: what else runs does not count."""

    question: str
    order: str
    median: float
    p95: float
    cpu: float


async def sample(assembly: Assembly) -> Sample:
    """One server's port somewhere in the middle, and the project that it belongs to."""
    items, addresses = inventory_items.c, inventory_addresses.c
    async with assembly.database.read() as connection:
        server = (
            await connection.execute(
                sa.select(items.id, items.name, items.project_id, items.region_id)
                .where(items.kind == "server", items.region == f"region-{REGIONS // 2:04}")
                .order_by(items.id)
                .limit(1)
            )
        ).one()
        port = sa.select(items.id).where(items.device_id == server.id, items.region_id == server.region_id)
        query = sa.select(addresses.address).where(addresses.port_id.in_(port)).order_by(addresses.packed)
        found = list((await connection.execute(query)).scalars())
        wanted = inventory_projects.c.project_id == server.project_id
        project = await connection.scalar(sa.select(inventory_projects.c.name).where(wanted))
    roles = frozenset({"member", "reader"})
    tenant = Requester("u", "t", "Default", server.project_id, project, "Default", roles)
    return Sample(tenant, found[0], found[-1], server.id, server.name)


def server_questions(of: Sample) -> dict[str, tuple[Requester, Question]]:
    """What is asked of the servers, in every order."""
    project = of.tenant.project_id
    return {
        "all": (OPERATOR, Question()),
        "region": (OPERATOR, Question(regions=("region-0500",))),
        "three regions": (OPERATOR, Question(regions=("region-0001", "region-0500", "region-0999"))),
        "status common": (OPERATOR, Question(status="ACTIVE")),
        "status in ten": (OPERATOR, Question(status="SHUTOFF")),
        "status nowhere": (OPERATOR, Question(status="ERROR")),
        "name common": (OPERATOR, Question(name="web")),
        "name rare": (OPERATOR, Question(name=of.name)),
        "name nowhere": (OPERATOR, Question(name="nothing-like-it")),
        "project": (OPERATOR, Question(project_id=project)),
        "address": (OPERATOR, Question(address=of.address)),
        "address begins": (OPERATOR, Question(address="10.2.1.")),
        "address in /30": (OPERATOR, Question(address="10.1.0.4/30")),
        "address in /16": (OPERATOR, Question(address="10.1.0.0/16")),
        "address in /8": (OPERATOR, Question(address="10.0.0.0/8")),
        "tenant": (of.tenant, Question()),
        "tenant, visible": (of.tenant, Question(visible=True)),
        "tenant, name": (of.tenant, Question(name="web")),
        "tenant, /8": (of.tenant, Question(address="10.0.0.0/8")),
        "status, project": (OPERATOR, Question(status="SHUTOFF", project_id=project)),
        "status, name, /8": (OPERATOR, Question(status="SHUTOFF", name="web-1", address="10.0.0.0/8")),
        "status, name nowhere": (OPERATOR, Question(status="ACTIVE", name="nothing-like-it")),
    }


def questions_of_all_kinds(of: Sample) -> dict[str, tuple[Requester, Question]]:
    """What is asked of every kind, in every order."""
    return {
        "all": (OPERATOR, Question()),
        "name nowhere": (OPERATOR, Question(name="nothing-like-it")),
        "address in /16": (OPERATOR, Question(address="10.1.0.0/16")),
        "project": (OPERATOR, Question(project_id=of.tenant.project_id)),
        "tenant": (of.tenant, Question()),
        "tenant, visible": (of.tenant, Question(visible=True)),
    }


async def measure(assembly: Assembly, rounds: int = ROUNDS) -> dict[str, Any]:
    """The figures of all questions."""
    of = await sample(assembly)
    asked = [("servers", label, *question) for label, question in server_questions(of).items()]
    for kind in KINDS[1:]:
        asked += [(kind.plural, label, *question) for label, question in questions_of_all_kinds(of).items()]
    pages = []
    for plural, label, requester, question in asked:
        costs = []
        for sort in Sort:
            for direction in Direction:
                ask = _lister(assembly, requester, plural, question, Order(sort, direction))
                costs.append(await timed(f"{plural}: {label}", f"{sort} {direction}", ask, rounds))
        pages.append(max(costs, key=lambda cost: cost.p95))
    searches = []
    words = ("web", of.name, "nothing-like-it", of.address, "10.2.", "10.0.0.0/8", of.mac, of.id, of.id[:4])
    for text in words:
        for who, requester in (("operator", OPERATOR), ("tenant", of.tenant)):
            ask = _searcher(assembly, requester, text)
            searches.append(await timed(f"search {text}", who, ask, rounds))
    return {
        "pages": [vars(cost) for cost in pages],
        "searches": [vars(cost) for cost in searches],
        "worst_page_p95": max(cost.p95 for cost in pages),
        "worst_search_p95": max(cost.p95 for cost in searches),
    }


def _lister(assembly: Assembly, requester: Requester, plural: str, question: Question, order: Order) -> Ask:
    """Asks for the second page of 100 where there is one, else for the first."""
    marker: str | None = None

    async def ask() -> object:
        nonlocal marker
        page = await assembly.inventory.list(requester, plural, question, order, limit=100, marker=marker)
        marker = marker or page.next
        return page

    return ask


def _searcher(assembly: Assembly, requester: Requester, text: str) -> Ask:
    return lambda: assembly.search.search(requester, text, limit=50)


async def timed(question: str, order: str, ask: Ask, rounds: int) -> Cost:
    """The median and 95th percentile (ms) of one question, asked once before."""
    await ask()
    times = []
    cpu = time.process_time()
    for _ in range(rounds):
        started = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - started) * 1000)
    cpu = (time.process_time() - cpu) / rounds * 1000
    times.sort()
    return Cost(question, order, statistics.median(times), times[int(len(times) * 0.95) - 1], cpu)


async def _measure(url: str, folder: Path, rounds: int) -> dict[str, Any]:
    file = folder / "multisite.conf"
    text = f"[database]\nconnection = {url}\n[inventory]\ninterval = 1000000\n"
    file.write_text(text, encoding="utf-8")
    assembly = assemble(settings.load(files=[file]), SystemClock())
    try:
        return await measure(assembly, rounds)
    finally:
        await assembly.database.close()


def run(where: str = "sqlite", rounds: int = ROUNDS) -> dict[str, Any]:
    """Fill, unless `where` is a filled database, and measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = where if "://" in where else f"sqlite:///{folder / 'i.sqlite' if where == 'sqlite' else where}"
        if not Path(where).is_file():
            plan = {"servers": inventory_refresh.SERVERS, "projects": inventory_refresh.PROJECTS}
            with simulation(folder, regions=REGIONS, **plan) as cloud:
                asyncio.run(inventory_refresh.measure(cloud, url, 0))
        return asyncio.run(_measure(url, folder, rounds))


def table(figures: dict[str, Any]) -> str:
    """The figures for people."""
    rows = [
        f"{row['question']:45} {row['order']:18} {row['median']:8.1f} {row['p95']:8.1f} {row['cpu']:8.1f}"
        for row in (*figures["pages"], *figures["searches"])
    ]
    worst = f"worst p95: page {figures['worst_page_p95']:.1f} ms, search {figures['worst_search_p95']:.1f} ms"
    return "\n".join([f"{'':45} {'slowest order':18} {'median':>8} {'p95':>8} {'cpu':>8}", *rows, worst])


def main() -> int:
    """Measure, and print a table, or one line of JSON."""
    words = [word for word in sys.argv[1:] if word != "--json"]
    figures = run(words[0] if words else "sqlite")
    print(json.dumps(figures) if "--json" in sys.argv else table(figures))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
