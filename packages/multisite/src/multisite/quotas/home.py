"""What quotas need of others: projects and domains of the home Keystone, and the regions as they are now."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from multisite.errors import BadRequest, Conflict, NotFound
from multisite.quotas.model import DryRun, Project, Share, Wanted
from multisite.quotas.resources import SERVICES, service_of
from multisite.regions.model import Identity, Region
from multisite.regions.service import RegionService


class HomeKeystone(Protocol):
    """The home Keystone, asked through regions that share it."""

    async def identify(self, project_id: str, regions: Sequence[Region]) -> Project | None:
        """The project with its domain and parents, `None` where it is not there. Raises `RegionAway`."""
        ...

    async def has_domain(self, domain_id: str, regions: Sequence[Region]) -> bool:
        """Whether there is this domain. Raises `RegionAway`."""
        ...


class QuotaRegions(Protocol):
    """What quotas need of regions, now."""

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> DryRun:
        """What a round would do now."""
        ...

    async def read(self, wanted: Wanted) -> Sequence[Share]:
        """What the regions have today."""
        ...

    async def unregistered(self, resources: Collection[str]) -> Sequence[str]:
        """Which of these no region has registered; none while a Keystone is away."""
        ...


async def require_registered(regions: QuotaRegions, resources: Iterable[str]) -> None:
    """Raise `BadRequest` for a resource of another service that no region knows: a typing error."""
    others = {each for each in resources if service_of(each) not in SERVICES}
    unknown = await regions.unregistered(others) if others else ()
    if unknown:
        raise BadRequest(
            f"no region has a registered limit of {', '.join(unknown)}; the services that multisite knows "
            f"are {', '.join(SERVICES)}"
        )


@dataclass(frozen=True, slots=True)
class Home:
    """What projects and domains there are. All that it does raises `RegionAway` and `Conflict`."""

    regions: RegionService
    keystone: HomeKeystone

    async def project(self, project_id: str) -> Project:
        """One project with its domain and parents. Raises `NotFound`."""
        found = await self.keystone.identify(project_id, await self._sharing())
        if found is None:
            raise NotFound(f"there is no project {project_id!r}")
        return found

    async def require_domain(self, domain_id: str) -> None:
        """Raise `NotFound` for a domain that there is not."""
        if not await self.keystone.has_domain(domain_id, await self._sharing()):
            raise NotFound(f"there is no domain {domain_id!r}")

    async def _sharing(self) -> Sequence[Region]:
        """The regions through which it can be asked."""
        regions = [
            view.region
            for view in await self.regions.views()
            if view.region.enabled and view.region.identity is Identity.HOME
        ]
        if not regions:
            raise Conflict("no enabled region shares the home Keystone, which knows projects and domains")
        return regions
