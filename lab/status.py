"""The state of the lab at a glance: each process, its memory, whether its API answers."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import infrastructure, services, state
from lab.layout import Lab
from lab.processes import RUNNING, Processes
from lab.rest import answers
from lab.services import Service

PROBE_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One process: `memory_mb` is its share of memory (PSS), `answers` None without an API."""

    region: str
    name: str
    state: str
    pid: int | None
    memory_mb: int
    port: int | None = None
    answers: bool | None = None


def rows(lab: Lab) -> list[Row]:
    """Every process that the lab has when it is up, in the order of the regions."""
    processes = state.processes_of(lab)
    with ThreadPoolExecutor(16) as threads:
        foundation = [Row("", name, *_process(processes, name)) for name in infrastructure.NAMES]
        regional = threads.map(lambda item: _row(processes, *item), services.everything(lab))
        return [*foundation, *regional]


def _row(processes: Processes, region: str, service: Service) -> Row:
    found, pid, memory = _process(processes, service.process)
    port = service.port
    if port is None:
        return Row(region, service.name, found, pid, memory)
    responds = found == RUNNING and answers(port, service.probe, PROBE_SECONDS)
    return Row(region, service.name, found, pid, memory, port, responds)


def _process(processes: Processes, name: str) -> tuple[str, int | None, int]:
    """The state, the leader's id and the memory of a process with its children."""
    members = processes.members(name)
    memory = sum(_memory_kib(stat.pid) for stat in members) // 1024
    return processes.state(name), members[0].pid if members else None, memory


def _memory_kib(pid: int) -> int:
    """The proportional share of memory of a process (PSS, proc(5))."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")), 0)


def table(lab: Lab, found: list[Row]) -> str:
    """The rows as text, with a line of totals."""
    lines = [
        f"layout {lab.layout}, {lab.region_count} regions, ports from {lab.base_port}, state in {lab.state}",
        f"{'region':<12} {'process':<17} {'state':<8} {'pid':>8} {'port':>6} {'MB':>6}  API",
    ]
    for row in found:
        api = {None: "", True: "answers", False: "does not answer"}[row.answers]
        lines.append(
            f"{row.region:<12} {row.name:<17} {row.state:<8} {row.pid or '':>8} {row.port or '':>6}"
            f" {row.memory_mb:>6}  {api}".rstrip()
        )
    running = sum(row.state == RUNNING for row in found)
    memory = sum(row.memory_mb for row in found)
    lines.append(f"{running} of {len(found)} processes run and use {memory} MB")
    return "\n".join(lines)


def is_complete(found: list[Row]) -> bool:
    """Whether every process runs and every API answers."""
    return all(row.state == RUNNING and row.answers is not False for row in found)
