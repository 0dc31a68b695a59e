"""Simulated Neutron: addresses, what is in use stays, quotas, who sees what."""

from typing import Any

from tests.unit.sim.conftest import SimulatedCloud

NEUTRON = "/one/network/v2.0"


def make(cloud: SimulatedCloud, path: str, kind: str, status: int = 201, **values: Any) -> Any:
    body = cloud.send("POST", f"{NEUTRON}/{path}", {kind: values}, user="project-001", status=status)
    return body.get(kind) or body["NeutronError"]


def a_network(cloud: SimulatedCloud, cidr: str = "192.168.7.0/29") -> tuple[str, str]:
    network = make(cloud, "networks", "network", name="mine")["id"]
    return network, make(cloud, "subnets", "subnet", network_id=network, cidr=cidr, ip_version=4)["id"]


def test_ports_take_the_addresses_of_their_subnet_until_none_is_left(cloud: SimulatedCloud) -> None:
    network, _ = a_network(cloud)
    ports = [make(cloud, "ports", "port", network_id=network) for _ in range(5)]
    addresses = [port["fixed_ips"][0]["ip_address"] for port in ports]
    assert addresses == [f"192.168.7.{number}" for number in range(2, 7)]
    full = make(cloud, "ports", "port", status=409, network_id=network)
    assert full["type"] == "IpAddressGenerationFailure"
    cloud.send("DELETE", f"{NEUTRON}/ports/{ports[2]['id']}", user="project-001", status=204)
    again = make(cloud, "ports", "port", network_id=network)
    assert again["fixed_ips"][0]["ip_address"] == "192.168.7.4"


def test_an_address_and_a_mac_are_given_once(cloud: SimulatedCloud) -> None:
    network, _ = a_network(cloud)
    fixed = [{"ip_address": "192.168.7.5"}]
    port = make(cloud, "ports", "port", network_id=network, fixed_ips=fixed)
    assert make(cloud, "ports", "port", status=409, network_id=network, fixed_ips=fixed)["type"] == (
        "IpAddressAlreadyAllocated"
    )
    twin = make(cloud, "ports", "port", status=409, network_id=network, mac_address=port["mac_address"])
    assert twin["type"] == "MacAddressInUse"


def test_what_is_in_use_stays(cloud: SimulatedCloud) -> None:
    network, subnet = a_network(cloud)
    port = make(cloud, "ports", "port", network_id=network)
    for path in (f"networks/{network}", f"subnets/{subnet}"):
        cloud.send("DELETE", f"{NEUTRON}/{path}", user="project-001", status=409)
    cloud.send("DELETE", f"{NEUTRON}/ports/{port['id']}", user="project-001", status=204)
    cloud.send("DELETE", f"{NEUTRON}/networks/{network}", user="project-001", status=204)
    cloud.ask(f"{NEUTRON}/subnets/{subnet}", user="project-001", status=404)


def test_subnets_of_a_network_do_not_overlap(cloud: SimulatedCloud) -> None:
    network, _ = a_network(cloud)
    values = {"network_id": network, "cidr": "192.168.0.0/16", "ip_version": 4}
    assert make(cloud, "subnets", "subnet", status=400, **values)["type"] == "InvalidInput"


def test_a_floating_ip_needs_a_router_and_follows_its_port(cloud: SimulatedCloud) -> None:
    [external] = cloud.ask(f"{NEUTRON}/networks?router:external=True")["networks"]
    network, subnet = a_network(cloud)
    port = make(cloud, "ports", "port", network_id=network)
    floating = make(cloud, "floatingips", "floatingip", floating_network_id=external["id"])
    path = f"{NEUTRON}/floatingips/{floating['id']}"
    body = {"floatingip": {"port_id": port["id"]}}
    cloud.send("PUT", path, body, user="project-001", status=404)
    gateway = {"network_id": external["id"]}
    router = make(cloud, "routers", "router", name="out", external_gateway_info=gateway)
    interface = f"{NEUTRON}/routers/{router['id']}/add_router_interface"
    cloud.send("PUT", interface, {"subnet_id": subnet}, user="project-001", status=200)
    shown = cloud.send("PUT", path, body, user="project-001", status=200)["floatingip"]
    assert (shown["fixed_ip_address"], shown["router_id"]) == (
        port["fixed_ips"][0]["ip_address"],
        router["id"],
    )
    cloud.send("DELETE", f"{NEUTRON}/ports/{port['id']}", user="project-001", status=204)
    assert cloud.ask(path, user="project-001")["floatingip"]["port_id"] is None


def test_the_quota_holds(cloud: SimulatedCloud) -> None:
    path = f"{NEUTRON}/quotas/{cloud.project_id('project-001')}"
    held = cloud.ask(f"{path}/details.json")["quota"]["network"]["used"]
    cloud.send("PUT", path, {"quota": {"network": held + 1}}, status=200)
    make(cloud, "networks", "network", name="last")
    assert make(cloud, "networks", "network", status=409, name="one more")["type"] == "OverQuota"
    cloud.send("DELETE", path, status=204)
    make(cloud, "networks", "network", name="one more")


def test_a_tenant_sees_its_own_shared_and_external_networks(cloud: SimulatedCloud) -> None:
    everything = cloud.ask(f"{NEUTRON}/networks")["networks"]
    seen = cloud.ask(f"{NEUTRON}/networks", user="project-001")["networks"]
    own = cloud.project_id("project-001")
    assert {item["id"] for item in seen} == {
        item["id"] for item in everything if item["project_id"] == own or item["router:external"]
    }
    assert "provider:network_type" not in seen[0]
    foreign = next(item for item in everything if item["project_id"] == cloud.project_id("project-002"))
    cloud.ask(f"{NEUTRON}/networks/{foreign['id']}", user="project-001", status=404)
    policy = {
        "object_id": foreign["id"], "object_type": "network", "action": "access_as_shared",
        "target_tenant": own,
    }  # fmt: skip
    cloud.send("POST", f"{NEUTRON}/rbac-policies", {"rbac_policy": policy}, user="project-002", status=201)
    shared = cloud.ask(f"{NEUTRON}/networks/{foreign['id']}", user="project-001")["network"]
    assert shared["shared"] is True


def test_a_rule_is_made_once_and_a_group_in_use_stays(cloud: SimulatedCloud) -> None:
    group = make(cloud, "security-groups", "security_group", name="web")
    rule = {
        "security_group_id": group["id"], "direction": "ingress", "protocol": "tcp", "port_range_min": 443,
        "port_range_max": 443,
    }  # fmt: skip
    make(cloud, "security-group-rules", "security_group_rule", **rule)
    twin = make(cloud, "security-group-rules", "security_group_rule", status=409, **rule)
    assert twin["type"] == "SecurityGroupRuleExists"
    network, _ = a_network(cloud)
    port = make(cloud, "ports", "port", network_id=network, security_groups=[group["id"]])
    path = f"{NEUTRON}/security-groups/{group['id']}"
    cloud.send("DELETE", path, user="project-001", status=409)
    cloud.send("DELETE", f"{NEUTRON}/ports/{port['id']}", user="project-001", status=204)
    cloud.send("DELETE", path, user="project-001", status=204)


def test_fields_and_filters_that_nobody_knows(cloud: SimulatedCloud) -> None:
    network = make(cloud, "networks", "network", name="new")
    found = cloud.ask(f"{NEUTRON}/networks?name=new&fields=id&fields=name")["networks"]
    assert found == [{"id": network["id"], "name": "new"}]
    # as with the real one, which documents it
    cloud.ask(f"{NEUTRON}/networks?changed_since=2027-01-15T07:59:00Z", status=400)


def test_pages_are_linked_both_ways(cloud: SimulatedCloud) -> None:
    everything = [port["id"] for port in cloud.ask(f"{NEUTRON}/ports?fields=id")["ports"]]
    first = cloud.ask(f"{NEUTRON}/ports?limit=4&fields=id")
    link, back = first["ports_links"]
    assert (link["rel"], back["rel"]) == ("next", "previous")
    second = cloud.ask("/" + link["href"].split("/", 3)[3])
    assert [item["id"] for item in first["ports"] + second["ports"]] == everything[:8]
    assert {item["rel"] for item in second["ports_links"]} == {"next", "previous"}
    cloud.ask(f"{NEUTRON}/ports?limit=4&marker=nowhere", status=404)


def test_subnets_are_cut_from_a_pool(cloud: SimulatedCloud) -> None:
    pool = make(cloud, "subnetpools", "subnetpool", name="p", prefixes=["192.0.2.0/24"], default_prefixlen=26)
    wanted = {"ip_version": 4, "subnetpool_id": pool["id"]}
    wanted["network_id"] = make(cloud, "networks", "network", name="n")["id"]
    made = [make(cloud, "subnets", "subnet", **wanted) for _ in range(2)]
    made.append(make(cloud, "subnets", "subnet", **wanted, cidr="192.0.2.192/26"))
    made.append(make(cloud, "subnets", "subnet", **wanted, prefixlen=27))

    prefixes = ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.192/26", "192.0.2.128/27"]
    assert [subnet["cidr"] for subnet in made] == prefixes
    assert {subnet["subnetpool_id"] for subnet in made} == {pool["id"]}
    for refused in ({}, {"cidr": "198.51.100.0/26"}, {"cidr": "192.0.2.0/27"}):
        error = make(cloud, "subnets", "subnet", status=409, **wanted, **refused)
        assert error["type"] == "SubnetAllocationError"
    make(cloud, "subnets", "subnet", status=400, **(wanted | {"ip_version": 6}))
