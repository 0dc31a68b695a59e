"""Neutron's routes of quotas.

Neutron takes limits for projects that nobody knows. A limit below what is used is refused unless `force`
is true; `check_limit` means nothing since that is so.
"""

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.limits import MOST, UNLIMITED
from multisite.sim.network.items import QUOTA
from multisite.sim.network.routes import ROUTES
from multisite.sim.network.seeing import state_of
from multisite.sim.writes import quota_written


def _need(call: Call, rule: str) -> None:
    """Refuse (403) who is no administrator."""
    if not call.token.admin:
        raise Refusal(403, f"rule:{rule} is disallowed by policy", kind="PolicyNotAuthorized")


def _owner(call: Call) -> str:
    """The project that a path names, for itself and for administrators."""
    if call.ids[0] != call.token.project_id:
        _need(call, "get_quota")
    return call.ids[0]


@ROUTES.on("GET", "/quotas")
def list_quotas(call: Call) -> Json:
    """The limits of all projects that have some of their own."""
    _need(call, "get_quota")
    state = state_of(call)
    rows = [
        {**state.limits(item), "project_id": item, "tenant_id": item}
        for item, own in state.quotas.items()
        if own
    ]
    return {"quotas": rows}


@ROUTES.on("POST", "/quotas")
def make_quota(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """There is nothing to make."""
    message = "POST requests are not supported on this resource."
    raise Refusal(501, message, kind="HTTPNotImplemented")


@ROUTES.on("GET", "/quotas/tenant")
def show_tenant(call: Call) -> Json:
    """The token's project."""
    return {"tenant": {"tenant_id": call.token.project_id}}


@ROUTES.on("GET", "/quotas/project")
def show_project(call: Call) -> Json:
    """The token's project, in newer words."""
    return {"project": {"project_id": call.token.project_id}}


@ROUTES.on("GET", "/quotas/{project_id}")
def show_quota(call: Call) -> Json:
    """The limits of a project."""
    return {"quota": state_of(call).limits(_owner(call))}


@ROUTES.on("GET", "/quotas/{project_id}/default")
def show_default_quota(call: Call) -> Json:
    """The limits of a project that has none of its own."""
    _owner(call)
    return {"quota": dict(QUOTA)}


def _show_in_detail(call: Call) -> Json:
    """The limits of a project, and what it has."""
    state, project_id = state_of(call), call.ids[0]
    if project_id != call.token.project_id and not call.token.admin:
        raise Refusal(
            403,
            "User does not have admin privileges: Only admin is authorized to access quotas for another "
            "project.",
            kind="AdminRequired",
        )
    return {
        "quota": {
            name: {"limit": limit, "used": state.used(name, project_id), "reserved": 0}
            for name, limit in state.limits(project_id).items()
        }
    }


ROUTES.add("GET", "/quotas/{project_id}/details", _show_in_detail)
ROUTES.add("GET", "/quotas/{project_id}/details.json", _show_in_detail)


@ROUTES.on("PUT", "/quotas/{project_id}")
def update_quota(call: Call) -> Json:
    """Set limits of a project."""
    _need(call, "update_quota")
    state, project_id, wanted = state_of(call), call.ids[0], call.body.get("quota")
    if not isinstance(wanted, dict):  # the real one trips, and so do callers
        raise Refusal(500, "Request Failed: internal server error while processing your request.")
    wanted = dict(wanted)
    force = wanted.pop("force", None)
    wanted.pop("check_limit", None)
    limits = _limits(wanted)
    for name, limit in limits.items():
        used = state.used(name, project_id)
        if force is not True and UNLIMITED < limit < used:
            raise Refusal(
                400,
                f"Quota limit {limit} for {name} must be greater than or equal to already used {used}",
                kind="HTTPBadRequest",
            )

    def change() -> None:
        state.quotas.setdefault(project_id, {}).update(limits)

    quota_written(call, "network", project_id, limits, change)
    return {"quota": state.limits(project_id)}


def _limits(wanted: Json) -> dict[str, int]:
    """The limits in a body. Raises `Refusal` (400)."""
    if {"tenant_id", "project_id"} & set(wanted):
        raise Refusal(400, "Unrecognized attribute(s) 'tenant_id, project_id'", kind="HTTPBadRequest")
    if unknown := [name for name in wanted if name not in QUOTA]:
        raise Refusal(400, f"Unrecognized attribute(s) '{', '.join(unknown)}'", kind="HTTPBadRequest")
    limits = {}
    for name, value in wanted.items():
        try:
            limit = int(value)
        except (TypeError, ValueError):
            raise Refusal(
                400, f"Invalid input for operation: '{value}' is not an integer.", kind="InvalidInput"
            ) from None
        if limit < UNLIMITED:
            why = f"'{limit}' is too small - must be at least '{UNLIMITED}'"
            raise Refusal(400, f"Invalid input for {name}. Reason: {why}.", kind="HTTPBadRequest")
        if limit > MOST:
            why = f"'{limit}' is too large - must be no larger than '{MOST}'"
            raise Refusal(400, f"Invalid input for {name}. Reason: {why}.", kind="HTTPBadRequest")
        limits[name] = limit
    return limits


@ROUTES.on("DELETE", "/quotas/{project_id}")
def delete_quota(call: Call) -> Answer:
    """Let a project have the defaults again."""
    _need(call, "delete_quota")
    state, project_id = state_of(call), call.ids[0]
    own = state.quotas.get(project_id)
    if not own:
        message = f"Quota for project {project_id} could not be found."
        raise Refusal(404, message, kind="TenantQuotaNotFound")

    def change() -> None:
        del state.quotas[project_id]

    quota_written(call, "network", project_id, list(own), change)
    return Answer(204)
