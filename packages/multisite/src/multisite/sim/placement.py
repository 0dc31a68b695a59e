"""Placement's routes over the hosts that Nova's state keeps."""

from multisite.sim.compute.state import Host
from multisite.sim.compute.unified import CLASS
from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.routing import Routes
from multisite.sim.service import Microversions

ROUTES = Routes()
MICROVERSIONS = Microversions("placement", (1, 0), (1, 39), vary="openstack-api-version", strict=False)
#: What Nova says of every host.
TRAITS = ("COMPUTE_NODE", "COMPUTE_VOLUME_EXTEND", "COMPUTE_IMAGE_TYPE_QCOW2", "OWNER_NOVA")
OPEN_ROUTES = frozenset({"GET /"})


def versions_document() -> Json:
    """The one version of the API."""
    version = {
        "id": "v1.0",
        "max_version": "1.39",
        "min_version": "1.0",
        "status": "CURRENT",
        "links": [{"rel": "self", "href": ""}],
    }
    return {"versions": [version]}


@ROUTES.on("GET", "/")
def show_versions(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """The versions document."""
    return versions_document()


def versions(base: str) -> Answer:  # noqa: ARG001 - the same for all services
    """The versions document, as an answer."""
    return Answer(200, versions_document())


def _need_admin(call: Call) -> None:
    if not call.token.admin:
        raise Refusal(403, "Policy does not allow this request to be performed.")


def _host(call: Call) -> Host:
    _need_admin(call)
    host = call.region.compute.hosts.get(call.ids[0])
    if host is None:
        raise Refusal(404, f"No resource provider with uuid {call.ids[0]} found")
    return host


@ROUTES.on("GET", "/resource_providers")
def list_providers(call: Call) -> Json:
    """All providers; none has the trait that somebody asks for."""
    _need_admin(call)
    hosts = list(call.region.compute.hosts.values())
    if "required" in call.query:
        hosts = []
    if "name" in call.query:
        hosts = [host for host in hosts if host.name == call.one("name")]
    if "uuid" in call.query:
        hosts = [host for host in hosts if host.id == call.one("uuid")]
    return {"resource_providers": [_provider(call, host) for host in hosts]}


@ROUTES.on("GET", "/allocation_candidates")
def list_candidates(call: Call) -> Json:
    """Where there is room for `resources`, such as `VCPU:1,MEMORY_MB:512`."""
    _need_admin(call)
    wanted: dict[str, int] = {}
    for pair in call.one("resources").split(","):
        kind, _, amount = pair.partition(":")
        if not amount.isdigit() or int(amount) < 1:
            raise Refusal(400, f"Badly formed resources parameter: {pair!r}")
        wanted[kind] = int(amount)
    hosts = [host for host in call.region.compute.hosts.values() if host.offers(wanted) and host.fits(wanted)]
    requests = [
        {"allocations": {host.id: {"resources": wanted}}, "mappings": {"": [host.id]}} for host in hosts
    ]
    return {
        "allocation_requests": requests,
        "provider_summaries": {host.id: _summary(host) for host in hosts},
    }


def _summary(host: Host) -> Json:
    resources = {
        kind: {"capacity": int((total - reserved) * ratio), "used": host.used[kind]}
        for kind, (total, reserved, ratio) in host.inventory.items()
    }
    return {
        "resources": resources, "traits": [*TRAITS], "parent_provider_uuid": None,
        "root_provider_uuid": host.id,
    }  # fmt: skip


@ROUTES.on("GET", "/resource_providers/{uuid}")
def show_provider(call: Call) -> Json:
    """One provider."""
    return _provider(call, _host(call))


@ROUTES.on("GET", "/resource_providers/{uuid}/inventories")
def list_inventories(call: Call) -> Json:
    """What a provider has, per resource class."""
    host = _host(call)
    inventories = {
        kind: {
            "total": total, "reserved": reserved, "min_unit": 1, "max_unit": total, "step_size": 1,
            "allocation_ratio": ratio,
        }
        for kind, (total, reserved, ratio) in host.inventory.items()
    }  # fmt: skip
    return {"resource_provider_generation": host.generation, "inventories": inventories}


@ROUTES.on("GET", "/resource_providers/{uuid}/usages")
def show_usages(call: Call) -> Json:
    """What of a provider is allocated, per resource class."""
    host = _host(call)
    return {
        "resource_provider_generation": host.generation,
        "usages": {kind: host.used[kind] for kind in host.inventory},
    }


@ROUTES.on("GET", "/resource_providers/{uuid}/aggregates")
def list_aggregates(call: Call) -> Json:
    """The aggregates of a provider: none here."""
    host = _host(call)
    generation = {"resource_provider_generation": host.generation} if call.version >= (1, 19) else {}
    return {"aggregates": []} | generation


@ROUTES.on("GET", "/resource_providers/{uuid}/traits")
def list_traits(call: Call) -> Json:
    """The traits of a provider: those that all hosts have."""
    return {"resource_provider_generation": _host(call).generation, "traits": list(TRAITS)}


@ROUTES.on("GET", "/resource_providers/{uuid}/allocations")
def list_provider_allocations(call: Call) -> Json:
    """What each server has of a provider."""
    host, found = _host(call), dict[str, Json]()
    for server in call.region.compute.servers.values():
        if resources := server.allocations().get(host.id):
            found[server.id] = {"resources": resources}
    return {"allocations": found, "resource_provider_generation": host.generation}


@ROUTES.on("GET", "/allocations/{consumer}")
def list_allocations(call: Call) -> Json:
    """What a server has, by provider; nothing for one that nobody knows."""
    _need_admin(call)
    compute = call.region.compute
    server = compute.servers.get(call.ids[0])
    if server is None:
        return {"allocations": {}}
    allocations = {
        host_id: {"resources": resources, "generation": compute.hosts[host_id].generation}
        for host_id, resources in server.allocations().items()
    }
    more: Json = {}
    if call.version >= (1, 12):
        more |= {"project_id": server.project_id, "user_id": server.user_id}
    if call.version >= (1, 28):
        more["consumer_generation"] = 1
    return {"allocations": allocations} | more


@ROUTES.on("GET", "/usages")
def show_project_usages(call: Call) -> Json:
    """What a project has allocated, per resource class; each may ask for its own."""
    project_id = call.one("project_id")
    if not project_id:
        raise Refusal(400, "Invalid query string parameters: 'project_id' is a required property")
    if project_id != call.token.project_id:
        _need_admin(call)
    placed = call.region.compute.placed(project_id)
    usages = {name.removeprefix(CLASS): used for name, used in placed.items() if name.startswith(CLASS)}
    return {"usages": usages}


def _provider(call: Call, host: Host) -> Json:
    kinds = ["inventories", "usages", "aggregates", "traits"]
    if call.version >= (1, 11):
        kinds.append("allocations")
    body: Json = {
        "uuid": host.id,
        "name": host.name,
        "generation": host.generation,
        "links": [{"rel": "self", "href": f"/placement/resource_providers/{host.id}"}]
        + [{"rel": kind, "href": f"/placement/resource_providers/{host.id}/{kind}"} for kind in kinds],
    }
    if call.version >= (1, 14):
        body |= {"parent_provider_uuid": None, "root_provider_uuid": host.id}
    return body
