"""The exact command to paste, for what multisite does not do itself."""

import shlex
from collections.abc import Sequence

from multisite.regions.model import Identity, Region

#: What each kind is called by `openstack`, in the plural of our paths.
NOUNS = {
    "servers": "server",
    "volumes": "volume",
    "snapshots": "volume snapshot",
    "backups": "volume backup",
    "images": "image",
    "networks": "network",
    "subnets": "subnet",
    "ports": "port",
    "routers": "router",
    "floating-ips": "floating ip",
    "security-groups": "security group",
}

#: What else `openstack` does to an item of a kind that is named by its id alone.
VERBS = {
    "servers": (
        *("pause", "unpause", "suspend", "resume", "lock", "unlock", "shelve", "unshelve", "rescue"),
        *("unrescue", "restore", "rebuild", "migrate", "evacuate", "set", "unset"),
    ),
    "volumes": ("set", "unset", "migrate"),
    "snapshots": ("delete", "set", "unset"),
    "backups": ("delete", "restore", "set", "unset"),
    "images": ("delete", "set", "unset", "save"),
    "networks": ("delete", "set", "unset"),
    "subnets": ("delete", "set", "unset"),
    "ports": ("delete", "set", "unset"),
    "routers": ("delete", "set", "unset"),
    "floating-ips": ("set", "unset"),
    "security-groups": ("delete", "set", "unset"),
}


def line(region: Region, words: Sequence[str]) -> str:
    """The command for a region; where the home account is not known, with the name of an entry to fill in."""
    cloud = ["--os-cloud", f"YOUR-ENTRY-FOR-{region.name}"] if region.identity is Identity.OWN else []
    return shlex.join(["openstack", *cloud, "--os-region-name", region.region_name, *words])
