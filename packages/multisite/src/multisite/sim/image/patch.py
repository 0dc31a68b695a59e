"""Changes of an image as Glance takes them: a JSON patch over attributes and free properties."""

import copy
from typing import Any

from multisite.sim.http import Call, Refusal
from multisite.sim.image.state import VISIBILITIES, Image

IMMUTABLE = frozenset(
    {
        "created_at", "updated_at", "status", "checksum", "size", "virtual_size", "direct_url", "self",
        "file", "schema", "id", "os_hash_algo", "os_hash_value", "stores",
    }
)  # fmt: skip
RESERVED = frozenset({"location", "deleted", "deleted_at"})
#: Attributes that may be set: their types, and what they are called here.
_SETTABLE: dict[str, tuple[tuple[type, ...], str]] = {
    "name": ((str, type(None)), "name"),
    "visibility": ((str,), "visibility"),
    "owner": ((str, type(None)), "owner"),
    "disk_format": ((str, type(None)), "disk_format"),
    "container_format": ((str, type(None)), "container_format"),
    "min_ram": ((int,), "min_ram"),
    "min_disk": ((int,), "min_disk"),
    "protected": ((bool,), "protected"),
    "os_hidden": ((bool,), "hidden"),
    "tags": ((list,), "tags"),
}
_FORMATS = {
    "disk_format": {"ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"},
    "container_format": {"ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"},
}


def check_attribute(call: Call, name: str, value: Any) -> None:
    """Refuse a value that an attribute cannot have (400), or that the token may not give it (403)."""
    types, _ = _SETTABLE.get(name, ((str,), ""))
    fits = isinstance(value, types) and (isinstance(value, bool) == (types == (bool,)))
    if not fits and name not in IMMUTABLE:
        raise Refusal(
            400, f"Provided object does not match schema 'image': {value!r} is not valid for '{name}'"
        )
    if name in {"min_ram", "min_disk"} and value < 0:
        raise Refusal(400, f"Invalid value '{value}' for parameter '{name}': Cannot be a negative value")
    if name in _FORMATS and value is not None and value not in _FORMATS[name]:
        raise Refusal(
            400, f"Provided object does not match schema 'image': {value!r} is not one of the formats"
        )
    if name == "visibility":
        if value not in VISIBILITIES:
            raise Refusal(400, f"Provided object does not match schema 'image': {value!r} is no visibility")
        if value == "public" and not call.token.admin:
            raise Refusal(403, "You are not authorized to complete publicize_image action.")


def set_attribute(image: Image, name: str, value: Any) -> None:
    """Give an attribute, or a free property, a value."""
    if name == "tags":
        image.tags = {str(tag) for tag in value}
    elif name in _SETTABLE:
        setattr(image, _SETTABLE[name][1], value)
    else:
        image.properties[name] = str(value)


def apply_patch(call: Call, image: Image, changes: list[Any]) -> None:
    """Make all changes, or none. Raises `Refusal`."""
    trial = copy.deepcopy(image)
    for change in changes:
        if not isinstance(change, dict) or change.get("op") not in {"add", "replace", "remove"}:
            raise Refusal(400, "Operations must be JSON objects with `op` add, replace or remove.")
        _apply(call, trial, change)
    for name in Image.__slots__:
        setattr(image, name, getattr(trial, name))


def _apply(call: Call, image: Image, change: dict[str, Any]) -> None:
    path = str(change.get("path", ""))
    if not path.startswith("/") or path == "/":
        raise Refusal(400, f"Invalid JSON pointer for this resource: '{path}'")
    name = path[1:].replace("~1", "/").replace("~0", "~")
    if name in IMMUTABLE or name in RESERVED:
        raise Refusal(403, f"Attribute '{name}' is {'reserved' if name in RESERVED else 'read-only'}.")
    known = name in _SETTABLE or name in image.properties
    if change["op"] in {"remove", "replace"} and not known:
        raise Refusal(409, f"Property {name} does not exist.")
    if change["op"] == "remove":
        if name in _SETTABLE:
            raise Refusal(403, f"Property {name} may not be removed.")
        del image.properties[name]
        return
    if "value" not in change:
        raise Refusal(400, f'Operation "{change["op"]}" requires a member named "value".')
    check_attribute(call, name, change["value"])
    set_attribute(image, name, change["value"])
