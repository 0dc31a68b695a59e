"""Cinder's routes of quotas: of projects and of classes; and the limits that a caller has.

Cinder takes limits for projects that nobody knows. There is no force: a limit below what is used is
refused, but only where the project has a limit of its own already.
"""

import re

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.identity.limits import MOST, UNLIMITED
from multisite.sim.volume.routes import ROUTES, need_admin
from multisite.sim.volume.state import DEFAULT_CLASS, Volumes
from multisite.sim.writes import class_written, quota_written

#: What may stand beside the limits, and means nothing.
_NO_LIMITS = ("id", "tenant_id")
_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


def _volumes(call: Call) -> Volumes:
    return call.region.volume


def _own_project(call: Call) -> str:
    if call.ids[0] != call.token.project_id:
        need_admin(call, "volume_extension:quotas:show")
    return call.ids[0]


def _wanted(call: Call, key: str) -> Json:
    """The limits in a body. Raises `Refusal` (400)."""
    if key not in call.body:
        raise Refusal(400, f"'{key}' is a required property")
    wanted = call.body[key]
    if not isinstance(wanted, dict):
        raise _invalid(key, wanted, f"{wanted!r} is not of type 'object'")
    if not wanted and key == "quota_set":
        raise _invalid(key, wanted, "{} should be non-empty")
    if unknown := sorted(set(call.body) - {key}):
        raise Refusal(400, f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")
    return wanted


def _invalid(key: str, value: object, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. {why}")


@ROUTES.on("GET", "/os-quota-sets/{project_id}")
def show_quota(call: Call) -> Json:
    """The limits of a project, on request with what it uses."""
    project_id, volumes = _own_project(call), _volumes(call)
    body: Json = dict(volumes.limits(project_id))
    usage = call.one("usage", "false").strip().lower()
    if usage not in _TRUE | _FALSE:
        raise Refusal(400, f"Value '{call.one('usage')}' for 'usage' is not a boolean.")
    if usage in _TRUE:
        used = volumes.usage(project_id)
        body = {name: {"limit": limit, "in_use": used[name], "reserved": 0} for name, limit in body.items()}
    return {"quota_set": body | {"id": project_id}}


@ROUTES.on("GET", "/os-quota-sets/{project_id}/defaults")
def show_default_quota(call: Call) -> Json:
    """The limits of a project that has none of its own."""
    project_id = _own_project(call)
    return {"quota_set": _volumes(call).default_limits() | {"id": project_id}}


@ROUTES.on("PUT", "/os-quota-sets/{project_id}")
def update_quota(call: Call) -> Json:
    """Set limits of a project."""
    wanted, volumes, project_id = _wanted(call, "quota_set"), _volumes(call), call.ids[0]
    known = volumes.default_limits()
    limits = {name: limit for name, limit in wanted.items() if name not in _NO_LIMITS}
    for name, limit in limits.items():
        if name in known:
            _check_limit(name, limit)
    if unknown := [name for name in limits if name not in known]:
        raise Refusal(400, f"Invalid input received: Bad key(s) in quota set: {', '.join(unknown)}")
    need_admin(call, "volume_extension:quotas:update")
    used, own = volumes.usage(project_id), volumes.quotas.get(project_id, {})
    for name, limit in limits.items():
        if name != "per_volume_gigabytes" and limit != UNLIMITED:
            if not isinstance(limit, int):  # it is a number all the same, and Cinder trips over it
                raise Refusal(
                    400,
                    "The server could not comply with the request since it is either malformed or "
                    "otherwise incorrect.",
                )
            if name in own and limit < used[name]:
                raise Refusal(
                    400,
                    f"Quota {name} limit must be equal or greater than existing resources. Current usage "
                    f"is {used[name]} and the requested limit is {limit}.",
                )
    taken = {name: int(limit) for name, limit in limits.items()}

    def change() -> None:
        volumes.quotas.setdefault(project_id, {}).update(taken)

    quota_written(call, "volume", project_id, taken, change)
    return {"quota_set": volumes.limits(project_id)}


def _check_limit(name: str, limit: object) -> None:
    if not re.fullmatch(r"-?\d+", str(limit)):
        raise Refusal(400, f"{name} must be an integer")
    if int(str(limit)) < UNLIMITED:
        raise Refusal(400, f"{name} must be >= {UNLIMITED}")
    if int(str(limit)) > MOST:
        raise Refusal(400, f"{name} must be <= {MOST}")


@ROUTES.on("DELETE", "/os-quota-sets/{project_id}")
def delete_quota(call: Call) -> Answer:
    """Let a project have the defaults again."""
    need_admin(call, "volume_extension:quotas:delete")
    volumes, project_id = _volumes(call), call.ids[0]

    def change() -> None:
        volumes.quotas.pop(project_id, None)

    quota_written(call, "volume", project_id, list(volumes.quotas.get(project_id, {})), change)
    return Answer(200)


# -- classes ---------------------------------------------------------------------------------------------


@ROUTES.on("GET", "/os-quota-class-sets/{name}")
def show_quota_class(call: Call) -> Json:
    """The limits of a class; `default` are the defaults."""
    need_admin(call, "volume_extension:quota_classes:get")
    return {"quota_class_set": _volumes(call).class_limits(call.ids[0]) | {"id": call.ids[0]}}


@ROUTES.on("PUT", "/os-quota-class-sets/{name}")
def update_quota_class(call: Call) -> Json:
    """Set limits of a class."""
    wanted, volumes, name = _wanted(call, "quota_class_set"), _volumes(call), call.ids[0]
    known = volumes.default_limits()
    if unknown := [key for key in wanted if key not in known]:
        raise Refusal(400, f"Invalid input received: Bad key(s) in quota class set: {', '.join(unknown)}")
    for key, limit in wanted.items():
        if isinstance(limit, bool) or not isinstance(limit, int | str):
            raise _invalid(key, limit, f"{limit!r} is not of type 'integer', 'string'")
        if isinstance(limit, str) and not re.fullmatch(r"[0-9]+", limit):
            raise _invalid(key, limit, f"{limit!r} does not match '^[0-9]*$'")
        if int(limit) < UNLIMITED:
            raise _invalid(key, limit, f"{limit} is less than the minimum of {UNLIMITED}")
        if int(limit) > MOST:
            raise _invalid(key, limit, f"{limit} is greater than the maximum of {MOST}")
    need_admin(call, "volume_extension:quota_classes:update")
    taken = {key: int(limit) for key, limit in wanted.items()}

    def change() -> None:
        volumes.quota_classes.setdefault(name, {}).update(taken)

    class_written(call, "volume", taken if name == DEFAULT_CLASS else (), change)
    return {"quota_class_set": volumes.class_limits(name)}


# -- what a caller has -----------------------------------------------------------------------------------


@ROUTES.on("GET", "/limits")
def show_limits(call: Call) -> Json:
    """The limits and use of the token's project; an administrator may name another."""
    project_id = call.token.project_id
    if call.token.admin and call.version >= (3, 39):
        project_id = call.one("project_id") or call.one("tenant_id") or project_id
    limits, used = _volumes(call).limits(project_id), _volumes(call).usage(project_id)
    absolute = {
        "maxTotalVolumes": limits["volumes"], "maxTotalSnapshots": limits["snapshots"],
        "maxTotalVolumeGigabytes": limits["gigabytes"], "maxTotalBackups": limits["backups"],
        "maxTotalBackupGigabytes": limits["backup_gigabytes"], "totalVolumesUsed": used["volumes"],
        "totalGigabytesUsed": used["gigabytes"], "totalSnapshotsUsed": used["snapshots"],
        "totalBackupsUsed": used["backups"], "totalBackupGigabytesUsed": used["backup_gigabytes"],
    }  # fmt: skip
    return {"limits": {"rate": [], "absolute": absolute}}
