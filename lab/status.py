"""The state of the lab at a glance: each process, its memory, whether its API answers."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

from lab import infrastructure, services, state
from lab.layout import Lab
from lab.proc import Stat, memory_kib
from lab.processes import RUNNING
from lab.rest import answers
from lab.services import Service

PROBE_SECONDS = 5.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One process with its children; `answers` is None without an API."""

    region: str
    name: str
    state: str
    members: list[Stat]
    port: int | None = None
    answers: bool | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that the others belong to."""
        return self.members[0].pid if self.members else None

    @property
    def memory_mb(self) -> int:
        """Its share in the memory that is used."""
        return sum(memory_kib(stat.pid) for stat in self.members) // 1024


def rows(lab: Lab) -> list[Row]:
    """Every process that the lab has when it is up, in the order of the regions."""
    processes = state.processes_of(lab)
    listed = services.everything(lab)
    members = processes.members_of([*infrastructure.NAMES, *(service.process for _, service in listed)])
    foundation = [Row("", name, processes.state(name), members[name]) for name in infrastructure.NAMES]

    def row(item: tuple[str, Service]) -> Row:
        return _row(*item, processes.state(item[1].process), members[item[1].process])

    with ThreadPoolExecutor(16) as threads:
        return [*foundation, *threads.map(row, listed)]


def _row(region: str, service: Service, found: str, members: list[Stat]) -> Row:
    port = service.port
    if port is None:
        return Row(region, service.name, found, members)
    responds = found == RUNNING and answers(port, service.probe, PROBE_SECONDS)
    return Row(region, service.name, found, members, port, responds)


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
