"""`make bench`: what multisite costs, over simulated regions, each figure beside a floor of the same run.

Every part is a program of its own (`sweep.py`, `freshness.py` …) that prints one line of JSON: memory is that
of the part alone, and the simulator runs beside it in another process. Parts run one after the other. The
results go into docs/reference/performance.md, with the machine, the date and the load. `--quick`
takes small sizes and only prints.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "reference" / "performance.md"
Figures = dict[str, Any]

#: Regions and rounds of the sweeps.
SWEEPS = ((100, 7), (300, 5), (1000, 5), (5000, 2))
QUICK = ((20, 3), (40, 3))


def measure(part: str, *words: object) -> Figures:
    """Run one part; its figures."""
    print(f"{part} {' '.join(map(str, words))} …", file=sys.stderr, flush=True)  # noqa: T201 - a command
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{part}", *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


def page(*, quick: bool, most: int) -> str:
    """docs/reference/performance.md, with sweeps over up to `most` regions."""
    load = os.getloadavg()[0]
    sweeps = [
        measure("sweep", regions, rounds)
        for regions, rounds in (QUICK if quick else SWEEPS)
        if regions <= most
    ]
    fresh = measure("freshness", 40 if quick else min(1000, most), 20 if quick else 40)
    sdk = measure("with_sdk", 5 if quick else 50)
    listing = measure("listing", 5 if quick else 15)
    loaded = measure("under_load", 20 if quick else min(1000, most), 3 if quick else 20)
    refresh = measure("inventory_refresh", 20 if quick else min(300, most), 2 if quick else 3)
    pages = None if quick else measure("inventory", "sqlite", "--json")
    work = [
        measure("operations", count, steps)
        for count, steps in (((50, 1), (50, 10)) if quick else ((1000, 1), (1000, 10), (10_000, 1)))
    ]
    sharing = measure("sharing", 100 if quick else most)
    balanced = _balanced(quick=quick)
    simulator = measure("simulator", 2 if quick else 8)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return "\n".join(
        [
            "# Performance",
            "",
            f"Written by `make bench` on {time.strftime('%Y-%m-%d')} ({machine}; load before: {load:.1f}).",
            "The regions are simulated, by a process of its own on the same machine: 10 hosts, 5 networks,",
            "50 servers each.",
            "",
            *_sweeps(sweeps),
            *_others(fresh, sdk, sweeps, listing, loaded),
            "",
            *_inventory(refresh, pages),
            "",
            *_operations(work, sharing),
            "",
            *_quotas(balanced),
            "",
            "## The simulator",
            "",
            f"{simulator['per_second']:,.0f} GETs a second of a list of 5 servers in detail on one core;",
            f"{simulator['memory']:.0f} MB for 1,000 regions with 50 servers each.",
            "",
        ]
    )


def _sweeps(rows: list[Figures]) -> Iterable[str]:
    yield "## A sweep"
    yield ""
    yield "All regions are read and stored, as every minute. The floor is a bare aiohttp loop that makes the"
    yield "same GETs with the same token and throws the bodies away. Medians of several rounds, each of"
    yield "ours between two of the floor."
    yield ""
    yield "| regions | calls | wall s | CPU s | floor wall s | floor CPU s | CPU ratio | peak memory MB |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        yield (
            f"| {row['regions']:,} | {row['calls']:,} | {row['wall']:.1f} | {row['cpu']:.1f} "
            f"| {row['floor_wall']:.1f} | {row['floor_cpu']:.1f} | {row['ratio']:.2f} | {row['memory']:.0f} |"
        )
    yield ""
    first, last = rows[-2], rows[-1]
    growth = last["cpu"] / first["cpu"]
    yield f"{last['regions']:,} regions cost {growth:.1f} times the CPU of {first['regions']:,}."
    yield ""


def _others(
    fresh: Figures, sdk: Figures, sweeps: list[Figures], listing: Figures, loaded: Figures
) -> Iterable[str]:
    ours = sweeps[0]["cpu"] / sweeps[0]["regions"]
    yield "## Regions that hang"
    yield ""
    yield f"{fresh['regions']:,} regions, swept every 20 s. Ages of the figures of the well ones, without and"
    yield f"with {fresh['hanging']} regions that hang and {fresh['slow']} that answer after 2 s:"
    yield ""
    yield "| | all well | some ill |"
    yield "|---|---|---|"
    yield f"| median age | {fresh['p50']:.1f} s | {fresh['p50_ill']:.1f} s |"
    yield f"| 99th percentile | {fresh['p99']:.1f} s | {fresh['p99_ill']:.1f} s |"
    yield ""
    yield "## The same with openstacksdk"
    yield ""
    theirs = sdk["cpu"] / sdk["regions"]
    yield f"A connection per region in {sdk['threads']} threads, the calls of a sweep, nothing summed or"
    yield f"stored: {theirs * 1000:.0f} ms of CPU a region. multisite: {ours * 1000:.1f} ms."
    yield ""
    yield "## Answers"
    yield ""
    yield (
        f"- `GET /v1/capacity` of {listing['regions']:,} stored regions with totals, without HTTP: "
        f"{listing['cpu']:.0f} ms of CPU, {listing['ratio']:.1f} times its two SELECTs alone."
    )
    yield (
        f"- The same over HTTP, the first 100 of {loaded['regions']:,} regions ({loaded['bytes']:,} bytes), "
        f"{loaded['connections']} connections, while the regions are swept: "
        f"{loaded['per_second']:.0f} a second, median {loaded['p50']:.0f} ms, 99th percentile "
        f"{loaded['p99']:.0f} ms, {loaded['failed']} failed."
    )


def _operations(work: list[Figures], sharing: Figures) -> Iterable[str]:
    yield "## Operations"
    yield ""
    yield "Operations of one part each over 30 regions, whose steps do nothing, in one process on SQLite. The"
    yield "floor is a transaction that updates one row. Milliseconds for each operation:"
    yield ""
    yield "| operations | steps | enqueue CPU | run CPU | run wall | floor CPU |"
    yield "|---|---|---|---|---|---|"
    for row in work:
        cells = (row[name] * 1000 for name in ("enqueue_cpu", "cpu", "wall", "floor_cpu"))
        yield (
            f"| {row['operations']:,} | {row['steps']} | "
            + " | ".join(f"{cell:.1f}" for cell in cells)
            + " |"
        )
    yield ""
    look, floor = sharing["look_cpu"] * 1000, sharing["floor_cpu"] * 1000
    shared, moved = sharing["shared"], sharing["moved"]
    yield f"Three processes on PostgreSQL share {sharing['regions']:,} regions within {shared:.1f} s;"
    yield f"{moved:.1f} s after one of them fell silent the others have its regions (the"
    yield f"bound, ttl and beat, is {sharing['bound']:.0f} s). A look at who has which costs {look:.0f} ms of"
    yield f"CPU every 5 s (reading the two tables alone: {floor:.0f} ms)."


#: Projects, regions and rounds of the balances.
BALANCES = ((1, 3, 9), (1, 100, 5), (1, 1000, 3), (100, 30, 2), (1000, 30, 1))


def _balanced(*, quick: bool) -> list[Figures]:
    return [measure("quotas", *sizes) for sizes in (BALANCES[:1] if quick else BALANCES)]


def _quotas(rows: list[Figures]) -> Iterable[str]:
    yield "## Quotas"
    yield ""
    yield f"Hard limits of seven resources of three services, on SQLite; {time.strftime('%Y-%m-%d')}, load"
    yield f"{os.getloadavg()[0]:.1f} at the end. *First* writes them everywhere: it reads, remembers what the"
    yield "defaults are, shrinks, reads back. *Steady* balances again where nothing changed: it writes"
    yield "nothing. The floor makes the same calls with the same token, and throws the answers away."
    yield ""
    yield "| projects | regions | phase | calls | of them GETs | wall s | CPU s | floor CPU s | CPU ratio |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        for phase in ("first", "steady"):
            each = row[phase]
            yield (
                f"| {row['projects']:,} | {row['regions']:,} | {phase} | {each['calls']:,.0f} "
                f"| {each['gets']:,.0f} | {each['wall']:.2f} | {each['cpu']:.2f} | {each['floor_cpu']:.2f} "
                f"| {each['ratio']:.2f} |"
            )
    steady = {row["regions"]: row["steady"]["cpu"] for row in rows if row["projects"] == 1}
    if {100, 1000} <= set(steady):
        yield ""
        yield f"1,000 regions cost {steady[1000] / steady[100]:.1f} times the CPU of 100."


def _with_section(page: str, lines: Iterable[str]) -> str:
    """The page with one of its sections measured anew; at its end where it is new."""
    section = "\n".join(lines).strip()
    head = section.splitlines()[0]
    before, found, after = page.partition(f"{head}\n")
    if not found:
        return f"{page.rstrip()}\n\n{section}\n"
    rest = after.find("\n## ")
    return f"{before}{section}\n{after[rest:] if rest >= 0 else ''}"


def _inventory(refresh: Figures, pages: Figures | None) -> Iterable[str]:
    yield "## The inventory"
    yield ""
    yield f"{refresh['regions']:,} regions, {refresh['items']:,} items. A steady refresh reads again what"
    yield "changed after 1 % of the servers were stopped or started. The floor makes the same GETs."
    yield ""
    yield "| | calls | wall s | CPU s | floor CPU s | CPU ratio |"
    yield "|---|---|---|---|---|---|"
    for label, name in (("first fill", "fill"), ("steady refresh", "steady")):
        row = refresh[name]
        yield (
            f"| {label} | {row['calls']:,.0f} | {row['wall']:.1f} | {row['cpu']:.1f} "
            f"| {row['floor_cpu']:.1f} | {row['ratio']:.1f} |"
        )
    if pages is None:
        return
    yield ""
    yield "Pages of 100 rows out of 1,000 regions with 50 servers each, on SQLite, from the policy to the"
    yield "rows; of each question, the order that is slowest:"
    yield ""
    yield "| question | slowest order | median ms | 95th percentile ms | CPU ms |"
    yield "|---|---|---|---|---|"
    slowest = sorted(pages["pages"], key=lambda row: -row["p95"])
    for row in [*slowest[:6], *sorted(pages["searches"], key=lambda row: -row["p95"])[:4]]:
        times = " | ".join(f"{row[name]:.1f}" for name in ("median", "p95", "cpu"))
        yield f"| {row['question']} | {row['order']} | {times} |"
    yield ""
    yield (
        f"Of {len(pages['pages'])} questions, {sum(row['p95'] < 50 for row in pages['pages'])} "
        "stay under 50 ms in their slowest order. The box that searches everything: "
        f"{pages['worst_search_p95']:.0f} ms at most."
    )


def main() -> int:
    """Measure, print and, unless it was quick, write."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="small sizes, and only print")
    parser.add_argument("--most", type=int, default=5000, help="sweep so many regions at most (5000)")
    parser.add_argument("--only", choices=["quotas"], help="measure this section anew, and leave the others")
    options = parser.parse_args()
    quick: bool = options.quick
    if options.only:
        PAGE.write_text(
            _with_section(PAGE.read_text(encoding="utf-8"), _quotas(_balanced(quick=quick))), encoding="utf-8"
        )
        return 0
    text = page(quick=quick, most=options.most)
    print(text)  # noqa: T201 - a command
    if not quick:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
