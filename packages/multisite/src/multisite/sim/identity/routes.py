"""Keystone's routes, version 3: its collections, with the usual five. The others are beside this module."""

from collections.abc import Mapping

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity import (  # noqa: F401 - they register their routes
    credentials,
    endpoint_filter_routes,
    grants,
    limit_routes,
    tokens,
)
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin, public
from multisite.sim.identity.state import Keystone

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
}
_FILTERS = (
    "name", "domain_id", "enabled", "type", "service_id", "region_id", "interface", "parent_id", "project_id",
    "parent_region_id",
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
}  # fmt: skip


def _list(call: Call, collection: str) -> Json:
    _, reader = _COLLECTIONS[collection]
    if reader == "admin":
        need_admin(call, f"list_{collection}")
    wanted = {key: call.one(key) for key in _FILTERS if key in call.query}
    items = [
        public(call, collection, item)
        for item in keystone_of(call).collections[collection].values()
        if all(
            _text(item.get(key)) == value.lower() or item.get(key) == value for key, value in wanted.items()
        )
    ]
    return {collection: items, "links": links_of(call)}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _show(call: Call, collection: str) -> Json:
    name, reader = _COLLECTIONS[collection]
    token, item_id = call.token, call.ids[0]
    own = {token.project_id, token.user_id, (token.project or token.user).get("domain_id")}
    if reader == "admin" and item_id not in own:
        need_admin(call, f"get_{name}")
    return {name: public(call, collection, keystone_of(call).get(collection, item_id))}


def _create(call: Call, collection: str) -> Answer:
    name, _ = _COLLECTIONS[collection]
    need_admin(call, f"create_{name}")
    return Answer(201, {name: _make(call, collection, dict(call.part(name)))})


def _make(call: Call, collection: str, wanted: Json) -> Json:
    keystone = keystone_of(call)
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
    return public(call, collection, item)


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
    need_admin(call, f"update_{name}")
    keystone = keystone_of(call)
    item = keystone.get(collection, call.ids[0])
    wanted = dict(call.part(name))
    if "password" in wanted:
        keystone.passwords[item["id"]] = str(wanted.pop("password"))
        keystone.revoke_all(item["id"])
    keystone.add(collection, item | wanted)
    if wanted.get("enabled") is False:
        keystone.revoke_all(item["id"])
    extra: Json = {"extra": {}} if collection == "projects" else {}
    return {name: public(call, collection, keystone.get(collection, item["id"])) | extra}


def _delete(call: Call, collection: str) -> Answer:
    name, _ = _COLLECTIONS[collection]
    need_admin(call, f"delete_{name}")
    keystone_of(call).drop(collection, call.ids[0])
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
