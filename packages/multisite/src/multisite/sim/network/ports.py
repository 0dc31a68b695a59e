"""Neutron's rules of networks, subnets and ports: addresses are taken and given back, what is used stays."""

from collections.abc import Iterable

from multisite.sim.http import Refusal
from multisite.sim.network.addresses import Addresses
from multisite.sim.network.groups import SecurityGroups
from multisite.sim.network.model import Net, Port, RbacPolicy, Subnet


class Ports(SecurityGroups):
    """Networks with their subnets, and the ports in them."""

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
        """Delete a port and give its addresses back."""
        for subnet_id, address in port.fixed_ips:
            if subnet_id in self.subnets:
                self.subnets[subnet_id].addresses.give_back(address)
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
