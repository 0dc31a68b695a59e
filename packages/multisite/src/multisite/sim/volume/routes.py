"""Cinder's routes: volumes, types, pools, services. Snapshots, backups and quotas are beside this module."""

import re
from collections.abc import Callable
from typing import TypeVar

from multisite.sim.http import Answer, Call, Json, Refusal, stamp_micro
from multisite.sim.routing import Routes
from multisite.sim.service import Microversions
from multisite.sim.volume.listing import chosen, listing
from multisite.sim.volume.state import Volume, Volumes
from multisite.sim.volume.wire import pool_json, summary, type_json, volume_json

ROUTES = Routes()
MICROVERSIONS = Microversions("volume", (3, 0), (3, 71))
T = TypeVar("T")
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
#: What may be said of a volume that is to be made.
_SETTABLE = frozenset(
    {
        "name", "description", "display_name", "display_description", "volume_type", "metadata",
        "snapshot_id",
        "source_volid", "consistencygroup_id", "size", "availability_zone", "multiattach", "image_id",
        "imageRef", "group_id", "backup_id",
    }
)  # fmt: skip
_LONGEST_NAME = 255


def versions(base: str) -> Answer:
    """The versions of the API: status 300, as there could be several."""
    version = {
        "id": "v3.0", "status": "CURRENT", "version": "3.71", "min_version": "3.0",
        "updated": "2023-08-31T00:00:00Z",
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{base}/v3/"},
        ],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}
        ],
    }  # fmt: skip
    headers = {"OpenStack-API-Version": "volume 3.0", "Vary": "OpenStack-API-Version"}
    return Answer(300, {"versions": [version]}, headers)


@ROUTES.on("GET", "/")
def show_version(call: Call) -> Json:
    """The same document, with status 200: in front of this one Cinder wants a token."""
    body = versions(call.base.removesuffix("/v3")).body
    return body if isinstance(body, dict) else {}


def need_admin(call: Call, rule: str) -> None:
    """Raise `Refusal` (403) unless the token is an administrator's."""
    if not call.token.admin:
        raise Refusal(403, f"Policy doesn't allow {rule} to be performed.")


def need_member(call: Call, rule: str) -> None:
    """Raise `Refusal` (403) where the token may only read."""
    if not {"member", "admin"} & set(call.token.roles):
        raise Refusal(403, f"Policy doesn't allow {rule} to be performed.")


def visible(call: Call, find: Callable[[str, str | None], T]) -> T:
    """What the path names, if the token's project has it; an administrator's sees all."""
    return find(call.ids[0], None if call.token.admin else call.token.project_id)


def wanted(call: Call, key: str) -> Json:
    """The object `key` of the body. Raises `Refusal` (400)."""
    found = call.body.get(key)
    if not isinstance(found, dict):
        raise Refusal(400, f"'{key}' is a required property")
    return found


def check_words(body: Json, known: frozenset[str]) -> None:
    """Refuse (400) names that are too long, metadata that are no text, and what is not `known`."""
    if unknown := sorted(set(body) - known):
        raise Refusal(400, f"Additional properties are not allowed ('{unknown[0]}' was unexpected)")
    for key in ("name", "description"):
        if len(str(body.get(key) or "")) > _LONGEST_NAME:
            raise Refusal(400, f"Invalid input received: {key} has more than {_LONGEST_NAME} characters.")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Refusal(400, "Invalid input for field/attribute metadata: its values are not of type 'string'")


def check_ids(body: Json, *keys: str, needed: bool = False) -> None:
    """Refuse (400) what should be ids and are none."""
    for key in keys:
        value = body.get(key)
        if (needed and value is None) or (value is not None and not _UUID.fullmatch(str(value))):
            raise Refusal(400, f"Invalid input for field/attribute {key}. Value: {value}. It is not a 'uuid'")


# -- volumes ---------------------------------------------------------------------------------------------


def _volumes(call: Call) -> Volumes:
    return call.region.volume


def _volume(call: Call) -> Volume:
    return visible(call, _volumes(call).volume)


@ROUTES.on("GET", "/volumes")
def list_volumes(call: Call) -> Json:
    """Volumes: names and ids."""
    rows = chosen(call, "volume", _volumes(call).volumes)
    return listing(call, "volumes", rows, lambda item: summary(call, "volumes", item))


@ROUTES.on("GET", "/volumes/detail")
def list_volumes_in_detail(call: Call) -> Json:
    """Volumes in detail."""
    rows = chosen(call, "volume", _volumes(call).volumes)
    return listing(call, "volumes", rows, lambda item: volume_json(call, _volumes(call), item))


@ROUTES.on("GET", "/volumes/summary")
def summarize_volumes(call: Call) -> Json:
    """How many volumes there are, and how large they are together."""
    if call.version < (3, 12):
        raise Refusal(404, "The resource could not be found.")
    rows = chosen(call, "volume", _volumes(call).volumes)
    body: Json = {"total_count": len(rows), "total_size": sum(item.size for item in rows)}
    return {"volume-summary": body | ({"metadata": {}} if call.version >= (3, 36) else {})}


@ROUTES.on("GET", "/volumes/{volume_id}")
def show_volume(call: Call) -> Json:
    """One volume."""
    return {"volume": volume_json(call, _volumes(call), _volume(call))}


@ROUTES.on("POST", "/volumes")
def create_volume(call: Call) -> Answer:
    """A volume: empty, of a snapshot, of another volume, or of an image."""
    need_member(call, "volume:create")
    body, volumes = wanted(call, "volume"), _volumes(call)
    check_words(body, _SETTABLE if call.version >= (3, 53) else frozenset(body))
    check_ids(body, "snapshot_id", "source_volid")
    zone = body.get("availability_zone")
    if zone not in {None, "nova"}:
        raise Refusal(400, f"Availability zone '{zone}' is invalid.")
    project_id = call.token.project_id
    least, source = _source(call, body)
    size = _size(body.get("size"), least)
    kind = str(body.get("volume_type") or (source.type.name if source else ""))
    name = body.get("name", body.get("display_name"))
    volume = volumes.create(
        name=name, size=size, project_id=project_id, user_id=call.token.user_id, type_name=kind
    )
    volume.description = body.get("description")
    volume.metadata = {str(key): str(value) for key, value in (body.get("metadata") or {}).items()} or None
    volume.snapshot_id, volume.source_volid = body.get("snapshot_id"), body.get("source_volid")
    volume.image_id = body.get("imageRef") or body.get("image_id")
    return Answer(202, {"volume": volume_json(call, volumes, volume, new=True)})


def _source(call: Call, body: Json) -> tuple[int, Volume | None]:
    """How large a volume has to be at least, and the volume that it is a copy of."""
    volumes, project_id = _volumes(call), call.token.project_id
    if body.get("snapshot_id"):
        return volumes.snapshot(str(body["snapshot_id"]), project_id).size, None
    if body.get("source_volid"):
        source = volumes.volume(str(body["source_volid"]), project_id)
        return source.size, source
    image_id = body.get("imageRef") or body.get("image_id")
    if image_id:
        try:
            call.region.image.image(str(image_id), call.token)
        except Refusal:
            raise Refusal(400, "Invalid image identifier or unable to access requested image.") from None
    return 0, None


def _size(size: object, least: int) -> int:
    """The size that is asked for, or that of what is copied. Raises `Refusal` (400)."""
    if size is None and least:
        return least
    if isinstance(size, bool) or not str(size).isdigit() or not int(str(size)):
        raise Refusal(
            400, f"Invalid input received: Volume size '{size}' must be an integer and greater than 0"
        )
    if int(str(size)) < least:
        raise Refusal(
            400, f"Invalid input received: Volume size '{size}'GB cannot be smaller than original volume "
            f"size {least}GB. They must be >= original volume size."
        )  # fmt: skip
    return int(str(size))


@ROUTES.on("PUT", "/volumes/{volume_id}")
def update_volume(call: Call) -> Json:
    """Another name, description or other metadata."""
    volume, body = _volume(call), wanted(call, "volume")
    check_words(body, frozenset({"name", "description", "display_name", "display_description", "metadata"}))
    volume.name = body.get("name", volume.name)
    volume.description = body.get("description", volume.description)
    if isinstance(body.get("metadata"), dict):
        volume.metadata = {str(key): str(value) for key, value in body["metadata"].items()}
    volume.updated = call.region.now("volume")
    shown = volume_json(call, _volumes(call), volume)
    return {"volume": {key: value for key, value in shown.items() if not key.startswith("os-vol")}}


@ROUTES.on("DELETE", "/volumes/{volume_id}")
def delete_volume(call: Call) -> Answer:
    """End a volume."""
    need_member(call, "volume:delete")
    cascade = call.one("cascade").lower() in {"true", "1"}
    _volumes(call).delete(_volume(call), cascade=cascade)
    return Answer(202)


@ROUTES.on("POST", "/volumes/{volume_id}/action")
def act_on_volume(call: Call) -> Answer:
    """Extend a volume, or set its status."""
    volume, body = _volume(call), call.body
    if "os-extend" in body:
        size = _size(wanted(call, "os-extend").get("new_size"), 0)
        _volumes(call).extend(volume, size, in_use=call.version >= (3, 42))
        return Answer(202)
    if "os-reset_status" in body:
        need_admin(call, "volume_extension:volume_admin_actions:reset_status")
        volume.status = str(wanted(call, "os-reset_status").get("status"))
        volume.updated = call.region.now("volume")
        return Answer(202)
    raise Refusal(400, f"There is no such action: {next(iter(body), '')}")


# -- types, pools, services ------------------------------------------------------------------------------


@ROUTES.on("GET", "/types")
def list_types(call: Call) -> Json:
    """The volume types."""
    access = "os-volume-type-access:is_public"
    items = sorted(_volumes(call).types.values(), key=lambda item: item.name, reverse=True)
    return {"volume_types": [type_json(call, item) | {access: item.public} for item in items]}


@ROUTES.on("GET", "/types/default")
def show_default_type(call: Call) -> Json:
    """The type of volumes for which none is given."""
    return {"volume_type": type_json(call, _volumes(call).default_type)}


@ROUTES.on("GET", "/types/{type_id}")
def show_type(call: Call) -> Json:
    """One volume type."""
    item = _volumes(call).types.get(call.ids[0])
    if item is None:
        raise Refusal(404, f"Volume type {call.ids[0]} could not be found.")
    return {"volume_type": type_json(call, item) | {"os-volume-type-access:is_public": item.public}}


@ROUTES.on("GET", "/scheduler-stats/get_pools")
def list_pools(call: Call) -> Json:
    """What the scheduler knows of the pools."""
    need_admin(call, "scheduler_extension:scheduler_stats:get_pools")
    volumes, now = _volumes(call), call.region.now("volume")
    if call.one("detail").lower() not in {"true", "1"}:
        return {"pools": [{"name": pool.name} for pool in volumes.pools.values()]}
    return {"pools": [pool_json(volumes, name, pool, now) for name, pool in volumes.pools.items()]}


@ROUTES.on("GET", "/os-services")
def list_services(call: Call) -> Json:
    """All cinder services."""
    need_admin(call, "volume_extension:services:index")
    volumes = _volumes(call)
    rows = [_service(call, "cinder-scheduler", volumes.host), _service(call, "cinder-backup", volumes.host)]
    for name in volumes.pools:
        row = _service(call, "cinder-volume", f"{volumes.host}@{name}")
        row |= {"replication_status": "disabled", "active_backend_id": None, "frozen": False}
        row |= {"cluster": None} if call.version >= (3, 7) else {}
        rows.append(row | ({"backend_state": "up"} if call.version >= (3, 49) else {}))
    return {"services": rows}


def _service(call: Call, binary: str, host: str) -> Json:
    return {
        "binary": binary, "host": host, "zone": "nova", "status": "enabled", "state": "up",
        "updated_at": stamp_micro(int(call.region.now("volume"))), "disabled_reason": None,
    }  # fmt: skip


@ROUTES.on("GET", "/os-availability-zone")
def list_zones(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """The zones: there is one."""
    return {"availabilityZoneInfo": [{"zoneName": "nova", "zoneState": {"available": True}}]}
