"""Nova's JSON of hosts, flavors and servers, at the microversion that was asked for."""

import hashlib
from typing import Any

from multisite.sim.compute.state import POWER, VM_STATES, Aggregate, Compute, Flavor, Host, Server
from multisite.sim.http import Call, Json, Version, stamp, stamp_micro


def links(call: Call, kind: str, item_id: str) -> list[Json]:
    """The two links of everything that Nova shows."""
    root = call.base.rsplit("/", 1)[0]
    return [
        {"rel": "self", "href": f"{call.base}/{kind}/{item_id}"},
        {"rel": "bookmark", "href": f"{root}/{kind}/{item_id}"},
    ]


def flavor_json(call: Call, flavor: Flavor) -> Json:
    """A flavor in detail."""
    body: Json = {
        "id": flavor.id, "name": flavor.name, "ram": flavor.ram, "disk": flavor.disk,
        "swap": 0 if call.version >= (2, 75) else "", "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False, "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.public, "rxtx_factor": 1.0,
        "links": links(call, "flavors", flavor.id),
    }  # fmt: skip
    if call.version >= (2, 55):
        body["description"] = None
    if call.version >= (2, 61):
        body["extra_specs"] = dict(flavor.extra_specs)
    return body


def server_json(call: Call, compute: Compute, server: Server) -> Json:
    """A server in detail, with what only administrators see where the token is theirs."""
    status = "DELETED" if server.deleted else server.status
    body: Json = {
        "id": server.id, "name": server.name, "status": status, "tenant_id": server.project_id,
        "user_id": server.user_id, "metadata": dict(server.metadata),
        "hostId": hashlib.sha224(f"{server.project_id}{server.host.name}".encode()).hexdigest(),
        "image": _image(call, server), "flavor": _flavor(call, server.flavor),
        "created": stamp(server.created), "updated": stamp(server.updated),
        "addresses": {} if server.deleted else addresses(compute, server),
        "accessIPv4": "", "accessIPv6": "", "links": links(call, "servers", server.id),
        "OS-DCF:diskConfig": "MANUAL", "OS-EXT-AZ:availability_zone": server.host.zone, "config_drive": "",
        "key_name": server.key_name, "OS-SRV-USG:launched_at": stamp_micro(server.created),
        "OS-SRV-USG:terminated_at": stamp_micro(server.updated) if server.deleted else None,
        "OS-EXT-STS:task_state": "spawning" if status == "BUILD" else None,
        "OS-EXT-STS:vm_state": VM_STATES[status], "OS-EXT-STS:power_state": POWER.get(status, 0),
        "os-extended-volumes:volumes_attached": [_attached(call, volume_id) for volume_id in server.volumes],
    }  # fmt: skip
    if server.fault:
        body["fault"] = {"code": 500, "message": server.fault, "created": stamp(server.updated)}
    if not server.deleted and status in {"ACTIVE", "BUILD", "VERIFY_RESIZE"}:
        body["progress"] = 0
    if not server.deleted and (groups := _security_groups(compute, server)):
        body["security_groups"] = groups
    newer: dict[Version, Json] = {
        (2, 9): {"locked": False},
        (2, 19): {"description": server.description},
        (2, 26): {"tags": []},
        (2, 63): {"trusted_image_certificates": None},
        (2, 73): {"locked_reason": None},
        (2, 90): {"OS-EXT-SRV-ATTR:hostname": server.name},
        (2, 96): {"pinned_availability_zone": server.host.zone},
        (2, 100): {"scheduler_hints": {}},
    }
    for version, fields in newer.items():
        if call.version >= version:
            body |= fields
    if call.token.admin:
        body |= _inside(call, server)
    return body


def _inside(call: Call, server: Server) -> Json:
    """What only administrators see."""
    body: Json = {
        "OS-EXT-SRV-ATTR:host": server.host.name,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host.name,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
    }
    if call.version >= (2, 3):
        body |= {
            "OS-EXT-SRV-ATTR:reservation_id": f"r-{server.id[:8]}", "OS-EXT-SRV-ATTR:launch_index": 0,
            "OS-EXT-SRV-ATTR:hostname": server.name, "OS-EXT-SRV-ATTR:kernel_id": "",
            "OS-EXT-SRV-ATTR:ramdisk_id": "", "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-SRV-ATTR:user_data": None,
        }  # fmt: skip
    if call.version >= (2, 16):
        body["host_status"] = "UP" if server.host.up else "DOWN"
    return body


def _attached(call: Call, volume_id: str) -> Json:
    return {"id": volume_id, "delete_on_termination": False} if call.version >= (2, 3) else {"id": volume_id}


def _image(call: Call, server: Server) -> Json | str:
    if not server.image_id:
        return ""
    root = call.base.rsplit("/", 1)[0]
    body: Json = {
        "id": server.image_id,
        "links": [{"rel": "bookmark", "href": f"{root}/images/{server.image_id}"}],
    }
    if call.version >= (2, 98):
        body["properties"] = {}
    return body


def _flavor(call: Call, flavor: Flavor) -> Json:
    if call.version >= (2, 47):
        return {
            "vcpus": flavor.vcpus, "ram": flavor.ram, "disk": flavor.disk, "ephemeral": 0, "swap": 0,
            "original_name": flavor.name, "extra_specs": dict(flavor.extra_specs),
        }  # fmt: skip
    return {"id": flavor.id, "links": links(call, "flavors", flavor.id)[1:]}


def addresses(compute: Compute, server: Server) -> dict[str, list[Json]]:
    """Per network the addresses of a server's ports, with the floating IPs that lead to them."""
    network = compute.region.network
    found: dict[str, list[Json]] = {}
    for port in network.ports_of(server.id):
        rows = found.setdefault(network.networks[port.network_id].name, [])
        for _, address in port.fixed_ips:
            rows.append(_address(address, port.mac, "fixed"))
            floating = network.floating_of(port.id, address)
            if floating:
                rows.append(_address(floating.address, port.mac, "floating"))
    return found


def _security_groups(compute: Compute, server: Server) -> list[Json]:
    """The names of the groups of a server's ports, port by port: Nova has them from there."""
    network = compute.region.network
    return [
        {"name": network.security_groups[group].name}
        for port in network.ports_of(server.id)
        for group in port.security_groups
        if group in network.security_groups
    ]


def _address(address: str, mac: str, kind: str) -> Json:
    return {
        "version": 6 if ":" in address else 4,
        "addr": address,
        "OS-EXT-IPS:type": kind,
        "OS-EXT-IPS-MAC:mac_addr": mac,
    }


def service_json(item: dict[str, Any]) -> Json:
    """A nova service."""
    return {
        "binary": item["binary"], "host": item["host"], "id": item["id"], "zone": item["zone"],
        "status": "enabled" if item["enabled"] else "disabled", "state": "up" if item["up"] else "down",
        "updated_at": stamp_micro(item["seen"]), "disabled_reason": item["reason"], "forced_down": False,
    }  # fmt: skip


def aggregate_json(item: Aggregate) -> Json:
    """A host aggregate."""
    return {
        "id": item.id, "uuid": item.uuid, "name": item.name, "hosts": [host.name for host in item.hosts],
        "metadata": {"availability_zone": item.zone} if item.zone else {}, "availability_zone": item.zone,
        "created_at": stamp_micro(item.created), "updated_at": None, "deleted_at": None, "deleted": False,
    }  # fmt: skip


def hypervisor_json(host: Host) -> Json:
    """A hypervisor in detail."""
    total = {kind: figures[0] for kind, figures in host.inventory.items()}
    return {
        "id": host.id, "hypervisor_hostname": host.name, "state": "up" if host.up else "down",
        "status": "enabled" if host.enabled else "disabled", "hypervisor_type": "fake",
        "hypervisor_version": 1000,
        "host_ip": "127.0.0.1",
        "service": {"id": host.service_id, "host": host.name, "disabled_reason": host.disabled_reason},
        "vcpus": total["VCPU"], "memory_mb": total["MEMORY_MB"], "local_gb": total["DISK_GB"],
        "vcpus_used": host.used["VCPU"], "memory_mb_used": host.used["MEMORY_MB"],
        "local_gb_used": host.used["DISK_GB"], "free_ram_mb": total["MEMORY_MB"] - host.used["MEMORY_MB"],
        "free_disk_gb": total["DISK_GB"] - host.used["DISK_GB"], "current_workload": 0,
        "running_vms": host.servers, "disk_available_least": 0, "cpu_info": {},
    }  # fmt: skip
