"""How each of Neutron's kinds of objects is made from the body of a POST."""

from collections.abc import Callable

from multisite.sim.http import Call, Json, Refusal
from multisite.sim.network.model import (
    FloatingIp,
    Item,
    Net,
    Port,
    RbacPolicy,
    Router,
    SecurityGroup,
    Subnet,
    SubnetPool,
)
from multisite.sim.network.seeing import find, state_of


def _make_network(call: Call, wanted: Json, owner: str) -> Net:
    external, shared = bool(wanted.get("router:external")), bool(wanted.get("shared"))
    if (external or shared) and not call.token.admin:
        raise Refusal(403, "(rule:create_network and rule:create_network:shared) is disallowed by policy")
    return state_of(call).create_network(
        name=_name(wanted), project_id=owner, external=external, shared=shared
    )


def _make_subnet(call: Call, wanted: Json, owner: str) -> Subnet:
    network = find(call, "network", str(wanted.get("network_id")), to_write=True)
    subnet = state_of(call).create_subnet(
        network_id=network.id, name=_name(wanted), project_id=owner, cidr=str(wanted.get("cidr")),
        gateway=wanted.get("gateway_ip"), dhcp=bool(wanted.get("enable_dhcp", True)),
    )  # fmt: skip
    subnet.dns = tuple(wanted.get("dns_nameservers") or ())
    return subnet


def _make_router(call: Call, wanted: Json, owner: str) -> Router:
    state = state_of(call)
    router = state.create_router(name=_name(wanted), project_id=owner)
    gateway = wanted.get("external_gateway_info") or {}
    if gateway:
        state.set_gateway(router.id, str(gateway.get("network_id")))
    return router


def _make_floating_ip(call: Call, wanted: Json, owner: str) -> FloatingIp:
    return state_of(call).create_floating_ip(
        project_id=owner, network_id=str(wanted.get("floating_network_id")),
        port_id=wanted.get("port_id"), address=wanted.get("floating_ip_address"),
    )  # fmt: skip


def _make_group(call: Call, wanted: Json, owner: str) -> SecurityGroup:
    description = str(wanted.get("description") or "")
    return state_of(call).create_group(name=_name(wanted), project_id=owner, description=description)


def _make_port(call: Call, wanted: Json, owner: str) -> Port:
    state = state_of(call)
    network = find(call, "network", str(wanted.get("network_id")))
    fixed = (wanted.get("fixed_ips") or [{}])[0]
    port = state.create_port(
        project_id=owner, network_id=network.id, name=str(wanted.get("name") or ""),
        device_id=str(wanted.get("device_id") or ""), device_owner=str(wanted.get("device_owner") or ""),
        address=fixed.get("ip_address"), subnet_id=fixed.get("subnet_id"), mac=wanted.get("mac_address"),
    )  # fmt: skip
    if wanted.get("security_groups") is not None:
        port.security_groups = [str(group) for group in wanted["security_groups"]]
    return port


def _make_rule(call: Call, wanted: Json, owner: str) -> Item:  # noqa: ARG001 - it is the group's
    group = find(call, "security_group", str(wanted.get("security_group_id")), to_write=True)
    low, high = wanted.get("port_range_min"), wanted.get("port_range_max")
    if low is not None and high is not None and int(low) > int(high):
        raise Refusal(
            400,
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            kind="SecurityGroupInvalidPortRange",
        )
    assert isinstance(group, SecurityGroup)  # noqa: S101 - what `_find` was asked for
    return state_of(call).create_rule(
        group, direction=str(wanted.get("direction")), ethertype=str(wanted.get("ethertype") or "IPv4"),
        protocol=wanted.get("protocol"), port_min=low, port_max=high,
        remote_prefix=wanted.get("remote_ip_prefix"), remote_group=wanted.get("remote_group_id"),
    )  # fmt: skip


def _make_pool(call: Call, wanted: Json, owner: str) -> SubnetPool:
    state = state_of(call)
    now = state.region.made_at("network")
    pool = SubnetPool(
        id=state.region.new_id(), name=_name(wanted), project_id=owner, created=now, updated=now,
        prefixes=tuple(wanted.get("prefixes") or ()),
        default_length=int(wanted.get("default_prefixlen") or 26),
        shared=bool(wanted.get("shared")),
    )  # fmt: skip
    state.subnet_pools[pool.id] = pool
    return pool


def _make_policy(call: Call, wanted: Json, owner: str) -> RbacPolicy:
    state = state_of(call)
    network = find(call, "network", str(wanted.get("object_id")), to_write=True)
    now = state.region.made_at("network")
    policy = RbacPolicy(
        id=state.region.new_id(), name="", project_id=owner, created=now, updated=now, object_id=network.id,
        object_type=str(wanted.get("object_type")), action=str(wanted.get("action")),
        target=str(wanted.get("target_tenant") or wanted.get("target_project_id")),
    )  # fmt: skip
    state.rbac_policies[policy.id] = policy
    return policy


def _name(wanted: Json) -> str:
    return str(wanted.get("name") or "")


#: How each kind is made: from the call, the object in its body, and the owner's project.
MAKERS: dict[str, Callable[[Call, Json, str], Item]] = {
    "network": _make_network,
    "subnet": _make_subnet,
    "port": _make_port,
    "router": _make_router,
    "floatingip": _make_floating_ip,
    "security_group": _make_group,
    "security_group_rule": _make_rule,
    "subnetpool": _make_pool,
    "rbac_policy": _make_policy,
}
