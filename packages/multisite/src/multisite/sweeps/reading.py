"""Reading on demand: what a request with `fresh=true`, or a first question, asks of the region loop."""

from collections.abc import Sequence
from dataclasses import dataclass

from multisite.errors import RegionAway
from multisite.inventory.keypairs import Keypair, KeypairReader, User
from multisite.inventory.kinds import Kind
from multisite.inventory.model import MissingKind
from multisite.inventory.refresher import InventoryRefresher
from multisite.openstack.client import RegionClient, Regions
from multisite.openstack.failures import RegionCallError
from multisite.openstack.loop import RegionLoop
from multisite.regions.discovery import target_of
from multisite.regions.model import Region
from multisite.sweeps.sweeper import Sweeper
from multisite.usage.refresher import Refresher
from multisite.usage.store import TrackedProject


@dataclass(frozen=True, slots=True)
class CapacityReader:
    """Sweeps regions for a request; `deadline` in seconds."""

    loop: RegionLoop
    sweeper: Sweeper
    deadline: float

    async def read_now(self, regions: list[Region]) -> None:
        """Read the regions; returns at the deadline at the latest."""
        await self.loop.run(self.sweeper.sweep_now(regions, self.deadline))


@dataclass(frozen=True, slots=True)
class UsageReader:
    """Reads a project's use for a request; `deadline` in seconds."""

    loop: RegionLoop
    refresher: Refresher
    deadline: float

    async def read_now(self, project: TrackedProject, regions: Sequence[Region]) -> None:
        """Read the project in the regions; returns at the deadline at the latest."""
        await self.loop.run(self.refresher.read_now(project, regions, self.deadline))

    async def find_home(self, project_id: str, regions: Sequence[Region]) -> TrackedProject | None:
        """The project in the home Keystone, `None` where it is not. Raises `RegionAway`."""
        try:
            found = await self.loop.run(self.refresher.find_home(project_id, regions))
        except RegionCallError as error:
            raise RegionAway(error.detail) from error
        return TrackedProject(found.id, found.name, found.domain_name) if found else None


@dataclass(frozen=True, slots=True)
class InventoryReader:
    """Reads items for a request; `deadline` in seconds."""

    loop: RegionLoop
    refresher: InventoryRefresher
    deadline: float

    async def read_now(self, regions: Sequence[Region], kinds: Sequence[Kind]) -> None:
        """Read the kinds in the regions; returns at the deadline at the latest."""
        await self.loop.run(self.refresher.read_now(regions, kinds, self.deadline))


@dataclass(frozen=True, slots=True)
class RegionClients:
    """The clients of regions, and where their Keystones are."""

    clients: Regions

    def client(self, region: Region) -> RegionClient:
        """The client of a region."""
        return self.clients.client(target_of(region))

    def keystone(self, region: Region) -> str:
        """The address of the Keystone of a region's credential. Raises `RegionCallError`."""
        return self.clients.clouds.credential(region.credential).auth_url.rstrip("/")


@dataclass(frozen=True, slots=True)
class LoopedKeypairReader:
    """Reads keypairs for a request."""

    loop: RegionLoop
    reader: KeypairReader

    async def read(self, user: User, regions: Sequence[Region]) -> list[tuple[Keypair, ...] | MissingKind]:
        """The keypairs of each region, or why they are missing; returns at the deadline at the latest."""
        return await self.loop.run(self.reader.read(user, regions))
