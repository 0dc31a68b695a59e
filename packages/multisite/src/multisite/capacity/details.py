"""What one region's page shows beyond its sums: hosts, pools, networks, stores, flavors.

The same dataclasses are what a sweep stores and what the API answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from multisite.capacity.model import BigCount, Provider, RegionCapacity


@dataclass(frozen=True, slots=True)
class Host:
    """A nova service: `status` is enabled or disabled, `state` up or down."""

    host: str
    binary: str
    zone: str
    status: str
    state: str
    disabled_reason: str | None = None
    updated_at: datetime | None = None

    @property
    def available(self) -> bool:
        """Whether the scheduler may choose it."""
        return self.status == "enabled" and self.state == "up"


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A hypervisor and the nova-compute that runs it; `uuid` is also its resource provider's."""

    uuid: str
    name: str
    host: str
    available: bool
    running_servers: int = 0


@dataclass(frozen=True, slots=True)
class Flavor:
    """A flavor and what a server of it asks of Placement, per resource class."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    resources: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many more servers of a flavor fit into a region (an upper bound)."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    fits: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A storage pool of Cinder, in GiB; `total` and `free` may be the words `infinite` and `unknown`."""

    name: str
    backend: str | None
    total: float | str
    free: float | str
    provisioned: float
    over_subscription: float
    thin: bool


@dataclass(frozen=True, slots=True)
class VolumeService:
    """A cinder service: `status` is enabled or disabled, `state` up or down."""

    host: str
    binary: str
    zone: str
    status: str
    state: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """Addresses of one subnet; `used` can exceed `total`, because addresses outside the pools count."""

    id: str
    name: str
    cidr: str
    ip_version: int
    total: BigCount
    used: BigCount
    free: BigCount


@dataclass(frozen=True, slots=True)
class Network:
    """A network with its subnets."""

    id: str
    name: str
    project_id: str
    external: bool
    subnets: tuple[Subnet, ...] = ()


@dataclass(frozen=True, slots=True)
class SubnetPool:
    """Addresses of one subnet pool: its prefixes, and what of them the subnets take that were cut from it.

    `fits` is how many more subnets of the default length can be cut. `odd` counts prefixes and subnets that
    do not fit together: no prefix at all, of another IP version, or subnets beside the pool's prefixes; none
    of them is in the other figures.
    """

    id: str
    name: str
    project_id: str
    shared: bool
    ip_version: int
    prefixes: tuple[str, ...]
    default_prefixlen: int | None
    subnets: int
    total: BigCount
    used: BigCount
    free: BigCount
    fits: BigCount | None = None
    odd: int = 0


@dataclass(frozen=True, slots=True)
class Store:
    """Images of one Glance store, as we sum them; an image in two stores counts in both."""

    id: str
    images: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ComputeDetail:
    """What a sweep reads from Nova."""

    hosts: tuple[Host, ...] = ()
    hypervisors: tuple[Hypervisor, ...] = ()
    flavors: tuple[Flavor, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacementDetail:
    """What a sweep reads from Placement, each provider with its zone."""

    providers: tuple[Provider, ...] = ()


@dataclass(frozen=True, slots=True)
class VolumeDetail:
    """What a sweep reads from Cinder."""

    pools: tuple[Pool, ...] = ()
    services: tuple[VolumeService, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkDetail:
    """What a sweep reads from Neutron."""

    networks: tuple[Network, ...] = ()
    subnet_pools: tuple[SubnetPool, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageDetail:
    """What a sweep reads from Glance."""

    images: int = 0
    bytes: int = 0
    stores: tuple[Store, ...] = ()


@dataclass(frozen=True, slots=True)
class CapacityDetail:
    """One region with everything that is known of its capacity."""

    region: RegionCapacity
    providers: tuple[Provider, ...] = ()
    hosts: tuple[Host, ...] = ()
    pools: tuple[Pool, ...] = ()
    networks: tuple[Network, ...] = ()
    subnet_pools: tuple[SubnetPool, ...] = ()
    stores: tuple[Store, ...] = ()
    flavors: tuple[Fit, ...] = ()
