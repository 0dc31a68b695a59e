"""Neutron's items by kind, quotas of projects, and what all kinds have in common."""

from typing import TYPE_CHECKING, Any, TypeVar

from multisite.sim.http import Refusal
from multisite.sim.network.model import (
    FloatingIp,
    Item,
    Net,
    Port,
    RbacPolicy,
    Router,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    SubnetPool,
)
from multisite.sim.network.owned import Owned

if TYPE_CHECKING:
    from multisite.sim.world import Region

#: What a project may have without a limit of its own.
QUOTA = {
    "network": 100, "subnet": 100, "subnetpool": -1, "port": 500, "router_route": 30, "router": 10,
    "floatingip": 50,
    "rbac_policy": 10, "security_group": 10, "security_group_rule": 100,
}  # fmt: skip
INTERFACE, GATEWAY, FLOATING = "network:router_interface", "network:router_gateway", "network:floatingip"
_KINDS = {
    "network": ("Network", "net_id"),
    "subnet": ("Subnet", "subnet_id"),
    "port": ("Port", "port_id"),
    "router": ("Router", "router_id"),
    "floatingip": ("FloatingIP", "floatingip_id"),
    "security_group": ("SecurityGroup", "id"),
    "security_group_rule": ("SecurityGroupRule", "id"),
    "subnetpool": ("SubnetPool", "subnetpool_id"),
    "rbac_policy": ("RbacPolicy", "id"),
}

T = TypeVar("T", bound=Item)


class Items:
    """All items of one region's Neutron, their owners' quotas, and what all kinds have in common."""

    def __init__(self, region: "Region") -> None:
        self.region = region
        self.networks: Owned[Net] = Owned(self._changed)
        self.subnets: Owned[Subnet] = Owned(self._changed)
        self.ports: Owned[Port] = Owned(self._changed)
        self.routers: Owned[Router] = Owned(self._changed)
        self.floating_ips: Owned[FloatingIp] = Owned(self._changed)
        self.security_groups: Owned[SecurityGroup] = Owned(self._changed)
        self.security_group_rules: Owned[SecurityGroupRule] = Owned(self._changed)
        self.subnet_pools: Owned[SubnetPool] = Owned(self._changed)
        self.rbac_policies: Owned[RbacPolicy] = Owned(self._changed)
        self.quotas: dict[str, dict[str, int]] = {}
        self._by_device: dict[str, list[str]] = {}
        self._by_port: dict[str, list[str]] = {}
        self._segments = 0
        self._macs = 0

    # -- what all kinds have in common ---------------------------------------------------------------

    def collection(self, kind: str) -> Owned[Any]:
        """All items of a kind, `network` for example, by id."""
        collections: dict[str, Owned[Any]] = {
            "network": self.networks, "subnet": self.subnets, "port": self.ports, "router": self.routers,
            "floatingip": self.floating_ips, "security_group": self.security_groups,
            "security_group_rule": self.security_group_rules, "subnetpool": self.subnet_pools,
            "rbac_policy": self.rbac_policies,
        }  # fmt: skip
        return collections[kind]

    def limits(self, project_id: str) -> dict[str, int]:
        """The limits of a project."""
        return QUOTA | self.quotas.get(project_id, {})

    def used(self, kind: str, project_id: str) -> int:
        """How many items of a kind a project has."""
        if kind == "router_route":
            return 0
        return self.collection(kind).per_project[project_id]

    def standing(self, project_id: str, name: str) -> tuple[int, int] | None:
        """A project's limit in force and its use; None for what Neutron has no limit of."""
        if name not in QUOTA:
            return None
        own = self.quotas.get(project_id, {})
        return own[name] if name in own else QUOTA[name], self.used(name, project_id)

    def check_quota(self, kind: str, project_id: str, number: int = 1) -> None:
        """Raise `Refusal` (409) if the project may not have so many more."""
        if not self.region.born or not self.region.limits_hold:
            return
        limit = self.limits(project_id)[kind]
        if 0 <= limit < self.used(kind, project_id) + number:
            raise Refusal(409, f"Quota exceeded for resources: ['{kind}'].", kind="OverQuota")

    def _changed(self) -> None:
        """Something came or went."""
        if self.region.born:
            self.region.touch()

    def touch(self, item: Item) -> None:
        """An item changed."""
        item.updated = self.region.made_at("network")
        item.revision += 1

    def missing(self, kind: str, item_id: str) -> Refusal:
        """What Neutron says of an id that it does not know."""
        name, _ = _KINDS[kind]
        words = {
            "FloatingIP": "Floating IP",
            "SecurityGroup": "Security group",
            "SecurityGroupRule": "Security group rule",
        }
        verb = "does not exist" if name.startswith("Security") else "could not be found"
        return Refusal(404, f"{words.get(name, name)} {item_id} {verb}.", kind=f"{name}NotFound")

    def _make(self, kind: type[T], project_id: str, **values: Any) -> T:
        now = self.region.made_at("network")
        return kind(id=self.region.new_id(), project_id=project_id, created=now, updated=now, **values)
