"""What can be stopped, started, paused and resumed, and which processes that means.

    RegionTwo            every process of the region
    RegionTwo:cinder     the processes of one service
    RegionTwo:nova-api   one process (RegionTwo:nova-compute: both computes)
    keystone             the shared Keystone
    mariadb, rabbitmq    what all regions stand on

With a Keystone in each region it is a service like the others, `RegionTwo:keystone`. A paused
process (SIGSTOP) keeps its port: the kernel accepts connections that nobody answers, so its
callers hang. A stopped one refuses them.
"""

import signal

from lab import infrastructure, region, services, state
from lab.boot import Starter
from lab.console import Progress
from lab.errors import LabError
from lab.layout import Lab
from lab.processes import PAUSED, RUNNING, Processes
from lab.services import Service
from lab.tasks import Tasks

ACTIONS = ("stop", "start", "pause", "resume")
FOUNDATION = (infrastructure.MARIADB, infrastructure.RABBITMQ)


def known(lab: Lab) -> list[str]:
    """The names of all units but those of single processes."""
    found: dict[str, None] = {}
    for name, service in services.everything(lab):
        found |= {f"{name}:{service.service}": None, name: None} if name else {service.name: None}
    return [*sorted(found), *FOUNDATION]


def services_of(lab: Lab, unit: str) -> list[Service]:
    """The services that a unit means: none for MariaDB and RabbitMQ."""
    if unit in FOUNDATION:
        return []
    found = [service for name, service in services.everything(lab) if unit in _names(name, service)]
    if not found:
        raise LabError(f"there is no unit {unit!r} in this lab; the units are {', '.join(known(lab))}")
    return found


def process_names(lab: Lab, unit: str) -> list[str]:
    """The names of the processes that a unit means."""
    return [service.process for service in services_of(lab, unit)] or [unit]


def _names(region_name: str, service: Service) -> set[str]:
    """Everything a process can be called by."""
    if not region_name:
        return {service.name}
    parts = {service.service, service.name, service.binary}
    return {region_name} | {f"{region_name}:{part}" for part in parts}


def act(lab: Lab, action: str, unit: str, progress: Progress) -> None:
    """Stop, start, pause or resume a unit; what is in that state already stays so."""
    processes = state.processes_of(lab)
    names = process_names(lab, unit)
    if action == "stop":
        processes.stop(names)
    elif action == "pause":
        signal_those(processes, names, RUNNING, signal.SIGSTOP)
    else:
        signal_those(processes, names, PAUSED, signal.SIGCONT)
    if action == "start":
        _start(lab, unit, processes)
    progress.say(f"{unit}: {', '.join(sorted({processes.state(name) for name in names}))}")


def signal_those(processes: Processes, names: list[str], found: str, number: signal.Signals) -> None:
    """Signal the processes that are in a state, and wait until they have left it."""
    concerned = [name for name in names if processes.state(name) == found]
    processes.signal(concerned, number)
    processes.wait_until(
        lambda: all(processes.state(name) != found for name in concerned),
        f"sending {number.name} to {', '.join(concerned)}",
        concerned,
        timeout=10,
    )


def _start(lab: Lab, unit: str, processes: Processes) -> None:
    """Start a unit and wait until it is ready."""
    if unit in FOUNDATION:
        infrastructure.start(lab, processes)
        infrastructure.wait_for_mariadb(lab, processes)
        infrastructure.wait_for_rabbitmq(lab, processes)
        return
    with Tasks(processes) as tasks:
        started = Starter(processes, tasks).start(services_of(lab, unit))
    for each in lab.regions:
        if unit.partition(":")[0] == each.name:
            region.wait_until_ready(lab, each, started, processes)
