"""Cinder's routes of snapshots and backups."""

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.volume.listing import chosen, listing
from multisite.sim.volume.routes import ROUTES, check_ids, need_member, visible, wanted
from multisite.sim.volume.state import Backup, Snapshot
from multisite.sim.volume.wire import backup_json, snapshot_json, summary


def _snapshot(call: Call) -> Snapshot:
    return visible(call, call.region.volume.snapshot)


@ROUTES.on("GET", "/snapshots")
def list_snapshots(call: Call) -> Json:
    """Snapshots, with nearly everything."""
    rows = chosen(call, "snapshot", call.region.volume.snapshots)
    return listing(call, "snapshots", rows, lambda item: snapshot_json(call, item, detail=False))


@ROUTES.on("GET", "/snapshots/detail")
def list_snapshots_in_detail(call: Call) -> Json:
    """Snapshots in detail."""
    rows = chosen(call, "snapshot", call.region.volume.snapshots)
    return listing(call, "snapshots", rows, lambda item: snapshot_json(call, item, detail=True))


@ROUTES.on("GET", "/snapshots/{snapshot_id}")
def show_snapshot(call: Call) -> Json:
    """One snapshot."""
    return {"snapshot": snapshot_json(call, _snapshot(call), detail=True)}


@ROUTES.on("POST", "/snapshots")
def create_snapshot(call: Call) -> Answer:
    """A snapshot; of a volume in use it takes `force`, or microversion 3.66."""
    need_member(call, "volume:create_snapshot")
    body, volumes = wanted(call, "snapshot"), call.region.volume
    check_ids(body, "volume_id", needed=True)
    volume = volumes.volume(str(body.get("volume_id")), None if call.token.admin else call.token.project_id)
    force = str(body.get("force", False)).lower() in {"true", "1"}
    if volume.status != "available" and not (
        volume.status == "in-use" and (force or call.version >= (3, 66))
    ):
        raise Refusal(
            400,
            f"Invalid volume: Volume {volume.id} status must be available, but current status is: "
            f"{volume.status}.",
        )
    snapshot = volumes.create_snapshot(
        volume_id=volume.id, name=body.get("name"), project_id=volume.project_id, user_id=call.token.user_id
    )
    snapshot.description = body.get("description")
    snapshot.metadata = {str(key): str(value) for key, value in (body.get("metadata") or {}).items()} or None
    return Answer(202, {"snapshot": snapshot_json(call, snapshot, detail=True, new=True)})


@ROUTES.on("PUT", "/snapshots/{snapshot_id}")
def update_snapshot(call: Call) -> Json:
    """Another name or description."""
    snapshot, body = _snapshot(call), wanted(call, "snapshot")
    snapshot.name = body.get("name", snapshot.name)
    snapshot.description = body.get("description", snapshot.description)
    snapshot.updated = call.region.now("volume")
    shown = snapshot_json(call, snapshot, detail=True)
    return {"snapshot": {key: value for key, value in shown.items() if not key.startswith("os-extended")}}


@ROUTES.on("DELETE", "/snapshots/{snapshot_id}")
def delete_snapshot(call: Call) -> Answer:
    """End a snapshot."""
    need_member(call, "volume:delete_snapshot")
    call.region.volume.delete_snapshot(_snapshot(call))
    return Answer(202)


def _backup(call: Call) -> Backup:
    return visible(call, call.region.volume.backup)


@ROUTES.on("GET", "/backups")
def list_backups(call: Call) -> Json:
    """Backups: names and ids."""
    rows = chosen(call, "backup", call.region.volume.backups)
    return listing(call, "backups", rows, lambda item: summary(call, "backups", item))


@ROUTES.on("GET", "/backups/detail")
def list_backups_in_detail(call: Call) -> Json:
    """Backups in detail."""
    rows = chosen(call, "backup", call.region.volume.backups)
    return listing(call, "backups", rows, lambda item: backup_json(call, item))


@ROUTES.on("GET", "/backups/{backup_id}")
def show_backup(call: Call) -> Json:
    """One backup."""
    return {"backup": backup_json(call, _backup(call))}


@ROUTES.on("POST", "/backups")
def create_backup(call: Call) -> Answer:
    """A backup of a volume of the token's project."""
    need_member(call, "backup:create")
    body = wanted(call, "backup")
    check_ids(body, "volume_id", needed=True)
    backup = call.region.volume.create_backup(
        volume_id=str(body.get("volume_id")), name=body.get("name"), project_id=call.token.project_id,
        user_id=call.token.user_id, force=str(body.get("force", False)).lower() in {"true", "1"},
    )  # fmt: skip
    backup.description, backup.snapshot_id = body.get("description"), body.get("snapshot_id")
    return Answer(202, {"backup": summary(call, "backups", backup)})


@ROUTES.on("DELETE", "/backups/{backup_id}")
def delete_backup(call: Call) -> Answer:
    """End a backup."""
    need_member(call, "backup:delete")
    call.region.volume.delete_backup(_backup(call))
    return Answer(202)
