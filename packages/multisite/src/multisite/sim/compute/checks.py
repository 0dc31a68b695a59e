"""What Nova refuses before it looks at its state: queries and bodies that do not fit its schemas."""

import re
import unicodedata

from multisite.sim.http import Call, Json, Refusal

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})
_PAGING = frozenset({"limit", "marker", "sort_key", "sort_dir"})
#: What servers may be filtered and sorted by. `name` filters; it is sorted by as `display_name`.
_SERVER_FILTERS = frozenset(
    {
        "user_id", "project_id", "tenant_id", "launch_index", "image_ref", "image", "kernel_id", "ramdisk_id",
        "hostname", "key_name", "power_state", "vm_state", "task_state", "host", "node", "flavor",
        "reservation_id", "launched_at", "terminated_at", "availability_zone", "name", "display_name",
        "description", "display_description", "locked_by", "uuid", "root_device_name", "config_drive",
        "access_ip_v4", "access_ip_v6", "auto_disk_config", "progress", "all_tenants", "all_projects",
        "deleted",
        "status", "changes-since", "changes-before", "ip", "ip6", "created_at", "updated_at", "tags",
        "tags-any",
        "not-tags", "not-tags-any", "locked", "soft_deleted",
    }
)  # fmt: skip
SERVER_SORT_KEYS = {
    "created_at": "created", "updated_at": "updated", "display_name": "name", "uuid": "id",
    "vm_state": "status",
    "project_id": "project_id", "launched_at": "created", "host": "created", "user_id": "user_id",
    "key_name": "key_name", "image_ref": "image_id",
}  # fmt: skip
FLAVOR_SORT_KEYS = {
    "created_at": "id", "flavorid": "id", "id": "id", "name": "name", "memory_mb": "ram", "root_gb": "disk",
    "vcpus": "vcpus",
}  # fmt: skip
_SERVER_WORDS = frozenset(
    {
        "name", "flavorRef", "imageRef", "networks", "metadata", "key_name", "availability_zone", "adminPass",
        "user_data", "config_drive", "security_groups", "block_device_mapping", "block_device_mapping_v2",
        "min_count", "max_count", "accessIPv4", "accessIPv6", "OS-DCF:diskConfig", "description",
        "personality",
        "return_reservation_id", "tags", "trusted_image_certificates", "host", "hypervisor_hostname",
        "hostname",
        "os:scheduler_hints",
    }
)  # fmt: skip


def check_sorting(call: Call, known: dict[str, str]) -> None:
    """Refuse (400) to sort by what nobody knows, or in no direction."""
    for key in call.query.get("sort_key", ()):
        if key not in known:
            raise Refusal(400, f"Invalid input for query parameters sort_key. Value: {key}.")
    for way in call.query.get("sort_dir", ()):
        if way not in {"asc", "desc"}:
            raise Refusal(400, f"Invalid input for query parameters sort_dir. Value: {way}.")


def check_server_query(call: Call) -> None:
    """Refuse a listing of servers: unknown filters since 2.75 (400), deleted ones for tenants (403)."""
    check_sorting(call, SERVER_SORT_KEYS)
    if call.version >= (2, 75):
        unknown = [
            name for name in call.query if name not in _SERVER_FILTERS | _PAGING and not name.startswith("_")
        ]
        if unknown:
            raise Refusal(400, f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    if call.one("status").lower() == "deleted" and not call.token.admin:
        raise Refusal(403, "Only administrators may list deleted instances")


def boolean(text: str) -> bool:
    """Whether a word in a query means yes. Raises `Refusal` (400) for one that means nothing."""
    if text.lower() not in _TRUE | _FALSE:
        raise Refusal(400, f"Unrecognized value '{text}', acceptable values are: {sorted(_TRUE | _FALSE)}")
    return text.lower() in _TRUE


def check_name(name: object) -> str:
    """A name as `nova.api.validation.parameter_types.name` takes one. Raises `Refusal` (400)."""
    if name == "":
        raise Refusal(400, "Invalid input for field/attribute name. Value: . '' should be non-empty")
    if not isinstance(name, str) or not 0 < len(name) <= 255:  # noqa: PLR2004
        raise Refusal(400, f"Invalid input for field/attribute name. Value: {name}.")
    if name != name.strip() or not all(_printable(char) for char in name):
        raise Refusal(
            400,
            f"Invalid input for field/attribute name. Value: {name}. "
            "An invalid 'name' value was provided. The name must be: printable characters. "
            "Can not start or end with whitespace.",
        )
    return name


def _printable(char: str) -> bool:
    category = unicodedata.category(char)
    return not category.startswith("C") and (not category.startswith("Z") or category == "Zs")


def check_server_body(call: Call, wanted: Json) -> None:
    """Refuse (400) a server that does not fit the schema, or names things that are not there."""
    if unknown := sorted(set(wanted) - _SERVER_WORDS):
        raise Refusal(400, f"Additional properties are not allowed ({unknown[0]!r} was unexpected)")
    metadata = wanted.get("metadata") or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Refusal(400, "Invalid input for field/attribute metadata: its values are not of type 'string'")
    networks = wanted.get("networks")
    if isinstance(networks, str) and networks not in {"none", "auto"}:
        raise Refusal(400, f"Invalid input for field/attribute networks. Value: {networks}.")
    held = call.region.network.security_groups.values()
    known = {"default"} | {
        word for group in held if group.project_id == call.token.project_id for word in (group.id, group.name)
    }
    for group in wanted.get("security_groups") or ():
        if group.get("name") not in known:
            raise Refusal(400, f"Unable to find security_group with name or id '{group.get('name')}'")


def check_uuid(key: str, value: object) -> str:
    """The text of an id. Raises `Refusal` (400) for what is none."""
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. It is not a 'uuid'")
    return value
