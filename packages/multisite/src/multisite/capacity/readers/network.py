"""Reads Neutron: how many addresses each network has, and how many are taken.

Python's integers hold the 2^64 addresses of an IPv6 subnet; `BigCount` carries them through JSON. `used`
exceeds `total` where addresses outside the allocation pools are in use, and `free` stops at zero then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from multisite.capacity.details import Network, NetworkDetail, Subnet
from multisite.capacity.model import AddressCount, NetworkSummary
from multisite.capacity.readers.subnet_pools import PoolMemory
from multisite.openstack import neutron
from multisite.openstack.client import RegionClient
from multisite.openstack.figures import natural
from multisite.openstack.together import together

IPV4, IPV6 = 4, 6
#: How many addresses there are.
ADDRESSES = 2**128


async def read(client: RegionClient, memory: PoolMemory) -> NetworkDetail:
    """IP availability of all networks, which of them are external, and the subnet pools."""
    async with together() as group:
        availabilities = group.create_task(neutron.ip_availabilities(client))
        external = group.create_task(neutron.external_network_ids(client))
        pools = group.create_task(memory.read(client))
    networks = tuple(network_of(item, external.result()) for item in availabilities.result())
    return NetworkDetail(networks, pools.result())


def summarize(detail: NetworkDetail) -> NetworkSummary:
    """Addresses of external and of tenant networks, by IP version."""

    def addresses(version: int, *, external: bool) -> AddressCount:
        networks = (network for network in detail.networks if network.external is external)
        return count(
            subnet for network in networks for subnet in network.subnets if subnet.ip_version == version
        )

    return NetworkSummary(
        external_ipv4=addresses(IPV4, external=True),
        external_ipv6=addresses(IPV6, external=True),
        tenant_ipv4=addresses(IPV4, external=False),
        tenant_ipv6=addresses(IPV6, external=False),
        networks=len(detail.networks),
    )


def count(subnets: Iterable[Subnet]) -> AddressCount:
    """The sum over subnets."""
    return sum(
        (AddressCount(subnet.total, subnet.used, subnet.free) for subnet in subnets), start=AddressCount()
    )


def network_of(item: Mapping[str, Any], external: set[str]) -> Network:
    """One entry of `network-ip-availabilities`."""
    return Network(
        id=item["network_id"],
        name=item.get("network_name") or "",
        project_id=item.get("project_id") or item.get("tenant_id") or "",
        external=item["network_id"] in external,
        subnets=tuple(_subnet(subnet) for subnet in item.get("subnet_ip_availability") or ()),
    )


def _subnet(item: Mapping[str, Any]) -> Subnet:
    total = natural(item["total_ips"], "total_ips", largest=ADDRESSES)
    used = natural(item["used_ips"], "used_ips", largest=ADDRESSES)
    return Subnet(
        id=item["subnet_id"],
        name=item.get("subnet_name") or "",
        cidr=item["cidr"],
        ip_version=int(item["ip_version"]),
        total=total,
        used=used,
        free=max(0, total - used),
    )
