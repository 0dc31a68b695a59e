"""What can be stopped, started, paused and resumed, and which processes that means.

    RegionTwo            every process of the region
    RegionTwo:cinder     the processes of one service
    RegionTwo:nova-api   one process; RegionTwo:nova-compute both computes
    keystone             the shared Keystone
    mariadb, rabbitmq    what all regions stand on

With a Keystone in each region it is a service like the others, `RegionTwo:keystone`. A paused
process (SIGSTOP) keeps its port: the kernel accepts connections that nobody answers, so its
callers hang. A stopped one refuses them.
"""

import signal

from lab import infrastructure, region, services, state
from lab.console import Progress
from lab.errors import LabError
from lab.layout import Lab, Region
from lab.processes import PAUSED, RUNNING, Processes

ACTIONS = ("stop", "start", "pause", "resume")


def known(lab: Lab) -> list[str]:
    """The names of all units, those of single processes left out."""
    shared = ["keystone"] if lab.shares_keystone else []
    by_region = [
        unit
        for each in lab.regions
        for unit in (each.name, *sorted(f"{each.name}:{name}" for name in _services(lab, each)))
    ]
    return [*by_region, *shared, infrastructure.MARIADB, infrastructure.RABBITMQ]


def processes_of(lab: Lab, unit: str) -> tuple[str, ...]:
    """The names of the processes that a unit means."""
    if unit in {infrastructure.MARIADB, infrastructure.RABBITMQ}:
        return (unit,)
    found = services_of(lab, unit)
    return tuple(service.process for service in found)


def services_of(lab: Lab, unit: str) -> tuple[services.Service, ...]:
    """The services that a unit means: none for MariaDB and RabbitMQ."""
    if unit == "keystone" and lab.shares_keystone:
        return (services.keystone(lab, lab.regions[0]),)
    name, _, part = unit.partition(":")
    for each in lab.regions:
        if each.name == name:
            found = tuple(
                service
                for service in services.of_region(lab, each)
                if part in {"", service.service, service.name, service.name.rstrip("0123456789")}
            )
            if found:
                return found
    raise LabError(f"there is no unit {unit!r} in this lab; the units are {', '.join(known(lab))}")


def _services(lab: Lab, each: Region) -> set[str]:
    return {service.service for service in services.of_region(lab, each)}


def act(lab: Lab, action: str, unit: str, progress: Progress) -> None:
    """Stop, start, pause or resume a unit; what is that way already stays so."""
    processes = state.processes_of(lab)
    names = processes_of(lab, unit)
    if action == "stop":
        processes.stop(names)
    elif action == "start":
        _start(lab, unit, processes)
    elif action == "pause":
        _signal(processes, names, RUNNING, signal.SIGSTOP)
    else:
        _signal(processes, names, PAUSED, signal.SIGCONT)
    progress.say(f"{unit}: {', '.join(sorted({processes.state(name) for name in names}))}")


def _signal(processes: Processes, names: tuple[str, ...], before: str, number: signal.Signals) -> None:
    for name in names:
        if processes.state(name) == before:
            processes.signal(name, number)


def _start(lab: Lab, unit: str, processes: Processes) -> None:
    """Start a unit and wait until it is ready."""
    if unit in {infrastructure.MARIADB, infrastructure.RABBITMQ}:
        infrastructure.start(lab, processes)
        infrastructure.wait_for_mariadb(lab, processes)
        infrastructure.wait_for_rabbitmq(lab, processes)
        return
    found = services_of(lab, unit)
    started = [service for service in found if processes.start(service.command)]
    for service in started:
        region.wait_for_api(service, processes)
    workers = any(service.port is None for service in started)
    for each in lab.regions:
        if workers and unit.partition(":")[0] == each.name:
            region.wait_for_workers(lab, each, processes)
