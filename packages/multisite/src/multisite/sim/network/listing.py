"""Neutron's listings: any attribute filters, `fields` chooses, pages are linked both ways."""

from multisite.sim.http import Call, Json, Refusal

_CONTROL = {"limit", "marker", "sort_key", "sort_dir", "fields", "page_reverse"}
_COMMON = frozenset(
    {
        "id", "name", "tenant_id", "project_id", "description", "created_at", "updated_at",
        "revision_number", "tags",
        "tags-any", "not-tags", "not-tags-any",
    }
)  # fmt: skip
#: What may be filtered by. `changed_since` is documented, and refused by the real one.
_FILTERS = {
    "networks": {
        "admin_state_up", "status", "shared", "mtu", "router:external", "subnets", "is_default",
        "ipv4_address_scope",
        "ipv6_address_scope", "provider:network_type", "provider:physical_network",
        "provider:segmentation_id",
        "availability_zone_hints", "port_security_enabled", "vlan_transparent", "qinq", "l2_adjacency",
    },
    "subnets": {
        "network_id", "ip_version", "cidr", "gateway_ip", "enable_dhcp", "subnetpool_id", "ipv6_ra_mode",
        "ipv6_address_mode", "segment_id", "router:external", "service_types", "shared",
    },
    "ports": {
        "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner", "fixed_ips",
        "security_groups", "binding:host_id", "binding:vnic_type", "binding:vif_type",
        "port_security_enabled",
        "ip_allocation",
    },
    "routers": {"admin_state_up", "status", "external_gateway_info", "flavor_id", "ha", "distributed"},
    "floatingips": {
        "floating_network_id", "floating_ip_address", "fixed_ip_address", "port_id", "router_id", "status",
    },
    "security_groups": {"stateful", "shared"},
    "security_group_rules": {
        "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
        "remote_ip_prefix", "remote_group_id", "remote_address_group_id", "belongs_to_default_sg",
        "normalized_cidr",
    },
    "subnetpools": {"prefixes", "default_prefixlen", "ip_version", "shared", "is_default",
    "address_scope_id"},
    "rbac_policies": {"object_id", "object_type", "action", "target_tenant", "target_project"},
}  # fmt: skip
_TRUE = {"true", "1", "yes", "on", "t"}


def listing(call: Call, key: str, items: list[Json]) -> Json:
    """One page of what the query's filters let through. Raises `Refusal` (400, 404)."""
    known = _COMMON | _FILTERS[key]
    if unknown := [name for name in call.query if name not in known | _CONTROL]:
        raise _bad(f"{unknown} is invalid attribute for filtering")
    found = _sorted(call, known, [item for item in items if _fits(call, item)])
    shown, links = _page(call, key, found)
    fields = call.query.get("fields")
    if fields:
        shown = [{name: item[name] for name in fields if name in item} for item in shown]
    return {key: shown} | links


def _bad(message: str) -> Refusal:
    return Refusal(400, message, kind="HTTPBadRequest")


def _sorted(call: Call, known: frozenset[str], found: list[Json]) -> list[Json]:
    keys, ways = call.query.get("sort_key", []), call.query.get("sort_dir", [])
    if len(keys) != len(ways):
        raise _bad("The number of sort_keys and sort_dirs must be same")
    if wrong := [key for key in keys if key not in known]:
        raise _bad(f"{wrong} is invalid attribute for sort keys")
    if wrong := [way for way in ways if way not in {"asc", "desc"}]:
        raise _bad(f"{wrong} is invalid value for sort_dirs, valid value is 'asc' and 'desc'")
    for key, way in reversed([*zip(keys, ways, strict=True), ("id", "asc")]):
        found = sorted(found, key=lambda item, by=key: str(item.get(by) or ""), reverse=way == "desc")  # type: ignore[misc]
    return found


def _fits(call: Call, item: Json) -> bool:
    for name, values in call.query.items():
        if name in _CONTROL:
            continue
        if name == "fixed_ips" and not _fits_addresses(values, item.get("fixed_ips") or []):
            return False
        if name in item and name != "fixed_ips" and not any(_equal(item[name], value) for value in values):
            return False
    return True


def _fits_addresses(values: list[str], held: list[Json]) -> bool:
    wanted = dict(value.partition("=")[::2] for value in values)
    return any(all(pair.get(key) == value for key, value in wanted.items()) for pair in held)


def _equal(held: object, asked: str) -> bool:
    if isinstance(held, bool):
        return held == (asked.lower() in _TRUE)
    return asked == ("" if held is None else str(held))


def _page(call: Call, key: str, found: list[Json]) -> tuple[list[Json], Json]:
    """One page and its links. Like the real one: a full page links on, and the first one back."""
    limit = _limit(call)
    if not limit:
        return found, {}  # the marker does not count then
    backwards = call.one("page_reverse").lower() in _TRUE
    ordered = found[::-1] if backwards else found
    marker, start = call.one("marker"), 0
    if marker:
        start = next((number for number, item in enumerate(ordered, 1) if item["id"] == marker), -1)
        if start < 0:
            raise Refusal(404, f"{_kind(key)} {marker} could not be found", kind=f"{_kind(key)}NotFound")
    shown = ordered[start : start + limit]
    full = len(shown) >= limit
    if backwards:
        shown.reverse()
    if key == "rbac_policies":
        return shown, {}
    rest = {name: values for name, values in call.query.items() if name not in {"marker", "page_reverse"}}
    links = []
    if full or backwards:
        query = rest | ({"marker": [shown[-1]["id"]]} if shown else {})
        links.append({"rel": "next", "href": call.url(call.path, query)})
    if full or not backwards:
        query = rest | ({"marker": [shown[0]["id"]]} if shown else {}) | {"page_reverse": ["True"]}
        links.append({"rel": "previous", "href": call.url(call.path, query)})
    return shown, {f"{key}_links": links}


def _limit(call: Call) -> int:
    text = call.one("limit", "0")
    if not text.isdigit():
        message = f"Bad limit request: Limit must be an integer 0 or greater and not '{text}'."
        raise Refusal(400, message, kind="BadRequest")
    return int(text)


def _kind(key: str) -> str:
    return {"floatingips": "FloatingIP", "subnetpools": "SubnetPool"}.get(
        key, "".join(part.capitalize() for part in key.rstrip("s").split("_"))
    )
