"""Neutron's routes: one set for all kinds, and what only some of them have."""

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.network.listing import listing
from multisite.sim.network.making import MAKERS, SETTABLE
from multisite.sim.network.model import FloatingIp, Item, Net, Port, Router, SecurityGroup, Subnet
from multisite.sim.network.seeing import find, sees, state_of
from multisite.sim.network.wire import availability_json, to_json
from multisite.sim.routing import Routes

ROUTES = Routes()
#: The collection in the path, the key of a listing, and the kind.
KINDS = {
    "networks": ("networks", "network"),
    "subnets": ("subnets", "subnet"),
    "ports": ("ports", "port"),
    "routers": ("routers", "router"),
    "floatingips": ("floatingips", "floatingip"),
    "security-groups": ("security_groups", "security_group"),
    "security-group-rules": ("security_group_rules", "security_group_rule"),
    "subnetpools": ("subnetpools", "subnetpool"),
    "rbac-policies": ("rbac_policies", "rbac_policy"),
}
EXTENSIONS = (
    "router", "external-net", "security-group", "quotas", "quota_details", "quota-check-limit",
    "quota-check-limit-default", "network-ip-availability",
    "network-ip-availability-details", "standard-attr-timestamp", "standard-attr-revisions",
    "subnet_allocation",
    "rbac-policies", "sorting", "pagination", "binding", "provider", "project-id", "address-scope",
)  # fmt: skip


def versions(base: str) -> Answer:
    """The one version of the API."""
    version = {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": f"{base}/v2.0/"}]}
    return Answer(200, {"versions": [version]})


@ROUTES.on("GET", "/")
def show_version(call: Call) -> Json:
    """The collections of the API."""
    rows = [
        {"name": kind, "collection": key, "links": [{"rel": "self", "href": call.url(f"/{path}")}]}
        for path, (key, kind) in KINDS.items()
    ]
    return {"resources": rows}


@ROUTES.on("GET", "/extensions")
def list_extensions(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """The extensions that the simulator has."""
    rows = [
        {
            "alias": alias,
            "name": alias,
            "description": "",
            "updated": "2015-01-01T10:00:00-00:00",
            "links": [],
        }
        for alias in EXTENSIONS
    ]
    return {"extensions": rows}


def _json(call: Call, kind: str, item: Item) -> Json:
    return to_json(state_of(call), kind, item, project_id=call.token.project_id, admin=call.token.admin)


def _list(call: Call, path: str) -> Json:
    key, kind = KINDS[path]
    if kind == "security_group" and not call.token.admin and call.token.project_id:
        state_of(call).default_group(call.token.project_id)
    items = [_json(call, kind, item) for item in state_of(call).collection(kind).values() if sees(call, item)]
    for item in items:
        for rule in item.get("security_group_rules", ()):
            rule["belongs_to_default_sg"] = None  # Neutron knows when one group is shown
    return listing(call, key, items)


def _show(call: Call, path: str) -> Json:
    _, kind = KINDS[path]
    body = _json(call, kind, find(call, kind, call.ids[0]))
    fields = call.query.get("fields")
    return {kind: {name: body[name] for name in fields if name in body} if fields else body}


def _wanted(call: Call, kind: str) -> Json:
    wanted = call.body.get(kind)
    if not isinstance(wanted, dict):
        raise Refusal(400, f"Unable to find '{kind}' in request body", kind="HTTPBadRequest")
    return wanted


def _owner(call: Call, wanted: Json) -> str:
    owner = str(wanted.get("project_id") or wanted.get("tenant_id") or call.token.project_id)
    if owner != call.token.project_id and not call.token.admin:
        raise Refusal(
            400,
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project "
            "in request requires admin privileges",
            kind="HTTPBadRequest",
        )
    if not {"member", "admin"} & set(call.token.roles):
        raise Refusal(403, "rule:create is disallowed by policy", kind="PolicyNotAuthorized")
    return owner


def _create(call: Call, path: str) -> Answer:
    _, kind = KINDS[path]
    wanted = _wanted(call, kind)
    if unknown := sorted(set(wanted) - SETTABLE[kind]):
        raise Refusal(400, f"Unrecognized attribute(s) '{unknown[0]}'", kind="HTTPBadRequest")
    item = MAKERS[kind](call, wanted, _owner(call, wanted))
    more: Json = {"is_default": False} if kind == "network" else {}
    return Answer(201, {kind: _json(call, kind, item) | more})


def _update(call: Call, path: str) -> Json:
    _, kind = KINDS[path]
    wanted, state = _wanted(call, kind), state_of(call)
    item = find(call, kind, call.ids[0], to_write=True)
    if "name" in wanted:
        item.name = str(wanted["name"])
    if "description" in wanted:
        item.description = str(wanted["description"])
    if isinstance(item, Router) and "external_gateway_info" in wanted:
        gateway = wanted["external_gateway_info"] or {}
        state.set_gateway(item.id, gateway.get("network_id"))
    if isinstance(item, FloatingIp) and "port_id" in wanted:
        port_id = wanted["port_id"]
        if port_id:
            find(call, "port", str(port_id))
        state.associate(item, port_id, wanted.get("fixed_ip_address"))
    if isinstance(item, Port) and "security_groups" in wanted:
        item.security_groups = [str(group) for group in wanted["security_groups"]]
    if isinstance(item, Net | Router | Port) and "admin_state_up" in wanted:
        item.up = bool(wanted["admin_state_up"])
    state.touch(item)
    return {kind: _json(call, kind, item)}


def _delete(call: Call, path: str) -> Answer:
    _, kind = KINDS[path]
    state = state_of(call)
    item = find(call, kind, call.ids[0], to_write=True)
    match item:
        case Net():
            state.delete_network(item)
        case Subnet():
            state.delete_subnet(item)
        case Port():
            if item.device_owner.startswith("network:"):
                raise Refusal(
                    409,
                    f"Port {item.id} cannot be deleted directly via the port API: "
                    f"has device owner {item.device_owner}.",
                    kind="ServicePortInUse",
                )
            state.delete_port(item)
        case Router():
            state.delete_router(item)
        case FloatingIp():
            state.delete_floating_ip(item)
        case SecurityGroup():
            state.delete_group(item)
        case _:
            del state.collection(kind)[item.id]
    return Answer(204)


def _register(path: str) -> None:
    one = f"/{path}/{{id}}"
    ROUTES.add("GET", f"/{path}", lambda call: _list(call, path))
    ROUTES.add("POST", f"/{path}", lambda call: _create(call, path))
    ROUTES.add("GET", one, lambda call: _show(call, path))
    ROUTES.add("PUT", one, lambda call: _update(call, path))
    ROUTES.add("DELETE", one, lambda call: _delete(call, path))


for _path in KINDS:
    _register(_path)


@ROUTES.on("PUT", "/routers/{router_id}/add_router_interface")
def add_router_interface(call: Call) -> Json:
    """Connect a router to a subnet."""
    router = find(call, "router", call.ids[0], to_write=True)
    return _interface(router, state_of(call).add_interface(router.id, _subnet_of_interface(call)))


@ROUTES.on("PUT", "/routers/{router_id}/remove_router_interface")
def remove_router_interface(call: Call) -> Json:
    """Disconnect a router from a subnet."""
    router = find(call, "router", call.ids[0], to_write=True)
    return _interface(router, state_of(call).remove_interface(router.id, _subnet_of_interface(call)))


def _subnet_of_interface(call: Call) -> str:
    """The id of the subnet that a request names, itself or by a port. Raises `Refusal` (400, 404)."""
    if call.body.get("port_id"):
        port = find(call, "port", str(call.body["port_id"]))
        return port.fixed_ips[0][0] if isinstance(port, Port) and port.fixed_ips else ""
    if not call.body.get("subnet_id"):
        raise Refusal(
            400, "Bad router request: Either subnet_id or port_id must be specified.", kind="BadRequest"
        )
    return find(call, "subnet", str(call.body["subnet_id"])).id


def _interface(router: Item, port: Port) -> Json:
    subnets = [subnet_id for subnet_id, _ in port.fixed_ips]
    return {
        "id": router.id, "project_id": router.project_id, "port_id": port.id, "network_id": port.network_id,
        "subnet_id": subnets[0], "subnet_ids": subnets,
    }  # fmt: skip


@ROUTES.on("GET", "/network-ip-availabilities")
def list_availabilities(call: Call) -> Json:
    """Addresses in all and used, per network; tenants are told of none."""
    state = state_of(call)
    networks = list(state.networks.values()) if call.token.admin else []
    wanted = call.query.get("network_id")
    networks = [network for network in networks if not wanted or network.id in wanted]
    return {"network_ip_availabilities": [availability_json(state, network) for network in networks]}


@ROUTES.on("GET", "/network-ip-availabilities/{network_id}")
def show_availability(call: Call) -> Json:
    """The same for one network."""
    state = state_of(call)
    network = state.networks.get(call.ids[0])
    if network is None:
        raise state.missing("network", call.ids[0])
    if not call.token.admin:
        raise Refusal(404, "The resource could not be found.", kind="HTTPNotFound")
    return {"network_ip_availability": availability_json(state, network)}
