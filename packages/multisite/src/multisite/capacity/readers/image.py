"""Reads Glance: how many images there are, and how many bytes per store, as we sum them.

Glance has no call for it, so all images are listed; that is why images have an interval of their own.
"""

from collections.abc import Mapping
from typing import Any

from multisite.capacity.details import ImageDetail, Store
from multisite.capacity.model import ImageSummary
from multisite.openstack import glance
from multisite.openstack.client import RegionClient
from multisite.openstack.figures import natural


async def read(client: RegionClient) -> ImageDetail:
    """Stores and images; an image without data counts with no bytes."""
    stores = {store["id"]: [0, 0] for store in await glance.stores(client)}
    images = size = 0
    async for page in glance.images(client):
        for image in page:
            images += 1
            size += natural(image.get("size") or 0, "size")
            for name in stores_of(image):
                row = stores.setdefault(name, [0, 0])
                row[0] += 1
                row[1] += natural(image.get("size") or 0, "size")
    return ImageDetail(
        images, size, tuple(Store(name, row[0], row[1]) for name, row in sorted(stores.items()))
    )


def summarize(detail: ImageDetail) -> ImageSummary:
    """Counts and bytes."""
    return ImageSummary(detail.images, detail.bytes, {store.id: store.bytes for store in detail.stores})


def stores_of(image: Mapping[str, Any]) -> list[str]:
    """The stores that hold an image's data; none for a Glance with a single, unnamed store."""
    return [name for name in str(image.get("stores") or "").split(",") if name]
