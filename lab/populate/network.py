"""What Neutron holds: networks, subnets, routers, security groups, floating IPs.

Region number N has 10.N.0.0/16 inside and 172.24.N.0 outside, so an address tells its region.
"""

from lab.layout import Region
from lab.populate.contents import Tenant
from lab.populate.ensure import Item, ensure
from lab.rest import Rest

EXTERNAL = "public"
SECURITY_GROUP = "web"
# How a subnet of each IP version hands out its addresses.
ADDRESS_MODES: dict[int, Item] = {4: {}, 6: {"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}}


def ensure_external(admin: Rest, region: Region, prefix: int) -> Item:
    """The external network."""
    network = ensure(
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
    body = {
        "name": f"{EXTERNAL}-v4",
        "network_id": network["id"],
        "ip_version": 4,
        "cidr": f"172.24.{region.number}.0/{prefix}",
        "enable_dhcp": False,
    }
    ensure(admin, "neutron", "/subnets", "subnet", body)
    return network


def ensure_networks(client: Rest, region: Region, tenant: Tenant, external: Item) -> list[Item]:
    """The tenant's networks; the first has IPv6 too, and a router to the outside."""
    gateway = {"network_id": external["id"]}
    body = {"name": f"{tenant.project}-router", "external_gateway_info": gateway}
    router = ensure(client, "neutron", "/routers", "router", body)
    networks = []
    for index, name in enumerate(tenant.networks):
        network = ensure(client, "neutron", "/networks", "network", {"name": name})
        networks.append(network)
        number = 10 * tenant.subnet_number + index
        subnets = [_ensure_subnet(client, network, 4, f"10.{region.number}.{number}.0/24")]
        if index == 0:
            subnets.append(_ensure_subnet(client, network, 6, f"fd00:{region.number}:{number}::/64"))
            _ensure_interfaces(client, router, subnets)
    return networks


def _ensure_subnet(client: Rest, network: Item, version: int, cidr: str) -> Item:
    body = {
        "name": f"{network['name']}-v{version}",
        "network_id": network["id"],
        "ip_version": version,
        "cidr": cidr,
    }
    return ensure(client, "neutron", "/subnets", "subnet", body | ADDRESS_MODES[version])


def _ensure_interfaces(client: Rest, router: Item, subnets: list[Item]) -> None:
    ports = client.get("neutron", f"/ports?device_id={router['id']}")["ports"]
    connected = {address["subnet_id"] for port in ports for address in port["fixed_ips"]}
    for subnet in subnets:
        if subnet["id"] not in connected:
            path = f"/routers/{router['id']}/add_router_interface"
            client.put("neutron", path, {"subnet_id": subnet["id"]})


def ensure_security_group(client: Rest, tenant: Tenant) -> None:
    """A group that lets the tenant's web ports in."""
    group = ensure(client, "neutron", "/security-groups", "security_group", {"name": SECURITY_GROUP})
    is_open = {rule["port_range_min"] for rule in group["security_group_rules"]}
    for port in tenant.web_ports:
        if port not in is_open:
            rule = {
                "security_group_id": group["id"],
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": port,
                "port_range_max": port,
            }
            client.post("neutron", "/security-group-rules", {"security_group_rule": rule})


def ensure_floating_ips(client: Rest, tenant: Tenant, external: Item, servers: list[Item]) -> None:
    """Floating IPs for the servers that get one, and some that nobody uses."""
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
