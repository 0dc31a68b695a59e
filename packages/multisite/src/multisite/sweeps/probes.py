"""A cheap call to a service that no sweep has heard from lately.

Services whose figures we read are asked for one item with the token, which proves the API, its database
and its token check; the others are asked for their version document.
"""

import logging

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.service_types import unversioned

LOG = logging.getLogger(__name__)

#: Short, authenticated, and served from the service's own database.
CHEAP_ROUTES = {
    "compute": "/flavors?limit=1",
    "placement": "/resource_providers?name=none",
    "volume": "/types?limit=1",
    "network": "/networks?limit=1&fields=id",
    "image": "/images?limit=1",
}


async def probe(client: RegionClient, service: str) -> bool:
    """Ask one service of one region whether it is there; what was learned goes to the health book."""
    try:
        if service in CHEAP_ROUTES:
            await client.probe(service, CHEAP_ROUTES[service])
        else:
            await client.fetch(service, unversioned(await client.endpoint(service)) + "/")
    except RegionCallError as error:
        LOG.debug("region %s: probe of %s: %s", client.target.name, service, error.detail)
        return False
    return True
