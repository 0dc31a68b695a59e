"""How each kind is listed in a region: one function per way, over the calls of `openstack/`."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from multisite.inventory.kinds import Kind
from multisite.openstack import cinder, glance, neutron, nova
from multisite.openstack.client import RegionClient

Pages = AsyncIterator[list[dict[str, Any]]]


def every(client: RegionClient, kind: Kind) -> Pages:
    """All items, in full."""
    if kind.service == "compute":
        return nova.server_pages(client)
    if kind.service == "volume":
        return cinder.item_pages(client, kind.path, kind.key)
    if kind.service == "image":
        return glance.all_images(client)
    return neutron.item_pages(client, kind.path, kind.key)


def changed(client: RegionClient, kind: Kind, since: str) -> Pages:
    """Items that changed at `since` or later, in full."""
    if kind.service == "compute":
        return nova.server_pages(client, since)
    if kind.service == "volume":
        return cinder.item_pages(client, kind.path, kind.key, since)
    return glance.all_images(client, since)


def identities(client: RegionClient, kind: Kind) -> Pages:
    """All items, with their ids and little else."""
    if kind.service == "volume":
        return cinder.id_pages(client, kind.path, kind.key)
    return neutron.version_pages(client, kind.path, kind.key)


def chosen(client: RegionClient, kind: Kind, ids: Sequence[str]) -> Pages:
    """These items of Neutron, in full."""
    return neutron.item_pages(client, kind.path, kind.key, ids)
