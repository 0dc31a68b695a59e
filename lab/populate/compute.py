"""What Nova holds: flavors, availability zones, keypairs, servers."""

import dataclasses

from lab.layout import Region
from lab.populate.contents import FLAVORS, PUBLIC_KEY, Server, Tenant
from lab.populate.ensure import Item, ensure, settle
from lab.populate.network import SECURITY_GROUP
from lab.rest import Rest


@dataclasses.dataclass(frozen=True)
class Boot:
    """What servers of a project are made from; they stand in its first network."""

    flavors: dict[str, Item]
    image: Item
    networks: list[Item]


def ensure_flavor(admin: Rest, name: str) -> Item:
    """A public flavor; its id is the region's own."""
    vcpus, ram, disk = FLAVORS[name]
    body = {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
    return ensure(admin, "nova", "/flavors/detail", "flavor", body)


def ensure_zones(admin: Rest, region: Region, zones: tuple[str, ...]) -> None:
    """A host aggregate with a zone of its own for each compute after the first."""
    for zone, compute in zip(zones, region.computes[1:], strict=False):
        body = {"name": f"hosts-of-{zone}", "availability_zone": zone}
        aggregate = ensure(admin, "nova", "/os-aggregates", "aggregate", body)
        if compute.name not in aggregate.get("hosts", ()):
            action = {"add_host": {"host": compute.name}}
            admin.post("nova", f"/os-aggregates/{aggregate['id']}/action", action)


def ensure_keypair(client: Rest, tenant: Tenant) -> None:
    """The keypair of the tenant's user, where there is to be one."""
    if tenant.keypair:
        key = PUBLIC_KEY.format(user=tenant.project)
        body = {"name": tenant.keypair, "type": "ssh", "public_key": key}
        ensure(client, "nova", "/os-keypairs", "keypair", body)


def ensure_servers(client: Rest, tenant: Tenant, boot: Boot) -> list[Item]:
    """The servers of a tenant; they need not be active yet."""
    return [_ensure_server(client, tenant, server, boot) for server in tenant.servers]


def wait_for_servers(client: Rest, servers: list[Item]) -> None:
    """Wait until all of them are active."""
    for server in servers:
        settle(client, "nova", f"/servers/{server['id']}", "server", "active")


def _ensure_server(client: Rest, tenant: Tenant, server: Server, boot: Boot) -> Item:
    body: Item = {
        "name": server.name,
        "flavorRef": boot.flavors[server.flavor]["id"],
        "imageRef": boot.image["id"],
        "networks": [{"uuid": boot.networks[0]["id"]}],
        "availability_zone": server.zone,
        "security_groups": [{"name": SECURITY_GROUP}],
    }
    if tenant.keypair:
        body["key_name"] = tenant.keypair
    return ensure(client, "nova", "/servers", "server", body)
