"""What a region's catalog offers: the endpoints of its services, with versions and microversions."""

import asyncio

from multisite.openstack.client import RegionClient, Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.versions import ServiceVersion, find_version
from multisite.regions.model import Endpoint, Region

#: multisite itself stands in the catalog too; it is nothing that a region has.
OURSELVES = "multisite"


def target_of(region: Region) -> Target:
    """What of a region's registration matters for calls."""
    return Target(region.name, region.region_name, region.credential, region.interface.value)


async def endpoints(client: RegionClient) -> list[Endpoint]:
    """The services of the region in the catalog of its credential's token, without their versions.

    Raises `RegionCallError` when there is no token.
    """
    access = await client.access()
    entries = access.catalog.services(client.target.region_name)
    return [
        Endpoint(type=service, catalog_type=entry.catalog_type, url=entry.urls[client.target.interface])
        for service, entry in sorted(entries.items())
        if client.target.interface in entry.urls and service != OURSELVES
    ]


async def with_versions(client: RegionClient, found: list[Endpoint]) -> list[Endpoint]:
    """The endpoints with the versions that their services tell; unknown where one does not answer."""
    versions = await asyncio.gather(*(_version(client, endpoint.type) for endpoint in found))
    return [
        Endpoint(
            type=endpoint.type,
            catalog_type=endpoint.catalog_type,
            url=endpoint.url,
            version=version.version,
            min_microversion=version.min_microversion,
            max_microversion=version.max_microversion,
        )
        for endpoint, version in zip(found, versions, strict=True)
    ]


async def _version(client: RegionClient, service: str) -> ServiceVersion:
    try:
        return await find_version(client, service)
    except RegionCallError:
        return ServiceVersion()  # its health says why; the version is asked for again later
