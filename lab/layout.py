"""Names, ports and folders: everything about the lab that is decided in advance.

Two arrangements of Keystone exist and keep their state apart: `shared` (one
Keystone for all regions) and `own` (one in each region; RegionOne's is home).
The virtual environment and the schema dumps lie beside them and serve both:

    .lab/venv       the OpenStack services
    .lab/cache      dumps of migrated databases
    .lab/shared     databases, images, volumes, logs of the first arrangement
    .lab/own        the same of the second
    .lab/current    which of the two was used last

A service has the same two last digits in each region, and region number N
counts its ports from base + 100 N: Nova of RegionTwo answers on 21274.
The sizes of regions differ on purpose, so that a mix-up shows in the numbers.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED, OWN = "shared", "own"
LAYOUTS = (SHARED, OWN)
DEFAULT_PORT = 21000
DEFAULT_REGIONS = 3
HOST = "127.0.0.1"

MARIADB_OFFSET, EPMD_OFFSET, DISTRIBUTION_OFFSET, RABBITMQ_OFFSET = 6, 69, 70, 72
API_OFFSETS = {
    "keystone": 50,
    "nova": 74,
    "cinder": 76,
    "placement": 78,
    "glance": 92,
    "neutron": 96,
}


@dataclasses.dataclass(frozen=True)
class Compute:
    """One host with the fake hypervisor, and the capacity it pretends to have."""

    name: str
    vcpus: int
    memory_mb: int
    disk_gb: int


@dataclasses.dataclass(frozen=True)
class Region:
    """One OpenStack region of the lab."""

    name: str
    number: int
    computes: tuple[Compute, ...]
    pool_gb: int
    unified_limits: bool = False
    """Whether Nova and Glance take their limits from Keystone."""

    @property
    def slug(self) -> str:
        """The name in databases, virtual hosts and host names."""
        return self.name.lower()


def _region(
    name: str, number: int, pool_gb: int, *sizes: tuple[int, int, int], unified_limits: bool = False
) -> Region:
    computes = tuple(Compute(f"{name.lower()}-compute{n}", *size) for n, size in enumerate(sizes, start=1))
    return Region(name, number, computes, pool_gb, unified_limits)


ALL_REGIONS = (
    _region("RegionOne", 1, 1000, (32, 131072, 2000)),
    _region("RegionTwo", 2, 2000, (48, 196608, 3000), (24, 98304, 1500)),
    _region("RegionThree", 3, 500, (16, 65536, 1000), unified_limits=True),
    _region("RegionFour", 4, 750, (20, 81920, 1200)),
    _region("RegionFive", 5, 250, (12, 49152, 800)),
)


@dataclasses.dataclass(frozen=True)
class Lab:
    """One arrangement of the lab: where it lies, how many regions, which ports."""

    root: Path
    layout: str
    region_count: int = DEFAULT_REGIONS
    base_port: int = DEFAULT_PORT

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions that this lab has."""
        return ALL_REGIONS[: self.region_count]

    @property
    def shares_keystone(self) -> bool:
        """Whether one Keystone serves all regions."""
        return self.layout == SHARED

    @property
    def state(self) -> Path:
        """Everything that `destroy` deletes."""
        return self.root / self.layout

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """The records of the processes that were started."""
        return self.state / "run"

    @property
    def venv(self) -> Path:
        """The virtual environment of the OpenStack services."""
        return self.root / "venv"

    @property
    def bin(self) -> Path:
        """Their programs."""
        return self.venv / "bin"

    @property
    def cache(self) -> Path:
        """Dumps and downloads, good for every layout."""
        return self.root / "cache"

    @property
    def clouds_file(self) -> Path:
        """The clouds.yaml for users of the lab."""
        return self.state / "clouds.yaml"

    @property
    def mariadb_port(self) -> int:
        """Where MariaDB listens for the services."""
        return self.base_port + MARIADB_OFFSET

    @property
    def mariadb_socket(self) -> Path:
        """Where MariaDB listens for its administrator."""
        return self.state / "mariadb" / "socket"

    @property
    def rabbitmq_port(self) -> int:
        """Where RabbitMQ listens."""
        return self.base_port + RABBITMQ_OFFSET

    def folder(self, region: Region, service: str) -> Path:
        """Where a service of a region keeps its configuration and data."""
        if service == "keystone" and self.shares_keystone:
            return self.state / "keystone"
        return self.state / region.slug / service

    def keystone_database(self, region: Region) -> str:
        """The name of the database of the Keystone that serves a region."""
        return "keystone" if self.shares_keystone else f"{region.slug}_keystone"

    def port(self, region: Region, service: str) -> int:
        """The port of an API of a region."""
        if service == "keystone" and self.shares_keystone:
            return self.base_port + API_OFFSETS[service]
        return self.base_port + 100 * region.number + API_OFFSETS[service]

    def url(self, region: Region, service: str) -> str:
        """The address of an API of a region, without a path."""
        return f"http://{HOST}:{self.port(region, service)}"

    def auth_url(self, region: Region) -> str:
        """What goes into `auth_url` for a region."""
        return self.url(region, "keystone") + "/v3"

    @property
    def keystone_owners(self) -> tuple[Region, ...]:
        """One region for each Keystone: the first stands for a shared one."""
        return self.regions[:1] if self.shares_keystone else self.regions

    def keystone_owner(self, region: Region) -> Region:
        """The region that stands for the Keystone of a region."""
        return self.regions[0] if self.shares_keystone else region

    def served_by(self, owner: Region) -> tuple[Region, ...]:
        """The regions whose catalog lies in the Keystone of `owner`."""
        return self.regions if self.shares_keystone else (owner,)


def root_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The lab's folder: MULTISITE_LAB, by default `.lab` in the repository."""
    return Path(environment.get("MULTISITE_LAB") or REPOSITORY / ".lab").resolve()
