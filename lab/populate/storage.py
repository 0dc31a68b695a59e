"""What Glance and Cinder hold: images, volumes, snapshots."""

import random

from lab.populate.contents import Image, Tenant
from lab.populate.ensure import Item, ensure, settle
from lab.rest import Rest


def ensure_image(client: Rest, image: Image) -> Item:
    """An image with bytes; one whose upload was interrupted gets them now."""
    body = {
        "name": image.name,
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": image.visibility,
    }
    found = ensure(client, "glance", f"/images?name={image.name}", "image", body)
    if found["status"] == "queued":
        client.upload("glance", f"/images/{found['id']}/file", image_bytes(image))
    return found


def image_bytes(image: Image) -> bytes:
    """The content of an image: random, and the same whenever it is asked for."""
    generator = random.Random(image.seed)  # noqa: S311 - repeatable bytes, no secret
    return generator.randbytes(image.size_kib * 1024)


def ensure_volumes(client: Rest, tenant: Tenant) -> list[Item]:
    """The volumes of a tenant; they need not be available yet."""
    return [
        ensure(client, "cinder", "/volumes", "volume", {"name": volume.name, "size": volume.size_gb})
        for volume in tenant.volumes
    ]


def ensure_snapshots(client: Rest, tenant: Tenant, volumes: list[Item]) -> None:
    """Wait for the volumes, and make the snapshots of those that have one."""
    for volume, item in zip(tenant.volumes, volumes, strict=True):
        settle(client, "cinder", f"/volumes/{item['id']}", "volume", "available")
        if volume.snapshot:
            body = {"name": volume.snapshot, "volume_id": item["id"]}
            snapshot = ensure(client, "cinder", "/snapshots", "snapshot", body)
            settle(client, "cinder", f"/snapshots/{snapshot['id']}", "snapshot", "available")
