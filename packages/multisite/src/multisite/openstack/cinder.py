"""Cinder: storage pools, services, quotas and use of a project."""

from typing import Any
from urllib.parse import quote

from multisite.openstack.client import RegionClient

SERVICE = "volume"


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
