"""Neutron's JSON of each kind of object."""

from collections.abc import Callable
from typing import Any

from multisite.sim.http import Json, stamp
from multisite.sim.network.items import FLOATING, INTERFACE
from multisite.sim.network.model import (
    FloatingIp,
    Item,
    Net,
    Port,
    RbacPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)
from multisite.sim.network.state import Network

_VIF = {"port_filter": True, "connectivity": "l2", "bound_drivers": {"0": "simulated"}}


def _common(item: Item) -> Json:
    return {
        "id": item.id, "project_id": item.project_id, "tenant_id": item.project_id,
        "description": item.description,
        "created_at": stamp(item.created), "updated_at": stamp(item.updated),
        "revision_number": item.revision,
        "tags": [],
    }  # fmt: skip


def network_json(state: Network, item: Net, *, project_id: str, admin: bool) -> Json:
    """A network; its segment is for administrators."""
    shared = item.shared or (
        not admin and item.project_id != project_id and state.granted(item.id, project_id)
    )
    body = _common(item) | {
        "name": item.name, "admin_state_up": item.up, "status": "ACTIVE", "mtu": item.mtu, "shared": shared,
        "router:external": item.external, "subnets": list(item.subnets), "ipv4_address_scope": None,
        "ipv6_address_scope": None, "availability_zone_hints": [], "availability_zones": [],
        "port_security_enabled": True, "qos_policy_id": None, "l2_adjacency": True, "qinq": False,
        "vlan_transparent": False,
    }  # fmt: skip
    if item.external:
        body["is_default"] = False
    if admin:
        body |= {
            "provider:network_type": "flat" if item.external else "vxlan",
            "provider:physical_network": "external" if item.external else None,
            "provider:segmentation_id": None if item.external else item.segment,
        }
    return body


def subnet_json(state: Network, item: Subnet, *, admin: bool) -> Json:
    """A subnet."""
    version = item.addresses.network.version
    more: Json = {"segment_id": None} if admin else {}
    return _common(item) | more | {
        "name": item.name, "network_id": item.network_id, "ip_version": version, "cidr": item.addresses.cidr,
        "gateway_ip": item.addresses.gateway, "allocation_pools": item.addresses.pools(),
        "enable_dhcp": item.dhcp, "dns_nameservers": list(item.dns), "host_routes": [],
        "ipv6_ra_mode": None, "ipv6_address_mode": None, "subnetpool_id": item.pool_id, "service_types": [],
        "router:external": state.networks[item.network_id].external,
    }  # fmt: skip


def port_json(item: Port, *, admin: bool) -> Json:
    """A port; its host is for administrators."""
    body = _common(item) | {
        "name": item.name, "network_id": item.network_id, "mac_address": item.mac, "admin_state_up": item.up,
        "status": _port_status(item), "ip_allocation": "immediate",
        "device_id": item.device_id, "device_owner": item.device_owner,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in item.fixed_ips],
        "security_groups": list(item.security_groups), "allowed_address_pairs": [], "extra_dhcp_opts": [],
        "binding:vnic_type": "normal", "port_security_enabled": bool(item.security_groups),
        "qos_policy_id": None, "qos_network_policy_id": None,
    }  # fmt: skip
    if admin:
        body |= {
            "binding:host_id": item.host, "binding:profile": {}, "resource_request": None,
            "binding:vif_details": dict(_VIF) if item.host else {},
            "binding:vif_type": "ovs" if item.host else "unbound",
        }  # fmt: skip
    return body


def _port_status(item: Port) -> str:
    """A floating IP's own port has no status."""
    if item.device_owner == FLOATING:
        return "N/A"
    return "ACTIVE" if item.host or item.device_owner == INTERFACE else "DOWN"


def router_json(state: Network, item: Router, *, admin: bool) -> Json:
    """A router."""
    gateway: Json | None = None
    if item.gateway_port:
        port = state.ports[item.gateway_port]
        gateway = {
            "network_id": port.network_id,
            "external_fixed_ips": [
                {"subnet_id": subnet, "ip_address": address} for subnet, address in port.fixed_ips
            ],
            "enable_snat": True,
        }
    body = _common(item) | {
        "name": item.name, "admin_state_up": item.up, "status": "ACTIVE", "external_gateway_info": gateway,
        "routes": [],
        "availability_zone_hints": [], "availability_zones": [], "flavor_id": None,
    }  # fmt: skip
    return body | ({"ha": False, "distributed": False} if admin else {})


def floating_ip_json(state: Network, item: FloatingIp) -> Json:
    """A floating IP."""
    details: Json | None = None
    if item.port_id:
        port = state.ports[item.port_id]
        details = {
            "name": port.name, "network_id": port.network_id, "mac_address": port.mac,
            "admin_state_up": port.up,
            "status": "ACTIVE", "device_id": port.device_id, "device_owner": port.device_owner,
        }  # fmt: skip
    return _common(item) | {
        "status": "DOWN", "floating_network_id": item.network_id, "floating_ip_address": item.address,
        "fixed_ip_address": item.fixed_address, "port_id": item.port_id, "router_id": item.router_id,
        "port_details": details, "qos_policy_id": None, "port_forwardings": [],
    }  # fmt: skip


def group_json(state: Network, item: SecurityGroup) -> Json:
    """A security group with its rules."""
    return _common(item) | {
        "name": item.name, "stateful": item.stateful, "shared": False,
        "security_group_rules": [
            rule_json(rule) | {"standard_attr_id": int(rule.id[:7], 16), "tags": []}
            for rule in state.rules_of(item)
        ],
    }  # fmt: skip


def rule_json(item: SecurityGroupRule) -> Json:
    """A rule of a security group, as it is listed: inside its group it has more and less."""
    body = _common(item)
    del body["tags"]
    return body | {
        "security_group_id": item.group_id, "direction": item.direction, "ethertype": item.ethertype,
        "protocol": item.protocol, "port_range_min": item.port_min, "port_range_max": item.port_max,
        "remote_ip_prefix": item.remote_prefix, "remote_group_id": item.remote_group,
        "remote_address_group_id": None, "normalized_cidr": item.remote_prefix,
        "belongs_to_default_sg": False,
    }  # fmt: skip


IPV4 = 4


def pool_json(item: SubnetPool) -> Json:
    """A subnet pool."""
    return _common(item) | {
        "name": item.name, "prefixes": list(item.prefixes), "default_prefixlen": str(item.default_length),
        "min_prefixlen": "8" if item.version == IPV4 else "64",
        "max_prefixlen": "32" if item.version == IPV4 else "128", "ip_version": item.version,
        "shared": item.shared, "is_default": False, "address_scope_id": None, "default_quota": None,
    }  # fmt: skip


def policy_json(item: RbacPolicy) -> Json:
    """An RBAC policy."""
    return {
        "id": item.id, "project_id": item.project_id, "tenant_id": item.project_id,
        "object_id": item.object_id,
        "object_type": item.object_type, "action": item.action, "target_tenant": item.target,
    }  # fmt: skip


def to_json(state: Network, kind: str, item: Item, *, project_id: str, admin: bool) -> Json:
    """An item of any kind."""
    forms: dict[str, Callable[[Any], Json]] = {
        "network": lambda one: network_json(state, one, project_id=project_id, admin=admin),
        "subnet": lambda one: subnet_json(state, one, admin=admin),
        "port": lambda one: port_json(one, admin=admin),
        "router": lambda one: router_json(state, one, admin=admin),
        "floatingip": lambda one: floating_ip_json(state, one),
        "security_group": lambda one: group_json(state, one),
        "security_group_rule": rule_json,
        "subnetpool": pool_json,
        "rbac_policy": policy_json,
    }
    return forms[kind](item)


def availability_json(state: Network, network: Net) -> Json:
    """How many addresses a network has, and how many are used."""
    subnets = [_subnet_availability(state.subnets[subnet_id]) for subnet_id in network.subnets]
    return {
        "network_id": network.id, "network_name": network.name, "project_id": network.project_id,
        "tenant_id": network.project_id, "subnet_ip_availability": subnets,
        "used_ips": sum(subnet["used_ips"] for subnet in subnets),
        "total_ips": sum(subnet["total_ips"] for subnet in subnets),
        "ip_availability_details": {
            key: sum(subnet["ip_availability_details"][key] for subnet in subnets)
            for key in (
                "total_ips_in_subnet", "total_ips_in_allocation_pool", "used_ips_in_subnet",
                "used_ips_in_allocation_pool",
            )
        },
    }  # fmt: skip


def _subnet_availability(subnet: Subnet) -> Json:
    addresses = subnet.addresses
    return {
        "subnet_id": subnet.id, "subnet_name": subnet.name, "ip_version": addresses.network.version,
        "cidr": addresses.cidr, "used_ips": len(addresses.taken), "total_ips": addresses.pool_size,
        "ip_availability_details": {
            "total_ips_in_subnet": addresses.size, "total_ips_in_allocation_pool": addresses.pool_size,
            "used_ips_in_subnet": len(addresses.taken), "used_ips_in_allocation_pool": addresses.in_pool(),
        },
    }  # fmt: skip
