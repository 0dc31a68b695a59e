"""What two answers differ in: status, headers that matter, and the shape and meaning of the bodies.

A body becomes a flat table: path to the kinds of values found there. Elements of a list are laid over
each other, or told apart by id where the things are the scene's own. What a value *is* counts (null, a
UUID,
a time in which notation …); the value itself counts where `exact` says that both worlds were told the same.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.lab.parity.asking import Answer

HEADERS = (
    "content-type",
    "openstack-api-version",
    "vary",
    "location",
    "retry-after",
    "www-authenticate",
    "allow",
)
#: Only whether they are there counts.
PRESENCE = ("x-subject-token", "x-openstack-request-id")

#: Objects whose keys are data.
MAPS = {"addresses", "metadata", "inventories", "usages", "extra_specs", "allocations"}
_TYPE_QUOTA = re.compile(r"^(volumes|gigabytes|snapshots)_(?!used$|links$).+")

#: Values that two worlds choose for themselves, even for things that were asked for in the same way.
FREE = {
    "message", "detail", "title", "name", "host", "hypervisor_hostname", "device", "updated",
    "availability_zone",
    "weight", "total", "used", "reserved", "generation", "password", "adminPass", "fingerprint", "public_key",
    "host_ip", "pool_name", "volume_backend_name", "volume_type", "size_total", "zone", "zoneName", "region",
    "region_id", "node", "driver_version", "vendor_name", "max_unit", "max_version", "version", "step_size",
    "revision_number", "stores", "checksum", "os_hash_value", "description", "hostId", "seen",
    "binding:host_id",
    "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname", "OS-EXT-SRV-ATTR:instance_name",
    "OS-EXT-SRV-ATTR:reservation_id", "OS-EXT-AZ:availability_zone", "os-vol-host-attr:host", "container",
    "original_name", "object_count", "type", "id", "status_reason", "domain_name", "expires_at", "hostname",
    "pinned_availability_zone", "audit_ids", "provider:segmentation_id", "ip_version", "x-subject-token",
    "service_host", "host_name", "standard_attr_id", "0",
    "OS-EXT-SRV-ATTR:root_device_name",
}  # fmt: skip
#: Of these the value counts even where the worlds were not told the same: errors say the same.
ALWAYS = {"code", "rel"}
#: Values of these are words that users compare with.
WORDS: Mapping[str, frozenset[str]] = {
    "status": frozenset(
        {
            "ACTIVE", "SHUTOFF", "BUILD", "ERROR", "VERIFY_RESIZE", "DELETED", "DOWN", "available", "in-use",
            "creating", "error", "active", "queued", "enabled", "disabled", "accepted", "pending",
            "SUPPORTED",
            "CURRENT", "DEPRECATED", "stable", "N/A",
        }
    ),
    "state": frozenset({"up", "down"}),
    "visibility": frozenset({"public", "private", "shared", "community"}),
    "binary": frozenset(
        {
            "nova-compute", "nova-scheduler", "nova-conductor", "cinder-volume", "cinder-scheduler",
            "cinder-backup",
        }
    ),
}  # fmt: skip
_KINDS = (
    (re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"), "<uuid>"),
    (re.compile(r"^[0-9a-f]{32}$"), "<hex32>"),
    (re.compile(r"^[0-9a-f]{56}$"), "<sha224>"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), "<time …sZ>"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"), "<time ….µsZ>"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$"), "<time ….µs>"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"), "<time …s>"),
    (re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"), "<time with a space>"),
    (re.compile(r"^\d+(\.\d+){3}$"), "<ipv4>"),
    (re.compile(r"^\d+(\.\d+){3}/\d+$"), "<ipv4 net>"),
    (re.compile(r"^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"), "<mac>"),
    (re.compile(r"^(?=.*::?.*:)[0-9a-f:]+$"), "<ipv6>"),
)
_NAMED = re.compile(r"^\{\w+\}$")
_TIME_INSIDE = re.compile(r"\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\dZ")
_UUID_INSIDE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
#: Neutron names these in the order of a Python set, which another process of it has otherwise.
_UNORDERED = re.compile(r"(?<=Unrecognized attribute\(s\) ')[^']+(?=')")
Table = dict[str, set[str]]


def said(answer: Answer) -> str:
    """What an error says, names that come in no order sorted; nothing where all is well."""
    body = answer.body
    if answer.status < 400 or not isinstance(body, dict):
        return ""
    error = next(iter(body.values())) if len(body) == 1 else body
    words = str(error.get("message", "")) if isinstance(error, dict) else str(error)
    return _UNORDERED.sub(lambda names: ", ".join(sorted(names[0].split(", "))), words)


def differences(lab: Answer, sim: Answer, *, exact: bool) -> Iterator[tuple[str, str]]:
    """Where the answers differ, and how."""
    if lab.status != sim.status:
        yield "status", f"{lab.status}, simulated {sim.status}: {sim.body if sim.status > 399 else lab.body}"
        return
    for name in HEADERS:
        one, two = _header(lab, name), _header(sim, name)
        if one != two:
            yield name, f"{one!r}, simulated {two!r}"
    for name in PRESENCE:
        if (name in lab.headers) != (name in sim.headers):
            yield name, f"{'there' if name in lab.headers else 'missing'}, simulated the other way"
    if lab.status == 204:
        return
    tables = (table(lab.body, exact=exact), table(sim.body, exact=exact))
    yield from _table_differences(*tables, exact=exact)


def _header(answer: Answer, name: str) -> str:
    value = answer.headers.get(name, "")
    if name == "content-type" and not answer.body:
        return ""  # the type of nothing
    if name == "allow":
        return ", ".join(sorted(value.replace(" ", "").split(",")))
    return _UUID_INSIDE.sub("<uuid>", value).lower().replace(" ", "")


def _table_differences(lab: Table, sim: Table, *, exact: bool) -> Iterator[tuple[str, str]]:
    for path in sorted(lab.keys() | sim.keys()):
        one, two = lab.get(path), sim.get(path)
        if one == two or (not exact and one and two and one & two):
            continue  # of things that the worlds have for themselves, not every kind of value is there
        if (one is None or two is None) and not _comparable(path, lab, sim):
            continue
        yield path, f"{_write(one)}, simulated {_write(two)}"


def _comparable(path: str, lab: Table, sim: Table) -> bool:
    """Whether what is above a path is there in both worlds; if not, that was told."""
    above = re.sub(r"(\[[^]]*\]|\.[^.\[]*)$", "", path)
    if not above:
        return True
    kinds = ("object", "list")
    return all(any(kind in world.get(above, ()) for kind in kinds) for world in (lab, sim))


def _write(kinds: set[str] | None) -> str:
    return " or ".join(sorted(kinds)) if kinds is not None else "missing"


def table(body: Any, *, exact: bool) -> Table:
    """The kinds of values in a body by path."""
    found: Table = {}
    _walk(body, "", "", found, exact)
    return found


def _walk(value: Any, path: str, key: str, found: Table, exact: bool) -> None:  # noqa: FBT001
    if isinstance(value, dict):
        found.setdefault(path, set()).add("object")
        for name, item in value.items():
            below = "*" if key in MAPS else _TYPE_QUOTA.sub(r"\1_*", name)
            _walk(item, f"{path}.{below}", name if key not in MAPS else key + "*", found, exact)
    elif isinstance(value, list):
        found.setdefault(path, set()).add("list" if value else "empty list")
        for item in value:
            _walk(item, f"{path}[{_which(item) if exact else ''}]", key, found, exact)
    else:
        found.setdefault(path, set()).add(_kind(value, key, path, exact))


def _which(item: Any) -> str:
    """What tells an element of a list from the others: the name that the scene gave to its id."""
    if isinstance(item, dict):
        for key in ("id", "rel", "member_id"):
            if isinstance(item.get(key), str) and (key == "rel" or item[key].startswith("{")):
                return str(item[key])
    return ""


def _kind(value: Any, key: str, path: str, exact: bool) -> str:  # noqa: FBT001, PLR0911
    if value is None or isinstance(value, bool):
        return ("null" if value is None else "true or false") if not exact or value is None else str(value)
    if isinstance(value, int | float):
        known = (exact and key not in FREE) or key in ALWAYS
        return f"{type(value).__name__}" + (f" {value}" if known else "")
    text = str(value)
    if text in WORDS.get(key, frozenset()) and not exact:
        return "<known word>"
    if _NAMED.match(text):
        hexadecimal = text.endswith(("_project}", "_user}"))
        return text if exact else "<hex32>" if hexadecimal else "<uuid>"
    for pattern, name in _KINDS:
        if pattern.match(text):
            return name
    if text.startswith("<") or "://" in text or key in {"href", "self", "file", "next", "first"}:
        text = re.sub(r"marker=[^&]+", "marker=<id>", text)  # which is the last depends on ids that are drawn
        text = _TIME_INSIDE.sub("<time>", text)  # of things that each world made at its own time
        return _UUID_INSIDE.sub("<uuid>", text) if exact else "<address>"
    if (exact and key not in FREE) or key in ALWAYS or path.endswith("NeutronError.type"):
        return _UUID_INSIDE.sub("<uuid>", text)
    return "text"
