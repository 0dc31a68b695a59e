"""Nova: services, hypervisors, aggregates, flavors, quotas and use of a project.

Microversion 2.53 makes the ids of hypervisors and services UUIDs, those of hypervisors the same as
their resource providers'.
"""

from collections.abc import AsyncIterator
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


def server_pages(client: RegionClient, since: str | None = None) -> AsyncIterator[list[dict[str, Any]]]:
    """All servers of all projects, page by page.

    With `since` (ISO 8601) those that changed then or later, deleted ones with status DELETED among them.
    """
    parameters: dict[str, str | int] = {"all_tenants": 1, "limit": PAGE}
    if since:
        parameters["changes-since"] = since
    return client.pages(SERVICE, "/servers/detail", "servers", parameters, microversion=MICROVERSION)


async def keypairs(client: RegionClient, user_id: str) -> list[dict[str, Any]]:
    """A user's keypairs: `name`, `fingerprint`, `type`, `public_key`."""
    found: list[dict[str, Any]] = []
    async for page in client.pages(
        SERVICE,
        "/os-keypairs",
        "keypairs",
        {"user_id": user_id, "limit": PAGE},
        microversion=MICROVERSION,
    ):
        found += [entry["keypair"] for entry in page]
    return found
