"""Nova's server groups: they are counted, and so are their members; where servers go does not follow them."""

from multisite.sim.compute.checks import check_name
from multisite.sim.compute.limits import ServerGroup
from multisite.sim.compute.routes import ROUTES
from multisite.sim.http import Answer, Call, Json, Refusal

_POLICIES = ("anti-affinity", "affinity", "soft-anti-affinity", "soft-affinity")
#: Since then a group has one policy, with rules.
_ONE_POLICY = (2, 64)
_WITH_OWNER = (2, 13)


def _shown(call: Call, group: ServerGroup) -> Json:
    body: Json = {"id": group.id, "name": group.name, "members": list(group.members)}
    if call.version >= _ONE_POLICY:
        body |= {"policy": group.policy, "rules": {}}
    else:
        body |= {"policies": [group.policy], "metadata": {}}
    if call.version >= _WITH_OWNER:
        body |= {"project_id": group.project_id, "user_id": group.user_id}
    return body


def find_group(call: Call, group_id: str) -> ServerGroup | None:
    """A group that the caller may use."""
    group = call.region.compute.server_groups.get(group_id)
    return group if group and (call.token.admin or group.project_id == call.token.project_id) else None


def _group(call: Call) -> ServerGroup:
    group = find_group(call, call.ids[0])
    if group is None:
        raise Refusal(404, f"Instance group {call.ids[0]} could not be found.")
    return group


@ROUTES.on("GET", "/os-server-groups")
def list_groups(call: Call) -> Json:
    """The groups of a project."""
    everywhere = call.token.admin and "all_projects" in call.query
    groups = [
        _shown(call, group)
        for group in call.region.compute.server_groups.values()
        if everywhere or group.project_id == call.token.project_id
    ]
    return {"server_groups": groups}


@ROUTES.on("GET", "/os-server-groups/{group_id}")
def show_group(call: Call) -> Json:
    """One group."""
    return {"server_group": _shown(call, _group(call))}


@ROUTES.on("POST", "/os-server-groups")
def create_group(call: Call) -> Json:
    """A group without members. Raises `Refusal`: no such policy (400), over quota (403)."""
    wanted, compute, token = call.part("server_group"), call.region.compute, call.token
    key = "policy" if call.version >= _ONE_POLICY else "policies"
    for needed in ("name", key):
        if needed not in wanted:
            raise Refusal(
                400,
                f"Invalid input for field/attribute server_group. Value: {wanted}. "
                f"'{needed}' is a required property",
            )
    name = check_name(wanted["name"])
    policy = wanted[key][0] if key == "policies" and wanted[key] else wanted[key]
    if policy not in _POLICIES:
        raise Refusal(
            400,
            f"Invalid input for field/attribute {key}. Value: {policy}. "
            f"{policy!r} is not one of {list(_POLICIES)}",
        )
    if not {"member", "admin"} & set(token.roles):
        raise Refusal(403, "Policy doesn't allow os_compute_api:os-server-groups:create to be performed.")
    used = compute.shown_use(token.project_id)["server_groups"]
    compute.check_number(
        token.project_id, token.user_id, "server_groups", used=used, delta=1,
        why="Quota exceeded, too many server groups.",
    )  # fmt: skip
    made = ServerGroup(call.region.new_id(), name, policy, token.project_id, token.user_id)
    compute.server_groups[made.id] = made
    return {"server_group": _shown(call, made)}


@ROUTES.on("DELETE", "/os-server-groups/{group_id}")
def delete_group(call: Call) -> Answer:
    """End a group; its servers go on."""
    del call.region.compute.server_groups[_group(call).id]
    return Answer(204)
