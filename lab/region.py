"""Starting one region and knowing when it is ready.

A region is ready when each API answers, and when its own services say so: Nova and Cinder list
each worker as up, with a sign of life newer than its process, and Nova knows every hypervisor.
Before that, a request would be accepted and fail later.
"""

import datetime as dt
import os
import time
from collections.abc import Collection, Iterable
from typing import Any

from lab import services
from lab.errors import LabError
from lab.keystone import administrator
from lab.layout import Lab, Region
from lab.processes import RUNNING, Processes, read_stat
from lab.rest import Rest, answers
from lab.services import Service

READY_SECONDS = 240.0
VOLUME_TYPE = "file"
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def start(wanted: Iterable[Service], processes: Processes) -> list[Service]:
    """Start what does not run yet; answer what was started."""
    return [service for service in wanted if processes.start(service.command)]


def wait_for_apis(wanted: Iterable[Service], processes: Processes) -> None:
    """Wait until each API among some services answers."""
    for service in wanted:
        if service.port is not None:
            processes.wait_until(
                _Probe(service.port, service.probe),
                f"starting {service.process}",
                [service.process],
                timeout=READY_SECONDS,
            )


class _Probe:
    """Asks an API whether it answers."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._path = path

    def __call__(self) -> bool:
        return answers(self._port, self._path)


def wait_for_workers(lab: Lab, region: Region, wanted: Collection[Service], processes: Processes) -> None:
    """Wait until Nova and Cinder count these workers as up.

    A service whose API (or whose Keystone) does not run cannot be asked; its workers then count
    as ready as soon as they run.
    """
    asked = [
        service
        for service in wanted
        if service.port is None and _can_be_asked(lab, region, service, processes)
    ]
    if not asked:
        return
    admin = administrator(lab, region)
    since = {service.process: _started(processes, service.process) for service in asked}
    processes.wait_until(
        lambda: _all_up(admin, asked, since),
        f"{region.name}: bringing up {', '.join(service.name for service in asked)}",
        [service.process for service in asked],
        timeout=READY_SECONDS,
        poll=0.5,
    )


def ensure_volume_type(lab: Lab, region: Region) -> None:
    """Make the volume type that is the default; Cinder refuses volumes without it."""
    admin = administrator(lab, region)
    types = {item["name"] for item in admin.get("cinder", "/types")["volume_types"]}
    if VOLUME_TYPE not in types:
        specs = {"volume_backend_name": VOLUME_TYPE}
        body = {"volume_type": {"name": VOLUME_TYPE, "extra_specs": specs}}
        admin.post("cinder", "/types", body)


def _can_be_asked(lab: Lab, region: Region, worker: Service, processes: Processes) -> bool:
    needed = [services.keystone(lab, region).process, f"{region.name}-{worker.service}-api"]
    return all(processes.state(name) == RUNNING for name in needed)


def _started(processes: Processes, name: str) -> dt.datetime:
    """When a process was started, by the clock of the wall (UTC)."""
    record = processes.record(name)
    stat = read_stat(record.pid) if record else None
    if stat is None:
        return LONG_AGO
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return dt.datetime.fromtimestamp(booted + stat.started / os.sysconf("SC_CLK_TCK"), dt.UTC)


def _all_up(admin: Rest, workers: Collection[Service], since: dict[str, dt.datetime]) -> bool:
    """Whether each worker is listed as up and has been heard of since it was started."""
    try:
        listed = {
            service: admin.get(service, "/os-services")["services"]
            for service in {worker.service for worker in workers}
        }
        hypervisors = _hypervisors(admin) if "nova" in listed else set()
    except LabError:
        return False
    return all(
        any(_matches(item, worker, since[worker.process]) for item in listed[worker.service])
        and worker.host in {None, *hypervisors}
        for worker in workers
    )


def _hypervisors(admin: Rest) -> set[str]:
    found = admin.get("nova", "/os-hypervisors")["hypervisors"]
    return {item["hypervisor_hostname"] for item in found if item["state"] == "up"}


def _matches(item: dict[str, Any], worker: Service, since: dt.datetime) -> bool:
    seen = dt.datetime.fromisoformat(item["updated_at"] + "+00:00") if item["updated_at"] else LONG_AGO
    return (
        item["binary"] == worker.binary
        and worker.host in {None, item["host"]}
        and item["state"] == "up"
        and seen >= since
    )
