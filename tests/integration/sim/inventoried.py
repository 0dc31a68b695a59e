"""Simulated regions, and the refresh of the inventory over them, without HTTP in front."""

from datetime import timedelta
from pathlib import Path

from multisite.inventory.kinds import BY_NAME, KINDS
from multisite.inventory.listing import InventoryQueries
from multisite.inventory.model import MissingKind
from multisite.inventory.projects import Projects, ProjectStore
from multisite.inventory.queries import Filters, Order
from multisite.inventory.refresher import InventoryRefresher
from multisite.inventory.rows import freshness
from multisite.inventory.store import InventoryStore
from multisite.regions.health import HealthBook
from multisite.settings import InventorySettings
from multisite.sim.listening import Running
from multisite.sweeps.reading import RegionClients
from tests.integration.sim.over_regions import OverRegions

DEADLINE = 5.0
PATIENCE = timedelta(minutes=5)
SETTINGS = InventorySettings(enabled=True, interval=120, full_interval=3600)

#: Kind → id → what has to be equal: name, status, project and addresses.
Contents = dict[str, dict[str, tuple[str, str, str, frozenset[str]]]]


def truth(cloud: Running, name: str) -> Contents:
    """What a simulated region has, read from its own state."""

    def read() -> Contents:
        region = cloud.simulator.world.region(name)
        network, found = region.network, Contents()
        fixed = {port.id: {address for _, address in port.fixed_ips} for port in network.ports.values()}
        floating = {
            port_id: {each.address for each in network.floating_ips.values() if each.port_id == port_id}
            for port_id in fixed
        }
        found["server"] = {
            each.id: (
                each.name,
                each.status,
                each.project_id,
                frozenset(
                    address
                    for port in network.ports_of(each.id)
                    for address in fixed[port.id] | floating[port.id]
                ),
            )
            for each in region.compute.servers.values()
        }
        none: frozenset[str] = frozenset()
        for kind, things in (
            ("volume", region.volume.volumes),
            ("snapshot", region.volume.snapshots),
            ("backup", region.volume.backups),
        ):
            found[kind] = {
                each.id: (each.name or "", each.status, each.project_id, none) for each in things.values()
            }
        found["image"] = {
            each.id: (each.name or "", each.status, each.owner, none) for each in region.image.images.values()
        }
        found["port"] = {
            each.id: (each.name, "", each.project_id, frozenset(fixed[each.id] | {each.mac}))
            for each in network.ports.values()
        }
        found["floating_ip"] = {
            each.id: (each.address, "", each.project_id, frozenset({each.address}))
            for each in network.floating_ips.values()
        }
        return found

    found: Contents = cloud.run(read)
    return found


class Inventoried(OverRegions):
    """The refresh, and what users would be told; may be called from a test without a loop."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        super().__init__(cloud, folder)
        self.settings = SETTINGS
        self.queries = InventoryQueries(self.database)
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a restart: nothing is remembered but what is stored, and no breaker waits."""
        self.book = HealthBook()
        self.clients = self.new_clients()
        self.refresher = InventoryRefresher(
            RegionClients(self.clients),
            InventoryStore(self.database),
            Projects(ProjectStore(self.database), self.clock),
            self.settings,
            50,
            DEADLINE,
            self.clock,
        )

    def refresh(self) -> None:
        """Read all kinds of all regions once."""
        self.run(lambda: self.refresher.read_now(self.regions, KINDS, 60))

    def restart(self) -> None:
        """End the refresh, and begin anew."""
        self.run(self._stop)
        self.begin_anew()

    def listed(self) -> dict[str, Contents]:
        """What is listed of each region, as `truth` tells it."""

        async def read() -> dict[str, Contents]:
            found: dict[str, Contents] = {region.name: {} for region in self.regions}
            for kind in ("server", "volume", "snapshot", "backup", "image", "port", "floating_ip"):
                for contents in found.values():
                    contents[kind] = {}
                for item in await self.queries.page(Filters(BY_NAME[kind]), Order(), None, 10_000):
                    status = "" if kind in {"port", "floating_ip"} else item.status
                    told = (item.name, status, item.project_id, frozenset(item.addresses))
                    found[item.region][kind][item.id] = told
            return found

        return self.run(read)

    def missing(self) -> tuple[MissingKind, ...]:
        """What a listing of all kinds would say is missing."""

        async def read() -> tuple[MissingKind, ...]:
            now = self.clock.now()
            found = freshness(await self.queries.syncs(KINDS, (), now - PATIENCE), now, PATIENCE)
            return found.missing().named

        return self.run(read)

    def close(self) -> None:
        """End it."""
        self.run(self._stop)
        self.end()

    async def _stop(self) -> None:
        await self.refresher.stop()
        await self.clients.close()
