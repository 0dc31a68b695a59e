"""Placement: resource providers, their inventories and usages.

There is no bulk route: two GETs per provider. Reference: the Placement API, microversion 1.18
(1.14 gave `root_provider_uuid`, 1.18 the filter by trait).
"""

from typing import Any

from multisite.openstack.client import RegionClient

SERVICE = "placement"
MICROVERSION = "placement 1.18"
SHARING_TRAIT = "MISC_SHARES_VIA_AGGREGATE"


async def resource_providers(client: RegionClient) -> list[dict[str, Any]]:
    """All providers: `uuid`, `name`, `generation`, `root_provider_uuid`."""
    body = await client.get(SERVICE, "/resource_providers", microversion=MICROVERSION)
    return list(body["resource_providers"])


async def sharing_providers(client: RegionClient) -> set[str]:
    """The uuids of providers that serve others through an aggregate (shared storage, for example)."""
    body = await client.get(
        SERVICE, "/resource_providers", {"required": SHARING_TRAIT}, microversion=MICROVERSION
    )
    return {provider["uuid"] for provider in body["resource_providers"]}


async def inventories(client: RegionClient, uuid: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The provider's generation, and per resource class `total`, `reserved`, `allocation_ratio` and units."""
    body = await client.get(SERVICE, f"/resource_providers/{uuid}/inventories", microversion=MICROVERSION)
    return int(body["resource_provider_generation"]), dict(body["inventories"])


async def usages(client: RegionClient, uuid: str) -> dict[str, int]:
    """What is allocated of the provider, per resource class."""
    body = await client.get(SERVICE, f"/resource_providers/{uuid}/usages", microversion=MICROVERSION)
    return dict(body["usages"])
