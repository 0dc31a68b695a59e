"""What users do with regions: list, register, discover, change, test, forget.

Reading answers from what is stored; only `discover` and `test` call a region. Every write is audited in
its own transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine.model import Operation
from multisite.engine.service import OperationService
from multisite.errors import AlreadyExists, BadRequest, GenerationConflict, NotFound
from multisite.policy import Policy
from multisite.regions import policies, status, workflows
from multisite.regions.examination import Examination, Examiner
from multisite.regions.model import (
    READ_SERVICES,
    Endpoint,
    Identity,
    Interface,
    Maintenance,
    Region,
    ServiceHealth,
    plain,
)
from multisite.regions.registration import Skipped, registration
from multisite.regions.status import RegionView, Rhythm
from multisite.regions.store import RegionStore
from multisite.requester import Requester

#: So many unknown names are told in a sentence.
_TOLD = 10


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a discovery made: regions that are new, names that were known already, and what was left out."""

    created: tuple[Region, ...]
    existing: tuple[str, ...]
    dry_run: bool
    skipped: tuple[Skipped, ...] = ()


class RegionService:
    """Regions, for users."""

    def __init__(
        self,
        store: RegionStore,
        policy: Policy,
        examiner: Examiner,
        operations: OperationService,
        rhythm: Rhythm,
        clock: Clock,
    ) -> None:
        self._store = store
        self._policy = policy
        self._examiner = examiner
        self._operations = operations
        self._rhythm = rhythm
        self._clock = clock

    async def views(self, names: Sequence[str] = ()) -> Sequence[RegionView]:
        """All regions, or those called `names`, whoever asks: for the other domains. Raises `NotFound`."""
        regions = await self._select(names)
        rows = await self._store.services(names)
        now = self._clock.now()
        return [status.view(region, rows.get(region.id, ()), self._rhythm, now) for region in regions]

    async def version(self) -> tuple[int, int, int]:
        """Another one whenever an operator registered, changed or deleted a region."""
        return await self._store.version()

    async def list(self, requester: Requester, *, names: Sequence[str] = ()) -> Sequence[RegionView]:
        """The regions as `requester` may see them. Raises `NotFound` for `names` that are none."""
        self._policy.require(requester, policies.LIST)
        views = await self.views(names)
        if self._policy.allows(requester, policies.DETAILS):
            return views
        return [_for_tenant(view) for view in views]

    async def show(self, requester: Requester, name: str) -> RegionView:
        """One region. Raises `NotFound`."""
        return (await self.list(requester, names=[name]))[0]

    async def health(
        self, requester: Requester, *, names: Sequence[str] = (), services: Sequence[str] = ()
    ) -> Sequence[ServiceHealth]:
        """How the services of the regions are. Raises `NotFound` for names and services that are none."""
        self._policy.require(requester, policies.HEALTH)
        every = await self.all_health(names)
        _require_services(services, {item.service for item in every})
        found = [item for item in every if not services or item.service in services]
        if self._policy.allows(requester, policies.DETAILS):
            return found
        return [item.for_tenant() for item in found]

    async def all_health(self, names: Sequence[str] = ()) -> Sequence[ServiceHealth]:
        """The same, whoever asks: for metrics."""
        regions = await self._select(names)
        rows = await self._store.services(names)
        now = self._clock.now()
        return [
            item
            for region in regions
            for item in status.health(region, rows.get(region.id, ()), self._rhythm, now)
        ]

    async def create(self, requester: Requester, region: Region) -> RegionView:
        """Register a region. Raises `AlreadyExists`, and `BadRequest` for an unknown credential."""
        self._policy.require(requester, policies.CREATE)
        await self._examiner.require_credential(region.credential)
        await self._insert(requester, [(region, [])])
        return await self.show(requester, region.name)

    async def discover(  # noqa: PLR0913 - the options of the command, by name
        self,
        requester: Requester,
        *,
        credential: str,
        interface: Interface,
        identity: Identity | None,
        only: Sequence[str] = (),
        prefix: str = "",
        dry_run: bool = False,
    ) -> Discovery:
        """Register every region of the catalog that `credential` sees, and is not known yet.

        Of several whose names become the same, the first one is registered and the others are reported.
        """
        self._policy.require(requester, policies.DISCOVER)
        found = await self._examiner.catalog_regions(credential, interface, identity, prefix)
        if only:
            wanted = set(only)
            found = [pair for pair in found if pair[0].region_name in wanted]
            missing = wanted - {region.region_name for region, _ in found}
            if missing:
                raise NotFound(f"the catalog of {credential!r} has no region {', '.join(sorted(missing))}")
        plan = registration(found, await self._store.select())
        if not dry_run:
            await self._insert(requester, plan.new)
        return Discovery(tuple(region for region, _ in plan.new), plan.existing, dry_run, plan.skipped)

    async def update(
        self, requester: Requester, name: str, generation: int, changes: dict[str, Any]
    ) -> RegionView:
        """Change fields of a region. Raises `NotFound`, `GenerationConflict`, `BadRequest`."""
        self._policy.require(requester, policies.UPDATE)
        region = await self._get(name)
        if region.generation != generation:
            raise _stale(name, generation, region.generation)
        if "credential" in changes:
            await self._examiner.require_credential(changes["credential"])
        _require_future(changes.get("maintenance"), self._clock.now())
        changed = replace(region, **changes)
        async with self._store.database.write() as connection:
            if not await self._store.update(connection, changed):
                raise _stale(name, generation, None)
            if _way(changed) != _way(region):
                await self._store.forget_readings(connection, region.id)
            before, after = _differences(region, changed)
            await audit.record(
                connection, requester, self._clock.now(), "region:update", name, before=before, after=after
            )
        return await self.show(requester, name)

    async def delete(self, requester: Requester, name: str) -> None:
        """Forget a region and what was read of it; nothing changes in the region. Raises `NotFound`."""
        self._policy.require(requester, policies.DELETE)
        region = await self._get(name)
        async with self._store.database.write() as connection:
            await self._store.delete(connection, region)
            await audit.record(
                connection, requester, self._clock.now(), "region:delete", name, before=plain(region)
            )

    async def test(self, requester: Requester, name: str) -> Examination:
        """Call every service once and say in one line what the credential lacks. Raises `NotFound`."""
        self._policy.require(requester, policies.TEST)
        return await self._examiner.examine(await self._get(name))

    async def test_all(self, requester: Requester, names: Sequence[str] = ()) -> Operation:
        """Begin to test many regions, all where no `names` are given. Raises `NotFound`."""
        self._policy.require(requester, policies.TEST)
        regions = await self._select(names)
        arguments = {"regions": sorted(set(names))}
        return await self._begin(requester, workflows.TEST, arguments, [region.name for region in regions])

    async def discover_all(
        self,
        requester: Requester,
        *,
        credentials: Sequence[str],
        interface: Interface,
        identity: Identity | None,
        prefix: str = "",
        dry_run: bool = False,
    ) -> Operation:
        """Begin to register the regions of the catalogs that these credentials see, of many Keystones."""
        self._policy.require(requester, policies.DISCOVER)
        for credential in credentials:
            await self._examiner.require_credential(credential)
        arguments = {
            "interface": interface.value,
            "identity": identity.value if identity else None,
            "prefix": prefix,
            "dry_run": dry_run,
        }
        return await self._begin(requester, workflows.DISCOVER, arguments, sorted(set(credentials)))

    async def _begin(
        self, requester: Requester, kind: str, arguments: dict[str, Any], parts: Sequence[str]
    ) -> Operation:
        async with self._store.database.write() as connection:
            operation_id = await self._operations.enqueue(connection, requester, kind, arguments, parts)
            await audit.record(connection, requester, self._clock.now(), kind.replace("-", ":"), operation_id)
        return (await self._operations.show(requester, operation_id))[0]

    async def _get(self, name: str) -> Region:
        return (await self._select([name]))[0]

    async def _select(self, names: Sequence[str]) -> Sequence[Region]:
        """All regions, or those called `names`, each of which has to be one."""
        regions = await self._store.select(names)
        unknown = sorted(set(names) - {region.name for region in regions})
        if unknown:
            raise NotFound(f"there {_called(unknown)}")
        return regions

    async def _insert(self, requester: Requester, pairs: Sequence[tuple[Region, Sequence[Endpoint]]]) -> None:
        async with self._store.database.write() as connection:
            for region, endpoints in pairs:
                try:
                    region_id = await self._store.insert(connection, region)
                except IntegrityError as error:
                    raise AlreadyExists(f"there is a region called {region.name!r} already") from error
                await self._store.replace_services(connection, region_id, endpoints)
                await audit.record(
                    connection,
                    requester,
                    self._clock.now(),
                    "region:create",
                    region.name,
                    after=plain(region),
                )


def _way(region: Region) -> tuple[str, str, Interface]:
    """How a region is reached: what is read through another way is another region's, for all we know."""
    return region.region_name, region.credential, region.interface


def _for_tenant(view: RegionView) -> RegionView:
    services = {name: item.for_tenant() for name, item in view.services.items()}
    return replace(view, region=view.region.for_tenant(), services=services)


def _called(unknown: Sequence[str]) -> str:
    if len(unknown) == 1:
        return f"is no region called {unknown[0]!r}"
    rest = f" and {len(unknown) - _TOLD} more" if len(unknown) > _TOLD else ""
    return f"are no regions called {', '.join(map(repr, unknown[:_TOLD]))}{rest}"


def _require_services(asked: Sequence[str], held: Collection[str]) -> None:
    known = {*held, "identity", *READ_SERVICES}
    unknown = sorted(set(asked) - known)
    if unknown:
        raise NotFound(
            f"there is no service {', '.join(map(repr, unknown[:_TOLD]))} here; "
            f"there are: {', '.join(sorted(known))}"
        )


def _require_future(maintenance: Maintenance | None, now: datetime) -> None:
    if maintenance is not None and not maintenance.active(now):
        ended = maintenance.ends_at.isoformat().replace("+00:00", "Z") if maintenance.ends_at else ""
        raise BadRequest(f"maintenance.ends_at: {ended} is over; write a moment to come")


def _stale(name: str, sent: int, present: int | None) -> GenerationConflict:
    now = f"; it is {present} now" if present is not None else ""
    return GenerationConflict(
        f"region {name!r} was changed since generation {sent}{now}: read it and try again"
    )


def _differences(old: Region, new: Region) -> tuple[dict[str, Any], dict[str, Any]]:
    before, after = plain(old), plain(new)
    changed = [key for key in before if before[key] != after[key]]
    return {key: before[key] for key in changed}, {key: after[key] for key in changed}
