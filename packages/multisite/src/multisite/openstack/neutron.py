"""Neutron: IP availability of networks, quotas and use of a project."""

from typing import Any
from urllib.parse import quote

from multisite.openstack.client import RegionClient

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


async def quota(client: RegionClient, project_id: str) -> dict[str, dict[str, int]]:
    """Per resource `limit`, `used` and `reserved` of a project."""
    body = await client.get(SERVICE, f"/quotas/{quote(project_id, safe='')}/details.json")
    return dict(body["quota"])
