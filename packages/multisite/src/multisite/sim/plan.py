"""What cloud to make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

#: First parts of paths that are no region.
RESERVED = frozenset({"identity", "_sim"})
#: Projects that every cloud has.
RESERVED_PROJECTS = frozenset({"admin", "service"})
#: The service types of a simulated region, as its catalog spells them, with the path of each.
SERVICES = {
    "identity": "identity/v3",
    "compute": "compute/v2.1",
    "placement": "placement",
    "block-storage": "volume/v3",
    "network": "network",
    "image": "image",
}

#: The services that can take their limits from Keystone, and what is registered for each in a new cloud:
#: what Nova has as defaults of its own, and generous figures where it has none. Sizes of images are MiB.
REGISTERED: Mapping[str, Mapping[str, int]] = {
    "compute": {
        "servers": 10, "class:VCPU": 20, "class:MEMORY_MB": 51200, "class:DISK_GB": 4000,
        "server_key_pairs": 100, "server_groups": 10, "server_group_members": 10,
        "server_metadata_items": 128, "server_injected_files": 5,
        "server_injected_file_content_bytes": 10240, "server_injected_file_path_bytes": 255,
    },
    "image": {
        "image_size_total": 10000, "image_stage_total": 10000, "image_count_total": 100,
        "image_count_uploading": 50,
    },
}  # fmt: skip

#: What is registered instead where regions are not empty, so that projects are not full from the start.
GENEROUS_REGISTERED: Mapping[str, int] = {
    "servers": 200, "class:VCPU": 400, "class:MEMORY_MB": 819200, "class:DISK_GB": 40000,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A cloud of `regions` regions; the same plan makes the same cloud.

    Per region: `hosts` computes, `networks` (the first one external), `servers`. `projects` are known to
    every Keystone. `own_keystone` gives each region a Keystone with ids of its own; the first region's is
    the home Keystone. `url` is where the simulator can be reached: it stands in the catalog.
    `names` are the regions' names; without them they are called `region-0001` and so on.
    `build_seconds`: how long a server stays in BUILD. An `empty` cloud has nothing in its regions, not even
    hosts: whoever asks for it puts them in.
    `unified` are the services (`compute`, `image`) that take their limits from Keystone in the regions whose
    names match the glob `unified_regions`.
    """

    regions: int = 6
    hosts: int = 10
    networks: int = 5
    servers: int = 50
    projects: int = 4
    seed: int = 1
    own_keystone: bool = False
    url: str = "http://127.0.0.1:8180"
    names: tuple[str, ...] = ()
    project_names: tuple[str, ...] = ()
    build_seconds: float = 0.0
    empty: bool = False
    token_seconds: float = 3600.0
    region_urls: tuple[str, ...] = field(default=())
    unified: tuple[str, ...] = ()
    unified_regions: str = "*"

    def __post_init__(self) -> None:
        if self.regions < 1 or self.hosts < 1 or self.networks < 1:
            raise ValueError("a cloud has at least one region, with one host and one network")
        if min(self.servers, self.projects) < 0:
            raise ValueError("there cannot be fewer than no servers or projects")
        if self.names and not len(self.names) == len(set(self.names)) == self.regions:
            raise ValueError("give as many different names as there are regions, or none")
        if unknown := sorted(set(self.unified) - set(REGISTERED)):
            raise ValueError(f"{unknown[0]} has no unified limits; {' and '.join(REGISTERED)} can have them")
        if any(set(name) & set("/?#% *[]") or name in RESERVED for name in self.names):
            raise ValueError("a region's name is a part of URLs and globs: no slash, space or any of ?#%*[]")
        if len(set(self.project_names)) < len(self.project_names) or RESERVED_PROJECTS & {
            *self.project_names
        }:
            raise ValueError("give different names of projects, and neither admin nor service")

    def region_names(self) -> tuple[str, ...]:
        """The names of all regions, in their order."""
        width = max(4, len(str(self.regions)))
        return self.names or tuple(f"region-{number:0{width}}" for number in range(1, self.regions + 1))

    def tenant_names(self) -> tuple[str, ...]:
        """The names of all tenants' projects; each has a user of the same name."""
        named = self.project_names[: self.projects]
        return named + tuple(f"project-{number:03}" for number in range(len(named) + 1, self.projects + 1))

    def is_unified(self, region: str, service: str) -> bool:
        """Whether a service of a region takes its limits from Keystone."""
        return service in self.unified and fnmatchcase(region, self.unified_regions)

    def registered(self, service: str) -> Mapping[str, int]:
        """What is registered for a service that takes its limits from Keystone."""
        limits = REGISTERED[service]
        generous = {} if self.empty else GENEROUS_REGISTERED
        return {name: generous.get(name, limit) for name, limit in limits.items()}

    def region_url(self, index: int) -> str:
        """Where one region can be reached: its own address where it has one."""
        return self.region_urls[index] if self.region_urls else self.url


def password(user: str) -> str:
    """The password of a simulated user; everybody may know it."""
    return f"{user}-sim"
