"""Glance: stores, images and their sizes.

Glance tells the use of a project only to that project's own token, so we sum the images' sizes.
"""

from collections.abc import AsyncIterator
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.paths import route

SERVICE = "image"
PAGE = 500


async def stores(client: RegionClient) -> list[dict[str, Any]]:
    """The stores of a Glance with several; empty for one with a single store."""
    try:
        body = await client.get(SERVICE, "/info/stores")
    except RegionCallError as error:
        if error.code == "not-found":
            return []
        raise
    return list(body["stores"])


async def images(
    client: RegionClient, *, owner: str | None = None, hidden: bool = False
) -> AsyncIterator[list[dict[str, Any]]]:
    """All images, page by page: `id`, `owner`, `size` (bytes, or null), `status`, `stores`.

    Glance lists those that are hidden apart.
    """
    parameters: dict[str, str | int] = {"limit": PAGE, "visibility": "all"}
    if owner is not None:
        parameters["owner"] = owner
    if hidden:
        parameters["os_hidden"] = "true"
    async for page in client.pages(SERVICE, "/images", "images", parameters):
        yield page


async def all_images(client: RegionClient, since: str | None = None) -> AsyncIterator[list[dict[str, Any]]]:
    """All images, hidden ones too, which Glance lists apart; page by page.

    With `since` (ISO 8601) those that changed then or later; not those that are gone.
    """
    parameters: dict[str, str | int] = {"limit": PAGE, "visibility": "all"}
    if since is not None:
        parameters["updated_at"] = f"gte:{since}"
    for which in (parameters, {**parameters, "os_hidden": "true"}):
        async for page in client.pages(SERVICE, "/images", "images", which):
            yield page


async def members(client: RegionClient, image_id: str) -> list[dict[str, Any]]:
    """The projects that a shared image is shown to: `member_id`, `status` (accepted, pending, rejected)."""
    body = await client.get(SERVICE, route("images", image_id, "members"))
    return list(body["members"])
