"""Keystone's routes of tokens: log in, validate, revoke, and what a token opens."""

from http import HTTPStatus

from multisite.sim.http import Answer, Call, Json, Refusal, to_bytes
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin, public
from multisite.sim.identity.state import NOT_ALLOWED, UNAUTHORIZED, Token


@ROUTES.on("POST", "/auth/tokens")
def issue_token(call: Call) -> Answer:
    """Log in: with a password, an application credential, or a token."""
    try:
        return _log_in(call)
    except Refusal as refusal:
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            refusal.headers["WWW-Authenticate"] = f'Keystone uri="{call.base}"'
        raise


def _log_in(call: Call) -> Answer:
    keystone, auth = keystone_of(call), call.part("auth")
    identity = auth.get("identity")
    if not isinstance(identity, dict) or not isinstance(identity.get("methods"), list):
        raise Refusal(
            400, "Expecting to find identity in auth. The server could not comply with the request."
        )
    credential = None
    method = identity["methods"][0] if identity["methods"] else ""
    details = identity.get(method) or {}
    if method == "password":
        user = keystone.user_by_password(details.get("user") or {})
    elif method == "application_credential":
        user, credential = keystone.user_by_application_credential(details)
    elif method == "token":
        held = keystone.valid(str(details.get("id")))
        if held is None:
            raise Refusal(404, "Could not find token, it may have expired or been revoked.")
        user = held.user
    else:
        raise Refusal(
            401, "Attempted to authenticate with an unsupported method.",
            more={"identity": {"methods": ["password", "token", "application_credential"]}},
        )  # fmt: skip
    token = keystone.issue(user, identity["methods"], _scope(auth, user), credential)
    body = keystone.describe(token, catalog="nocatalog" not in call.query)
    return Answer(201, body, {"X-Subject-Token": token.id})


def _scope(auth: Json, user: Json) -> Json:
    scope = auth.get("scope")
    if scope == "unscoped":
        return {}
    if isinstance(scope, dict):
        return scope
    default = user.get("default_project_id")
    return {"project": {"id": default}} if default else {}


@ROUTES.on("GET", "/auth/tokens")
def show_token(call: Call) -> Answer:
    """Validate a token: services ask this of their users' tokens."""
    token = _subject(call)
    body = keystone_of(call).describe(token, catalog="nocatalog" not in call.query)
    return Answer(200, body, {"X-Subject-Token": token.id})


@ROUTES.on("HEAD", "/auth/tokens")
def check_token(call: Call) -> Answer:
    """Validate a token, without a body."""
    return Answer(200, None, {"X-Subject-Token": _subject(call).id})


@ROUTES.on("DELETE", "/auth/tokens")
def revoke_token(call: Call) -> Answer:
    """End a token before its time."""
    token = _subject(call)
    keystone_of(call).revoke(token.id)
    return Answer(204)


def _subject(call: Call) -> Token:
    wanted = call.headers.get("x-subject-token")
    token = keystone_of(call).valid(wanted)
    if token is None:
        raise Refusal(
            404, "Could not find token, it may have expired or been revoked." if wanted else UNAUTHORIZED
        )
    service = {"admin", "service"} & set(call.token.roles)
    if not service and token.user_id != call.token.user_id:
        raise Refusal(403, NOT_ALLOWED.format("identity:validate_token"))
    return token


@ROUTES.on("GET", "/auth/catalog")
def show_catalog(call: Call) -> Answer:
    """The catalog of the token."""
    return Answer(
        200,
        b'{"catalog":'
        + keystone_of(call).catalog()
        + b',"links":'
        + to_bytes({"self": call.url(call.path)})
        + b"}",
    )


@ROUTES.on("GET", "/auth/projects")
def own_projects(call: Call) -> Json:
    """The projects in which the user has a role."""
    return {
        "projects": [public(call, "projects", item) for item in _held_projects(call, call.token.user_id)],
        "links": links_of(call),
    }


@ROUTES.on("GET", "/auth/domains")
def own_domains(call: Call) -> Json:
    """The domains in which the user has a role."""
    keystone = keystone_of(call)
    held = [
        target.removeprefix("domain:")
        for user, target in keystone.assignments
        if user == call.token.user_id and target.startswith("domain:")
    ]
    domains = [public(call, "domains", keystone.get("domains", domain_id)) for domain_id in held]
    return {"domains": domains, "links": links_of(call)}


@ROUTES.on("GET", "/users/{user_id}/projects")
def user_projects(call: Call) -> Json:
    """The same, for the user himself or an administrator."""
    if call.ids[0] != call.token.user_id:
        need_admin(call, "list_user_projects")
    projects = [public(call, "projects", item) for item in _held_projects(call, call.ids[0])]
    return {"projects": projects, "links": links_of(call)}


def _held_projects(call: Call, user_id: str) -> list[Json]:
    keystone = keystone_of(call)
    projects = keystone.collections["projects"]
    held = [target for user, target in keystone.assignments if user == user_id and target in projects]
    return [projects[target] for target in held if projects[target]["enabled"]]
