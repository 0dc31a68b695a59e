"""Nova: services, hypervisors, aggregates, flavors, quotas and use of a project; servers, for users.

Microversion 2.53 makes the ids of hypervisors and services UUIDs, those of hypervisors the same as
their resource providers'.
"""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.paths import route
from multisite.openstack.users import Reply, UserClient

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
    body = await client.get(SERVICE, route("os-quota-sets", project_id, "detail"), microversion=MICROVERSION)
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, dict)}


async def quota_defaults(client: RegionClient, project_id: str) -> dict[str, int]:
    """The limits of projects that have none of their own."""
    body = await client.get(
        SERVICE, route("os-quota-sets", project_id, "defaults"), microversion=MICROVERSION
    )
    return {name: value for name, value in body["quota_set"].items() if isinstance(value, int)}


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


# -- in the name of a user -------------------------------------------------------------------------------


async def create_server(user: UserClient, server: Mapping[str, Any]) -> Reply:
    """A server, as Nova's API describes one; the answer holds its id."""
    return await user.write("POST", SERVICE, ("servers",), {"server": server}, microversion=MICROVERSION)


async def act_on_server(user: UserClient, server_id: str, action: str, value: Any = None) -> Reply:
    """One of Nova's actions, such as `os-stop`."""
    return await user.write(
        "POST", SERVICE, ("servers", server_id, "action"), {action: value}, microversion=MICROVERSION
    )


async def delete_server(user: UserClient, server_id: str) -> Reply:
    """End a server."""
    return await user.write("DELETE", SERVICE, ("servers", server_id), microversion=MICROVERSION)


async def attach_volume(user: UserClient, server_id: str, volume_id: str) -> Reply:
    """Attach a volume to a server."""
    body = {"volumeAttachment": {"volumeId": volume_id}}
    path = ("servers", server_id, "os-volume_attachments")
    return await user.write("POST", SERVICE, path, body, microversion=MICROVERSION)


async def detach_volume(user: UserClient, server_id: str, volume_id: str) -> Reply:
    """Detach a volume from a server."""
    path = ("servers", server_id, "os-volume_attachments", volume_id)
    return await user.write("DELETE", SERVICE, path, microversion=MICROVERSION)


async def servers_called(user: UserClient, name: str) -> list[dict[str, Any]]:
    """The user's servers of exactly this name; Nova itself takes a pattern."""
    parameters = {"name": f"^{re.escape(name)}$"}
    body = await user.read(SERVICE, ("servers", "detail"), parameters, microversion=MICROVERSION)
    return [each for each in body["servers"] if each["name"] == name]


async def own_flavors(user: UserClient) -> list[dict[str, Any]]:
    """The flavors that the user's project may use."""
    body = await user.read(SERVICE, ("flavors", "detail"), {"limit": PAGE}, microversion="compute 2.61")
    return list(body["flavors"])


async def own_keypairs(user: UserClient) -> list[str]:
    """The names of the user's keypairs."""
    body = await user.read(SERVICE, ("os-keypairs",), {"limit": PAGE}, microversion=MICROVERSION)
    return [str(entry["keypair"]["name"]) for entry in body["keypairs"]]


async def zones(user: UserClient) -> list[str]:
    """The availability zones that take servers."""
    body = await user.read(SERVICE, ("os-availability-zone",), microversion=MICROVERSION)
    return [str(each["zoneName"]) for each in body["availabilityZoneInfo"] if each["zoneState"]["available"]]
