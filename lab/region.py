"""Knowing when a region is ready.

A region is ready when each API serves an administrator with a token, and when its own services
say so: Nova and Cinder list each worker as up, with a sign of life newer than its process, and
Nova knows every hypervisor. Before that, a request would be accepted and fail later. The question
to each API also spares its first users a race: Cinder's policies are loaded by the first request,
and a second one in that moment gets 500.
"""

import datetime as dt
import os
import time
from collections.abc import Collection
from typing import Any

from lab import services
from lab.boot import Boot
from lab.errors import LabError
from lab.keystone import administrator
from lab.layout import Lab, Region
from lab.proc import read_stat
from lab.processes import RUNNING, Processes
from lab.rest import Rest
from lab.services import Service

READY_SECONDS = 240.0
# What each service is asked as the administrator; the first two answer with their workers.
QUESTIONS = {
    "nova": "/os-services",
    "cinder": "/os-services",
    "neutron": "/networks?limit=1",
    "glance": "/images?limit=1",
    "placement": "/resource_providers",
}
VOLUME_TYPE = "file"
LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


def wait_until_ready(lab: Lab, region: Region, wanted: Collection[Service], processes: Processes) -> None:
    """Wait until these services of a region are ready.

    A service whose API or whose Keystone does not run cannot be asked as a user; what belongs to
    it counts as ready when it has come up.
    """
    for service in wanted:
        if service.port is not None:
            Boot(service, processes).wait()
    asked = [service for service in wanted if _can_be_asked(lab, region, service, processes)]
    if asked:
        admin = administrator(lab, region)
        since = {service.process: _started(processes, service.process) for service in asked}
        processes.wait_until(
            lambda: _all_ready(admin, asked, since),
            f"{region.name}: bringing up {', '.join(service.name for service in asked)}",
            list(since),
            timeout=READY_SECONDS,
            poll=1.0,
        )


def ensure_volume_type(lab: Lab, region: Region) -> None:
    """Make the volume type that is the default; Cinder refuses volumes without it."""
    admin = administrator(lab, region)
    types = {item["name"] for item in admin.get("cinder", "/types")["volume_types"]}
    if VOLUME_TYPE not in types:
        specs = {"volume_backend_name": VOLUME_TYPE}
        body = {"volume_type": {"name": VOLUME_TYPE, "extra_specs": specs}}
        admin.post("cinder", "/types", body)


def _can_be_asked(lab: Lab, region: Region, service: Service, processes: Processes) -> bool:
    if service.service == "keystone":
        return False
    needed = [services.keystone(lab, region).process, f"{region.name}-{service.service}-api"]
    return all(processes.state(name) == RUNNING for name in needed)


def _started(processes: Processes, name: str) -> dt.datetime:
    """When a process was started, by the clock of the wall (UTC)."""
    record = processes.record(name)
    stat = read_stat(record.pid) if record else None
    if stat is None:
        return LONG_AGO
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return dt.datetime.fromtimestamp(booted + stat.started / os.sysconf("SC_CLK_TCK"), dt.UTC)


def _all_ready(admin: Rest, wanted: Collection[Service], since: dict[str, dt.datetime]) -> bool:
    """Whether each API serves the administrator and each worker was heard of since its start."""
    try:
        answered = {
            service: admin.get(service, QUESTIONS[service])
            for service in sorted({service.service for service in wanted})
        }
        hypervisors = _hypervisors(admin) if "nova" in answered else set()
    except LabError:
        return False
    return all(
        any(_matches(item, worker, since[worker.process]) for item in answered[worker.service]["services"])
        and worker.host in {None, *hypervisors}
        for worker in wanted
        if worker.port is None
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
