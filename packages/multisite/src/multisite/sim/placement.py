"""Placement's routes over the hosts that Nova's state keeps."""

from multisite.sim.compute.state import Host
from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.routing import Routes
from multisite.sim.service import Microversions

ROUTES = Routes()
MICROVERSIONS = Microversions("placement", (1, 0), (1, 39), vary="openstack-api-version", strict=False)
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
    """All providers; none has a trait."""
    _need_admin(call)
    hosts = list(call.region.compute.hosts.values())
    if "required" in call.query:
        hosts = []
    if "name" in call.query:
        hosts = [host for host in hosts if host.name == call.one("name")]
    if "uuid" in call.query:
        hosts = [host for host in hosts if host.id == call.one("uuid")]
    return {"resource_providers": [_provider(call, host) for host in hosts]}


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
    return {"resource_provider_generation": _host(call).generation, "aggregates": []}


@ROUTES.on("GET", "/resource_providers/{uuid}/traits")
def list_traits(call: Call) -> Json:
    """The traits of a provider: none here."""
    return {"resource_provider_generation": _host(call).generation, "traits": []}


def _provider(call: Call, host: Host) -> Json:
    kinds = ("inventories", "usages", "aggregates", "traits")
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
