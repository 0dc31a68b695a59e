"""Cinder's JSON, at the microversion that was asked for."""

from multisite.sim.http import Call, Json, stamp_micro
from multisite.sim.volume.state import Backup, Pool, Snapshot, Volume, Volumes, VolumeType


def when(seconds: float) -> str:
    """A time as Cinder's database keeps it: to the second, with six noughts."""
    return stamp_micro(int(seconds))


def links(call: Call, kind: str, item_id: str) -> list[Json]:
    """The two links of a volume or backup."""
    bookmark = call.base.replace("/v3", "", 1)
    return [
        {"rel": "self", "href": f"{call.base}/{kind}/{item_id}"},
        {"rel": "bookmark", "href": f"{bookmark}/{kind}/{item_id}"},
    ]


def summary(call: Call, kind: str, item: Volume | Backup) -> Json:
    """A row of a listing without details."""
    return {"id": item.id, "name": item.name, "links": links(call, kind, item.id)}


def volume_json(call: Call, volumes: Volumes, volume: Volume, *, new: bool = False) -> Json:
    """A volume in detail; one that was just made (`new`) is not scheduled yet."""
    admin, pool = call.token.admin, volumes.pools[volume.type.pool]
    body: Json = {
        "id": volume.id, "status": "creating" if new else volume.status, "size": volume.size,
        "availability_zone": volume.zone, "created_at": when(volume.created),
        "updated_at": None if new else when(volume.updated), "name": volume.name,
        "description": volume.description, "volume_type": volume.type.name,
        "snapshot_id": volume.snapshot_id, "source_volid": volume.source_volid,
        "metadata": dict(volume.metadata or {}), "links": links(call, "volumes", volume.id),
        "user_id": volume.user_id, "bootable": str(volume.image_id is not None).lower(), "encrypted": False,
        "replication_status": None, "consistencygroup_id": None, "multiattach": False,
        "attachments": _attachments(call, volume),
    }  # fmt: skip
    if admin:
        body["migration_status"] = None
    if call.version >= (3, 13):
        body["group_id"] = None
    if admin and call.version >= (3, 21):
        body["provider_id"] = None
    if call.version >= (3, 48):
        body |= {"shared_targets": new, "service_uuid": None if new else pool.service_id}
    if admin and call.version >= (3, 61):
        body["cluster_name"] = None
    if call.version >= (3, 63):
        body["volume_type_id"] = volume.type.id
    if call.version >= (3, 65):
        body["consumes_quota"] = True
    if not new:
        body |= _extensions(call, volume, pool)
    return body


def _extensions(call: Call, volume: Volume, pool: Pool) -> Json:
    """What extensions add to a volume that is shown, not to one that is made."""
    body: Json = {"os-vol-tenant-attr:tenant_id": volume.project_id}
    if call.token.admin:
        body |= {
            "os-vol-mig-status-attr:migstat": None, "os-vol-mig-status-attr:name_id": None,
            "os-vol-host-attr:host": pool.name,
        }  # fmt: skip
    if volume.image_id:
        body["volume_image_metadata"] = {"image_id": volume.image_id}
    return body


def _attachments(call: Call, volume: Volume) -> list[Json]:
    held = volume.attachment
    if held is None:
        return []
    return [
        {
            "id": volume.id, "attachment_id": held.id, "volume_id": volume.id, "server_id": held.server_id,
            "host_name": held.host if call.token.admin else None, "device": held.device,
            "attached_at": when(held.at),
        }
    ]  # fmt: skip


def snapshot_json(call: Call, snapshot: Snapshot, *, detail: bool, new: bool = False) -> Json:
    """A snapshot; Cinder shows nearly all of it without details, too."""
    body: Json = {
        "id": snapshot.id, "created_at": when(snapshot.created),
        "updated_at": None if new else when(snapshot.updated), "name": snapshot.name,
        "description": snapshot.description, "volume_id": snapshot.volume_id,
        "status": "creating" if new else snapshot.status, "size": snapshot.size,
        "metadata": dict(snapshot.metadata or {}),
    }  # fmt: skip
    if not detail:
        return body
    if call.version >= (3, 14):
        body["group_snapshot_id"] = None
    if call.version >= (3, 41):
        body["user_id"] = snapshot.user_id
    if call.version >= (3, 65):
        body["consumes_quota"] = True
    if not new:
        body |= {
            "os-extended-snapshot-attributes:project_id": snapshot.project_id,
            "os-extended-snapshot-attributes:progress": "100%",
        }
    return body


def backup_json(call: Call, backup: Backup) -> Json:
    """A backup in detail."""
    body: Json = {
        "id": backup.id, "status": backup.status, "size": backup.size, "object_count": 0,
        "availability_zone": backup.zone, "container": f"{backup.id[:2]}/{backup.id[2:4]}/{backup.id}",
        "created_at": when(backup.created), "updated_at": when(backup.updated), "name": backup.name,
        "description": backup.description, "fail_reason": None, "volume_id": backup.volume_id,
        "links": links(call, "backups", backup.id), "is_incremental": False, "has_dependent_backups": False,
        "snapshot_id": backup.snapshot_id, "data_timestamp": when(backup.created),
    }  # fmt: skip
    if call.version >= (3, 43):
        body["metadata"] = dict(backup.metadata or {})
    if call.token.admin and call.version >= (3, 18):
        body["os-backup-project-attr:project_id"] = backup.project_id
    if call.token.admin and call.version >= (3, 56):
        body["user_id"] = backup.user_id
    return body


def type_json(call: Call, item: VolumeType) -> Json:
    """A volume type; tenants do not see which backend it is for."""
    body: Json = {
        "id": item.id, "name": item.name, "is_public": item.public, "description": item.description,
        "extra_specs": dict(item.extra_specs) if call.token.admin else {},
    }  # fmt: skip
    if call.token.admin:
        body["qos_specs_id"] = None
    return body


def pool_json(volumes: Volumes, name: str, pool: Pool, now: float) -> Json:
    """A pool in detail. Free is what is not promised: a thick pool has no other kind."""
    stored = volumes.stored(name)
    capabilities: Json = {
        "pool_name": name, "total_capacity_gb": pool.total,
        "free_capacity_gb": float(max(0, pool.total - stored)), "reserved_percentage": 0,
        "max_over_subscription_ratio": pool.over, "thin_provisioning_support": pool.thin,
        "thick_provisioning_support": not pool.thin, "multiattach": True, "QoS_support": False,
        "consistent_group_snapshot_enabled": False, "allocated_capacity_gb": stored,
        "volume_backend_name": name, "storage_protocol": "local", "vendor_name": "multisite",
        "driver_version": "1.0", "timestamp": stamp_micro(now), "filter_function": None,
        "goodness_function": None,
    }  # fmt: skip
    if pool.thin:
        capabilities["provisioned_capacity_gb"] = stored
    return {"name": pool.name, "capabilities": capabilities}
