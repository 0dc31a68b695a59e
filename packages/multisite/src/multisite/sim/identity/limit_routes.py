"""Keystone's routes of unified limits.

A body is held against its schema before anybody asks who sent it, as the real one does. What is changed
is told to the ledger, and to the regions that keep answers.
"""

from collections.abc import Callable, Mapping, Sequence

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin, public
from multisite.sim.identity.limits import MOST, UNLIMITED
from multisite.sim.identity.state import NOT_ALLOWED
from multisite.sim.writes import limits_written

_COMMON = ("service_id", "region_id", "resource_name", "description")
#: Per collection: one of them, what it says beside the common words, what it must say, its number.
_KINDS = {
    "registered_limits": (
        "registered_limit",
        frozenset({*_COMMON, "default_limit"}),
        ("service_id", "resource_name", "default_limit"),
        "default_limit",
    ),
    "limits": (
        "limit",
        frozenset({*_COMMON, "resource_limit", "project_id", "domain_id"}),
        ("service_id", "resource_name", "resource_limit"),
        "resource_limit",
    ),
}
_FILTERS = ("service_id", "region_id", "resource_name", "project_id", "domain_id")
#: What may be said of a limit that is there.
_CHANGES = {
    "registered_limits": frozenset({*_COMMON, "default_limit"}),
    "limits": frozenset({"resource_limit", "description"}),
}


# -- bodies ----------------------------------------------------------------------------------------------


def _invalid(key: object, value: object, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. {why}")


def _check_words(item: Json, known: frozenset[str], where: object) -> None:
    if unknown := sorted(set(item) - known):
        raise _invalid(where, item, f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")


def _check_values(item: Json, number: str) -> None:
    for key in ("service_id", "resource_name"):
        if key in item and not isinstance(item[key], str):
            raise _invalid(key, item[key], f"{item[key]!r} is not of type 'string'")
    for key in ("resource_name", "region_id"):
        if item.get(key) == "":
            raise _invalid(key, "", "'' should be non-empty")
    if number in item:
        value = item[number]
        if isinstance(value, bool) or not isinstance(value, int):
            raise _invalid(number, value, f"{value!r} is not of type 'integer'")
        if value < UNLIMITED:
            raise _invalid(number, value, f"{value} is less than the minimum of {UNLIMITED}")
        if value > MOST:
            raise _invalid(number, value, f"{value} is greater than the maximum of {MOST}")


def _wanted_list(call: Call, collection: str) -> list[Json]:
    """The limits that are to be made. Raises `Refusal` (400)."""
    _, known, needed, number = _KINDS[collection]
    if collection not in call.body:
        raise Refusal(400, f"'{collection}' is a required property")
    wanted = call.body[collection]
    if not isinstance(wanted, list):
        raise _invalid(collection, wanted, f"{wanted!r} is not of type 'array'")
    if not wanted:
        raise _invalid(collection, wanted, "[] should be non-empty")
    for position, item in enumerate(wanted):
        if not isinstance(item, dict):
            raise _invalid(position, item, f"{item!r} is not of type 'object'")
        _check_words(item, known, position)
        for key in needed:
            if key not in item:
                raise _invalid(position, item, f"'{key}' is a required property")
        _check_values(item, number)
        if collection == "limits":
            _check_owner(item, position)
    return [dict(item) for item in wanted]


def _check_owner(item: Json, position: int) -> None:
    """A limit is a project's or a domain's, and not both. Raises `Refusal` (400)."""
    owners = [key for key in ("project_id", "domain_id") if key in item]
    if not owners:
        raise _invalid(position, item, f"{item} is not valid under any of the given schemas")
    if len(owners) > 1:
        needed = _KINDS["limits"][2]
        schemas = ", ".join(str({"required": [*needed, owner]}) for owner in owners)
        raise _invalid(position, item, f"{item} is valid under each of {schemas}")


def _changes(call: Call, collection: str) -> Json:
    """What is to be changed. Raises `Refusal` (400)."""
    name, _, _, number = _KINDS[collection]
    if name not in call.body:
        raise Refusal(400, f"'{name}' is a required property")
    changes = call.body[name]
    if not isinstance(changes, dict):
        raise _invalid(name, changes, f"{changes!r} is not of type 'object'")
    _check_words(changes, _CHANGES[collection], name)
    _check_values(changes, number)
    return dict(changes)


def _check_named(call: Call, item: Json, kind: str) -> None:
    """Refuse (400) a service, region, project or domain that is not there; a domain's project is a domain."""
    collections = keystone_of(call).collections
    if item.get("project_id") in collections["domains"]:
        item["domain_id"] = item.pop("project_id")
    for key, collection in (
        ("service_id", "services"),
        ("region_id", "regions"),
        ("project_id", "projects"),
        ("domain_id", "domains"),
    ):
        if item.get(key) is not None and item[key] not in collections[collection]:
            raise Refusal(
                400,
                f"Expecting to find {key} in {kind}. The server could not comply with the request since "
                "it is either malformed or otherwise incorrect. The client is assumed to be in error.",
            )


# -- the two collections ---------------------------------------------------------------------------------


def _held(call: Call, collection: str) -> Mapping[str, Json]:
    limits = keystone_of(call).limits
    return limits.limits if collection == "limits" else limits.registered


def _one(call: Call, collection: str) -> Json:
    item = _held(call, collection).get(call.ids[0])
    if item is None:
        raise Refusal(404, f"Could not find {_KINDS[collection][0].replace('_', ' ')} for {call.ids[0]}.")
    return item


def _list(call: Call, collection: str) -> Json:
    wanted = {key: call.one(key) for key in _FILTERS if key in call.query}
    for key in ("region_id", "resource_name"):
        if wanted.get(key) == "":
            raise _invalid(key, "", "'' should be non-empty")
    items: Sequence[Json] = list(_held(call, collection).values())
    if collection == "limits":
        own = None if {"admin", "service"} & set(call.token.roles) else call.token.project_id
        if own is not None or "project_id" in wanted:
            asked = wanted.get("project_id", own)
            mine = own in {None, asked}
            items = list(keystone_of(call).limits.of_project(str(asked))) if mine else []
    else:
        wanted = {key: value for key, value in wanted.items() if key not in {"project_id", "domain_id"}}
    shown = [
        public(call, collection, item)
        for item in items
        if all(item.get(key) == value for key, value in wanted.items())
    ]
    return {collection: shown, "links": links_of(call)}


def _all_or_none(items: Sequence[Json], put: Callable[[Json], None], take: Callable[[Json], None]) -> None:
    """Put all items there; where one is refused, those before it are taken away again."""
    for number, item in enumerate(items):
        try:
            put(item)
        except Refusal:
            for done in items[:number]:
                take(done)
            raise


@ROUTES.on("GET", "/registered_limits")
def list_registered(call: Call) -> Json:
    """What services registered, for anybody."""
    return _list(call, "registered_limits")


@ROUTES.on("GET", "/registered_limits/{registered_limit_id}")
def show_registered(call: Call) -> Json:
    """One of them."""
    return {"registered_limit": public(call, "registered_limits", _one(call, "registered_limits"))}


@ROUTES.on("POST", "/registered_limits")
def register(call: Call) -> Answer:
    """Register limits, all of them or none."""
    wanted = _wanted_list(call, "registered_limits")
    need_admin(call, "create_registered_limits")
    for item in wanted:
        _check_named(call, item, "registered_limit")
    keystone = keystone_of(call)
    made = [{"region_id": None, "description": None} | item | {"id": keystone.new_id()} for item in wanted]
    limits = keystone.limits
    limits_written(call, made, lambda: _all_or_none(made, limits.register, limits.unregister))
    return Answer(201, {"registered_limits": [public(call, "registered_limits", item) for item in made]})


@ROUTES.on("PATCH", "/registered_limits/{registered_limit_id}")
def change_registered(call: Call) -> Json:
    """Change what is registered, as long as no project has a limit instead."""
    changes = _changes(call, "registered_limits")
    need_admin(call, "update_registered_limit")
    _check_named(call, changes, "registered_limit")
    item = _one(call, "registered_limits")
    limits = keystone_of(call).limits
    limits_written(call, [dict(item), item | changes], lambda: limits.change(item, changes))
    return {"registered_limit": public(call, "registered_limits", item)}


@ROUTES.on("DELETE", "/registered_limits/{registered_limit_id}")
def unregister(call: Call) -> Answer:
    """Take back what is registered, as long as no project has a limit instead."""
    need_admin(call, "delete_registered_limit")
    item = _one(call, "registered_limits")
    limits_written(call, [item], lambda: keystone_of(call).limits.unregister(item))
    return Answer(204)


@ROUTES.on("GET", "/limits")
def list_limits(call: Call) -> Json:
    """The limits of projects; a tenant is told of its own."""
    return _list(call, "limits")


@ROUTES.on("GET", "/limits/{limit_id}")
def show_limit(call: Call) -> Json:
    """One of them; what is another's, or not there, is forbidden to tenants."""
    found = _held(call, "limits").get(call.ids[0])
    if not call.token.admin and (not found or found["project_id"] != call.token.project_id):
        raise Refusal(403, NOT_ALLOWED.format("identity:get_limit"))
    return {"limit": public(call, "limits", _one(call, "limits"))}


@ROUTES.on("POST", "/limits")
def create_limits(call: Call) -> Answer:
    """Give projects limits of their own, all of them or none."""
    wanted = _wanted_list(call, "limits")
    need_admin(call, "create_limits")
    for item in wanted:
        _check_named(call, item, "limit")
    keystone = keystone_of(call)
    none: Json = {"region_id": None, "description": None, "project_id": None, "domain_id": None}
    made = [none | item | {"id": keystone.new_id()} for item in wanted]
    limits = keystone.limits
    limits_written(call, made, lambda: _all_or_none(made, limits.add, limits.remove))
    return Answer(201, {"limits": [public(call, "limits", item) for item in made]})


@ROUTES.on("PATCH", "/limits/{limit_id}")
def change_limit(call: Call) -> Json:
    """Change a limit. One of 0 is answered with 200, and not taken; so is an empty description."""
    changes = _changes(call, "limits")
    need_admin(call, "update_limit")
    item = _one(call, "limits")
    taken = {key: value for key, value in changes.items() if value}
    limits_written(call, [item], lambda: item.update(taken))
    return {"limit": public(call, "limits", item)}


@ROUTES.on("DELETE", "/limits/{limit_id}")
def delete_limit(call: Call) -> Answer:
    """Take a limit away: what is registered is in force again."""
    need_admin(call, "delete_limit")
    item = _one(call, "limits")
    limits_written(call, [item], lambda: keystone_of(call).limits.remove(item))
    return Answer(204)


@ROUTES.on("GET", "/limits/model")
def show_limit_model(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """How limits are enforced: each project for itself."""
    words = "Limit enforcement and validation does not take project hierarchy into consideration."
    return {"model": {"name": "flat", "description": words}}
