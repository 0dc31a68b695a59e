"""Nova's routes: hosts and flavors. Those of servers, keypairs, groups and quotas are beside this module."""

from multisite.sim.compute.checks import FLAVOR_SORT_KEYS, check_sorting
from multisite.sim.compute.state import Flavor
from multisite.sim.compute.wire import aggregate_json, flavor_json, hypervisor_json, links, service_json
from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.paging import next_link, page
from multisite.sim.routing import Routes
from multisite.sim.service import Microversions

ROUTES = Routes()
MICROVERSIONS = Microversions(
    "compute", (2, 1), (2, 104), vary="OpenStack-API-Version, X-OpenStack-Nova-API-Version"
)


def need_admin(call: Call, rule: str) -> None:
    """Raise `Refusal` (403) unless the token is an administrator's."""
    if not call.token.admin:
        raise Refusal(403, f"Policy doesn't allow {rule} to be performed.")


def versions(base: str) -> Answer:
    """The versions of the API."""
    return Answer(
        200,
        {
            "versions": [
                {
                    "id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": "",
                    "updated": "2025-07-04T12:00:00Z", "links": [{"rel": "self", "href": f"{base}/v2/"}],
                },
                _version(f"{base}/v2.1"),
            ]
        },
    )  # fmt: skip


def _version(base: str) -> Json:
    return {
        "id": "v2.1", "status": "CURRENT", "version": "2.104", "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", "href": f"{base}/"}],
    }  # fmt: skip


@ROUTES.on("GET", "/")
def show_version(call: Call) -> Json:
    """The document of version 2.1."""
    described = {"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"}
    media = {
        "base": "application/json",
        "type": "application/vnd.openstack.compute+json;version=2.1",
    }
    version = _version(call.base)
    return {"version": version | {"links": [*version["links"], described], "media-types": [media]}}


# -- hosts -----------------------------------------------------------------------------------------------


@ROUTES.on("GET", "/os-services")
def list_services(call: Call) -> Json:
    """All nova services."""
    need_admin(call, "os_compute_api:os-services:list")
    return {"services": _services(call)}


def _services(call: Call) -> list[Json]:
    region, now = call.region, call.region.now("compute")
    control: list[Json] = [
        {
            "binary": binary,
            "host": f"{region.name}-control",
            "id": region.keystone.fixed_id(region.name, binary),
        }
        for binary in ("nova-scheduler", "nova-conductor")
    ]
    rows = [
        item | {"zone": "internal", "enabled": True, "up": True, "seen": now, "reason": None}
        for item in control
    ]
    rows += [
        {
            "binary": "nova-compute", "host": host.name, "id": host.service_id, "zone": host.zone,
            "enabled": host.enabled, "up": host.up, "seen": now if host.up else now - 3600,
            "reason": host.disabled_reason,
        }
        for host in region.compute.hosts.values()
    ]  # fmt: skip
    return [service_json(row) for row in rows]


@ROUTES.on("PUT", "/os-services/{service_id}")
def update_service(call: Call) -> Json:
    """Enable or disable a compute service."""
    need_admin(call, "os_compute_api:os-services:update")
    for host in call.region.compute.hosts.values():
        if host.service_id == call.ids[0]:
            host.enabled = call.body.get("status", "enabled") == "enabled"
            host.disabled_reason = call.body.get("disabled_reason") if not host.enabled else None
            host.up = not call.body.get("forced_down", not host.up)
            return {"service": next(row for row in _services(call) if row["id"] == host.service_id)}
    raise Refusal(404, f"Service {call.ids[0]} could not be found.")


@ROUTES.on("GET", "/os-hypervisors/detail")
def list_hypervisors(call: Call) -> Json:
    """All hypervisors in detail."""
    need_admin(call, "os_compute_api:os-hypervisors:list-detail")
    shown, more = page(call, list(call.region.compute.hosts.values()))
    body: Json = {"hypervisors": [hypervisor_json(host) for host in shown]}
    return body | (next_link(call, "hypervisors", shown[-1].id) if more else {})


@ROUTES.on("GET", "/os-aggregates")
def list_aggregates(call: Call) -> Json:
    """All host aggregates."""
    need_admin(call, "os_compute_api:os-aggregates:index")
    return {"aggregates": [aggregate_json(item) for item in call.region.compute.aggregates.values()]}


@ROUTES.on("POST", "/os-aggregates")
def create_aggregate(call: Call) -> Json:
    """A host aggregate, without hosts."""
    need_admin(call, "os_compute_api:os-aggregates:create")
    wanted = call.part("aggregate")
    made = call.region.compute.create_aggregate(str(wanted.get("name")), wanted.get("availability_zone"))
    body = aggregate_json(made)
    del body["hosts"], body["metadata"]
    return {"aggregate": body}


@ROUTES.on("POST", "/os-aggregates/{aggregate_id}/action")
def act_on_aggregate(call: Call) -> Json:
    """Put a host into an aggregate."""
    need_admin(call, "os_compute_api:os-aggregates:add_host")
    compute = call.region.compute
    aggregate = compute.aggregates.get(int(call.ids[0]) if call.ids[0].isdigit() else 0)
    if aggregate is None:
        raise Refusal(404, f"Aggregate {call.ids[0]} could not be found.")
    name = str(call.part("add_host").get("host"))
    host = next((item for item in compute.hosts.values() if item.name == name), None)
    if host is None:
        raise Refusal(404, f"Compute host {name} could not be found.")
    if host in aggregate.hosts:
        raise Refusal(409, f"Cannot add host {name} in aggregate {aggregate.id}: host exists")
    aggregate.add(host)
    return {"aggregate": aggregate_json(aggregate)}


@ROUTES.on("GET", "/os-availability-zone")
def list_zones(call: Call) -> Json:
    """The zones that have a host."""
    zones = sorted({host.zone for host in call.region.compute.hosts.values()})
    return {
        "availabilityZoneInfo": [
            {"zoneName": zone, "zoneState": {"available": True}, "hosts": None} for zone in zones
        ]
    }


# -- flavors ---------------------------------------------------------------------------------------------


def _flavors(call: Call) -> list[Flavor]:
    check_sorting(call, FLAVOR_SORT_KEYS)
    key = FLAVOR_SORT_KEYS[call.one("sort_key", "flavorid")]
    flavors = sorted(
        call.region.compute.flavors.values(), key=lambda item: (getattr(item, key), item.id),
        reverse=call.one("sort_dir", "asc") == "desc",
    )  # fmt: skip
    wanted = call.one("is_public")
    if not call.token.admin or wanted == "":
        own = call.token.project_id
        return [item for item in flavors if item.public or own in item.access]
    if wanted.lower() == "none":
        return flavors
    return [item for item in flavors if item.public == (wanted.lower() in {"true", "1", "t", "yes"})]


@ROUTES.on("GET", "/flavors")
def list_flavors(call: Call) -> Json:
    """The flavors that the project may use: names and ids."""
    shown, more = page(call, _flavors(call))
    items = []
    for flavor in shown:
        item: Json = {"id": flavor.id, "name": flavor.name, "links": links(call, "flavors", flavor.id)}
        items.append(item | ({"description": None} if call.version >= (2, 55) else {}))
    return {"flavors": items} | (next_link(call, "flavors", shown[-1].id) if more else {})


@ROUTES.on("GET", "/flavors/detail")
def list_flavors_in_detail(call: Call) -> Json:
    """The flavors that the project may use."""
    shown, more = page(call, _flavors(call))
    body: Json = {"flavors": [flavor_json(call, flavor) for flavor in shown]}
    return body | (next_link(call, "flavors", shown[-1].id) if more else {})


@ROUTES.on("GET", "/flavors/{flavor_id}")
def show_flavor(call: Call) -> Json:
    """One flavor."""
    project = None if call.token.admin else call.token.project_id
    return {"flavor": flavor_json(call, call.region.compute.flavor(call.ids[0], project))}


@ROUTES.on("POST", "/flavors")
def create_flavor(call: Call) -> Json:
    """A flavor; its name and id must be new."""
    wanted, compute = call.part("flavor"), call.region.compute
    flavor_id = str(wanted.get("id") or call.region.new_id())
    name = str(wanted.get("name") or "")
    for size in ("vcpus", "ram", "disk"):
        if not str(wanted.get(size, "")).isdigit():
            raise Refusal(400, f"Invalid input for field/attribute {size}. Value: {wanted.get(size)}.")
    need_admin(call, "os_compute_api:os-flavor-manage:create")
    for item in compute.flavors.values():
        if item.name == name:
            raise Refusal(409, f"Flavor with name {name} already exists.")
        if item.id == flavor_id:
            raise Refusal(409, f"Flavor with ID {flavor_id} already exists.")
    public = bool(wanted.get("os-flavor-access:is_public", True))
    vcpus, ram, disk = (int(wanted[size]) for size in ("vcpus", "ram", "disk"))
    compute.flavors[flavor_id] = flavor = Flavor(flavor_id, name, vcpus, ram, disk, public=public)
    return {"flavor": flavor_json(call, flavor)}


@ROUTES.on("DELETE", "/flavors/{flavor_id}")
def delete_flavor(call: Call) -> Answer:
    """Delete a flavor; servers of it go on."""
    need_admin(call, "os_compute_api:os-flavor-manage:delete")
    call.region.compute.flavor(call.ids[0])
    del call.region.compute.flavors[call.ids[0]]
    return Answer(202)


@ROUTES.on("GET", "/flavors/{flavor_id}/os-extra_specs")
def list_extra_specs(call: Call) -> Json:
    """The extra specs of a flavor."""
    project = None if call.token.admin else call.token.project_id
    return {"extra_specs": dict(call.region.compute.flavor(call.ids[0], project).extra_specs)}


@ROUTES.on("POST", "/flavors/{flavor_id}/os-extra_specs")
def create_extra_specs(call: Call) -> Json:
    """Add extra specs to a flavor."""
    need_admin(call, "os_compute_api:os-flavor-extra-specs:create")
    specs = call.part("extra_specs")
    call.region.compute.flavor(call.ids[0]).extra_specs.update(
        {str(key): str(value) for key, value in specs.items()}
    )
    return {"extra_specs": specs}


@ROUTES.on("GET", "/flavors/{flavor_id}/os-flavor-access")
def list_flavor_access(call: Call) -> Json:
    """The projects that see a private flavor."""
    need_admin(call, "os_compute_api:os-flavor-access")
    flavor = call.region.compute.flavor(call.ids[0])
    if flavor.public:
        raise Refusal(404, "Access list not available for public flavors.")
    return {"flavor_access": [{"flavor_id": flavor.id, "tenant_id": item} for item in sorted(flavor.access)]}


@ROUTES.on("POST", "/flavors/{flavor_id}/action")
def change_flavor_access(call: Call) -> Json:
    """Show a private flavor to a project, or hide it again."""
    need_admin(call, "os_compute_api:os-flavor-access:add_tenant_access")
    flavor = call.region.compute.flavor(call.ids[0])
    if "addTenantAccess" in call.body:
        flavor.access.add(str(call.part("addTenantAccess").get("tenant")))
    else:
        flavor.access.discard(str(call.part("removeTenantAccess").get("tenant")))
    return {"flavor_access": [{"flavor_id": flavor.id, "tenant_id": item} for item in sorted(flavor.access)]}
