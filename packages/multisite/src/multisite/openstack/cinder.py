"""Cinder: storage pools, services, quotas and use of a project."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from multisite.openstack.client import RegionClient

SERVICE = "volume"
#: The first that compares times, and that tells the users of snapshots and backups.
MICROVERSION = "volume 3.60"
PAGE = 1000


async def pools(client: RegionClient) -> list[dict[str, Any]]:
    """All pools of the scheduler: `name`, and `capabilities` as the drivers report them."""
    body = await client.get(SERVICE, "/scheduler-stats/get_pools", {"detail": "true"})
    return list(body["pools"])


async def services(client: RegionClient) -> list[dict[str, Any]]:
    """All cinder services: `binary`, `host`, `zone`, `status`, `state`."""
    body = await client.get(SERVICE, "/os-services")
    return list(body["services"])


async def quota(client: RegionClient, project_id: str) -> dict[str, dict[str, int]]:
    """Per resource `limit`, `in_use` and `reserved` of a project, volume types included."""
    body = await client.get(SERVICE, f"/os-quota-sets/{quote(project_id, safe='')}", {"usage": "True"})
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, dict)}


def item_pages(
    client: RegionClient, path: str, key: str, since: str | None = None
) -> AsyncIterator[list[dict[str, Any]]]:
    """All volumes, snapshots or backups of all projects in detail, page by page.

    `since` (ISO 8601) is understood for volumes only: of others such a question finds nothing, silently.
    """
    parameters: dict[str, str | int] = {"all_tenants": 1, "limit": PAGE}
    if since:
        parameters["updated_at"] = f"gte:{since}"
    return client.pages(SERVICE, f"{path}/detail", key, parameters, microversion=MICROVERSION)


def id_pages(client: RegionClient, path: str, key: str) -> AsyncIterator[list[dict[str, Any]]]:
    """The same, with little more than `id`."""
    parameters: dict[str, str | int] = {"all_tenants": 1, "limit": PAGE}
    return client.pages(SERVICE, path, key, parameters, microversion=MICROVERSION)
