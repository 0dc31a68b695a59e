"""Nova's and Placement's state: hosts with room, flavors, servers that use it, keypairs."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.sim.compute.limits import Quotas
from multisite.sim.http import Refusal

if TYPE_CHECKING:
    from multisite.sim.world import Region

#: What seeded projects get, so that they are not full from the start.
GENEROUS = {"cores": 400, "instances": 200, "ram": 819200}
KINDS = ("VCPU", "MEMORY_MB", "DISK_GB")
VM_STATES = {
    "ACTIVE": "active", "SHUTOFF": "stopped", "BUILD": "building", "ERROR": "error",
    "VERIFY_RESIZE": "resized", "DELETED": "deleted",
}  # fmt: skip
POWER = {"ACTIVE": 1, "SHUTOFF": 4, "BUILD": 0, "ERROR": 0, "VERIFY_RESIZE": 1}


@dataclass(slots=True)
class Flavor:
    """A size of servers: ram in MiB, disk in GiB. `access`: the projects that see a private one."""

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    public: bool = True
    access: set[str] = field(default_factory=set)
    extra_specs: dict[str, str] = field(default_factory=dict)

    def needs(self) -> dict[str, int]:
        """What a server of this size allocates, per resource class."""
        sizes = zip(KINDS, (self.vcpus, self.ram, self.disk), strict=True)
        return {kind: size for kind, size in sizes if size}


@dataclass(slots=True)
class Host:
    """A compute host, which is a resource provider too. `inventory`: total, reserved, allocation ratio."""

    id: str
    service_id: str
    name: str
    inventory: dict[str, tuple[int, int, float]]
    generation: int = 1
    used: Counter[str] = field(default_factory=Counter)
    servers: int = 0
    enabled: bool = True
    up: bool = True
    disabled_reason: str | None = None
    zone: str = "nova"

    @property
    def memory_left(self) -> int:
        """Memory that no server has (MiB)."""
        return self.inventory["MEMORY_MB"][0] - self.used["MEMORY_MB"]

    def offers(self, needs: dict[str, int]) -> bool:
        """Whether it has these resource classes, and one server may have so much of them."""
        return all(kind in self.inventory and size <= self.inventory[kind][0] for kind, size in needs.items())

    def fits(self, needs: dict[str, int]) -> bool:
        """Whether there is room for what a flavor needs."""
        return all(
            self.used[kind] + size
            <= int((self.inventory[kind][0] - self.inventory[kind][1]) * self.inventory[kind][2])
            for kind, size in needs.items()
        )

    def allocate(self, needs: dict[str, int], sign: int = 1) -> None:
        """Take room, or give it back (`sign` -1)."""
        for kind, size in needs.items():
            self.used[kind] += sign * size
        self.servers += sign
        self.generation += 1


@dataclass(slots=True)
class Aggregate:
    """Hosts that belong together; with a `zone` they are an availability zone."""

    id: int
    uuid: str
    name: str
    zone: str | None
    created: float
    hosts: list[Host] = field(default_factory=list)

    def add(self, host: Host) -> None:
        """Take a host in."""
        self.hosts.append(host)
        host.zone = self.zone or host.zone


@dataclass(slots=True)
class Server:
    """A server. Times in seconds since the epoch; `builds_until` while it is in BUILD."""

    id: str
    name: str
    project_id: str
    user_id: str
    flavor: Flavor
    host: Host
    image_id: str
    created: float
    updated: float
    status: str = "ACTIVE"
    key_name: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    old_flavor: Flavor | None = None
    old_host: Host | None = None
    builds_until: float = 0.0
    deleted: bool = False
    fault: str = ""

    def allocations(self) -> dict[str, dict[str, int]]:
        """What it has, by the id of its host; of a resized one the old size belongs to the migration."""
        return {} if self.status == "ERROR" else {self.host.id: self.flavor.needs()}


class Compute(Quotas):
    """Nova and Placement of one region."""

    def __init__(self, region: "Region") -> None:
        super().__init__(region)
        self.hosts: dict[str, Host] = {}
        self.aggregates: dict[int, Aggregate] = {}
        self.flavors: dict[str, Flavor] = {}
        self.deleted: dict[str, Server] = {}
        #: Ids of servers that will become ACTIVE by themselves: what time alone changes is not kept ready.
        self.building: set[str] = set()

    def create_aggregate(self, name: str, zone: str | None) -> Aggregate:
        """An aggregate without hosts. Raises `Refusal` (409)."""
        if any(item.name == name for item in self.aggregates.values()):
            raise Refusal(409, f"Aggregate {name} already exists.")
        number = len(self.aggregates) + 1
        made = Aggregate(number, self.region.new_id(), name, zone, self.region.made_at("compute"))
        self.aggregates[number] = made
        return made

    def aggregate_of(self, zone: str) -> Aggregate:
        """The aggregate that is a zone; it is made if there is none."""
        found = next((item for item in self.aggregates.values() if item.zone == zone), None)
        return found or self.create_aggregate(f"hosts-of-{zone}", zone)

    # -- servers -------------------------------------------------------------------------------------

    def server(self, server_id: str, project_id: str | None) -> Server:
        """A server; of any project if that is `None`. Raises `Refusal` (404)."""
        server = self.servers.get(server_id)
        if server is None or project_id not in {None, server.project_id}:
            raise Refusal(404, f"Instance {server_id} could not be found.")
        self.settle(server)
        return server

    def settle(self, server: Server) -> None:
        """A server whose building time is over is ACTIVE."""
        if server.status == "BUILD" and self.region.now("compute") >= server.builds_until:
            server.status, server.updated = "ACTIVE", server.builds_until
            self.building.discard(server.id)
            self.region.touch()

    def flavor(self, flavor_id: str, project_id: str | None = None) -> Flavor:
        """A flavor that a project may use. Raises `Refusal` (404)."""
        flavor = self.flavors.get(flavor_id)
        if flavor is None or (
            project_id is not None and not flavor.public and project_id not in flavor.access
        ):
            raise Refusal(404, f"Flavor {flavor_id} could not be found.")
        return flavor

    def place(self, flavor: Flavor, zone: str | None = None, *, but: Host | None = None) -> Host | None:
        """The host with room that has the most memory left, as Nova weighs them; not the host `but`."""
        needs = flavor.needs()
        fitting = [
            item
            for item in self.hosts.values()
            if item.enabled and item.up and zone in {None, item.zone} and item is not but and item.fits(needs)
        ]
        return min(fitting, key=lambda item: (-item.memory_left, item.name), default=None)

    def create_server(
        self,
        *,
        name: str,
        project_id: str,
        user_id: str,
        flavor: Flavor,
        image_id: str,
        zone: str | None = None,
    ) -> Server:
        """A server on a host with room. Raises `Refusal`: over quota (403); without room it goes to ERROR."""
        self.allowed(project_id, user_id, flavor, least=1, most=1)
        if zone is not None and zone not in {host.zone for host in self.hosts.values()}:
            raise Refusal(400, "The requested availability zone is not available")
        host = self.place(flavor, zone)
        now = self.region.made_at("compute")
        building = self.region.world.plan.build_seconds if self.region.born else 0.0
        server = Server(
            id=self.region.new_id(), name=name, project_id=project_id, user_id=user_id, flavor=flavor,
            host=host or next(iter(self.hosts.values())), image_id=image_id, created=now, updated=now,
            builds_until=now + building,
            status="ERROR" if host is None else "BUILD" if building else "ACTIVE",
        )  # fmt: skip
        if host:
            host.allocate(flavor.needs())
        self.count(project_id, flavor, 1)
        self.servers[server.id] = server
        if server.status == "BUILD":
            self.building.add(server.id)
        return server

    def fail(self, server: Server, fault: str) -> None:
        """A server that was asked for and could not be built: it is in ERROR, its room is given back."""
        if server.status != "ERROR":
            server.host.allocate(server.flavor.needs(), -1)
        self.building.discard(server.id)
        server.status, server.fault, server.updated = "ERROR", fault, self.region.now("compute")

    def delete_server(self, server: Server) -> None:
        """End a server and give back its room, its ports and its volumes."""
        if server.status != "ERROR":
            server.host.allocate(server.flavor.needs(), -1)
        if server.old_host and server.old_flavor:
            server.old_host.allocate(server.old_flavor.needs(), -1)
        self.count(server.project_id, server.flavor, -1)
        self.region.network.delete_ports_of(server.id)
        for volume_id in list(server.volumes):
            self.region.volume.detach(volume_id)
        server.volumes.clear()
        del self.servers[server.id]
        for group in self.server_groups.values():
            if server.id in group.members:
                group.members.remove(server.id)
        self.building.discard(server.id)
        server.deleted, server.updated = True, self.region.now("compute")
        self.deleted[server.id] = server

    def set_status(self, server: Server, status: str, *, needed: tuple[str, ...], action: str) -> None:
        """Move a server to a status. Raises `Refusal` (409) where it is in another than the `needed` ones."""
        if server.status not in needed:
            raise Refusal(
                409,
                f"Cannot '{action}' instance {server.id} while it is in vm_state {VM_STATES[server.status]}",
            )
        server.status, server.updated = status, self.region.now("compute")

    def resize(self, server: Server, flavor: Flavor) -> None:
        """Give a server another size on another host; it waits for the confirmation.

        Without such a host nothing happens, after the request was taken: what goes wrong later is not said.
        """
        if flavor is server.flavor:
            raise Refusal(400, "When resizing, instances must change flavor!")
        self.check_growth(server, flavor)
        self.set_status(server, server.status, needed=("ACTIVE", "SHUTOFF"), action="resize")
        host = self.place(flavor, but=server.host)
        if host is None:
            return
        server.status = "VERIFY_RESIZE"
        host.allocate(flavor.needs())  # until it is confirmed or reverted, both sizes are allocated
        self._recount(server.project_id, server.flavor, flavor)
        server.old_flavor, server.old_host = server.flavor, server.host
        server.flavor, server.host = flavor, host

    def confirm_resize(self, server: Server) -> None:
        """Keep the new size."""
        self.set_status(server, "ACTIVE", needed=("VERIFY_RESIZE",), action="confirmResize")
        if server.old_host and server.old_flavor:
            server.old_host.allocate(server.old_flavor.needs(), -1)
        server.old_flavor = server.old_host = None

    def revert_resize(self, server: Server) -> None:
        """Go back to the old size."""
        self.set_status(server, "ACTIVE", needed=("VERIFY_RESIZE",), action="revertResize")
        server.host.allocate(server.flavor.needs(), -1)
        if server.old_host and server.old_flavor:
            self._recount(server.project_id, server.flavor, server.old_flavor)
            server.flavor, server.host = server.old_flavor, server.old_host
        server.old_flavor = server.old_host = None

    def _recount(self, project_id: str, old: Flavor, new: Flavor) -> None:
        self.count(project_id, old, -1, instances=0)
        self.count(project_id, new, 1, instances=0)
