"""Unified limits: what Keystone keeps for services that ask it, and where a project may go.

A registered limit is a default of (service, region, resource); a limit is a project's own. Both carry the id
of the service and of the region in the catalog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.figures import limit as checked
from multisite.openstack.paths import route
from multisite.openstack.service_types import our_type

SERVICE = "identity"
#: (service, region in the catalog, name of the resource).
Key = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a project: its id in Keystone, and its value (-1 unlimited)."""

    id: str
    value: int


@dataclass(frozen=True, slots=True)
class Registered:
    """The registered limits of one Keystone: defaults, and the ids of services by (type, region)."""

    defaults: Mapping[Key, int] = field(default_factory=dict)
    service_ids: Mapping[str, str] = field(default_factory=dict)

    def of(self, service: str, region: str) -> dict[str, int]:
        """The defaults of a service of a region, by the resources' names."""
        return {key[2]: value for key, value in self.defaults.items() if key[:2] == (service, region)}


async def registered(client: RegionClient) -> Registered:
    """All registered limits."""
    services = await client.get(SERVICE, "/services")
    types = {str(item["id"]): our_type(str(item["type"])) for item in services["services"]}
    body = await client.get(SERVICE, "/registered_limits")
    defaults: dict[Key, int] = {}
    ids: dict[str, str] = {}
    for item in body["registered_limits"]:
        service = types.get(str(item["service_id"]))
        if service is None:
            continue
        name = str(item["resource_name"])
        defaults[service, item.get("region_id"), name] = checked(item["default_limit"], name)
        ids[service] = str(item["service_id"])
    return Registered(defaults, ids)


async def limits(client: RegionClient, project_id: str, held: Registered) -> dict[Key, Limit]:
    """The limits of a project."""
    types = {service_id: service for service, service_id in held.service_ids.items()}
    body = await client.get(SERVICE, "/limits", {"project_id": project_id})
    found: dict[Key, Limit] = {}
    for item in body["limits"]:
        service = types.get(str(item["service_id"]))
        if service is not None and item.get("project_id") == project_id:
            name = str(item["resource_name"])
            key = (service, item.get("region_id"), name)
            found[key] = Limit(str(item["id"]), checked(item["resource_limit"], name))
    return found


async def allowed_regions(client: RegionClient, project_id: str) -> frozenset[str] | None:
    """The regions of the catalog that a project is confined to (endpoint filter); `None` for all.

    Raises `RegionCallError`. A Keystone without the filter confines nobody.
    """
    where = route("OS-EP-FILTER", "projects", project_id)
    try:
        endpoints = (await client.get(SERVICE, f"{where}/endpoints"))["endpoints"]
        groups = (await client.get(SERVICE, f"{where}/endpoint_groups"))["endpoint_groups"]
    except RegionCallError as error:
        if error.code == "not-found":
            return None
        raise
    if not endpoints and not groups:
        return None
    return frozenset(str(each["region_id"]) for each in endpoints if each.get("region_id"))
