"""What Neutron keeps: networks, subnets, ports, routers, floating IPs, security groups."""

from dataclasses import dataclass, field

from multisite.sim.network.addresses import Addresses


@dataclass(slots=True, kw_only=True)
class Item:
    """What all of Neutron's objects have; times in seconds since the epoch."""

    id: str
    name: str
    project_id: str
    created: float
    updated: float
    revision: int = 1
    description: str | None = ""


@dataclass(slots=True, kw_only=True)
class Net(Item):
    """A network."""

    external: bool = False
    shared: bool = False
    segment: int = 1
    mtu: int = 1450
    up: bool = True
    subnets: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Subnet(Item):
    """A subnet with its addresses."""

    network_id: str
    addresses: Addresses
    dhcp: bool = True
    pool_id: str | None = None
    dns: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Port(Item):
    """A port; `fixed_ips` are pairs of a subnet's id and an address."""

    network_id: str
    mac: str
    fixed_ips: list[tuple[str, str]] = field(default_factory=list)
    device_id: str = ""
    device_owner: str = ""
    host: str = ""
    security_groups: list[str] = field(default_factory=list)
    up: bool = True


@dataclass(slots=True, kw_only=True)
class Router(Item):
    """A router; its interfaces are ports."""

    gateway_port: str | None = None
    up: bool = True


@dataclass(slots=True, kw_only=True)
class FloatingIp(Item):
    """A floating IP, and the port that it leads to."""

    address: str
    network_id: str
    own_port: str
    port_id: str | None = None
    fixed_address: str | None = None
    router_id: str | None = None


@dataclass(slots=True, kw_only=True)
class SecurityGroup(Item):
    """A security group; its rules are kept apart."""

    stateful: bool = True


@dataclass(slots=True, kw_only=True)
class SecurityGroupRule(Item):
    """A rule of a security group."""

    group_id: str
    direction: str = "ingress"
    ethertype: str = "IPv4"
    protocol: str | None = None
    port_min: int | None = None
    port_max: int | None = None
    remote_prefix: str | None = None
    remote_group: str | None = None


@dataclass(slots=True, kw_only=True)
class SubnetPool(Item):
    """Prefixes from which subnets are cut."""

    prefixes: tuple[str, ...] = ()
    default_length: int = 26
    shared: bool = False

    @property
    def version(self) -> int:
        """The IP version of its prefixes; a pool has one."""
        return 6 if any(":" in prefix for prefix in self.prefixes) else 4


@dataclass(slots=True, kw_only=True)
class RbacPolicy(Item):
    """Shows a network to a project (`access_as_shared`), or makes it external (`access_as_external`)."""

    object_id: str
    object_type: str
    action: str
    target: str
