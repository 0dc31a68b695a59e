"""Cinder: storage pools, services, quotas and use of a project; volumes, for users."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.paths import route
from multisite.openstack.users import Reply, UserClient

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
    body = await client.get(SERVICE, route("os-quota-sets", project_id), {"usage": "True"})
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, dict)}


async def quota_defaults(client: RegionClient, project_id: str) -> dict[str, int]:
    """The limits of projects that have none of their own."""
    body = await client.get(SERVICE, route("os-quota-sets", project_id, "defaults"))
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, int)}


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


# -- in the name of a user -------------------------------------------------------------------------------


async def create_volume(user: UserClient, volume: Mapping[str, Any]) -> Reply:
    """A volume, as Cinder's API describes one; the answer holds its id."""
    return await user.write("POST", SERVICE, ("volumes",), {"volume": volume}, microversion=MICROVERSION)


async def delete_volume(user: UserClient, volume_id: str) -> Reply:
    """End a volume."""
    return await user.write("DELETE", SERVICE, ("volumes", volume_id), microversion=MICROVERSION)


async def volume(user: UserClient, volume_id: str) -> dict[str, Any]:
    """One volume, with its attachments."""
    body = await user.read(SERVICE, ("volumes", volume_id), microversion=MICROVERSION)
    return dict(body["volume"])


async def volumes_called(user: UserClient, name: str) -> list[dict[str, Any]]:
    """The user's volumes of exactly this name."""
    body = await user.read(SERVICE, ("volumes", "detail"), {"name": name}, microversion=MICROVERSION)
    return [each for each in body["volumes"] if each["name"] == name]


async def own_volume_types(user: UserClient) -> list[str]:
    """The names of the volume types that the user's project may use."""
    body = await user.read(SERVICE, ("types",), microversion=MICROVERSION)
    return [str(each["name"]) for each in body["volume_types"]]
