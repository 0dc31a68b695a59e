"""Cinder: each volume is a sparse raw file in one folder.

No kernel feature is needed, yet the bytes are real: what an image puts into a volume
comes out of its snapshot, its backup and the image made of it. Snapshots and
clones are sparse copies. Servers attach through os-brick's `local` connector,
whose device is the file itself.

The stock NFS driver over a bind mount would start too, but backs up the overlay
instead of the data as soon as a volume has a snapshot.
"""

# The signatures are Cinder's; what the methods do is written in Cinder's base class.
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, ANN205, ARG002, D102, FBT002

import pathlib

from cinder import exception, interface
from cinder.image import image_utils
from cinder.volume import configuration, driver, volume_utils
from oslo_config import cfg
from oslo_utils import units

OPTIONS = [
    cfg.StrOpt("lab_folder", default="$state_path/volumes", help="Where files lie."),
    cfg.IntOpt("lab_capacity_gb", default=1000, min=1, help="Reported size in GiB."),
]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)


@interface.volumedriver
class LabFileDriver(driver.VolumeDriver):
    """Volumes as files."""

    VERSION = "1.0"
    CI_WIKI_NAME = "multisite-lab"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)
        self._folder = pathlib.Path(self.configuration.lab_folder)

    @staticmethod
    def get_driver_options():
        return OPTIONS

    def do_setup(self, context):
        self._folder.mkdir(parents=True, exist_ok=True)

    def check_for_setup_error(self):
        if not self._folder.is_dir():
            message = f"{self._folder} is not a folder"
            raise exception.VolumeBackendAPIException(data=message)

    def _update_volume_stats(self):
        used = sum(_used_bytes(file) for file in self._folder.iterdir())
        total = self.configuration.lab_capacity_gb
        name = self.configuration.safe_get("volume_backend_name") or "file"
        pool = {
            "pool_name": name,
            "total_capacity_gb": total,
            "free_capacity_gb": round(total - used / units.Gi, 2),
            "reserved_percentage": 0,
            "max_over_subscription_ratio": 20.0,
            "thin_provisioning_support": True,
            "thick_provisioning_support": False,
            "multiattach": True,
            "QoS_support": False,
            "consistent_group_snapshot_enabled": False,
        }
        self._stats = {
            "volume_backend_name": name,
            "vendor_name": "multisite",
            "driver_version": self.VERSION,
            "storage_protocol": "local",
            "replication_enabled": False,
            "pools": [pool],
        }

    # Files

    def _file(self, item):
        """The file of a volume or of a snapshot."""
        return self._folder / item.name

    def _copy(self, source, target, size_gb=None):
        arguments = ("--sparse=always", "--reflink=auto", str(source), str(target))
        self._execute("cp", *arguments)
        if size_gb:
            _grow(target, size_gb)

    def local_path(self, volume):
        return str(self._file(volume))

    def create_volume(self, volume):
        with self._file(volume).open("xb") as file:
            file.truncate(volume.size * units.Gi)

    def delete_volume(self, volume):
        self._file(volume).unlink(missing_ok=True)

    def extend_volume(self, volume, new_size):
        _grow(self._file(volume), new_size)

    def create_snapshot(self, snapshot):
        self._copy(self._folder / snapshot.volume_name, self._file(snapshot))

    def delete_snapshot(self, snapshot):
        self._file(snapshot).unlink(missing_ok=True)

    def revert_to_snapshot(self, context, volume, snapshot):
        self._copy(self._file(snapshot), self._file(volume), volume.size)

    def create_volume_from_snapshot(self, volume, snapshot):
        self._copy(self._file(snapshot), self._file(volume), volume.size)

    def create_cloned_volume(self, volume, src_vref):
        self._copy(self._file(src_vref), self._file(volume), volume.size)

    def update_migrated_volume(self, ctxt, volume, new_volume, original_volume_status):
        self._file(new_volume).rename(self._file(volume))
        return {"_name_id": None}

    # Images

    def copy_image_to_volume(self, context, volume, image_service, image_id, disable_sparse=False):
        image_utils.fetch_to_raw(
            context,
            image_service,
            image_id,
            self.local_path(volume),
            self.configuration.volume_dd_blocksize,
            size=volume.size,
            disable_sparse=disable_sparse,
        )
        _grow(self._file(volume), volume.size)

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        volume_utils.upload_volume(
            context,
            image_service,
            image_meta,
            self.local_path(volume),
            volume,
            compress=True,
        )

    # Attachments: a file needs no export

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def create_export_snapshot(self, context, snapshot, connector):
        pass

    def remove_export_snapshot(self, context, snapshot):
        pass

    def initialize_connection(self, volume, connector, **kwargs):
        data = {"device_path": self.local_path(volume), "volume_id": volume.id}
        return {"driver_volume_type": "local", "data": data}

    def initialize_connection_snapshot(self, snapshot, connector, **kwargs):
        return self.initialize_connection(snapshot, connector, **kwargs)

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def terminate_connection_snapshot(self, snapshot, connector, **kwargs):
        pass

    # Taking over a file that exists (what a recovery drill does)

    def _offered(self, reference):
        return self._folder / pathlib.Path(reference["source-name"]).name

    def manage_existing_get_size(self, volume, existing_ref):
        return -(-self._offered(existing_ref).stat().st_size // units.Gi)

    def manage_existing(self, volume, existing_ref):
        self._offered(existing_ref).rename(self._file(volume))

    def unmanage(self, volume):
        pass


def _used_bytes(file):
    """What a file takes up without its holes; nothing if it went away meanwhile."""
    try:
        return file.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _grow(file, size_gb):
    """Make a file at least `size_gb` GiB long; the new part is a hole."""
    size = max(size_gb * units.Gi, file.stat().st_size)
    with file.open("r+b") as stream:
        stream.truncate(size)
