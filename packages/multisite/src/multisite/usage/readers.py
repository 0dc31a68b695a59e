"""Reads one project's use from one service of one region, with the service's own names of resources."""

from collections.abc import Awaitable, Callable, Mapping

from multisite.openstack import cinder, glance, neutron, nova
from multisite.openstack.client import RegionClient
from multisite.openstack.figures import limit, natural
from multisite.usage.model import ResourceUsage, resource_usage

COMPUTE = ("instances", "cores", "ram")
VOLUME = ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes")
NETWORK = ("network", "subnet", "port", "router", "floatingip", "security_group", "security_group_rule")

Resources = Mapping[str, ResourceUsage]

#: Every resource that use is told of, as the answers name it.
RESOURCES = (
    *(f"compute/{name}" for name in (*COMPUTE, "key_pairs")),
    *(f"volume/{name}" for name in VOLUME),
    *(f"network/{name}" for name in NETWORK),
    "image/image_count_total",
    "image/image_size_total",
)


async def compute(client: RegionClient, project_id: str) -> Resources:
    """Servers, cores and RAM; of keypairs only the limit, since they belong to users."""
    quota = await nova.quota(client, project_id)
    resources = _resources("compute", quota, COMPUTE, "in_use")
    if "key_pairs" in quota:
        resources["compute/key_pairs"] = resource_usage(
            None, limit(quota["key_pairs"]["limit"], "key_pairs.limit")
        )
    return resources


async def volume(client: RegionClient, project_id: str) -> Resources:
    """Volumes, snapshots, backups and their GiB."""
    return _resources("volume", await cinder.quota(client, project_id), VOLUME, "in_use")


async def network(client: RegionClient, project_id: str) -> Resources:
    """Networks and what belongs to them."""
    return _resources("network", await neutron.quota(client, project_id), NETWORK, "used")


async def image(client: RegionClient, project_id: str) -> Resources:
    """Images that the project owns, as we count and sum them; Glance tells limits only to the project."""
    count = size = 0
    async for page in glance.images(client, owner=project_id):
        count += len(page)
        size += sum(natural(item.get("size") or 0, "size") for item in page)
    return {
        "image/image_count_total": resource_usage(count, None),
        "image/image_size_total": resource_usage(size, None),
    }


READERS: Mapping[str, Callable[[RegionClient, str], Awaitable[Resources]]] = {
    "compute": compute,
    "volume": volume,
    "network": network,
    "image": image,
}


def _resources(
    service: str, quota: Mapping[str, Mapping[str, int]], names: tuple[str, ...], used: str
) -> dict[str, ResourceUsage]:
    return {f"{service}/{name}": _resource(name, quota[name], used) for name in names if name in quota}


def _resource(name: str, figures: Mapping[str, int], used: str) -> ResourceUsage:
    return resource_usage(
        natural(figures[used], f"{name}.{used}"),
        limit(figures["limit"], f"{name}.limit"),
        natural(figures.get("reserved") or 0, f"{name}.reserved"),
    )
