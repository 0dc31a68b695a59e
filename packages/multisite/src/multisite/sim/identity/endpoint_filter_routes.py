"""Keystone's routes of the endpoint filter: endpoints and endpoint groups that projects are confined to."""

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin, public

_GROUPS = "OS-EP-FILTER/endpoint_groups"
_WORDS = {"name", "description", "filters"}
_FILTERS = ("service_id", "region_id", "interface")


@ROUTES.on("GET", "/OS-EP-FILTER/projects/{project_id}/endpoints")
def list_endpoints(call: Call) -> Json:
    """The endpoints that a project is confined to, those of its groups included."""
    need_admin(call, "list_endpoints_for_project")
    keystone = keystone_of(call)
    project = keystone.get("projects", call.ids[0])
    found = keystone.filter.allowed(project["id"], keystone.collections["endpoints"])
    return {
        "endpoints": [public(call, "endpoints", each) for each in found.values()],
        "links": links_of(call),
    }


@ROUTES.on("PUT", "/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}")
def add_endpoint(call: Call) -> Answer:
    """Confine a project to an endpoint, and to those that it has already."""
    need_admin(call, "add_endpoint_to_project")
    project_id, endpoint_id = _association(call)
    keystone_of(call).filter.confine(project_id, endpoint_id)
    return Answer(204)


@ROUTES.on("GET", "/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}")
def check_endpoint(call: Call) -> Answer:
    """Whether a project is confined to an endpoint by itself."""
    need_admin(call, "check_endpoint_in_project")
    project_id, endpoint_id = _association(call)
    if endpoint_id not in keystone_of(call).filter.endpoints_of.get(project_id, ()):
        raise Refusal(404, f"Endpoint {endpoint_id} not found in project {project_id}")
    return Answer(204)


@ROUTES.on("DELETE", "/OS-EP-FILTER/projects/{project_id}/endpoints/{endpoint_id}")
def remove_endpoint(call: Call) -> Answer:
    """Take an endpoint from a project; with the last one it is confined no more."""
    need_admin(call, "remove_endpoint_from_project")
    keystone_of(call).filter.release(*call.ids)
    return Answer(204)


def _association(call: Call) -> tuple[str, str]:
    """The ids of a project and an endpoint that are there. Raises `Refusal` (404)."""
    project_id, endpoint_id = call.ids
    keystone = keystone_of(call)
    keystone.get("endpoints", endpoint_id)
    keystone.get("projects", project_id)
    return project_id, endpoint_id


# -- groups ----------------------------------------------------------------------------------------------


@ROUTES.on("GET", "/OS-EP-FILTER/projects/{project_id}/endpoint_groups")
def list_groups_of_project(call: Call) -> Json:
    """The groups that a project is confined to."""
    need_admin(call, "list_endpoint_groups_for_project")
    keystone = keystone_of(call)
    project = keystone.get("projects", call.ids[0])
    held = sorted(keystone.filter.groups_of.get(project["id"], ()))
    return {
        "endpoint_groups": [public(call, _GROUPS, keystone.filter.group(each)) for each in held],
        "links": links_of(call),
    }


@ROUTES.on("GET", "/OS-EP-FILTER/endpoint_groups")
def list_groups(call: Call) -> Json:
    """All groups."""
    need_admin(call, "list_endpoint_groups")
    groups = keystone_of(call).filter.groups.values()
    found = [each for each in groups if call.one("name", each["name"]) == each["name"]]
    return {"endpoint_groups": [public(call, _GROUPS, each) for each in found], "links": links_of(call)}


@ROUTES.on("POST", "/OS-EP-FILTER/endpoint_groups")
def create_group(call: Call) -> Answer:
    """Make a group of the endpoints that fit its filters."""
    wanted = _wanted_group(call)
    need_admin(call, "create_endpoint_group")
    _check_filters(wanted["filters"])
    keystone = keystone_of(call)
    made = keystone.filter.add_group({"description": None} | wanted | {"id": keystone.new_id()})
    return Answer(201, {"endpoint_group": public(call, _GROUPS, made)})


@ROUTES.on("GET", "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}")
def show_group(call: Call) -> Json:
    """One group."""
    need_admin(call, "get_endpoint_group")
    return {"endpoint_group": public(call, _GROUPS, keystone_of(call).filter.group(call.ids[0]))}


@ROUTES.on("DELETE", "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}")
def delete_group(call: Call) -> Answer:
    """Forget a group; its projects are confined to it no more."""
    need_admin(call, "delete_endpoint_group")
    keystone_of(call).filter.drop_group(call.ids[0])
    return Answer(204)


@ROUTES.on("PUT", "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}")
def add_group(call: Call) -> Answer:
    """Confine a project to the endpoints of a group."""
    need_admin(call, "add_endpoint_group_to_project")
    group_id, project_id = _membership(call)
    keystone_of(call).filter.confine_to_group(project_id, group_id)
    return Answer(204)


@ROUTES.on("DELETE", "/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}")
def remove_group(call: Call) -> Answer:
    """Take a group from a project."""
    need_admin(call, "remove_endpoint_group_from_project")
    group_id, project_id = _membership(call)
    keystone_of(call).filter.release_from_group(project_id, group_id)
    return Answer(204)


def _membership(call: Call) -> tuple[str, str]:
    """The ids of a group and a project that are there. Raises `Refusal` (404)."""
    group_id, project_id = call.ids
    keystone = keystone_of(call)
    keystone.get("projects", project_id)
    keystone.filter.group(group_id)
    return group_id, project_id


def _wanted_group(call: Call) -> Json:
    """The group that is to be made. Raises `Refusal` (400)."""
    # Keystone takes a body without a group, and misses the filters only afterwards.
    wanted = call.body.get("endpoint_group", {"name": "", "filters": {}})
    if not isinstance(wanted, dict):
        raise _invalid("endpoint_group", wanted, f"{wanted!r} is not of type 'object'")
    for key in ("name", "filters"):
        if key not in wanted:
            raise _invalid("endpoint_group", wanted, f"'{key}' is a required property")
    if unknown := sorted(set(wanted) - _WORDS):
        why = f"Additional properties are not allowed ('{unknown[0]}' was unexpected)"
        raise _invalid("endpoint_group", wanted, why)
    filters = wanted["filters"]
    if not isinstance(filters, dict):
        raise _invalid("filters", filters, f"{filters!r} is not of type 'object'")
    return dict(wanted)


def _check_filters(filters: Json) -> None:
    if not filters:
        raise Refusal(400, "filters field is required and cannot be empty")
    if not set(filters) <= set(_FILTERS):
        raise Refusal(
            400,
            f"Expecting to find {' or '.join(_FILTERS)} in endpoint_group. The server could not comply with "
            "the request since it is either malformed or otherwise incorrect. The client is assumed to be "
            "in error.",
        )


def _invalid(key: str, value: object, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. {why}")
