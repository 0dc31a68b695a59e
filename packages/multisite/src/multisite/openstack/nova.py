"""Nova: services, hypervisors, aggregates, flavors, quotas and use of a project.

Microversion 2.53 makes the ids of hypervisors and services UUIDs, those of hypervisors the same as
their resource providers'.
"""

from typing import Any
from urllib.parse import quote

from multisite.openstack.client import RegionClient

SERVICE = "compute"
MICROVERSION = "compute 2.53"
PAGE = 1000


async def services(client: RegionClient) -> list[dict[str, Any]]:
    """All nova services: `binary`, `host`, `zone`, `status` (enabled, disabled), `state` (up, down)."""
    body = await client.get(SERVICE, "/os-services", microversion=MICROVERSION)
    return list(body["services"])


async def hypervisors(client: RegionClient) -> list[dict[str, Any]]:
    """All hypervisors in detail: `id`, `hypervisor_hostname`, `status`, `state`, `service.host`."""
    found: list[dict[str, Any]] = []
    async for page in client.pages(
        SERVICE, "/os-hypervisors/detail", "hypervisors", {"limit": PAGE}, microversion=MICROVERSION
    ):
        found += page
    return found


async def aggregates(client: RegionClient) -> list[dict[str, Any]]:
    """All host aggregates: `hosts`, and `availability_zone` where the aggregate is one."""
    body = await client.get(SERVICE, "/os-aggregates", microversion=MICROVERSION)
    return list(body["aggregates"])


async def flavors(client: RegionClient) -> list[dict[str, Any]]:
    """All flavors, private ones included: `id`, `name`, `vcpus`, `ram`, `disk`, … ."""
    found: list[dict[str, Any]] = []
    async for page in client.pages(
        SERVICE,
        "/flavors/detail",
        "flavors",
        {"is_public": "None", "limit": PAGE},
        microversion="compute 2.61",
    ):
        found += page
    return found


async def quota(client: RegionClient, project_id: str) -> dict[str, dict[str, int]]:
    """Per resource `limit`, `in_use` and `reserved` of a project."""
    body = await client.get(
        SERVICE, f"/os-quota-sets/{quote(project_id, safe='')}/detail", microversion=MICROVERSION
    )
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, dict)}
