"""Reads Nova: who is up, which hypervisor belongs to which host and zone, which flavors exist."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import ceil
from typing import Any

from multisite.capacity.details import ComputeDetail, Flavor, Host, Hypervisor
from multisite.capacity.model import ComputeSummary
from multisite.openstack import nova
from multisite.openstack.client import RegionClient
from multisite.openstack.figures import natural
from multisite.openstack.together import together


async def read(client: RegionClient) -> ComputeDetail:
    """Services, hypervisors, aggregates and flavors: four listings at once."""
    async with together() as group:
        services = group.create_task(nova.services(client))
        hypervisors = group.create_task(nova.hypervisors(client))
        aggregates = group.create_task(nova.aggregates(client))
        flavors = group.create_task(nova.flavors(client))
    hosts = hosts_of(services.result(), aggregates.result())
    available = {host.host: host.available for host in hosts if host.binary == "nova-compute"}
    return ComputeDetail(
        hosts=hosts,
        hypervisors=tuple(hypervisor_of(item, available) for item in hypervisors.result()),
        flavors=tuple(flavor_of(item) for item in flavors.result()),
    )


def summarize(detail: ComputeDetail) -> ComputeSummary:
    """Counts of services and hypervisors."""
    return ComputeSummary(
        services_up=sum(host.state == "up" for host in detail.hosts),
        services_down=sum(host.state != "up" for host in detail.hosts),
        services_disabled=sum(host.status != "enabled" for host in detail.hosts),
        hosts=len(detail.hypervisors),
        hosts_available=sum(hypervisor.available for hypervisor in detail.hypervisors),
        running_servers=sum(hypervisor.running_servers for hypervisor in detail.hypervisors),
    )


def hosts_of(
    services: Iterable[Mapping[str, Any]], aggregates: Iterable[Mapping[str, Any]]
) -> tuple[Host, ...]:
    """The services, each in its zone: an aggregate's where one names a zone, else what Nova reports."""
    zones = {
        host: aggregate["availability_zone"]
        for aggregate in aggregates
        if aggregate.get("availability_zone")
        for host in aggregate.get("hosts") or ()
    }
    return tuple(
        Host(
            host=item["host"],
            binary=item["binary"],
            zone=zones.get(item["host"], item.get("zone") or "")
            if item["binary"] == "nova-compute"
            else item.get("zone") or "",
            status=item["status"],
            state="down" if item.get("forced_down") else item["state"],
            disabled_reason=item.get("disabled_reason"),
            updated_at=_time(item.get("updated_at")),
        )
        for item in services
    )


def hypervisor_of(item: Mapping[str, Any], available: Mapping[str, bool]) -> Hypervisor:
    """A hypervisor; it can take servers when it and its nova-compute are up and enabled."""
    host = (item.get("service") or {}).get("host") or item["hypervisor_hostname"]
    up = item.get("state") == "up" and item.get("status") == "enabled"
    return Hypervisor(
        uuid=str(item["id"]),
        name=item["hypervisor_hostname"],
        host=host,
        available=up and available.get(host, True),
        running_servers=natural(item.get("running_vms") or 0, "running_vms"),
    )


def flavor_of(item: Mapping[str, Any]) -> Flavor:
    """A flavor with the resources that Nova asks of Placement for it.

    The root disk, ephemeral disk and swap (MiB, rounded up) make DISK_GB; dedicated CPUs are PCPU;
    extra specs `resources…:CLASS` override and add (Nova, flavors reference).
    """
    specs = item.get("extra_specs") or {}
    disk = int(item.get("disk") or 0) + int(item.get("OS-FLV-EXT-DATA:ephemeral") or 0)
    disk += ceil(int(item.get("swap") or 0) / 1024)
    cpu = "PCPU" if specs.get("hw:cpu_policy") == "dedicated" else "VCPU"
    resources = {cpu: int(item["vcpus"]), "MEMORY_MB": int(item["ram"]), "DISK_GB": disk}
    for key, value in specs.items():
        group, _, name = key.partition(":")
        if group.startswith("resources") and name and str(value).isdigit():
            added = 0 if group == "resources" else resources.get(name, 0)
            resources[name] = added + int(value)
    return Flavor(
        id=item["id"],
        name=item["name"],
        vcpus=natural(item["vcpus"], "vcpus"),
        ram=natural(item["ram"], "ram"),
        disk=natural(item.get("disk") or 0, "disk"),
        resources={name: amount for name, amount in resources.items() if amount > 0},
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
