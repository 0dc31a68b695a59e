"""Neutron's rules of routers and floating IPs."""

from multisite.sim.http import Refusal
from multisite.sim.network.items import FLOATING, GATEWAY, INTERFACE
from multisite.sim.network.model import FloatingIp, Port, Router
from multisite.sim.network.ports import Ports


class Routers(Ports):
    """Routers between subnets and external networks, and the floating IPs that they carry."""

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

    def delete_port(self, port: Port) -> None:
        """Delete a port; a floating IP that led to it stays and leads nowhere."""
        for floating_id in list(self._by_port.get(port.id, ())):
            self.associate(self.floating_ips[floating_id], None)
        super().delete_port(port)

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
