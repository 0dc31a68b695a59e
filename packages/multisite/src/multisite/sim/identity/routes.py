"""Keystone's routes, version 3."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlencode

from multisite.sim.http import Answer, Call, Json, Refusal, parse_stamp, to_bytes
from multisite.sim.identity.state import NOT_ALLOWED, UNAUTHORIZED, Keystone, Token
from multisite.sim.routing import Routes

ROUTES = Routes()
#: What a token need not be sent with.
OPEN_ROUTES = frozenset({"GET /", "POST /auth/tokens"})

#: Collections with the usual five routes: name of one item, and who may read it (`admin`, or anybody).
_COLLECTIONS = {
    "domains": ("domain", "admin"),
    "projects": ("project", "admin"),
    "users": ("user", "admin"),
    "roles": ("role", "admin"),
    "regions": ("region", "anybody"),
    "services": ("service", "admin"),
    "endpoints": ("endpoint", "admin"),
    "registered_limits": ("registered_limit", "anybody"),
    "limits": ("limit", "anybody"),
}
_FILTERS = (
    "name", "domain_id", "enabled", "type", "service_id", "region_id", "interface", "parent_id", "project_id",
    "resource_name", "parent_region_id",
)  # fmt: skip
_DEFAULTS: Mapping[str, Json] = {
    "domains": {"enabled": True, "description": "", "tags": [], "options": {}},
    "projects": {
        "enabled": True, "description": "", "domain_id": "default", "is_domain": False,
        "parent_id": "default", "tags": [], "options": {},
    },
    "users": {"enabled": True, "domain_id": "default", "password_expires_at": None, "options": {}},
    "roles": {"domain_id": None, "description": None, "options": {}},
    "regions": {"description": "", "parent_region_id": None},
    "services": {"enabled": True},
    "endpoints": {"enabled": True, "region_id": None},
    "registered_limits": {"region_id": None, "description": None},
    "limits": {"region_id": None, "description": None, "domain_id": None},
}  # fmt: skip


def _keystone(call: Call) -> Keystone:
    return call.region.keystone


def _need_admin(call: Call, action: str) -> None:
    if not call.token.admin:
        raise Refusal(403, NOT_ALLOWED.format(f"identity:{action}"))


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
    keystone, auth = _keystone(call), call.part("auth")
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
    body = _keystone(call).describe(token, catalog="nocatalog" not in call.query)
    return Answer(200, body, {"X-Subject-Token": token.id})


@ROUTES.on("HEAD", "/auth/tokens")
def check_token(call: Call) -> Answer:
    """Validate a token, without a body."""
    return Answer(200, None, {"X-Subject-Token": _subject(call).id})


@ROUTES.on("DELETE", "/auth/tokens")
def revoke_token(call: Call) -> Answer:
    """End a token before its time."""
    token = _subject(call)
    _keystone(call).revoke(token.id)
    return Answer(204)


def _subject(call: Call) -> Token:
    wanted = call.headers.get("x-subject-token")
    token = _keystone(call).valid(wanted)
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
        + _keystone(call).catalog()
        + b',"links":'
        + to_bytes({"self": call.url(call.path)})
        + b"}",
    )


@ROUTES.on("GET", "/auth/projects")
def own_projects(call: Call) -> Json:
    """The projects in which the user has a role."""
    return {
        "projects": [_public(call, "projects", item) for item in _held_projects(call, call.token.user_id)],
        "links": _links(call),
    }


@ROUTES.on("GET", "/auth/domains")
def own_domains(call: Call) -> Json:
    """The domains in which the user has a role."""
    keystone = _keystone(call)
    held = [
        target.removeprefix("domain:")
        for user, target in keystone.assignments
        if user == call.token.user_id and target.startswith("domain:")
    ]
    domains = [_public(call, "domains", keystone.get("domains", domain_id)) for domain_id in held]
    return {"domains": domains, "links": _links(call)}


@ROUTES.on("GET", "/users/{user_id}/projects")
def user_projects(call: Call) -> Json:
    """The same, for the user himself or an administrator."""
    if call.ids[0] != call.token.user_id:
        _need_admin(call, "list_user_projects")
    projects = [_public(call, "projects", item) for item in _held_projects(call, call.ids[0])]
    return {"projects": projects, "links": _links(call)}


def _held_projects(call: Call, user_id: str) -> list[Json]:
    keystone = _keystone(call)
    projects = keystone.collections["projects"]
    held = [target for user, target in keystone.assignments if user == user_id and target in projects]
    return [projects[target] for target in held if projects[target]["enabled"]]


def _list(call: Call, collection: str) -> Json:
    _, reader = _COLLECTIONS[collection]
    if reader == "admin":
        _need_admin(call, f"list_{collection}")
    wanted = {key: call.one(key) for key in _FILTERS if key in call.query}
    items = [
        _public(call, collection, item)
        for item in _keystone(call).collections[collection].values()
        if all(
            _text(item.get(key)) == value.lower() or item.get(key) == value for key, value in wanted.items()
        )
    ]
    return {collection: items, "links": _links(call)}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show(call: Call, collection: str) -> Json:
    name, reader = _COLLECTIONS[collection]
    token, item_id = call.token, call.ids[0]
    own = {token.project_id, token.user_id, (token.project or token.user).get("domain_id")}
    if reader == "admin" and item_id not in own:
        _need_admin(call, f"get_{name}")
    return {name: _public(call, collection, _keystone(call).get(collection, item_id))}


def _create(call: Call, collection: str) -> Answer:
    name, _ = _COLLECTIONS[collection]
    _need_admin(call, f"create_{name}")
    if collection in {"limits", "registered_limits"}:
        wanted = call.body.get(collection) or []
        return Answer(201, {collection: [_make(call, collection, dict(one)) for one in wanted]})
    return Answer(201, {name: _make(call, collection, dict(call.part(name)))})


def _make(call: Call, collection: str, wanted: Json) -> Json:
    keystone = _keystone(call)
    secret = wanted.pop("password", None)
    if collection == "endpoints":
        keystone.get("services", str(wanted.get("service_id")))
        wanted["region_id"] = wanted.get("region_id") or wanted.get("region")
        wanted["region"] = wanted["region_id"]
    if collection in {"domains", "projects", "users", "roles"}:
        if not isinstance(wanted.get("name"), str) or not wanted["name"]:
            raise Refusal(400, "'name' is a required property")
        _refuse_twin(keystone, collection, wanted)
    item = keystone.add(collection, dict(_DEFAULTS[collection]) | {"id": keystone.new_id()} | wanted)
    if collection == "users":
        keystone.passwords[item["id"]] = str(secret)
    return _public(call, collection, item)


def _refuse_twin(keystone: Keystone, collection: str, wanted: Json) -> None:
    domain = wanted.get("domain_id", dict(_DEFAULTS[collection]).get("domain_id"))
    for item in keystone.collections[collection].values():
        if item["name"] == wanted.get("name") and item.get("domain_id") == domain:
            kind = collection.rstrip("s")
            raise Refusal(
                409,
                f"Conflict occurred attempting to store {kind} - "
                f"it is not permitted to have two {collection} with the same name: {wanted.get('name')}.",
            )


def _update(call: Call, collection: str) -> Json:
    name, _ = _COLLECTIONS[collection]
    _need_admin(call, f"update_{name}")
    keystone = _keystone(call)
    item = keystone.get(collection, call.ids[0])
    wanted = dict(call.part(name))
    if "password" in wanted:
        keystone.passwords[item["id"]] = str(wanted.pop("password"))
        keystone.revoke_all(item["id"])
    if collection == "limits" and wanted.get("resource_limit") == 0:
        wanted.pop("resource_limit")  # Keystone answers 200 to a limit of 0, and changes nothing
    keystone.add(collection, item | wanted)
    if wanted.get("enabled") is False:
        keystone.revoke_all(item["id"])
    extra: Json = {"extra": {}} if collection == "projects" else {}
    return {name: _public(call, collection, keystone.get(collection, item["id"])) | extra}


def _delete(call: Call, collection: str) -> Answer:
    name, _ = _COLLECTIONS[collection]
    _need_admin(call, f"delete_{name}")
    _keystone(call).drop(collection, call.ids[0])
    return Answer(204)


def _register(collection: str) -> None:
    one = f"/{collection}/{{id}}"
    ROUTES.add("GET", f"/{collection}", lambda call: _list(call, collection))
    ROUTES.add("POST", f"/{collection}", lambda call: _create(call, collection))
    ROUTES.add("GET", one, lambda call: _show(call, collection))
    ROUTES.add("PATCH", one, lambda call: _update(call, collection))
    ROUTES.add("DELETE", one, lambda call: _delete(call, collection))


for _collection in _COLLECTIONS:
    _register(_collection)


@ROUTES.on("GET", "/limits/model")
def show_limit_model(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """How limits are enforced: each project for itself."""
    words = "Limit enforcement and validation does not take project hierarchy into consideration."
    return {"model": {"name": "flat", "description": words}}


def _grant(call: Call, target: str, user_id: str, role_id: str) -> Answer:
    """Give a user a role on a target, which is a project's id, `domain:ID` or `system`."""
    _need_admin(call, "create_grant")
    keystone = _keystone(call)
    keystone.get("users", user_id)
    keystone.get("roles", role_id)
    keystone.assignments.setdefault((user_id, target), set()).add(role_id)
    return Answer(204)


def _take_back(call: Call, target: str, user_id: str, role_id: str) -> Answer:
    """Take a user's role on a target away; his tokens end."""
    _need_admin(call, "revoke_grant")
    held = _keystone(call).assignments.get((user_id, target), set())
    if role_id not in held:
        raise Refusal(404, f"Could not find role assignment with role: {role_id}.")
    held.discard(role_id)
    _keystone(call).revoke_all(user_id)
    return Answer(204)


@ROUTES.on("PUT", "/projects/{project_id}/users/{user_id}/roles/{role_id}")
def grant_project_role(call: Call) -> Answer:
    """Give a user a role in a project."""
    project_id, user_id, role_id = call.ids
    _keystone(call).get("projects", project_id)
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
    _keystone(call).get("domains", domain_id)
    return _grant(call, f"domain:{domain_id}", user_id, role_id)


@ROUTES.on("PUT", "/system/users/{user_id}/roles/{role_id}")
def grant_system_role(call: Call) -> Answer:
    """Give a user a role on the system."""
    user_id, role_id = call.ids
    return _grant(call, "system", user_id, role_id)


@ROUTES.on("GET", "/role_assignments")
def list_role_assignments(call: Call) -> Json:
    """Who has which role where."""
    _need_admin(call, "list_role_assignments")
    found = []
    for (user_id, target), roles in _keystone(call).assignments.items():
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
    return {"role_assignments": found, "links": _links(call)}


@ROUTES.on("GET", "/users/{user_id}/application_credentials")
def list_application_credentials(call: Call) -> Json:
    """A user's application credentials; never their secrets."""
    _own_user(call)
    held = _keystone(call).collections["application_credentials"].values()
    return {
        "application_credentials": [
            _credential(call, item) for item in held if item["user_id"] == call.ids[0]
        ],
        "links": _links(call),
    }


@ROUTES.on("POST", "/users/{user_id}/application_credentials")
def create_application_credential(call: Call) -> Answer:
    """An application credential for the token's project, with the token's roles or fewer."""
    _own_user(call)
    held = call.token.application_credential
    if held and not held["unrestricted"]:
        words = "Using method 'application_credential' is not allowed for managing additional ones."
        raise Refusal(403, NOT_ALLOWED.format(words))
    keystone, wanted = _keystone(call), call.part("application_credential")
    for item in keystone.collections["application_credentials"].values():
        if (item["user_id"], item["name"]) == (call.ids[0], wanted.get("name")):
            raise Refusal(
                409,
                "Conflict occurred attempting to store application_credential - "
                f"Duplicate entry found with name {wanted.get('name')}.",
            )
    names = [role.get("name") for role in wanted.get("roles") or []] or list(call.token.roles)
    if not set(names) <= set(call.token.roles):
        raise Refusal(400, "A role that the user does not have cannot be delegated.")
    secret = str(wanted.get("secret") or keystone.new_id())
    item = {
        "id": keystone.new_id(), "name": wanted.get("name"), "description": wanted.get("description"),
        "user_id": call.ids[0], "project_id": call.token.project_id,
        "unrestricted": wanted.get("unrestricted"),
        "roles": [dict(keystone.get("roles", keystone.role_id(str(name)))) for name in names],
        "expires_at": wanted.get("expires_at"), "system": None,
    }  # fmt: skip
    keystone.add("application_credentials", item)
    keystone.secrets[item["id"]] = secret
    if item["expires_at"]:
        parse_stamp(str(item["expires_at"]))
    return Answer(201, {"application_credential": _credential(call, item) | {"secret": secret}})


@ROUTES.on("DELETE", "/users/{user_id}/application_credentials/{credential_id}")
def delete_application_credential(call: Call) -> Answer:
    """End an application credential, and the tokens that it was exchanged for."""
    _own_user(call)
    _keystone(call).drop("application_credentials", call.ids[1])
    for token in list(_keystone(call).tokens.values()):
        if token.application_credential and token.application_credential["id"] == call.ids[1]:
            _keystone(call).revoke(token.id)
    return Answer(204)


def _own_user(call: Call) -> None:
    if call.ids[0] != call.token.user_id:
        _need_admin(call, "application_credentials")


def _credential(call: Call, item: Json) -> Json:
    return _public(call, "application_credentials", item)


def _public(call: Call, collection: str, item: Json) -> Json:
    return item | {"links": {"self": f"{call.base}/{collection}/{item['id']}"}}


def _links(call: Call) -> Json:
    query = urlencode(call.query, doseq=True)
    return {"next": None, "self": call.url(call.path) + (f"?{query}" if query else ""), "previous": None}


def version_document(base: str) -> Json:
    """What Keystone says of its one version."""
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base}/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


@ROUTES.on("GET", "/")
def show_version(call: Call) -> Json:
    """The document of version 3."""
    return {"version": version_document(call.base)}
