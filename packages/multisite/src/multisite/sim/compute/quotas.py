"""Nova's routes of quotas: of projects and their users, of classes; and the limits that a caller has.

A body is held against its schema before anybody asks who sent it. With unified limits writes are answered
as ever and change nothing.
"""

import re
from collections.abc import Mapping

from multisite.sim.compute.checks import boolean
from multisite.sim.compute.limits import DEFAULT_CLASS
from multisite.sim.compute.routes import ROUTES, need_admin
from multisite.sim.compute.unified import NAMES, NETWORKS
from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.limits import MOST, UNLIMITED
from multisite.sim.writes import class_written, quota_written

_FILES = frozenset({"injected_file_content_bytes", "injected_file_path_bytes", "injected_files"})
_GROUPS = frozenset({"server_groups", "server_group_members"})
_RESOURCES = frozenset({*NAMES, *NETWORKS})
#: Since these microversions networks, and files, are neither shown nor taken.
_NO_NETWORKS, _NO_NETWORKS_IN_CLASSES, _NO_FILES = (2, 36), (2, 50), (2, 57)
_NO_IMAGE_METADATA = (2, 39)
_BOOLEANS = (
    True, "True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes",
    False, "False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no",
)  # fmt: skip


def _known(call: Call, no_networks: tuple[int, int]) -> frozenset[str]:
    """The resources that a microversion knows."""
    gone: frozenset[str] = frozenset(NETWORKS) if call.version >= no_networks else frozenset()
    return _RESOURCES - gone - (_FILES if call.version >= _NO_FILES else frozenset())


def _shown(limits: Mapping[str, object], known: frozenset[str]) -> Json:
    return {name: limit for name, limit in limits.items() if name in known}


# -- what is asked ---------------------------------------------------------------------------------------


def _check_query(call: Call, since: tuple[int, int], *known: str) -> None:
    """Refuse (400) what a query may not say at this microversion."""
    if call.version >= since and (unknown := sorted(set(call.query) - set(known))):
        raise Refusal(400, f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")


def _invalid(key: str, value: object, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. {why}")


def _wanted(call: Call, key: str, known: frozenset[str]) -> Json:
    """The limits in a body. Raises `Refusal` (400) for what does not fit the schema."""
    if key not in call.body:
        raise Refusal(400, f"'{key}' is a required property")
    wanted = call.body[key]
    if not isinstance(wanted, dict):
        raise _invalid(key, wanted, f"{wanted!r} is not of type 'object'")
    for name in sorted(set(wanted) & known):
        if name == "force":
            _check_boolean(name, wanted[name])
        else:
            _check_limit(name, wanted[name])
    for name in wanted:
        if name not in known:
            raise _invalid(key, wanted, f"Additional properties are not allowed ('{name}' was unexpected)")
    if unknown := sorted(set(call.body) - {key}):
        raise Refusal(400, f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")
    return wanted


def _check_boolean(name: str, value: object) -> None:
    if value not in _BOOLEANS or isinstance(value, int) is not isinstance(value, bool):
        raise _invalid(name, value, f"{value!r} is not one of {list(_BOOLEANS)}")


def _check_limit(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _invalid(name, value, f"{value!r} is not of type 'integer', 'string'")
    if not re.fullmatch(r"-?[0-9]+", str(value)):
        raise _invalid(name, value, f"{value!r} does not match '^-?[0-9]+$'")
    if int(value) < UNLIMITED:
        raise _invalid(name, value, f"{value} is less than the minimum of {UNLIMITED}")
    if int(value) > MOST:
        raise _invalid(name, value, f"{value} is greater than the maximum of {MOST}")


def _project(call: Call) -> str:
    """The project that a path names. Refuses (400) an administrator one that Keystone does not know."""
    project_id = call.ids[0]
    if call.token.admin and project_id not in call.region.keystone.collections["projects"]:
        raise Refusal(400, f"Project ID {project_id} is not a valid project.")
    return project_id


def need_own(call: Call, project_id: str, rule: str) -> None:
    """Refuse (403) a tenant who asks for another project."""
    if project_id != call.token.project_id:
        need_admin(call, rule)


# -- projects and users ----------------------------------------------------------------------------------


@ROUTES.on("GET", "/os-quota-sets/{project_id}")
def show_quota(call: Call) -> Json:
    """The limits of a project, or of a user in it."""
    _check_query(call, (2, 75), "user_id")
    need_own(call, call.ids[0], "os_compute_api:os-quota-sets:show")
    limits = call.region.compute.limits(_project(call), call.one("user_id") or None)
    return {"quota_set": {"id": call.ids[0]} | _shown(limits, _known(call, _NO_NETWORKS))}


@ROUTES.on("GET", "/os-quota-sets/{project_id}/detail")
def show_quota_in_detail(call: Call) -> Json:
    """The limits of a project, or of a user in it, and what is used."""
    _check_query(call, (2, 75), "user_id")
    need_own(call, call.ids[0], "os_compute_api:os-quota-sets:detail")
    project_id, user_id, compute = _project(call), call.one("user_id") or None, call.region.compute
    used = compute.shown_use(project_id, user_id)
    body: Json = {"id": project_id}
    for name, limit in _shown(compute.limits(project_id, user_id), _known(call, _NO_NETWORKS)).items():
        body[name] = {"limit": limit, "in_use": used[name], "reserved": 0}
    return {"quota_set": body}


@ROUTES.on("GET", "/os-quota-sets/{project_id}/defaults")
def show_default_quota(call: Call) -> Json:
    """The limits of a project that has none of its own, for anybody."""
    limits = call.region.compute.default_limits()
    return {"quota_set": {"id": _project(call)} | _shown(limits, _known(call, _NO_NETWORKS))}


@ROUTES.on("PUT", "/os-quota-sets/{project_id}")
def update_quota(call: Call) -> Json:
    """Set limits of a project or of a user in it; below what is in use only with `force`."""
    known = _known(call, _NO_NETWORKS)
    wanted = dict(_wanted(call, "quota_set", known | {"force"}))
    _check_query(call, (2, 75), "user_id")
    need_admin(call, "os_compute_api:os-quota-sets:update")
    compute, project_id, user_id = call.region.compute, _project(call), call.one("user_id")
    force = boolean(str(wanted.pop("force", False)))
    limits = {name: int(value) for name, value in wanted.items()}
    if not call.region.unified("compute"):
        for name, limit in limits.items():
            if not force:
                _check_range(call, project_id, user_id, name, limit)
        held = compute.user_quotas.setdefault((project_id, user_id), {}) if user_id else None
        own = compute.quotas.setdefault(project_id, {}) if held is None else held
        quota_written(call, "compute", project_id, limits, lambda: own.update(limits))
    else:
        quota_written(call, "compute", project_id, limits, lambda: None)
    return {"quota_set": _shown(compute.limits(project_id, user_id or None), known)}


def _check_range(call: Call, project_id: str, user_id: str, name: str, limit: int) -> None:
    """Refuse (400) a limit below what is used, or promised to users; of a user, more than the project has."""
    compute = call.region.compute
    of_users, in_all = compute.of_users(project_id, name), compute.limits(project_id)[name]
    least = max(of_users if in_all >= 0 else 0, compute.shown_use(project_id)[name])
    most = UNLIMITED
    if user_id:
        least = compute.shown_use(project_id, user_id)[name]
        own = compute.user_quotas.get((project_id, user_id), {}).get(name, 0)
        most = UNLIMITED if in_all < 0 else in_all - of_users + own
    if _finite(limit) < least:
        raise Refusal(
            400,
            f"Quota limit {limit} for {name} must be greater than or equal to "
            f"already used and reserved {least}.",
        )
    if _finite(limit) > _finite(most):
        raise Refusal(400, f"Quota limit {limit} for {name} must be less than or equal to {most}.")


def _finite(limit: int) -> float:
    return float("inf") if limit == UNLIMITED else limit


@ROUTES.on("DELETE", "/os-quota-sets/{project_id}")
def delete_quota(call: Call) -> Answer:
    """Let a project have the defaults again, its users as well; or one of its users what the project has."""
    _check_query(call, (2, 75), "user_id")
    need_admin(call, "os_compute_api:os-quota-sets:delete")
    compute, project_id, user_id = call.region.compute, call.ids[0], call.one("user_id")

    def change() -> None:
        for owner in list(compute.user_quotas):
            if owner[0] == project_id and user_id in {"", owner[1]}:
                del compute.user_quotas[owner]
        if not user_id:
            compute.quotas.pop(project_id, None)

    own = {} if user_id else compute.quotas.get(project_id, {})
    unified = call.region.unified("compute") is not None
    quota_written(call, "compute", project_id, list(own), (lambda: None) if unified else change)
    return Answer(202)


# -- classes ---------------------------------------------------------------------------------------------


def _known_in_classes(call: Call) -> frozenset[str]:
    gone = _GROUPS if call.version < _NO_NETWORKS_IN_CLASSES else frozenset[str]()
    return _known(call, _NO_NETWORKS_IN_CLASSES) - gone


@ROUTES.on("GET", "/os-quota-class-sets/{name}")
def show_quota_class(call: Call) -> Json:
    """The limits of a class; `default` are the defaults."""
    _check_query(call, (2, 102))
    need_admin(call, "os_compute_api:os-quota-class-sets:show")
    limits = call.region.compute.class_limits(call.ids[0])
    return {"quota_class_set": {"id": call.ids[0]} | _shown(limits, _known_in_classes(call))}


@ROUTES.on("PUT", "/os-quota-class-sets/{name}")
def update_quota_class(call: Call) -> Json:
    """Set limits of a class: no class but `default` is anybody's."""
    wanted = _wanted(call, "quota_class_set", _known(call, _NO_NETWORKS_IN_CLASSES))
    need_admin(call, "os_compute_api:os-quota-class-sets:update")
    compute, name = call.region.compute, call.ids[0]
    limits = {key: int(value) for key, value in wanted.items()}

    def change() -> None:
        if not call.region.unified("compute"):
            compute.quota_classes.setdefault(name, {}).update(limits)

    class_written(call, "compute", limits if name == DEFAULT_CLASS else (), change)
    return {"quota_class_set": _shown(compute.class_limits(name), _known_in_classes(call))}


# -- what a caller has -----------------------------------------------------------------------------------


@ROUTES.on("GET", "/limits")
def show_limits(call: Call) -> Json:
    """The limits and use of the token's project."""
    project_id = call.one("tenant_id") or call.token.project_id
    need_own(call, project_id, "os_compute_api:limits:other_project")
    limits, used = call.region.compute.limits(project_id), call.region.compute.shown_use(project_id)
    absolute: Json = {
        "maxTotalInstances": limits["instances"], "maxTotalCores": limits["cores"],
        "maxTotalRAMSize": limits["ram"], "maxTotalKeypairs": limits["key_pairs"],
        "maxServerMeta": limits["metadata_items"], "maxServerGroups": limits["server_groups"],
        "maxServerGroupMembers": limits["server_group_members"], "totalInstancesUsed": used["instances"],
        "totalCoresUsed": used["cores"], "totalRAMUsed": used["ram"],
        "totalServerGroupsUsed": used["server_groups"],
    }  # fmt: skip
    if call.version < _NO_NETWORKS:
        absolute |= {
            "maxSecurityGroups": limits["security_groups"],
            "maxSecurityGroupRules": limits["security_group_rules"],
            "maxTotalFloatingIps": limits["floating_ips"],
            "totalSecurityGroupsUsed": 0,
            "totalFloatingIpsUsed": 0,
        }
    if call.version < _NO_IMAGE_METADATA:
        absolute["maxImageMeta"] = limits["metadata_items"]
    if call.version < _NO_FILES:
        absolute |= {
            "maxPersonality": limits["injected_files"],
            "maxPersonalitySize": limits["injected_file_content_bytes"],
        }
    return {"limits": {"rate": [], "absolute": absolute}}
