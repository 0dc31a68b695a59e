"""Putting things into the regions, so that there is something to see in them.

What there is to put in is data, in `population.py`. Each thing is looked up by name first
and made only if it is not there; so the step can be repeated, and continues where an earlier
one was interrupted. Regions are filled in parallel. Tenants make their own things as
themselves, which proves their accounts on the way.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lab import clouds
from lab.console import Progress
from lab.errors import LabError
from lab.keystone import administrator
from lab.layout import Lab, Region
from lab.population import CONTENTS, FLAVORS, PUBLIC_KEY, Contents, Image, Server, Tenant, Volume
from lab.rest import Rest

SETTLE_SECONDS = 180.0
EXTERNAL = "public"
SECURITY_GROUP = "web"
Item = dict[str, Any]


def populate(lab: Lab, progress: Progress) -> None:
    """Fill all regions of a running lab."""
    for owner in lab.keystone_owners:
        _ensure_accounts(administrator(lab, owner))
    with ThreadPoolExecutor() as threads:
        for future in [threads.submit(_fill, lab, region, progress) for region in lab.regions]:
            future.result()


def contents_of(region: Region) -> Contents:
    """The contents of a region; the fourth looks like the first again."""
    return CONTENTS[(region.number - 1) % len(CONTENTS)]


def tenant_client(lab: Lab, region: Region, project: str) -> Rest:
    return Rest(lab, region, project, clouds.TENANTS[project], project)


def _ensure(rest: Rest, service: str, path: str, kind: str, body: Item) -> Item:
    """The thing of this kind with the name in `body`; it is made if there is none."""
    wrapped = service != "glance"
    for item in rest.get(service, path)[f"{kind}s"]:
        found = item.get(kind, item)  # keypairs are wrapped one by one
        if found["name"] == body["name"]:
            return dict(found)
    made = rest.post(
        service, path.partition("?")[0].removesuffix("/detail"), {kind: body} if wrapped else body
    )
    return dict(made[kind] if wrapped else made)


def _settle(read: Callable[[], Item], what: str, wanted: str) -> Item:
    """Wait until something has the status `wanted`."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        item = read()
        status = str(item["status"]).lower()
        if status == wanted:
            return item
        if status.startswith("error") or time.monotonic() > deadline:
            raise LabError(f"{what} is {status} and not {wanted}: {item.get('fault', '')}")
        time.sleep(0.5)


def _ensure_accounts(admin: Rest) -> None:
    """The projects, each with a user of the same name that is a member of it."""
    roles = {item["name"]: item["id"] for item in admin.get("keystone", "/roles")["roles"]}
    for name, password in clouds.TENANTS.items():
        project = _ensure(admin, "keystone", "/projects", "project", {"name": name, "domain_id": "default"})
        user = _ensure(
            admin,
            "keystone",
            "/users",
            "user",
            {"name": name, "password": password, "domain_id": "default", "default_project_id": project["id"]},
        )
        path = f"/projects/{project['id']}/users/{user['id']}/roles/{roles['member']}"
        admin.put("keystone", path)


def _fill(lab: Lab, region: Region, progress: Progress) -> None:
    admin = administrator(lab, region)
    contents = contents_of(region)
    clients = {tenant.project: tenant_client(lab, region, tenant.project) for tenant in contents.tenants}
    flavors = {name: _ensure_flavor(admin, name) for name in contents.flavors}
    _ensure_zones(admin, region, contents)
    external = _ensure_external(admin, region, contents)
    images = {image.name: _ensure_image(clients.get(image.owner, admin), image) for image in contents.images}
    for tenant in contents.tenants:
        client = clients[tenant.project]
        networks = _ensure_networks(client, region, tenant, external)
        _ensure_security_group(client, tenant)
        if tenant.keypair:
            _ensure_keypair(client, tenant.project, tenant.keypair)
        volumes = [_ensure_volume(client, volume) for volume in tenant.volumes]
        servers = [
            _ensure_server(client, server, flavors[server.flavor], images["lab-linux"], networks[0], tenant)
            for server in tenant.servers
        ]
        _wait_for_volumes(client, tenant, volumes)
        _wait_for_servers(client, servers)
        _ensure_floating_ips(client, tenant, external, servers)
    progress.say(f"{region.name}: populated")


def _ensure_flavor(admin: Rest, name: str) -> Item:
    vcpus, ram, disk = FLAVORS[name]
    body = {"name": name, "vcpus": vcpus, "ram": ram, "disk": disk}
    return _ensure(admin, "nova", "/flavors/detail", "flavor", body)


def _ensure_zones(admin: Rest, region: Region, contents: Contents) -> None:
    """One host aggregate with a zone of its own for each compute after the first."""
    for zone, compute in zip(contents.zones, region.computes[1:], strict=False):
        body = {"name": f"hosts-of-{zone}", "availability_zone": zone}
        aggregate = _ensure(admin, "nova", "/os-aggregates", "aggregate", body)
        if compute.name not in aggregate.get("hosts", ()):
            action = {"add_host": {"host": compute.name}}
            admin.post("nova", f"/os-aggregates/{aggregate['id']}/action", action)


def _ensure_external(admin: Rest, region: Region, contents: Contents) -> Item:
    """The external network, smaller from region to region."""
    network = _ensure(
        admin,
        "neutron",
        "/networks",
        "network",
        {
            "name": EXTERNAL,
            "router:external": True,
            "provider:network_type": "flat",
            "provider:physical_network": "external",
        },
    )
    cidr = f"172.24.{region.number}.0/{contents.external_prefix}"
    body = {
        "name": "public-v4",
        "network_id": network["id"],
        "ip_version": 4,
        "cidr": cidr,
        "enable_dhcp": False,
    }
    _ensure(admin, "neutron", "/subnets", "subnet", body)
    return network


def _ensure_image(client: Rest, image: Image) -> Item:
    body = {
        "name": image.name,
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": image.visibility,
    }
    found = _ensure(client, "glance", f"/images?name={image.name}", "image", body)
    if found["status"] == "queued":
        data = random.Random(image.seed).randbytes(image.size_kib * 1024)  # noqa: S311 - repeatable bytes, no secret
        client.upload("glance", f"/images/{found['id']}/file", data)
    return found


def _ensure_networks(client: Rest, region: Region, tenant: Tenant, external: Item) -> list[Item]:
    """The tenant's networks; the first has IPv6 too, and a router to the outside."""
    router = _ensure(
        client,
        "neutron",
        "/routers",
        "router",
        {"name": f"{tenant.project}-router", "external_gateway_info": {"network_id": external["id"]}},
    )
    networks = []
    for index, name in enumerate(tenant.networks):
        network = _ensure(client, "neutron", "/networks", "network", {"name": name})
        networks.append(network)
        number = 10 * tenant.subnet_number + index
        prefixes = {4: f"10.{region.number}.{number}.0/24"}
        if index == 0:
            prefixes[6] = f"fd00:{region.number}:{number}::/64"
        for version, cidr in prefixes.items():
            subnet = _ensure_subnet(client, network, version, cidr)
            if index == 0:
                _ensure_interface(client, router, subnet)
    return networks


def _ensure_subnet(client: Rest, network: Item, version: int, cidr: str) -> Item:
    body = {
        "name": f"{network['name']}-v{version}",
        "network_id": network["id"],
        "ip_version": version,
        "cidr": cidr,
    }
    if version == 6:  # noqa: PLR2004 - the protocol's number
        body |= {"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}
    return _ensure(client, "neutron", "/subnets", "subnet", body)


def _ensure_interface(client: Rest, router: Item, subnet: Item) -> None:
    ports = client.get("neutron", f"/ports?device_id={router['id']}")["ports"]
    connected = {address["subnet_id"] for port in ports for address in port["fixed_ips"]}
    if subnet["id"] not in connected:
        path = f"/routers/{router['id']}/add_router_interface"
        client.put("neutron", path, {"subnet_id": subnet["id"]})


def _ensure_security_group(client: Rest, tenant: Tenant) -> None:
    group = _ensure(client, "neutron", "/security-groups", "security_group", {"name": SECURITY_GROUP})
    open_ports = {rule["port_range_min"] for rule in group["security_group_rules"]}
    for port in tenant.web_ports:
        if port not in open_ports:
            rule = {
                "security_group_id": group["id"],
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": port,
                "port_range_max": port,
            }
            client.post("neutron", "/security-group-rules", {"security_group_rule": rule})


def _ensure_keypair(client: Rest, user: str, name: str) -> None:
    body = {"name": name, "type": "ssh", "public_key": PUBLIC_KEY.format(user=user)}
    _ensure(client, "nova", "/os-keypairs", "keypair", body)


def _ensure_volume(client: Rest, volume: Volume) -> Item:
    body = {"name": volume.name, "size": volume.size_gb}
    return _ensure(client, "cinder", "/volumes", "volume", body)


def _wait_for_volumes(client: Rest, tenant: Tenant, made: list[Item]) -> None:
    for volume, item in zip(tenant.volumes, made, strict=True):
        _settle(
            lambda path=f"/volumes/{item['id']}": client.get("cinder", path)["volume"],
            f"the volume {volume.name}",
            "available",
        )
        if volume.snapshot:
            body = {"name": volume.snapshot, "volume_id": item["id"]}
            snapshot = _ensure(client, "cinder", "/snapshots", "snapshot", body)
            _settle(
                lambda path=f"/snapshots/{snapshot['id']}": client.get("cinder", path)["snapshot"],
                f"the snapshot {volume.snapshot}",
                "available",
            )


def _ensure_server(
    client: Rest, server: Server, flavor: Item, image: Item, network: Item, tenant: Tenant
) -> Item:
    body = {
        "name": server.name,
        "flavorRef": flavor["id"],
        "imageRef": image["id"],
        "networks": [{"uuid": network["id"]}],
        "availability_zone": server.zone,
        "security_groups": [{"name": SECURITY_GROUP}],
    }
    if tenant.keypair:
        body["key_name"] = tenant.keypair
    return {"name": server.name, **_ensure(client, "nova", "/servers", "server", body)}


def _wait_for_servers(client: Rest, servers: list[Item]) -> None:
    for server in servers:
        _settle(
            lambda path=f"/servers/{server['id']}": client.get("nova", path)["server"],
            f"the server {server['name']}",
            "active",
        )


def _ensure_floating_ips(client: Rest, tenant: Tenant, external: Item, servers: list[Item]) -> None:
    present = client.get("neutron", "/floatingips")["floatingips"]
    with_address = {item["port_id"] for item in present}
    for server, item in zip(tenant.servers, servers, strict=True):
        if server.floating_ip:
            port = client.get("neutron", f"/ports?device_id={item['id']}")["ports"][0]
            if port["id"] not in with_address:
                _create_floating_ip(client, external, port_id=port["id"])
    spare = sum(item["port_id"] is None for item in present)
    for _ in range(tenant.spare_floating_ips - spare):
        _create_floating_ip(client, external)


def _create_floating_ip(client: Rest, external: Item, **more: str) -> None:
    body = {"floating_network_id": external["id"], **more}
    client.post("neutron", "/floatingips", {"floatingip": body})
