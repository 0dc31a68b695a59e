"""Glance's JSON. Its links are paths without a host, and properties stand beside the attributes."""

from urllib.parse import urlencode

from multisite.sim.http import Call, Json, stamp
from multisite.sim.image.state import STORE, Image, Member


def image_json(image: Image) -> Json:
    """An image with its own properties."""
    path = f"/v2/images/{image.id}"
    body: Json = dict(image.properties) | {
        "name": image.name, "disk_format": image.disk_format, "container_format": image.container_format,
        "visibility": image.visibility, "size": image.size, "virtual_size": image.size,
        "status": image.status, "checksum": image.checksum, "protected": image.protected,
        "min_ram": image.min_ram, "min_disk": image.min_disk, "owner": image.owner, "os_hidden": image.hidden,
        "os_hash_algo": "sha512" if image.hash_value else None, "os_hash_value": image.hash_value,
        "id": image.id, "created_at": stamp(image.created), "updated_at": stamp(image.updated),
        "tags": sorted(image.tags), "self": path, "file": f"{path}/file", "schema": "/v2/schemas/image",
    }  # fmt: skip
    return body | ({"stores": STORE} if image.status == "active" else {})


def member_json(image: Image, member: Member) -> Json:
    """A project that an image is offered to."""
    return {
        "member_id": member.project_id, "image_id": image.id, "status": member.status,
        "created_at": stamp(member.created), "updated_at": stamp(member.updated),
        "schema": "/v2/schemas/member",
    }  # fmt: skip


def listing_json(call: Call, images: list[Image], *, full: bool) -> Json:
    """A page; a `full` one links to the next, even if nothing is there."""
    query = {name: values for name, values in call.query.items() if name != "marker"}
    body: Json = {
        "images": [image_json(image) for image in images],
        "first": _path(query),
        "schema": "/v2/schemas/images",
    }
    if full:
        body["next"] = _path(query | {"marker": [images[-1].id]})
    return body


def _path(query: dict[str, list[str]]) -> str:
    text = urlencode(query, doseq=True)
    return "/v2/images" + (f"?{text}" if text else "")
