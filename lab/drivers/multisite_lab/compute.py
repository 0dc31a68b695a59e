"""Nova: the stock fake hypervisor, made fit for a lab that lives longer than a test.

Four things differ from `nova.virt.fake`:

* the node keeps its identity. The stock driver draws a new one in each
  process, and nova-compute refuses to start a second time;
* guests outlive a restart: the first time anybody asks for a guest that the database
  knows and this process does not, it is taken over in its recorded state;
* a snapshot uploads bytes to Glance, so that an image of a server is an image;
* the capacity comes from the configuration, section `[multisite_lab]`.
"""

# The signatures are Nova's; what the methods do is written in Nova's base class.
# ruff: noqa: ANN001, ANN002, ANN003, ANN201, ANN202, ANN204, ARG002, D102, FBT002

import io
import os

from nova import conf
from nova.compute import power_state, task_states, vm_states
from nova.image import glance
from nova.virt import fake, node
from oslo_config import cfg

GROUP = "multisite_lab"
OPTIONS = [
    cfg.IntOpt("vcpus", default=32, min=1, help="Processors the host reports."),
    cfg.IntOpt("memory_mb", default=131072, min=1, help="Memory in MiB."),
    cfg.IntOpt("disk_gb", default=2000, min=1, help="Local disk in GiB."),
    cfg.IntOpt(
        "snapshot_bytes",
        default=4 * 1024 * 1024,
        min=1,
        help="Size of the image made of a server.",
    ),
]
conf.CONF.register_opts(OPTIONS, group=GROUP)

GUEST_STATES = (
    power_state.RUNNING,
    power_state.SHUTDOWN,
    power_state.PAUSED,
    power_state.SUSPENDED,
)
SETTLED = (
    vm_states.ACTIVE,
    vm_states.STOPPED,
    vm_states.PAUSED,
    vm_states.SUSPENDED,
)


class LabDriver(fake.FakeDriver):
    """The fake hypervisor of one compute host."""

    def __init__(self, virtapi, read_only=False):
        settings = conf.CONF[GROUP]
        self.vcpus = settings.vcpus
        self.memory_mb = settings.memory_mb
        self.local_gb = settings.disk_gb
        super().__init__(virtapi, read_only)
        self._images = glance.API()

    def get_available_resource(self, nodename):
        resources = super().get_available_resource(nodename)
        if resources:
            resources["uuid"] = node.get_local_node_uuid()
        return resources

    def get_nodenames_by_uuid(self, refresh=False):
        identity = node.get_local_node_uuid()
        return dict.fromkeys([identity], next(iter(self.get_available_nodes())))

    def _guest(self, instance):
        """The guest of an instance; one we have not seen yet is taken over."""
        if instance.uuid not in self.instances:
            known = instance.power_state in GUEST_STATES
            state = instance.power_state if known else power_state.RUNNING
            self.instances[instance.uuid] = fake.FakeInstance(instance.name, state, instance.uuid)
            flavor = instance.flavor
            self.resources.claim(vcpus=flavor.vcpus, mem=flavor.memory_mb, disk=flavor.root_gb)
        return self.instances[instance.uuid]

    def plug_vifs(self, instance, network_info):
        """Nova calls this for each guest of the host when nova-compute starts."""
        self._guest(instance)
        self._interfaces.update({vif["id"]: vif for vif in network_info or ()})

    def get_info(self, instance, use_cache=True):
        if instance.vm_state in SETTLED:
            self._guest(instance)
        return super().get_info(instance, use_cache)

    def power_off(self, instance, *args, **kwargs):
        self._guest(instance)
        return super().power_off(instance, *args, **kwargs)

    def power_on(self, context, instance, *args, **kwargs):
        self._guest(instance)
        return super().power_on(context, instance, *args, **kwargs)

    def unrescue(self, context, instance):
        self._guest(instance)
        return super().unrescue(context, instance)

    def pause(self, instance):
        self._guest(instance).state = power_state.PAUSED

    def unpause(self, instance):
        self._guest(instance).state = power_state.RUNNING

    def suspend(self, context, instance):
        self._guest(instance).state = power_state.SUSPENDED

    def resume(self, context, instance, *args, **kwargs):
        self._guest(instance).state = power_state.RUNNING

    def snapshot(self, context, instance, image_id, update_task_state):
        """Upload random bytes as the image of a guest."""
        self._guest(instance)
        update_task_state(task_state=task_states.IMAGE_PENDING_UPLOAD)
        image = self._images.get(context, image_id)
        properties = {
            "image_location": "snapshot",
            "image_state": "available",
            "kernel_id": instance.kernel_id,
            "owner_id": instance.project_id,
            "ramdisk_id": instance.ramdisk_id,
        }
        metadata = {
            "name": image["name"],
            "status": "active",
            "disk_format": "raw",
            "container_format": "bare",
            "properties": properties,
        }
        update_task_state(
            task_state=task_states.IMAGE_UPLOADING,
            expected_state=task_states.IMAGE_PENDING_UPLOAD,
        )
        data = io.BytesIO(os.urandom(conf.CONF[GROUP].snapshot_bytes))
        self._images.update(context, image_id, metadata, data)
