"""Neutron: IP availability of networks, quotas and use of a project; floating IPs, for users."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from multisite.openstack.client import RegionClient
from multisite.openstack.paths import route
from multisite.openstack.users import Reply, UserClient

SERVICE = "network"
PAGE = 1000


async def ip_availabilities(client: RegionClient) -> list[dict[str, Any]]:
    """Per network the addresses in all and used, by subnet.

    Totals of IPv6 subnets reach 2^64; used can exceed the total (addresses outside the pools count).
    """
    body = await client.get(SERVICE, "/network-ip-availabilities")
    return list(body["network_ip_availabilities"])


async def external_network_ids(client: RegionClient) -> set[str]:
    """The ids of the networks that floating IPs come from."""
    ids: set[str] = set()
    async for page in client.pages(
        SERVICE, "/networks", "networks", {"router:external": "True", "fields": "id", "limit": PAGE}
    ):
        ids |= {network["id"] for network in page}
    return ids


async def subnet_pools(client: RegionClient) -> list[dict[str, Any]]:
    """The subnet pools of all projects, with their prefixes."""
    names = ("id", "name", "project_id", "shared", "ip_version", "prefixes", "default_prefixlen")
    return await _all(client, "/subnetpools", "subnetpools", names)


async def subnet_prefixes(client: RegionClient) -> list[dict[str, Any]]:
    """The prefix of every subnet, and the pool from which it was cut (or null)."""
    return await _all(client, "/subnets", "subnets", ("id", "cidr", "subnetpool_id"))


async def _all(client: RegionClient, path: str, key: str, names: Sequence[str]) -> list[dict[str, Any]]:
    parameters = [("limit", str(PAGE)), *(("fields", name) for name in names)]
    found: list[dict[str, Any]] = []
    async for page in client.pages(SERVICE, f"{path}?{urlencode(parameters)}", key):
        found += page
    return found


async def quota(client: RegionClient, project_id: str) -> dict[str, dict[str, int]]:
    """Per resource `limit`, `used` and `reserved` of a project."""
    body = await client.get(SERVICE, route("quotas", project_id, "details.json"))
    return dict(body["quota"])


async def quota_defaults(client: RegionClient, project_id: str) -> dict[str, int]:
    """The limits of projects that have none of their own."""
    body = await client.get(SERVICE, route("quotas", project_id, "default"))
    return {name: value for name, value in body["quota"].items() if isinstance(value, int)}


def item_pages(
    client: RegionClient, path: str, key: str, ids: Sequence[str] = ()
) -> AsyncIterator[list[dict[str, Any]]]:
    """All networks, ports and so on of all projects, page by page; with `ids` only those."""
    parameters = [("limit", str(PAGE)), *(("id", each) for each in ids)]
    return client.pages(SERVICE, f"{path}?{urlencode(parameters)}", key)


def version_pages(client: RegionClient, path: str, key: str) -> AsyncIterator[list[dict[str, Any]]]:
    """The same, with only `id`, `revision_number` and `updated_at`."""
    fields = [("fields", name) for name in ("id", "revision_number", "updated_at")]
    return client.pages(SERVICE, f"{path}?{urlencode([('limit', str(PAGE)), *fields])}", key)


async def rbac_policies(client: RegionClient) -> list[dict[str, Any]]:
    """Which projects see what of others: `object_type`, `object_id`, `action`, `target_tenant`."""
    found: list[dict[str, Any]] = []
    async for page in client.pages(SERVICE, "/rbac-policies", "rbac_policies", {"limit": PAGE}):
        found += page
    return found


# -- in the name of a user -------------------------------------------------------------------------------


async def create_floating_ip(user: UserClient, floating_ip: Mapping[str, Any]) -> Reply:
    """A floating IP, as Neutron's API describes one; the answer holds its id."""
    return await user.write("POST", SERVICE, ("floatingips",), {"floatingip": floating_ip})


async def floating_ip(user: UserClient, floating_ip_id: str) -> dict[str, Any]:
    """One floating IP."""
    return dict((await user.read(SERVICE, ("floatingips", floating_ip_id)))["floatingip"])


async def change_floating_ip(
    user: UserClient, floating_ip_id: str, changes: Mapping[str, Any], revision: object
) -> Reply:
    """Change a floating IP that still has this revision; Neutron refuses (412) if it has another."""
    return await user.write(
        "PUT", SERVICE, ("floatingips", floating_ip_id), {"floatingip": changes}, revision=revision
    )


async def delete_floating_ip(user: UserClient, floating_ip_id: str) -> Reply:
    """Give a floating IP back."""
    return await user.write("DELETE", SERVICE, ("floatingips", floating_ip_id))


async def external_networks(user: UserClient) -> list[str]:
    """The ids of the external networks into which only administrators may plug a server: unshared ones."""
    body = await user.read(SERVICE, ("networks",), {"router:external": "True", "limit": PAGE})
    return [str(each["id"]) for each in body["networks"] if not each["shared"]]


async def ports_of(user: UserClient, server_id: str) -> list[dict[str, Any]]:
    """The ports of a server."""
    body = await user.read(SERVICE, ("ports",), {"device_id": server_id, "limit": PAGE})
    return list(body["ports"])
