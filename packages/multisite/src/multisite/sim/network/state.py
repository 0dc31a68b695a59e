"""Neutron's rules: addresses are taken and given back, what is in use stays, quotas hold."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from multisite.sim.http import Refusal
from multisite.sim.network.addresses import Addresses
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


class Network:
    """Neutron of one region."""

    def __init__(self, region: "Region") -> None:
        self.region = region
        self.networks: dict[str, Net] = {}
        self.subnets: dict[str, Subnet] = {}
        self.ports: dict[str, Port] = {}
        self.routers: dict[str, Router] = {}
        self.floating_ips: dict[str, FloatingIp] = {}
        self.security_groups: dict[str, SecurityGroup] = {}
        self.security_group_rules: dict[str, SecurityGroupRule] = {}
        self.subnet_pools: dict[str, SubnetPool] = {}
        self.rbac_policies: dict[str, RbacPolicy] = {}
        self.quotas: dict[str, dict[str, int]] = {}
        self._by_device: dict[str, list[str]] = {}
        self._by_port: dict[str, list[str]] = {}
        self._segments = 0
        self._macs = 0

    # -- what all kinds have in common ---------------------------------------------------------------

    def collection(self, kind: str) -> dict[str, Any]:
        """All items of a kind, `network` for example, by id."""
        collections: dict[str, dict[str, Any]] = {
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
        return sum(item.project_id == project_id for item in self.collection(kind).values())

    def check_quota(self, kind: str, project_id: str) -> None:
        """Raise `Refusal` (409) if the project may not have one more."""
        if not self.region.born:
            return
        limit = self.limits(project_id)[kind]
        if 0 <= limit <= self.used(kind, project_id):
            raise Refusal(409, f"Quota exceeded for resources: ['{kind}'].", kind="OverQuota")

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

    # -- networks and subnets ------------------------------------------------------------------------

    def create_network(
        self, *, name: str, project_id: str, external: bool = False, shared: bool = False
    ) -> Net:
        """A network with a segment of its own."""
        self.check_quota("network", project_id)
        self._segments += 1
        network = self._make(
            Net, project_id, name=name, external=external, shared=shared, segment=self._segments
        )
        self.networks[network.id] = network
        for wanted, action in ((external, "access_as_external"), (shared, "access_as_shared")):
            if wanted:
                self.create_policy(network, project_id, action, "*")
        return network

    def create_policy(self, network: Net, project_id: str, action: str, target: str) -> RbacPolicy:
        """Show a network to a project, or make it external for it. Raises `Refusal` (400)."""
        if action not in {"access_as_shared", "access_as_external"}:
            raise Refusal(400, f"Invalid action '{action}' for object type 'network'.", kind="InvalidInput")
        policy = self._make(
            RbacPolicy, project_id, name="", object_id=network.id, object_type="network", action=action,
            target=target,
        )  # fmt: skip
        self.rbac_policies[policy.id] = policy
        return policy

    def delete_network(self, network: Net) -> None:
        """Delete a network that has no port but its own. Raises `Refusal` (409)."""
        if any(port.network_id == network.id for port in self.ports.values()):
            raise Refusal(
                409,
                f"Unable to complete operation on network {network.id}. "
                "There are one or more ports still in use on the network.",
                kind="NetworkInUse",
            )
        for subnet_id in list(network.subnets):
            del self.subnets[subnet_id]
        for policy in list(self.rbac_policies.values()):
            if policy.object_id == network.id:
                del self.rbac_policies[policy.id]
        del self.networks[network.id]

    def visible_networks(self, project_id: str, *, admin: bool = False) -> list[Net]:
        """The networks that a project sees: its own, shared and external ones."""
        return [item for item in self.networks.values() if admin or self.sees_network(item, project_id)]

    def sees_network(self, network: Net, project_id: str) -> bool:
        """Whether a project sees a network."""
        return (
            network.project_id == project_id
            or network.shared
            or network.external
            or self.granted(network.id, project_id)
        )

    def granted(self, network_id: str, project_id: str) -> bool:
        """Whether a policy shows a network to a project."""
        return any(
            policy.object_id == network_id
            and policy.target in {"*", project_id}
            and policy.action == "access_as_shared"
            for policy in self.rbac_policies.values()
        )

    def create_subnet(
        self,
        *,
        network_id: str,
        name: str,
        project_id: str,
        cidr: str,
        gateway: str | None = None,
        dhcp: bool = True,
    ) -> Subnet:
        """A subnet; those of one network must not overlap. Raises `Refusal` (400)."""
        self.check_quota("subnet", project_id)
        network = self.networks[network_id]
        addresses = Addresses.of(cidr, gateway)
        for subnet_id in network.subnets:
            other = self.subnets[subnet_id].addresses.network
            if other.version == addresses.network.version and other.overlaps(addresses.network):
                raise Refusal(
                    400,
                    f"Invalid input for operation: Requested subnet with cidr: {cidr} "
                    f"for network: {network_id} "
                    "overlaps with another subnet.",
                    kind="InvalidInput",
                )
        subnet = self._make(
            Subnet, project_id, name=name, network_id=network_id, addresses=addresses, dhcp=dhcp
        )
        self.subnets[subnet.id] = subnet
        network.subnets.append(subnet.id)
        self.touch(network)
        return subnet

    def delete_subnet(self, subnet: Subnet) -> None:
        """Delete a subnet of which no address is in use. Raises `Refusal` (409)."""
        if subnet.addresses.taken:
            raise Refusal(
                409,
                f"Unable to complete operation on subnet {subnet.id}: "
                "One or more ports have an IP allocation from this subnet.",
                kind="SubnetInUse",
            )
        network = self.networks[subnet.network_id]
        network.subnets.remove(subnet.id)
        self.touch(network)
        del self.subnets[subnet.id]

    # -- ports ---------------------------------------------------------------------------------------

    def create_port(  # noqa: PLR0913 - a port has many properties
        self, *, project_id: str, network_id: str, name: str = "", device_id: str = "",
        device_owner: str = "",
        host: str = "", address: str | None = None, subnet_id: str | None = None, mac: str | None = None,
    ) -> Port:  # fmt: skip
        """A port with an address of each IP version that its network has. Raises `Refusal` (409)."""
        if not device_owner.startswith("network:"):
            self.check_quota("port", project_id)
        if mac and any(port.mac == mac and port.network_id == network_id for port in self.ports.values()):
            raise Refusal(
                409,
                f"Unable to complete operation for network {network_id}. The mac address {mac} is in use.",
                kind="MacAddressInUse",
            )
        port = self._make(Port, project_id, name=name, network_id=network_id, mac=mac or self._mac(),
            device_id=device_id,
            device_owner=device_owner, host=host,
        )  # fmt: skip
        port.fixed_ips = self._addresses(network_id, address, subnet_id)
        if not device_owner.startswith("network:"):
            port.security_groups = [self.default_group(project_id).id]
        self.ports[port.id] = port
        if device_id:
            self._by_device.setdefault(device_id, []).append(port.id)
        return port

    def _mac(self) -> str:
        self._macs += 1
        number = self._macs
        return f"fa:16:3e:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"

    def _addresses(
        self, network_id: str, address: str | None, subnet_id: str | None
    ) -> list[tuple[str, str]]:
        subnets = [self.subnets[item] for item in self.networks[network_id].subnets]
        if subnet_id:
            subnets = [subnet for subnet in subnets if subnet.id == subnet_id]
            if not subnets:
                if subnet_id not in self.subnets:
                    raise self.missing("subnet", subnet_id)
                raise Refusal(
                    400, "Invalid input for operation: Subnet is not of this network.", kind="InvalidInput"
                )
        if address:
            for subnet in subnets:
                if subnet.addresses.holds(address):
                    return [(subnet.id, subnet.addresses.take(address))]
            raise Refusal(
                400,
                f"IP address {address} is not a valid IP for any of the subnets.",
                kind="InvalidIpForNetwork",
            )
        taken: list[tuple[str, str]] = []
        for version in (4, 6):
            fitting = [item for item in subnets if item.addresses.network.version == version]
            if fitting:
                taken.append(self._next_address(network_id, fitting))
        return taken

    def _next_address(self, network_id: str, subnets: Iterable[Subnet]) -> tuple[str, str]:
        for subnet in subnets:
            address = subnet.addresses.take_next()
            if address:
                return subnet.id, address
        raise Refusal(
            409, f"No more IP addresses available on network {network_id}.", kind="IpAddressGenerationFailure"
        )

    def delete_port(self, port: Port) -> None:
        """Delete a port and give its addresses back; a floating IP stays and leads nowhere."""
        for subnet_id, address in port.fixed_ips:
            if subnet_id in self.subnets:
                self.subnets[subnet_id].addresses.give_back(address)
        for floating_id in list(self._by_port.get(port.id, ())):
            self.associate(self.floating_ips[floating_id], None)
        if port.device_id and port.id in self._by_device.get(port.device_id, []):
            self._by_device[port.device_id].remove(port.id)
        del self.ports[port.id]

    def ports_of(self, device_id: str) -> list[Port]:
        """The ports of a server or router."""
        return [self.ports[port_id] for port_id in self._by_device.get(device_id, ())]

    def delete_ports_of(self, device_id: str) -> None:
        """Delete the ports of a server."""
        for port in self.ports_of(device_id):
            self.delete_port(port)
        self._by_device.pop(device_id, None)

    def plug(self, port_id: str, device_id: str, host: str, project_id: str) -> None:
        """Give a port to a server. Raises `Refusal` (400, 409)."""
        port = self.ports.get(port_id)
        if port is None or port.project_id != project_id:
            raise Refusal(400, f"Port id {port_id} could not be found.")
        if port.device_id:
            raise Refusal(409, f"Port {port_id} is still in use.")
        port.device_id, port.host, port.device_owner = device_id, host, "compute:nova"
        self._by_device.setdefault(device_id, []).append(port.id)
        self.touch(port)

    # -- routers and floating IPs ----------------------------------------------------------------------

    def create_router(self, *, name: str, project_id: str) -> Router:
        """A router without interfaces."""
        self.check_quota("router", project_id)
        router = self._make(Router, project_id, name=name)
        self.routers[router.id] = router
        return router

    def set_gateway(self, router_id: str, network_id: str | None) -> None:
        """Connect a router to an external network, or to none. Raises `Refusal` (400)."""
        router = self.routers[router_id]
        if router.gateway_port:
            self.delete_port(self.ports[router.gateway_port])
            router.gateway_port = None
        if network_id:
            network = self.networks.get(network_id)
            if network is None or not network.external:
                raise Refusal(
                    400,
                    f"Bad router request: Network {network_id} is not an external network.",
                    kind="BadRequest",
                )
            port = self.create_port(
                project_id="", network_id=network_id, device_id=router_id, device_owner=GATEWAY
            )
            router.gateway_port = port.id
        self.touch(router)

    def add_interface(self, router_id: str, subnet_id: str) -> Port:
        """Connect a router to a subnet: it takes the gateway's address. Raises `Refusal` (400)."""
        subnet, router = self.subnets[subnet_id], self.routers[router_id]
        for port in self.ports_of(router_id):
            if port.device_owner == INTERFACE and any(subnet_id == owned for owned, _ in port.fixed_ips):
                raise Refusal(
                    400,
                    f"Bad router request: Router already has a port on subnet {subnet_id}.",
                    kind="BadRequest",
                )
        self.touch(router)
        return self.create_port(
            project_id=router.project_id, network_id=subnet.network_id, device_id=router_id,
            device_owner=INTERFACE, address=subnet.addresses.gateway, subnet_id=subnet_id,
        )  # fmt: skip

    def remove_interface(self, router_id: str, subnet_id: str) -> Port:
        """Disconnect a router from a subnet. Raises `Refusal` (404)."""
        for port in self.ports_of(router_id):
            if port.device_owner == INTERFACE and any(subnet_id == owned for owned, _ in port.fixed_ips):
                self.delete_port(port)
                self.touch(self.routers[router_id])
                return port
        raise Refusal(
            404,
            f"Router {router_id} has no interface on subnet {subnet_id}",
            kind="RouterInterfaceNotFoundForSubnet",
        )

    def delete_router(self, router: Router) -> None:
        """Delete a router without interfaces. Raises `Refusal` (409)."""
        if any(port.device_owner == INTERFACE for port in self.ports_of(router.id)):
            raise Refusal(409, f"Router {router.id} still has ports", kind="RouterInUse")
        self.set_gateway(router.id, None)
        del self.routers[router.id]

    def create_floating_ip(
        self,
        *,
        project_id: str,
        network_id: str | None = None,
        port_id: str | None = None,
        address: str | None = None,
    ) -> FloatingIp:
        """A floating IP of an external network. Raises `Refusal` (400, 404, 409)."""
        self.check_quota("floatingip", project_id)
        network = self.networks.get(
            network_id or next(item.id for item in self.networks.values() if item.external)
        )
        if network is None:
            raise self.missing("network", str(network_id))
        if not network.external:
            raise Refusal(
                400,
                f"Bad floatingip request: Network {network.id} is not a valid external network.",
                kind="BadRequest",
            )
        own = self.create_port(project_id="", network_id=network.id, device_owner=FLOATING, address=address)
        floating = self._make(
            FloatingIp,
            project_id,
            name="",
            address=own.fixed_ips[0][1],
            network_id=network.id,
            own_port=own.id,
        )
        own.device_id = floating.id
        self.floating_ips[floating.id] = floating
        if port_id:
            try:
                self.associate(floating, port_id)
            except Refusal:
                self.delete_floating_ip(floating)
                raise
        return floating

    def associate(self, floating: FloatingIp, port_id: str | None, fixed: str | None = None) -> None:
        """Lead a floating IP to a port, or nowhere. Raises `Refusal` (404, 409)."""
        port = self.ports.get(port_id) if port_id else None
        if port_id and (port is None or not port.fixed_ips):
            raise self.missing("port", port_id)
        if port is not None:
            fixed = fixed or next((item for _, item in port.fixed_ips if ":" not in item), None)
            held = self.floating_of(port.id, fixed or "")
            if held and held is not floating:
                raise Refusal(
                    409,
                    f"Cannot associate floating IP {floating.address} ({floating.id}) with port {port.id} "
                    f"using fixed IP {fixed}, as that fixed IP already has a floating IP on external network "
                    f"{floating.network_id}.",
                    kind="FloatingIPPortAlreadyAssociated",
                )
        router_id = self._router_for(port) if port else None
        if floating.port_id:
            self._by_port[floating.port_id].remove(floating.id)
        floating.port_id, floating.fixed_address = (port.id, fixed) if port else (None, None)
        floating.router_id = router_id
        if port:
            self._by_port.setdefault(port.id, []).append(floating.id)
        self.touch(floating)

    def _router_for(self, port: Port) -> str | None:
        """The router that connects a port's network to the outside. Raises `Refusal` (404)."""
        for router in self.routers.values():
            if router.gateway_port and any(
                item.network_id == port.network_id and item.device_owner == INTERFACE
                for item in self.ports_of(router.id)
            ):
                return router.id
        raise Refusal(
            404,
            f"External network is not reachable from subnet {port.fixed_ips[0][0]}. "
            f"Therefore, cannot associate Port {port.id} with a Floating IP.",
            kind="ExternalGatewayForFloatingIPNotFound",
        )

    def floating_of(self, port_id: str, fixed: str) -> FloatingIp | None:
        """The floating IP that leads to an address of a port."""
        for floating_id in self._by_port.get(port_id, ()):
            if self.floating_ips[floating_id].fixed_address == fixed:
                return self.floating_ips[floating_id]
        return None

    def delete_floating_ip(self, floating: FloatingIp) -> None:
        """Give a floating IP back."""
        self.associate(floating, None)
        self.delete_port(self.ports[floating.own_port])
        del self.floating_ips[floating.id]

    # -- security groups -------------------------------------------------------------------------------

    def default_group(self, project_id: str) -> SecurityGroup:
        """The project's group `default`, which is made when it is first needed."""
        for group in self.security_groups.values():
            if group.project_id == project_id and group.name == "default":
                return group
        group = self._make_group("default", project_id, "Default security group")
        for ethertype in ("IPv4", "IPv6"):
            self._make_rule(
                group, direction="ingress", ethertype=ethertype, remote_group=group.id, description=None
            )
        return group

    def create_group(self, *, name: str, project_id: str, description: str = "") -> SecurityGroup:
        """A security group that lets everything out and nothing in. Raises `Refusal` (409)."""
        self.default_group(project_id)
        self.check_quota("security_group", project_id)
        if name == "default":
            raise Refusal(
                409, "Default security group already exists.", kind="SecurityGroupDefaultAlreadyExists"
            )
        return self._make_group(name, project_id, description)

    def _make_group(self, name: str, project_id: str, description: str) -> SecurityGroup:
        group = self._make(SecurityGroup, project_id, name=name, description=description)
        self.security_groups[group.id] = group
        for ethertype in ("IPv4", "IPv6"):
            self._make_rule(group, direction="egress", ethertype=ethertype, description=None)
        return group

    def _make_rule(self, group: SecurityGroup, **values: object) -> SecurityGroupRule:
        rule = self._make(SecurityGroupRule, group.project_id, name="", group_id=group.id, **values)
        self.security_group_rules[rule.id] = rule
        return rule

    def create_rule(self, group: SecurityGroup, **values: object) -> SecurityGroupRule:
        """A rule that the group does not have yet. Raises `Refusal` (409)."""
        self.check_quota("security_group_rule", group.project_id)
        for rule in self.rules_of(group):
            if all(getattr(rule, name) == value for name, value in values.items() if name != "description"):
                raise Refusal(
                    409,
                    f"Security group rule already exists. Rule id is {rule.id}.",
                    kind="SecurityGroupRuleExists",
                )
        self.touch(group)
        return self._make_rule(group, **values)

    def rules_of(self, group: SecurityGroup) -> list[SecurityGroupRule]:
        """The rules of a group."""
        return [rule for rule in self.security_group_rules.values() if rule.group_id == group.id]

    def delete_group(self, group: SecurityGroup) -> None:
        """Delete a group that no port uses. Raises `Refusal` (409)."""
        if any(group.id in port.security_groups for port in self.ports.values()):
            raise Refusal(409, f"Security Group {group.id} in use.", kind="SecurityGroupInUse")
        if group.name == "default":
            raise Refusal(
                409, "Removing default security group not allowed.", kind="SecurityGroupCannotRemoveDefault"
            )
        for rule in self.rules_of(group):
            del self.security_group_rules[rule.id]
        del self.security_groups[group.id]
