"""Starting one region and knowing when it is ready.

A region is ready when each API answers, and when its own services say so: Nova and Cinder list
each worker as up with a sign of life newer than its process, and Nova knows every hypervisor.
Before that, a request would be accepted and fail later.
"""

import datetime as dt
import os
import time

from lab import services
from lab.keystone import administrator
from lab.layout import Lab, Region
from lab.processes import Processes, read_stat
from lab.rest import Rest, answers

API_SECONDS = 180.0
WORKER_SECONDS = 180.0
VOLUME_TYPE = "file"


def start(lab: Lab, region: Region, processes: Processes) -> list[str]:
    """Start what does not run yet; answer the names of what was started."""
    started = []
    for service in services.of_region(lab, region):
        if processes.start(service.command):
            started.append(service.process)
    return started


def wait_for_apis(lab: Lab, region: Region, processes: Processes) -> None:
    for service in services.of_region(lab, region):
        wait_for_api(service, processes)


def wait_for_api(service: services.Service, processes: Processes) -> None:
    """Wait until an API answers; a worker has none, and counts as ready."""
    port = service.port
    if port is None:
        return
    processes.wait_until(
        lambda: answers(port, service.probe),
        f"starting {service.process}",
        [service.process],
        timeout=API_SECONDS,
    )


def wait_for_workers(lab: Lab, region: Region, processes: Processes) -> None:
    """Wait until Nova and Cinder count all their workers as up."""
    admin = administrator(lab, region)
    workers = [service.process for service in services.of_region(lab, region) if service.port is None]
    since = max(_started(processes, name) for name in workers)

    def ready() -> bool:
        return _workers_up(admin, region, since)

    processes.wait_until(
        ready, f"{region.name}: bringing up its workers", workers, timeout=WORKER_SECONDS, poll=0.5
    )
    _ensure_volume_type(admin)


def _started(processes: Processes, name: str) -> dt.datetime:
    """When a process was started, by the clock of the wall (UTC)."""
    record = processes.record(name)
    stat = read_stat(record.pid) if record else None
    if stat is None:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    since_boot = stat.started / os.sysconf("SC_CLK_TCK")
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return dt.datetime.fromtimestamp(boot + since_boot, dt.UTC)


def _workers_up(admin: Rest, region: Region, since: dt.datetime) -> bool:
    nova = admin.get("nova", "/os-services")["services"]
    cinder = admin.get("cinder", "/os-services")["services"]
    fresh_nova = [item for item in nova if item["state"] == "up" and _seen(item) >= since]
    fresh_cinder = [item for item in cinder if item["state"] == "up" and _seen(item) >= since]
    # Conductor and scheduler beside the computes; volume, scheduler and backup.
    if len(fresh_nova) < len(region.computes) + 2 or len(fresh_cinder) < 3:
        return False
    hypervisors = admin.get("nova", "/os-hypervisors")["hypervisors"]
    return len([item for item in hypervisors if item["state"] == "up"]) >= len(region.computes)


def _seen(item: dict[str, str | None]) -> dt.datetime:
    text = item["updated_at"]
    if text is None:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
    return dt.datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=dt.UTC)


def _ensure_volume_type(admin: Rest) -> None:
    types = {item["name"] for item in admin.get("cinder", "/types")["volume_types"]}
    if VOLUME_TYPE not in types:
        specs = {"volume_backend_name": VOLUME_TYPE}
        admin.post("cinder", "/types", {"volume_type": {"name": VOLUME_TYPE, "extra_specs": specs}})
