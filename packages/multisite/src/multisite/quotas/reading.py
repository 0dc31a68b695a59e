"""Reads a project's limits and use from regions; lives on the region loop.

One GET per service and region, one of limits per Keystone. What the services of one Keystone have registered
is read for all projects together, and so is where a project may go, less often.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from multisite.clock import Clock
from multisite.openstack import cinder, glance, keystone, limits, neutron, nova
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.openstack.figures import limit as checked_limit
from multisite.openstack.figures import natural
from multisite.openstack.limits import Key, Limit, Registered
from multisite.quotas.bound import Figures
from multisite.quotas.model import Backend, Project, Share
from multisite.quotas.resources import SERVICES, UNIFIED, name_of, service_of, unified_name
from multisite.regions.home import Clients as RegionClients
from multisite.regions.model import Identity, Region
from multisite.regions.states import CallError

#: Seconds for which registered limits are good for other projects, and what is known of one project: which
#: it is in a Keystone that is not the home one, and where it may go.
REGISTERED_FOR, CONFINED_FOR = 30.0, 600.0
MIB = 1024 * 1024


class Clients(RegionClients, Protocol):
    """Gives clients of regions, and says which Keystone a region's credential is for."""

    def keystone(self, region: Region) -> str:
        """The address of the Keystone of a region's credential. Raises `RegionCallError`."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What the Keystone of a region says of a project.

    `local_id`: the project's id there, `None` where it is not. `limits` are its own unified limits.
    `regions`: to which of the catalog's it is confined, `None` for all. `error`: why this is not known.
    """

    local_id: str | None = None
    registered: Registered = field(default_factory=Registered)
    limits: Mapping[Key, Limit] = field(default_factory=dict)
    regions: frozenset[str] | None = None
    error: CallError | None = None

    def registered_in(self, service: str, region: Region) -> dict[str, int]:
        """The defaults of a service of a region, by the names of its quota API."""
        found = self.registered.of(service, region.region_name)
        ours = UNIFIED.get(service)
        if ours is None:
            return found
        return {name: found[unified] for name, unified in ours.items() if unified in found}

    def limit_of(self, service: str, region: Region, name: str) -> Limit | None:
        """The project's own unified limit of a resource."""
        return self.limits.get((service, region.region_name, unified_name(f"{service}/{name}")))


#: What is known of a region whose Keystone was not asked.
NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one read of one service of one region gave; `began` is when it began (monotonic seconds)."""

    began: float
    figures: Mapping[str, Figures] = field(default_factory=dict)
    backend: Backend = Backend.CLASSIC
    error: CallError | None = None


@dataclass(slots=True)
class QuotaReader:
    """Reads quotas; `deadline` (seconds) bounds the read of one service of one region."""

    clients: Clients
    clock: Clock
    deadline: float
    _registered: dict[str, tuple[float, Registered]] = field(default_factory=dict)
    _confined: dict[tuple[str, str], tuple[float, frozenset[str] | None]] = field(default_factory=dict)
    _local_ids: dict[tuple[str, str], tuple[float, str | None]] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def facts(
        self, project: Project, regions: Sequence[Region], known: Mapping[str, str], *, unified: bool
    ) -> dict[str, Facts]:
        """What the Keystones of the regions say, by region; `unified`: their limits matter, too.

        `known`: the ids that the project had where it was found before, by region.
        """
        by_keystone: dict[str, list[Region]] = {}
        found: dict[str, Facts] = {}
        for region in regions:
            try:
                by_keystone.setdefault(self.clients.keystone(region), []).append(region)
            except RegionCallError as error:
                found[region.name] = Facts(error=CallError(error.code, error.detail))
        asked = await asyncio.gather(
            *(self._ask(url, project, group, known, unified=unified) for url, group in by_keystone.items())
        )
        for group, facts in zip(by_keystone.values(), asked, strict=True):
            found |= dict.fromkeys((region.name for region in group), facts)
        return found

    async def unregistered(self, regions: Sequence[Region], resources: Collection[str]) -> Sequence[str]:
        """Which of these no region has registered in its Keystone now; none while one of those is away."""
        left, asked = set(resources), set[str]()
        for region in regions:
            if not left:
                break
            try:
                async with asyncio.timeout(self.deadline):
                    url, client = self.clients.keystone(region), self.clients.client(region)
                    if url not in asked:
                        self._registered.pop(url, None)
                    asked.add(url)
                    registered = await self._registered_limits(url, client)
            except (RegionCallError, TimeoutError, *GARBAGE):
                return ()
            left = {
                each
                for each in left
                if name_of(each) not in registered.of(service_of(each), region.region_name)
            }
        return sorted(left)

    async def has_defaults(self, region: Region, share: Share) -> bool:
        """Whether all limits that were read of a share are those of projects that have none of their own."""
        read = _DEFAULTS.get(share.service)
        if read is None:
            return False
        try:
            defaults = await read(self.clients.client(region), share.local_id or "")
        except (RegionCallError, *GARBAGE):
            return False
        return all(defaults.get(name_of(name)) == figures.limit for name, figures in share.figures.items())

    async def _ask(
        self,
        url: str,
        project: Project,
        regions: Sequence[Region],
        known: Mapping[str, str],
        *,
        unified: bool,
    ) -> Facts:
        """Ask one Keystone through the first of its regions whose credential may."""
        failure = CallError("no-endpoint")
        for region in regions:
            try:
                async with asyncio.timeout(self.deadline):
                    return await self._facts(url, project, region, known.get(region.name), unified=unified)
            except RegionCallError as error:
                failure = CallError(error.code, error.detail)
                if error.code != "no-endpoint":
                    break
            except TimeoutError:
                failure = self._took_too_long
                break
            except GARBAGE as error:
                failure = CallError("unexpected-answer", what_is_odd(error))
                break
        return Facts(error=failure)

    async def _facts(
        self, url: str, project: Project, region: Region, known: str | None, *, unified: bool
    ) -> Facts:
        client = self.clients.client(region)
        local_id = await self._local_id(url, client, project, region, known)
        if local_id is None:
            return NO_FACTS
        regions = await self._confinement(url, client, local_id)
        if not unified:
            return Facts(local_id, regions=regions)
        registered = await self._registered_limits(url, client)
        own = await limits.limits(client, local_id, registered) if registered.defaults else {}
        return Facts(local_id, registered, own, regions)

    async def _local_id(
        self, url: str, client: RegionClient, project: Project, region: Region, known: str | None
    ) -> str | None:
        """The project that has the name; else the one that had it, which was renamed: its limits are ours."""
        if region.identity is Identity.HOME:
            return project.id
        at, held = self._local_ids.get((url, project.id), (float("-inf"), None))
        now = self.clock.monotonic()
        if (held is not None and now - at < CONFINED_FOR) or not project.name or not project.domain_name:
            return held
        found = await keystone.find_project(client, name=project.name, domain_name=project.domain_name)
        if found is None and known is not None:
            found = await keystone.get_project(client, known)
        held = found.id if found else None
        self._local_ids[url, project.id] = (now, held)
        return held

    async def _registered_limits(self, url: str, client: RegionClient) -> Registered:
        async with self._locks.setdefault(url, asyncio.Lock()):
            at, held = self._registered.get(url, (float("-inf"), Registered()))
            now = self.clock.monotonic()
            if now - at >= REGISTERED_FOR:
                held = await limits.registered(client)
                self._registered[url] = (now, held)
            return held

    async def _confinement(self, url: str, client: RegionClient, project_id: str) -> frozenset[str] | None:
        at, held = self._confined.get((url, project_id), (float("-inf"), None))
        now = self.clock.monotonic()
        if now - at >= CONFINED_FOR:
            held = await limits.allowed_regions(client, project_id)
            self._confined[url, project_id] = (now, held)
        return held

    def late(self) -> Reading:
        """What a read gives that begins now, and takes longer than `deadline`."""
        return Reading(self.clock.monotonic(), error=self._took_too_long)

    @property
    def _took_too_long(self) -> CallError:
        return CallError("timeout", f"reading took longer than {self.deadline:g} s")

    async def read(
        self,
        region: Region,
        service: str,
        resources: Collection[str],
        facts: Facts,
        pinned: Backend | None,
    ) -> Reading:
        """Read one service of one region; whatever goes wrong is in the answer.

        How long it may take is for whoever reads many of them: see `late`.
        """
        began = self.clock.monotonic()
        try:
            return await self._read(region, service, resources, facts, pinned, began)
        except RegionCallError as error:
            failure = CallError(error.code, error.detail)
        except GARBAGE as error:
            failure = CallError("unexpected-answer", what_is_odd(error))
        return Reading(began, error=failure)

    async def _read(
        self,
        region: Region,
        service: str,
        resources: Collection[str],
        facts: Facts,
        pinned: Backend | None,
        began: float,
    ) -> Reading:
        client = self.clients.client(region)
        local_id = facts.local_id or ""
        if service in _CLASSIC:
            read, used = _CLASSIC[service]
            shown = await read(client, local_id)
            backend = self._backend(region, service, facts, pinned, shown)
            figures = {
                resource: _figures(resource, shown[name_of(resource)], used)
                for resource in resources
                if name_of(resource) in shown
            }
            return Reading(began, figures, backend)
        unified = _unified_figures(region, service, resources, facts)
        if service == "image" and any(each.limit is not None for each in unified.values()):
            unified = await _with_images(client, local_id, unified)
        return Reading(began, unified, Backend.UNIFIED)

    def _backend(
        self,
        region: Region,
        service: str,
        facts: Facts,
        pinned: Backend | None,
        shown: Mapping[str, Mapping[str, int]],
    ) -> Backend:
        """Where the service keeps its limits: in Keystone, if what is registered there is what it shows."""
        if pinned is not None or service != "compute":
            return pinned or Backend.CLASSIC
        registered = facts.registered_in(service, region)
        expected = {}
        for name, default in registered.items():
            own = facts.limit_of(service, region, name)
            expected[name] = own.value if own else default
        same = all(int(shown[name]["limit"]) == value for name, value in expected.items() if name in shown)
        return Backend.UNIFIED if expected and same else Backend.CLASSIC


_CLASSIC: Mapping[str, tuple[Any, str]] = {
    "compute": (nova.quota, "in_use"),
    "volume": (cinder.quota, "in_use"),
    "network": (neutron.quota, "used"),
}


def _figures(resource: str, shown: Mapping[str, int], used: str) -> Figures:
    name = name_of(resource)
    use = natural(shown[used], f"{name}.{used}") + natural(shown.get("reserved") or 0, f"{name}.reserved")
    return Figures(checked_limit(shown["limit"], f"{name}.limit"), use)


def _unified_figures(
    region: Region, service: str, resources: Collection[str], facts: Facts
) -> dict[str, Figures]:
    """Limits as Keystone has them; a resource that is not registered has none that could be written."""
    if facts.error is not None:
        raise RegionCallError(facts.error.code, facts.error.detail or facts.error.code)
    defaults = facts.registered_in(service, region)
    found = {}
    for resource in resources:
        name = name_of(resource)
        own = facts.limit_of(service, region, name)
        limit = own.value if own else defaults.get(name)
        known = service in SERVICES
        found[resource] = Figures(limit, 0 if known and limit is not None else None)
    return found


async def _with_images(
    client: RegionClient, project_id: str, figures: Mapping[str, Figures]
) -> dict[str, Figures]:
    """With the use of images, as Glance counts: an image once for each store that holds it; MiB cut."""
    count = size = 0
    for hidden in (False, True):
        async for page in glance.images(client, owner=project_id, hidden=hidden):
            count += len(page)
            for image in page:
                stores = str(image.get("stores") or "").split(",")
                size += natural(image.get("size") or 0, "size") * len(stores)
    used = {"image/image_count_total": count, "image/image_size_total": size // MIB}
    return {name: Figures(each.limit, used.get(name, each.used)) for name, each in figures.items()}


_DEFAULTS: Mapping[str, Callable[[RegionClient, str], Awaitable[dict[str, int]]]] = {
    "compute": nova.quota_defaults,
    "volume": cinder.quota_defaults,
    "network": neutron.quota_defaults,
}
