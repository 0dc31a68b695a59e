"""Which resources have quotas, and what may be done with each.

A resource is (service, the service's own spelling), as in `compute/cores`. Nova's unified limits have names
of their own for the same things (`class:VCPU`); `UNIFIED` says which is which.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

from multisite.errors import BadRequest


class Kind(StrEnum):
    """How a global limit is kept over regions."""

    HARD = "hard"
    SOFT = "soft"
    COPIED = "copied"


SUMMED: Mapping[str, Sequence[str]] = {
    "compute": ("instances", "cores", "ram", "server_groups"),
    "volume": ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes", "groups"),
    "network": (
        "network",
        "subnet",
        "subnetpool",
        "port",
        "router",
        "floatingip",
        "security_group",
        "security_group_rule",
        "rbac_policy",
        "trunk",
    ),
    "image": ("image_count_total", "image_size_total"),
}
#: Limits per user or per item: the same in every region, never summed.
COPIED: Mapping[str, Sequence[str]] = {
    "compute": ("key_pairs", "metadata_items", "server_group_members"),
    "volume": ("per_volume_gigabytes",),
    "network": (),
    "image": ("image_stage_total", "image_count_uploading"),
}
SERVICES = tuple(SUMMED)
UNITS: Mapping[str, str] = {
    "compute/ram": "MiB",
    "volume/gigabytes": "GiB",
    "volume/backup_gigabytes": "GiB",
    "volume/per_volume_gigabytes": "GiB",
    "image/image_size_total": "MiB",
    "image/image_stage_total": "MiB",
}

#: Nova's unified limits by the names of its quota API; those of Glance have the same name in both.
UNIFIED: Mapping[str, Mapping[str, str]] = {
    "compute": {
        "instances": "servers",
        "cores": "class:VCPU",
        "ram": "class:MEMORY_MB",
        "server_groups": "server_groups",
        "key_pairs": "server_key_pairs",
        "metadata_items": "server_metadata_items",
        "server_group_members": "server_group_members",
    },
    "image": {name: name for name in (*SUMMED["image"], *COPIED["image"])},
}
#: Cinder has three limits for each volume type.
_PER_TYPE = re.compile(r"volume/(volumes|snapshots|gigabytes)_(?!total)\S.{0,200}")
_SHAPE = re.compile(r"[a-z][a-z0-9-]{0,62}/\S{1,254}")

UNLIMITED = -1


def service_of(resource: str) -> str:
    """The service of a resource."""
    return resource.partition("/")[0]


def name_of(resource: str) -> str:
    """The service's own name of a resource."""
    return resource.partition("/")[2]


def unified_name(resource: str) -> str:
    """What a resource is called in Keystone."""
    name = name_of(resource)
    return UNIFIED.get(service_of(resource), {}).get(name, name)


def known(resource: str) -> bool:
    """Whether multisite reads the use of a resource, or copies its limit."""
    service, name = service_of(resource), name_of(resource)
    named = name in SUMMED.get(service, ()) or name in COPIED.get(service, ())
    return named or bool(_PER_TYPE.fullmatch(resource))


def copied(resource: str) -> bool:
    """Whether its limit is per user or per item."""
    return name_of(resource) in COPIED.get(service_of(resource), ())


def kind_for(resource: str, wanted: Kind | None) -> Kind:
    """The kind that a limit of this resource has. Raises `BadRequest` for what cannot be.

    Of services that are none of `SERVICES` only registered limits are known, and no use: their limits are
    copied, or shared out (soft).
    """
    if service_of(resource) in SERVICES:
        if not known(resource):
            raise BadRequest(f"there is no resource {resource!r}; there are: {', '.join(listed())}")
    elif not _SHAPE.fullmatch(resource):
        raise BadRequest(f"{resource!r} is no resource; write it as service/name, such as compute/cores")
    if copied(resource):
        if wanted not in {None, Kind.COPIED}:
            raise BadRequest(
                f"{resource} is a limit per user or per item: it is copied to every region, not summed"
            )
        return Kind.COPIED
    if service_of(resource) not in SERVICES:
        if wanted is Kind.HARD:
            raise BadRequest(f"{resource}: its use cannot be read, so its limit cannot be hard")
        return wanted or Kind.COPIED
    if wanted is Kind.COPIED:
        raise BadRequest(f"{resource} is summed over regions: its limit is hard or soft")
    return wanted or Kind.HARD


def listed() -> Sequence[str]:
    """All resources that have a fixed name."""
    return [
        f"{service}/{name}" for service in SERVICES for name in sorted((*SUMMED[service], *COPIED[service]))
    ]
