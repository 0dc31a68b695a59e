"""Cinder's state: pools, types, volumes, snapshots, backups, and the quotas that count them.

Times are seconds since the epoch, sizes GiB. Work ends at once: a volume that is created is available.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.sim.http import Json, Refusal

if TYPE_CHECKING:
    from multisite.sim.world import Region

#: What a project may use without a limit of its own; each type adds three more, without limit.
QUOTA = {
    "volumes": 10, "per_volume_gigabytes": -1, "snapshots": 10, "gigabytes": 1000, "backups": 10,
    "backup_gigabytes": 1000, "groups": 10,
}  # fmt: skip
DEFAULT_CLASS = "default"
COUNTED_PER_TYPE = ("volumes", "gigabytes", "snapshots")
UNDELETABLE = (
    "Invalid volume: Volume status must be available or error or error_restoring or error_extending or "
    "error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a "
    "transfer, or be disassociated from snapshots after volume transfer."
)


@dataclass(slots=True)
class VolumeType:
    """A kind of volumes, and the pool that they lie in."""

    id: str
    name: str
    pool: str
    public: bool = True
    description: str | None = None
    extra_specs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Pool:
    """What the scheduler knows of a backend's pool. A thin one promises up to `over` times its capacity."""

    name: str
    total: int
    thin: bool = False
    over: float = 1.0
    service_id: str = ""


@dataclass(slots=True)
class Attachment:
    """A volume in a server."""

    id: str
    server_id: str
    host: str
    device: str
    at: float


@dataclass(slots=True)
class Volume:
    """A volume."""

    id: str
    name: str | None
    size: int
    project_id: str
    user_id: str
    type: VolumeType
    created: float
    updated: float
    zone: str = "nova"
    status: str = "available"
    description: str | None = None
    metadata: dict[str, str] | None = None
    snapshot_id: str | None = None
    source_volid: str | None = None
    image_id: str | None = None
    attachment: Attachment | None = None


@dataclass(slots=True)
class Snapshot:
    """A snapshot of a volume, as large as the volume was."""

    id: str
    name: str | None
    volume_id: str
    size: int
    type: VolumeType
    project_id: str
    user_id: str
    created: float
    updated: float
    status: str = "available"
    description: str | None = None
    metadata: dict[str, str] | None = None


@dataclass(slots=True)
class Backup:
    """A backup of a volume."""

    id: str
    name: str | None
    volume_id: str
    size: int
    project_id: str
    user_id: str
    created: float
    updated: float
    zone: str = "nova"
    status: str = "available"
    description: str | None = None
    snapshot_id: str | None = None
    metadata: dict[str, str] | None = None


class Volumes:
    """Cinder of one region."""

    def __init__(self, region: "Region") -> None:
        self.region = region
        self.host = f"{region.name}-cinder"
        self.types: dict[str, VolumeType] = {}
        self.pools: dict[str, Pool] = {}
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.backups: dict[str, Backup] = {}
        self.quotas: dict[str, dict[str, int]] = {}
        self.quota_classes: dict[str, dict[str, int]] = {}
        self.used: dict[str, Counter[str]] = {}
        self._add_pool("ssd", 20_000)
        self._add_pool("hdd", 40_000, thin=True, over=2.0)
        self.default_type = self.types[self._fixed_id("type", "ssd")]
        self._add_type("__DEFAULT__", "ssd", "Default Volume Type")

    def _fixed_id(self, *words: str) -> str:
        """An id that follows from the seed, in the form of a UUID."""
        text = self.region.keystone.fixed_id(self.region.name, "volume", *words)
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def _add_pool(self, name: str, total: int, *, thin: bool = False, over: float = 1.0) -> None:
        service_id = self._fixed_id("service", name)
        self.pools[name] = Pool(f"{self.host}@{name}#{name}", total, thin, over, service_id)
        self._add_type(name, name, None, {"volume_backend_name": name})

    def _add_type(
        self, name: str, pool: str, description: str | None, specs: dict[str, str] | None = None
    ) -> None:
        type_id = self._fixed_id("type", name)
        self.types[type_id] = VolumeType(
            type_id, name, pool, description=description, extra_specs=specs or {}
        )

    # -- what there is ---------------------------------------------------------------------------------

    def volume(self, volume_id: str, project_id: str | None) -> Volume:
        """A volume; of any project if that is `None`. Raises `Refusal` (404)."""
        volume = self.volumes.get(volume_id)
        if volume is None or project_id not in {None, volume.project_id}:
            raise Refusal(404, f"Volume {volume_id} could not be found.")
        return volume

    def snapshot(self, snapshot_id: str, project_id: str | None) -> Snapshot:
        """A snapshot; of any project if that is `None`. Raises `Refusal` (404)."""
        snapshot = self.snapshots.get(snapshot_id)
        if snapshot is None or project_id not in {None, snapshot.project_id}:
            raise Refusal(404, f"Snapshot {snapshot_id} could not be found.")
        return snapshot

    def backup(self, backup_id: str, project_id: str | None) -> Backup:
        """A backup; of any project if that is `None`. Raises `Refusal` (404)."""
        backup = self.backups.get(backup_id)
        if backup is None or project_id not in {None, backup.project_id}:
            raise Refusal(404, f"Backup {backup_id} could not be found.")
        return backup

    def type_named(self, name: str) -> VolumeType:
        """The type with this id or name. Raises `Refusal` (404)."""
        for item in self.types.values():
            if name in {item.id, item.name}:
                return item
        raise Refusal(404, f"Volume type with name {name} could not be found.")

    def stored(self, pool: str) -> int:
        """GiB of the volumes in a pool."""
        return sum(item.size for item in self.volumes.values() if item.type.pool == pool)

    # -- quotas ----------------------------------------------------------------------------------------

    def class_limits(self, name: str) -> dict[str, int]:
        """The limits of a quota class: what it does not say, the defaults do."""
        limits = {key: limit for key, limit in QUOTA.items() if key != "groups"}
        for item in self.types.values():
            limits |= {f"{key}_{item.name}": -1 for key in COUNTED_PER_TYPE}
        limits |= {"groups": QUOTA["groups"]}
        return limits | self.quota_classes.get(DEFAULT_CLASS, {}) | self.quota_classes.get(name, {})

    def default_limits(self) -> dict[str, int]:
        """The limits of a project that has none of its own."""
        return self.class_limits(DEFAULT_CLASS)

    def limits(self, project_id: str) -> dict[str, int]:
        """The limits of a project."""
        return self.default_limits() | self.quotas.get(project_id, {})

    def limit(self, project_id: str, name: str) -> int | None:
        """One limit of a project; None for what is not limited here."""
        own = self.quotas.get(project_id, {})
        return own[name] if name in own else self.default_limits().get(name)

    def usage(self, project_id: str) -> Counter[str]:
        """What a project uses, per resource."""
        return self.used.setdefault(project_id, Counter())

    def standing(self, project_id: str, name: str) -> tuple[int, int] | None:
        """A project's limit in force and its use; None for what Cinder has no limit of."""
        limit = self.limit(project_id, name)
        return None if limit is None else (limit, self.usage(project_id)[name])

    def _reserve(self, project_id: str, wanted: Json, kind: VolumeType | None, copy: str = "") -> None:
        """Count what is wanted. Raises `Refusal` (413) where that is more than a limit.

        A `copy` is a snapshot or a backup, or the growth of a volume: their complaints differ.
        """
        if kind:
            wanted = wanted | {f"{name}_{kind.name}": amount for name, amount in wanted.items()}
        limits, used = self.limits(project_id), self.usage(project_id)
        over = [name for name, amount in wanted.items() if 0 <= limits[name] < used[name] + amount]
        over = over if self.region.limits_hold else []
        for name in sorted(over, key=lambda name: ("gigabytes" not in name, "_" in name)):  # sizes first
            raise _over_limit(_complaint(name, wanted[name], limits, used, copy))
        used.update(wanted)
        if self.region.born:
            self.region.touch()

    def _release(self, project_id: str, given_back: Json, kind: VolumeType | None) -> None:
        used = self.usage(project_id)
        used.subtract(given_back)
        if kind:
            used.subtract({f"{name}_{kind.name}": amount for name, amount in given_back.items()})
        if self.region.born:
            self.region.touch()

    # -- volumes ---------------------------------------------------------------------------------------

    def create(
        self, *, name: str | None, size: int, project_id: str, user_id: str, type_name: str = ""
    ) -> Volume:
        """A volume. Raises `Refusal`: over quota (413), no such type (404)."""
        kind = self.type_named(type_name) if type_name else self.default_type
        self._check_size(project_id, size)
        self._reserve(project_id, {"volumes": 1, "gigabytes": size}, kind)
        now = self.region.made_at("volume")
        volume = Volume(self.region.new_id(), name, size, project_id, user_id, kind, now, now)
        if not self._fits(kind.pool):
            volume.status = "error"  # the scheduler finds no pool for it
        self.volumes[volume.id] = volume
        return volume

    def _check_size(self, project_id: str, size: int) -> None:
        largest = self.limit(project_id, "per_volume_gigabytes")
        if largest is not None and 0 <= largest < size and self.region.limits_hold:
            raise _over_limit(
                f"VolumeSizeExceedsLimit: Requested volume size {size}G is larger than maximum allowed "
                f"limit {largest}G."
            )

    def _fits(self, pool_name: str) -> bool:
        pool = self.pools[pool_name]
        return self.stored(pool_name) <= pool.total * pool.over

    def delete(self, volume: Volume, *, cascade: bool = False) -> None:
        """End a volume. Raises `Refusal` (400) for one that is used, or has snapshots (without `cascade`)."""
        snapshots = [item for item in self.snapshots.values() if item.volume_id == volume.id]
        if volume.status not in {"available", "error"} or (snapshots and not cascade):
            raise Refusal(400, UNDELETABLE)
        for snapshot in snapshots:
            self.delete_snapshot(snapshot)
        self._release(volume.project_id, {"volumes": 1, "gigabytes": volume.size}, volume.type)
        del self.volumes[volume.id]

    def extend(self, volume: Volume, size: int, *, in_use: bool = False) -> None:
        """Make a volume larger, one `in_use` too. Raises `Refusal`: status or size (400), quota (413)."""
        if volume.status != "available" and not (in_use and volume.status == "in-use"):
            raise Refusal(400, f"Invalid volume: Volume {volume.id} status must be available to extend.")
        if size <= volume.size:
            raise Refusal(
                400,
                "Invalid input received: New size for extend must be greater than current size. "
                f"(current: {volume.size}, extended: {size}).",
            )
        more = size - volume.size
        self._check_size(volume.project_id, size)
        self._reserve(volume.project_id, {"gigabytes": more}, volume.type, "growth")
        volume.size, volume.updated = size, self.region.made_at("volume")

    def attach(self, volume_id: str, server_id: str, project_id: str, host: str, device: str) -> None:
        """Attach a volume to a server. Raises `Refusal`: none of this project (404), not available (400)."""
        volume = self.volume(volume_id, project_id)
        if volume.status != "available":
            raise Refusal(
                400,
                "Invalid volume: Invalid input received: Invalid volume: Volume status must be available or "
                f"downloading to reserve, but the current status is {volume.status}.",
            )
        now = self.region.made_at("volume")
        volume.attachment = Attachment(self.region.new_id(), server_id, host, device, now)
        volume.status, volume.updated = "in-use", now

    def detach(self, volume_id: str) -> None:
        """Take a volume out of its server."""
        volume = self.volume(volume_id, None)
        volume.attachment = None
        volume.status, volume.updated = "available", self.region.made_at("volume")

    # -- snapshots and backups -------------------------------------------------------------------------

    def create_snapshot(self, *, volume_id: str, name: str | None, project_id: str, user_id: str) -> Snapshot:
        """A snapshot of a volume in any good state. Raises `Refusal`: none such (404), over quota (413)."""
        volume = self.volume(volume_id, project_id)
        self._reserve(project_id, {"snapshots": 1, "gigabytes": volume.size}, volume.type, "snapshot")
        now = self.region.made_at("volume")
        snapshot = Snapshot(
            self.region.new_id(), name, volume_id, volume.size, volume.type, project_id, user_id, now, now
        )
        self.snapshots[snapshot.id] = snapshot
        return snapshot

    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """End a snapshot."""
        counted = {"snapshots": 1, "gigabytes": snapshot.size}
        self._release(snapshot.project_id, counted, snapshot.type)
        del self.snapshots[snapshot.id]

    def create_backup(
        self, *, volume_id: str, name: str | None, project_id: str, user_id: str, force: bool = False
    ) -> Backup:
        """A backup. Raises `Refusal`: none such (404), in use without `force` (400), over quota (413)."""
        volume = self.volume(volume_id, project_id)
        if volume.status == "in-use" and not force:
            raise Refusal(400, "Invalid volume: Backing up an in-use volume must use the force flag.")
        if volume.status not in {"available", "in-use"}:
            raise Refusal(
                400,
                "Invalid volume: Volume to be backed up must be available or in-use, but the current status "
                f'is "{volume.status}".',
            )
        self._reserve(project_id, {"backups": 1, "backup_gigabytes": volume.size}, None, "backup")
        now = self.region.made_at("volume")
        backup = Backup(self.region.new_id(), name, volume_id, volume.size, project_id, user_id, now, now)
        self.backups[backup.id] = backup
        return backup

    def delete_backup(self, backup: Backup) -> None:
        """End a backup."""
        self._release(backup.project_id, {"backups": 1, "backup_gigabytes": backup.size}, None)
        del self.backups[backup.id]


def _complaint(name: str, amount: int, limits: dict[str, int], used: Counter[str], copy: str) -> str:
    """What Cinder says when there would be too much of `name`."""
    if copy == "growth":
        name = "gigabytes"  # whatever was too much
    if copy == "backup" and "gigabytes" in name:
        return (
            "VolumeBackupSizeExceedsAvailableQuota: Requested backup exceeds allowed Backup gigabytes "
            f"quota. Requested {amount}G, quota is {limits[name]}G and {used[name]}G has been consumed."
        )
    if "gigabytes" in name:
        return (
            f"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {name} quota. "
            f"Requested {amount}G, quota is {limits[name]}G and {used[name]}G has been consumed."
        )
    if copy:
        return f"{copy.title()}LimitExceeded: Maximum number of {copy}s allowed ({limits[name]}) exceeded"
    return (
        f"VolumeLimitExceeded: Maximum number of volumes allowed ({limits[name]}) exceeded "
        f"for quota '{name}'."
    )


def _over_limit(message: str) -> Refusal:
    return Refusal(413, message, headers={"Retry-After": "0"})
