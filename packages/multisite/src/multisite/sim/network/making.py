"""How each of Neutron's kinds of objects is made from the body of a POST."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network

from multisite.sim.http import Call, Json, Refusal
from multisite.sim.network.cutting import cut
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

_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)


def _make_network(call: Call, wanted: Json, owner: str) -> Net:
    external, shared = bool(wanted.get("router:external")), bool(wanted.get("shared"))
    if (external or shared) and not call.token.admin:
        raise Refusal(403, "(rule:create_network and rule:create_network:shared) is disallowed by policy")
    return state_of(call).create_network(
        name=_name(wanted), project_id=owner, external=external, shared=shared
    )


def _make_subnet(call: Call, wanted: Json, owner: str) -> Subnet:
    _need(wanted, "network_id", "ip_version", *(() if wanted.get("subnetpool_id") else ("cidr",)))
    if wanted.get("ip_version", 4) not in {4, 6}:
        raise Refusal(
            400,
            f"Invalid input for ip_version. Reason: {wanted['ip_version']} is not in valid_values.",
            kind="HTTPBadRequest",
        )
    network = state_of(call).networks.get(str(wanted["network_id"]))
    if network is None:
        raise state_of(call).missing("network", str(wanted["network_id"]))
    if not call.token.admin and network.project_id != call.token.project_id:
        raise Refusal(403, "rule:create_subnet is disallowed by policy", kind="PolicyNotAuthorized")
    pool = _pool_of(call, wanted)
    if pool is not None:
        length = wanted.get("prefixlen")
        cidr = cut(pool, state_of(call).subnets.values(), wanted.get("cidr"), int(length) if length else None)
        wanted = wanted | {"cidr": cidr}
    _check_addresses(wanted)
    subnet = state_of(call).create_subnet(
        network_id=network.id, name=_name(wanted), project_id=owner, cidr=str(wanted.get("cidr")),
        gateway=wanted.get("gateway_ip"), dhcp=bool(wanted.get("enable_dhcp", True)),
    )  # fmt: skip
    subnet.dns = tuple(wanted.get("dns_nameservers") or ())
    subnet.pool_id = pool.id if pool else None
    return subnet


def _pool_of(call: Call, wanted: Json) -> SubnetPool | None:
    if not wanted.get("subnetpool_id"):
        return None
    pool = find(call, "subnetpool", str(wanted["subnetpool_id"]))
    assert isinstance(pool, SubnetPool)  # noqa: S101 - what `find` was asked for
    if wanted.get("ip_version", 4) != pool.version:
        raise Refusal(
            400, "Invalid input for operation: Cannot allocate from a pool of another IP version.",
            kind="InvalidInput",
        )  # fmt: skip
    return pool


def _make_router(call: Call, wanted: Json, owner: str) -> Router:
    state = state_of(call)
    router = state.create_router(name=_name(wanted), project_id=owner)
    gateway = wanted.get("external_gateway_info") or {}
    if gateway:
        state.set_gateway(router.id, str(gateway.get("network_id")))
    return router


def _make_floating_ip(call: Call, wanted: Json, owner: str) -> FloatingIp:
    _need(wanted, "floating_network_id")
    return state_of(call).create_floating_ip(
        project_id=owner, network_id=str(wanted.get("floating_network_id")),
        port_id=wanted.get("port_id"), address=wanted.get("floating_ip_address"),
    )  # fmt: skip


def _make_group(call: Call, wanted: Json, owner: str) -> SecurityGroup:
    description = str(wanted.get("description") or "")
    return state_of(call).create_group(name=_name(wanted), project_id=owner, description=description)


def _make_port(call: Call, wanted: Json, owner: str) -> Port:
    state = state_of(call)
    _need(wanted, "network_id")
    network = find(call, "network", str(wanted["network_id"]))
    fixed = (wanted.get("fixed_ips") or [{}])[0]
    if wanted.get("mac_address") and not _MAC.fullmatch(str(wanted["mac_address"])):
        raise _invalid("mac_address", wanted["mac_address"], "is not a valid MAC address")
    if "binding:host_id" in wanted and not call.token.admin:
        raise Refusal(
            403, "(rule:create_port and rule:create_port:binding:host_id) is disallowed by policy",
            kind="PolicyNotAuthorized",
        )  # fmt: skip
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
    state.check_quota("subnetpool", owner)
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
    assert isinstance(network, Net)  # noqa: S101 - what `find` was asked for
    target = str(wanted.get("target_tenant") or wanted.get("target_project_id"))
    state.check_quota("rbac_policy", owner)
    return state.create_policy(network, owner, str(wanted.get("action")), target)


def _name(wanted: Json) -> str:
    name = wanted.get("name")
    if name is not None and not isinstance(name, str):
        raise _invalid("name", name, "is not a valid string")
    return name or ""


def _invalid(key: str, value: object, reason: str) -> Refusal:
    return Refusal(400, f"Invalid input for {key}. Reason: '{value}' {reason}.", kind="HTTPBadRequest")


def _need(wanted: Json, *keys: str) -> None:
    for key in keys:
        if wanted.get(key) is None:
            raise Refusal(
                400,
                f"Failed to parse request. Required attribute '{key}' not specified",
                kind="HTTPBadRequest",
            )


def _check_addresses(wanted: Json) -> None:
    """Refuse (400) a gateway that is no address, and pools outside of the subnet."""
    try:
        cidr = ip_network(str(wanted["cidr"]))
    except ValueError:
        raise Refusal(
            400,
            f"Invalid input for operation: {wanted['cidr']} is not in a CIDR format.",
            kind="InvalidInput",
        ) from None
    gateway = wanted.get("gateway_ip")
    try:
        gateway is None or ip_address(str(gateway))
        ends = [ip_address(str(pool[end])) for pool in wanted.get("allocation_pools") or [] for end in pool]
    except ValueError:
        raise _invalid("gateway_ip", gateway, "is not a valid IP address") from None
    if any(end not in cidr for end in ends):
        raise Refusal(
            400, f"The allocation pool spans beyond the subnet cidr {cidr}.", kind="OutOfBoundsAllocationPool"
        )


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

_ANY = {"name", "description", "project_id", "tenant_id", "tags"}
#: What may be said of each kind when it is made.
SETTABLE: dict[str, set[str]] = {
    "network": _ANY
    | {
        "admin_state_up", "shared", "router:external", "mtu", "is_default", "port_security_enabled",
        "provider:network_type", "provider:physical_network", "provider:segmentation_id",
        "availability_zone_hints", "qos_policy_id", "vlan_transparent", "dns_domain", "segments", "qinq",
    },
    "subnet": _ANY
    | {
        "network_id", "ip_version", "cidr", "gateway_ip", "allocation_pools", "enable_dhcp",
        "dns_nameservers",
        "host_routes", "ipv6_ra_mode", "ipv6_address_mode", "subnetpool_id", "prefixlen", "segment_id",
        "service_types", "use_default_subnetpool",
    },
    "port": _ANY
    | {
        "network_id", "admin_state_up", "mac_address", "fixed_ips", "device_id", "device_owner",
        "security_groups",
        "allowed_address_pairs", "extra_dhcp_opts", "binding:host_id", "binding:vnic_type", "binding:profile",
        "port_security_enabled", "qos_policy_id", "dns_name", "propagate_uplink_status",
    },
    "router": _ANY
    | {"admin_state_up", "external_gateway_info", "availability_zone_hints", "flavor_id", "ha",
    "distributed"},
    "floatingip": _ANY
    | {
        "floating_network_id", "port_id", "fixed_ip_address", "floating_ip_address", "subnet_id",
        "qos_policy_id",
    },
    "security_group": _ANY | {"stateful"},
    "security_group_rule": _ANY
    | {
        "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
        "remote_ip_prefix", "remote_group_id", "remote_address_group_id",
    },
    "subnetpool": _ANY
    | {
        "prefixes", "default_prefixlen", "min_prefixlen", "max_prefixlen", "shared", "is_default",
        "address_scope_id", "default_quota",
    },
    "rbac_policy": {
        "object_type", "object_id", "action", "target_tenant", "target_project_id", "project_id", "tenant_id",
    },
}  # fmt: skip
