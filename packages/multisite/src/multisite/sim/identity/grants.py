"""Keystone's routes of roles: who has which one where."""

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin


def _grant(call: Call, target: str, user_id: str, role_id: str) -> Answer:
    """Give a user a role on a target, which is a project's id, `domain:ID` or `system`."""
    need_admin(call, "create_grant")
    keystone = keystone_of(call)
    keystone.get("users", user_id)
    keystone.get("roles", role_id)
    keystone.assignments.setdefault((user_id, target), set()).add(role_id)
    return Answer(204)


def _take_back(call: Call, target: str, user_id: str, role_id: str) -> Answer:
    """Take a user's role on a target away; his tokens end."""
    need_admin(call, "revoke_grant")
    held = keystone_of(call).assignments.get((user_id, target), set())
    if role_id not in held:
        raise Refusal(404, f"Could not find role assignment with role: {role_id}.")
    held.discard(role_id)
    keystone_of(call).revoke_all(user_id)
    return Answer(204)


@ROUTES.on("PUT", "/projects/{project_id}/users/{user_id}/roles/{role_id}")
def grant_project_role(call: Call) -> Answer:
    """Give a user a role in a project."""
    project_id, user_id, role_id = call.ids
    keystone_of(call).get("projects", project_id)
    return _grant(call, project_id, user_id, role_id)


@ROUTES.on("DELETE", "/projects/{project_id}/users/{user_id}/roles/{role_id}")
def revoke_project_role(call: Call) -> Answer:
    """Take a user's role in a project away."""
    project_id, user_id, role_id = call.ids
    return _take_back(call, project_id, user_id, role_id)


@ROUTES.on("PUT", "/domains/{domain_id}/users/{user_id}/roles/{role_id}")
def grant_domain_role(call: Call) -> Answer:
    """Give a user a role in a domain."""
    domain_id, user_id, role_id = call.ids
    keystone_of(call).get("domains", domain_id)
    return _grant(call, f"domain:{domain_id}", user_id, role_id)


@ROUTES.on("PUT", "/system/users/{user_id}/roles/{role_id}")
def grant_system_role(call: Call) -> Answer:
    """Give a user a role on the system."""
    user_id, role_id = call.ids
    return _grant(call, "system", user_id, role_id)


@ROUTES.on("GET", "/role_assignments")
def list_role_assignments(call: Call) -> Json:
    """Who has which role where."""
    need_admin(call, "list_role_assignments")
    found = []
    for (user_id, target), roles in keystone_of(call).assignments.items():
        if call.one("user.id", user_id) != user_id or call.one("scope.project.id", target) != target:
            continue
        scope: Json = {"system": {"all": True}} if target == "system" else {"project": {"id": target}}
        below = "system" if target == "system" else f"projects/{target}"
        found += [
            {
                "links": {"assignment": f"{call.base}/{below}/users/{user_id}/roles/{role}"},
                "scope": scope, "role": {"id": role}, "user": {"id": user_id},
            }
            for role in sorted(roles)
        ]  # fmt: skip
    return {"role_assignments": found, "links": links_of(call)}
