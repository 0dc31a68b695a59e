"""The kinds of items, in one table: where each is listed, and what of it is kept.

To add a kind is to add a row here. `Attribute.source` is a field of the service's answer, or a function of
the whole answer; attributes that are marked so are shown to operators only. `Changes` says how a region is
asked for what changed (design record 0003 has what was seen of the real services, release 2026.2):

- `SINCE`: the listing takes a time, and tells deleted items too (Nova).
- `VERSIONS`: a listing of ids with their revision numbers tells what changed and what is gone (Neutron).
- `SINCE_AND_IDS`: the listing takes a time; a listing of ids tells what is gone (Cinder's volumes).
- `SINCE_ONLY`: the listing takes a time; only a full listing tells what is gone (Glance).
- `NONE`: every read is a full one (Cinder's snapshots and backups know no comparison of times).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from multisite.inventory import addresses
from multisite.inventory.model import Address

Raw = Mapping[str, Any]


class Changes(Enum):
    """How a service tells what changed."""

    SINCE = "since"
    VERSIONS = "versions"
    SINCE_AND_IDS = "since-and-ids"
    SINCE_ONLY = "since-only"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a kind."""

    name: str
    source: str | Callable[[Raw], Any]
    operators: bool = False

    def value(self, raw: Raw) -> Any:
        """The attribute's value in a service's answer."""
        return raw.get(self.source) if isinstance(self.source, str) else self.source(raw)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `project`, `created`, `updated`, `parent` and `device` name fields of the answer."""

    name: str
    plural: str
    service: str
    path: str
    key: str
    changes: Changes
    attributes: tuple[Attribute, ...]
    project: str = "project_id"
    created: str = "created_at"
    updated: str = "updated_at"
    parent: str | None = None
    device: str | None = None
    addresses: Callable[[Raw], list[Address]] = lambda _: []
    shared: Callable[[Raw], bool] = lambda _: False

    @property
    def operator_attributes(self) -> frozenset[str]:
        """The attributes that only operators see."""
        return frozenset(attribute.name for attribute in self.attributes if attribute.operators)


def _plain(*names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name, name) for name in names)


def _of(field: str, part: str) -> Callable[[Raw], Any]:
    return lambda raw: (raw.get(field) or {}).get(part)


def _attached(raw: Raw) -> list[dict[str, Any]]:
    return [
        {"server_id": each["server_id"], "device": each.get("device")}
        for each in raw.get("attachments") or []
    ]


def _port_addresses(raw: Raw) -> list[Address]:
    fixed = [addresses.ip(each["ip_address"], raw["id"]) for each in raw.get("fixed_ips") or []]
    text = raw.get("mac_address")
    return [*fixed, addresses.mac(text, raw["id"])] if text else fixed


def _floating_addresses(raw: Raw) -> list[Address]:
    return [addresses.ip(raw["floating_ip_address"], raw.get("port_id"))]


def _router_addresses(raw: Raw) -> list[Address]:
    gateway = raw.get("external_gateway_info") or {}
    return [addresses.ip(each["ip_address"]) for each in gateway.get("external_fixed_ips") or []]


def _gateway(raw: Raw) -> list[Address]:
    return [addresses.ip(raw["gateway_ip"])] if raw.get("gateway_ip") else []


def _public_image(raw: Raw) -> bool:
    return raw.get("visibility") in {"public", "community"}


def _rules(raw: Raw) -> int:
    return len(raw.get("security_group_rules") or [])


KINDS: tuple[Kind, ...] = (
    Kind(
        "server",
        "servers",
        "compute",
        "/servers",
        "servers",
        Changes.SINCE,
        (
            Attribute("flavor", _of("flavor", "original_name")),
            Attribute("vcpus", _of("flavor", "vcpus")),
            Attribute("ram", _of("flavor", "ram")),
            Attribute("disk", _of("flavor", "disk")),
            Attribute("image_id", lambda raw: raw["image"]["id"] if raw.get("image") else None),
            *_plain("key_name", "description", "locked", "metadata"),
            Attribute("availability_zone", "OS-EXT-AZ:availability_zone"),
            Attribute("power_state", "OS-EXT-STS:power_state"),
            Attribute("task_state", "OS-EXT-STS:task_state"),
            Attribute("vm_state", "OS-EXT-STS:vm_state"),
            Attribute("launched_at", "OS-SRV-USG:launched_at"),
            Attribute("fault", _of("fault", "message")),
            Attribute("host", "OS-EXT-SRV-ATTR:host", operators=True),
            Attribute("hypervisor_hostname", "OS-EXT-SRV-ATTR:hypervisor_hostname", operators=True),
            Attribute("instance_name", "OS-EXT-SRV-ATTR:instance_name", operators=True),
        ),
        project="tenant_id",
        created="created",
        updated="updated",
    ),
    Kind(
        "volume",
        "volumes",
        "volume",
        "/volumes",
        "volumes",
        Changes.SINCE_AND_IDS,
        (
            *_plain("size", "volume_type", "availability_zone", "description", "encrypted", "multiattach"),
            Attribute("bootable", lambda raw: raw.get("bootable") in {True, "true"}),
            *_plain("snapshot_id", "source_volid", "metadata"),
            Attribute("attachments", _attached),
            Attribute("host", "os-vol-host-attr:host", operators=True),
            Attribute("migration_status", "migration_status", operators=True),
        ),
        project="os-vol-tenant-attr:tenant_id",
    ),
    Kind(
        "snapshot",
        "snapshots",
        "volume",
        "/snapshots",
        "snapshots",
        Changes.NONE,
        (
            *_plain("size", "volume_id", "description", "metadata"),
            Attribute("progress", "os-extended-snapshot-attributes:progress"),
        ),
        project="os-extended-snapshot-attributes:project_id",
        parent="volume_id",
    ),
    Kind(
        "backup",
        "backups",
        "volume",
        "/backups",
        "backups",
        Changes.NONE,
        (
            *_plain("size", "volume_id", "snapshot_id", "description", "is_incremental", "object_count"),
            *_plain("availability_zone", "fail_reason", "has_dependent_backups"),
            Attribute("container", "container", operators=True),
        ),
        project="os-backup-project-attr:project_id",
        parent="volume_id",
    ),
    Kind(
        "image",
        "images",
        "image",
        "/images",
        "images",
        Changes.SINCE_ONLY,
        (
            *_plain("size", "virtual_size", "visibility", "protected", "disk_format", "container_format"),
            *_plain("min_disk", "min_ram", "checksum", "os_hash_algo", "os_hash_value", "tags"),
            Attribute("hidden", lambda raw: bool(raw.get("os_hidden"))),
        ),
        project="owner",
        shared=_public_image,
    ),
    Kind(
        "network",
        "networks",
        "network",
        "/networks",
        "networks",
        Changes.VERSIONS,
        (
            *_plain("admin_state_up", "mtu", "subnets", "description", "port_security_enabled", "tags"),
            Attribute("external", lambda raw: bool(raw.get("router:external"))),
            Attribute("availability_zones", "availability_zones"),
            Attribute("provider_network_type", "provider:network_type", operators=True),
            Attribute("provider_physical_network", "provider:physical_network", operators=True),
            Attribute("provider_segmentation_id", "provider:segmentation_id", operators=True),
        ),
    ),
    Kind(
        "subnet",
        "subnets",
        "network",
        "/subnets",
        "subnets",
        Changes.VERSIONS,
        _plain(
            *("network_id", "cidr", "ip_version", "gateway_ip", "enable_dhcp", "allocation_pools"),
            *("dns_nameservers", "host_routes", "subnetpool_id", "description", "tags"),
        ),
        parent="network_id",
        addresses=_gateway,
    ),
    Kind(
        "port",
        "ports",
        "network",
        "/ports",
        "ports",
        Changes.VERSIONS,
        (
            *_plain("network_id", "mac_address", "fixed_ips", "device_id", "device_owner", "admin_state_up"),
            *_plain("security_groups", "description", "tags"),
            Attribute("vnic_type", "binding:vnic_type"),
            Attribute("host", "binding:host_id", operators=True),
            Attribute("vif_type", "binding:vif_type", operators=True),
        ),
        parent="network_id",
        device="device_id",
        addresses=_port_addresses,
    ),
    Kind(
        "router",
        "routers",
        "network",
        "/routers",
        "routers",
        Changes.VERSIONS,
        (
            *_plain("admin_state_up", "external_gateway_info", "routes", "description", "tags"),
            *_plain("availability_zones"),
            Attribute("distributed", "distributed", operators=True),
            Attribute("ha", "ha", operators=True),
        ),
        addresses=_router_addresses,
    ),
    Kind(
        "floating_ip",
        "floating-ips",
        "network",
        "/floatingips",
        "floatingips",
        Changes.VERSIONS,
        _plain(
            *("floating_ip_address", "floating_network_id", "fixed_ip_address", "port_id", "router_id"),
            *("description", "tags"),
        ),
        parent="port_id",
        addresses=_floating_addresses,
    ),
    Kind(
        "security_group",
        "security-groups",
        "network",
        "/security-groups",
        "security_groups",
        Changes.VERSIONS,
        (*_plain("description", "stateful", "tags"), Attribute("rules", _rules)),
    ),
)

BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
BY_PLURAL: Mapping[str, Kind] = {kind.plural: kind for kind in KINDS}
#: Kinds whose items have addresses of their own.
ADDRESSED = frozenset({"subnet", "port", "router", "floating_ip"})
#: Kinds whose items others may show a project.
SHARED_KINDS = frozenset({"image", "network", "subnet", "security_group"})
SERVICES: tuple[str, ...] = tuple(dict.fromkeys(kind.service for kind in KINDS))
