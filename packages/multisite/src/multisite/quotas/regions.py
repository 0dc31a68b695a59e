"""What quotas need of regions at once, carried to the region loop and back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from multisite.errors import RegionAway
from multisite.openstack import keystone
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.loop import RegionLoop
from multisite.quotas.model import DryRun, Project, Share, Wanted
from multisite.quotas.rounds import Rounds
from multisite.regions.home import ask_home
from multisite.regions.model import Region

#: Projects above a project that are looked up; Keystone allows five by default.
DEEPEST = 10


@dataclass(frozen=True, slots=True)
class LoopedQuotaRegions:
    """Asks regions for `QuotaService`."""

    loop: RegionLoop
    rounds: Rounds

    async def identify(self, project_id: str, regions: Sequence[Region]) -> Project | None:
        """The project with its domain and parents in the home Keystone, `None` where it is not there.

        Raises `RegionAway` when no region's credential may ask the home Keystone now.
        """
        try:
            return await self.loop.run(self._identify(project_id, regions))
        except RegionCallError as error:
            raise RegionAway(error.detail) from error

    async def has_domain(self, domain_id: str, regions: Sequence[Region]) -> bool:
        """Whether the home Keystone has this domain. Raises `RegionAway`."""

        async def question(client: RegionClient) -> bool:
            return await keystone.has_domain(client, domain_id)

        try:
            return await self.loop.run(ask_home(self.rounds.reader.clients, regions, question))
        except RegionCallError as error:
            raise RegionAway(error.detail) from error

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> DryRun:
        """What a round would do now."""
        return await self.loop.run(self.rounds.preview(wanted, shares))

    async def read(self, wanted: Wanted) -> Sequence[Share]:
        """What the regions have today."""
        return (await self.loop.run(self.rounds.survey(wanted, ()))).shares

    async def unregistered(self, resources: Collection[str]) -> Sequence[str]:
        """Which of these no region has registered; none while a Keystone is away."""
        regions = [each for each in await self.rounds.regions.select() if each.enabled]
        return await self.loop.run(self.rounds.reader.unregistered(regions, resources))

    async def _identify(self, project_id: str, regions: Sequence[Region]) -> Project | None:
        async def question(client: RegionClient) -> Project | None:
            found = await keystone.get_project(client, project_id)
            if found is None:
                return None
            parents = await keystone.parents(client, project_id, DEEPEST)
            return Project(found.id, found.name, found.domain_id, found.domain_name, parents)

        return await ask_home(self.rounds.reader.clients, regions, question)
