"""Quotas for users: see, set, try out, balance."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine.model import Operation
from multisite.engine.service import OperationService
from multisite.errors import BadRequest, GenerationConflict, NotFound, TooManyRequests
from multisite.policy import OPERATOR_READER, Policy
from multisite.quotas import claims, decisions, eventlog, policies, share_store
from multisite.quotas.eventlog import EventRow
from multisite.quotas.events import KINDS
from multisite.quotas.home import Home, QuotaRegions, require_registered
from multisite.quotas.limits import (
    QuotaChange,
    decided,
    end_of,
    merged,
    plain,
    require_caps,
    require_class,
    require_raises,
    require_sense,
)
from multisite.quotas.model import (
    DryRun,
    GlobalLimit,
    Project,
    ProjectQuota,
    ProjectQuotaRow,
    Proposal,
    Share,
    Wanted,
)
from multisite.quotas.proposals import proposal
from multisite.quotas.resources import Kind, copied, kind_for, listed
from multisite.quotas.standing import resource_quotas
from multisite.quotas.store import QuotaStore
from multisite.quotas.workflows import BALANCE, WRITE
from multisite.regions.service import RegionService
from multisite.requester import Requester
from multisite.settings import QuotaSettings

#: Seconds that an operation has before the balancer does its work, so that it tells what was written for it.
HANDOVER = 30.0
#: A moment at which no raise holds any more.
_END = datetime.max.replace(tzinfo=UTC)
#: What tenants are told of an event whose sentence may name internal addresses.
_DISCREET = {"refused": "a region refused a limit, or kept another one"}
#: What else is done in the transaction of a change: with what was decided before, and the operation's id.
Also = Callable[[AsyncConnection, Wanted, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class QuotaService:
    """Quotas of projects over all regions."""

    store: QuotaStore
    regions: RegionService
    home: Home
    reading: QuotaRegions
    operations: OperationService
    policy: Policy
    settings: QuotaSettings
    clock: Clock

    # -- seeing --------------------------------------------------------------------------------------

    async def list(self, requester: Requester, sort: str | None = None) -> Sequence[ProjectQuotaRow]:
        """The governed projects, those under most pressure first; a tenant's own one.

        `sort`: by the pressure on this resource alone. Raises `BadRequest` for one that there is not.
        """
        self.policy.require(requester, policies.LIST)
        if sort is not None:
            kind_for(sort, None)
        every = self.policy.allows(requester, OPERATOR_READER.removeprefix("rule:"))
        rows = await self.store.rows(None if every else [requester.project_id or ""])
        if sort is None:
            return rows
        return sorted(rows, key=lambda row: -(row.resources.get(sort, {}).get("pressure") or 0.0))

    async def show(self, requester: Requester, project_id: str) -> ProjectQuota:
        """A project's quota. Raises `NotFound` for one that is not governed, or not the requester's."""
        if not self.policy.allows(requester, policies.SHOW, {"project_id": project_id}):
            raise NotFound(f"there is no quota of project {project_id!r}")
        async with self.store.database.read() as connection:
            wanted = await self.store.wanted_of(connection, project_id, self.clock.now())
            shares = await share_store.shares(connection, project_id)
        return await self._quota(wanted, shares)

    async def _quota(self, wanted: Wanted, shares: Sequence[Share]) -> ProjectQuota:
        enabled = {view.region.id for view in await self.regions.views() if view.region.enabled}
        for share in shares:
            share.reachable = share.region_id in enabled
        project = wanted.project
        return ProjectQuota(
            project.id,
            project.name,
            project.domain_name,
            project.class_name,
            project.generation,
            project.balanced_at,
            resource_quotas(wanted, shares, self.settings, self.clock.now()),
        )

    async def events(
        self,
        requester: Requester,
        kinds: Sequence[str],
        limit: int,
        marker: int | None,
        project_id: str | None = None,
    ) -> Sequence[EventRow]:
        """What happened, the newest first; of one project, where it is named.

        Raises `BadRequest` for a kind that there is not. Of a project that is not the requester's there is
        nothing.
        """
        self.policy.require(requester, policies.EVENTS)
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            raise BadRequest(f"kind: there is no kind {unknown[0]!r}; there are: {', '.join(sorted(KINDS))}")
        operator = self.policy.allows(requester, OPERATOR_READER.removeprefix("rule:"))
        async with self.store.database.read() as connection:
            seen = None if operator else [requester.project_id or ""]
            if project_id is not None:
                seen = [project_id] if seen is None or project_id in seen else []
            found = await eventlog.events(connection, seen, kinds, limit, marker)
        if operator:
            return found
        return [replace(each, sentence=_DISCREET.get(each.kind, each.sentence)) for each in found]

    # -- deciding ------------------------------------------------------------------------------------

    async def change(
        self, requester: Requester, project_id: str, change: QuotaChange, also: Also | None = None
    ) -> Operation:
        """Decide on a project's quota, and begin to write it. Setting a limit is the consent to that.

        `also` is done in the same transaction, with what was decided before and the operation's id; what it
        raises undoes all. Raises `NotFound`, `BadRequest`, `GenerationConflict`, `CapExceeded`.
        """
        self.policy.require(requester, policies.SET)
        require_sense(change, self.clock.now())
        await require_registered(self.reading, _named(change))
        return await self._change(requester, await self.home.project(project_id), change, also)

    async def _change(
        self, requester: Requester, project: Project, change: QuotaChange, also: Also | None = None
    ) -> Operation:
        ids = await self._region_ids(change)
        now = self.clock.now()
        project_id = project.id
        async with self.store.database.write() as connection:
            before, after = await self._decide(connection, project, change, ids, now)
            operation_id = await self.operations.enqueue(
                connection, requester, WRITE, {"project_id": project_id}, [project_id]
            )
            if also is not None:
                await also(connection, before, operation_id)
            await audit.record(
                connection,
                requester,
                now,
                "quota:set",
                project_id,
                before=plain(before),
                after=plain(after),
            )
        return (await self.operations.show(requester, operation_id))[0]

    async def plan(self, requester: Requester, project_id: str, change: QuotaChange) -> DryRun:
        """What a change would write now; the regions are read for it."""
        self.policy.require(requester, policies.SET)
        require_sense(change, self.clock.now())
        await require_registered(self.reading, _named(change))
        return await self._plan(await self.home.project(project_id), change)

    async def _plan(self, project: Project, change: QuotaChange) -> DryRun:
        ids = await self._region_ids(change)
        async with self.store.database.undone() as connection:
            _, after = await self._decide(connection, project, change, ids, self.clock.now())
            shares = await share_store.shares(connection, project.id)
        return await self.reading.preview(after, shares)

    async def unset(self, requester: Requester, project_id: str) -> Operation:
        """Govern a project no more: every region gets back what it had before.

        It need not be in the home Keystone any more. Raises `NotFound` for a project that is not governed.
        """
        self.policy.require(requester, policies.SET)
        return await self._change(requester, *await self._unsetting(project_id))

    async def plan_unset(self, requester: Requester, project_id: str) -> DryRun:
        """What `unset` would write now. Raises the same."""
        self.policy.require(requester, policies.SET)
        return await self._plan(*await self._unsetting(project_id))

    async def _unsetting(self, project_id: str) -> tuple[Project, QuotaChange]:
        """A governed project, and the change that takes all from it that is its own."""
        async with self.store.database.read() as connection:
            wanted = await self.store.wanted_of(connection, project_id, self.clock.now())
        return wanted.project, end_of(wanted.limits)

    async def _decide(
        self,
        connection: AsyncConnection,
        project: Project,
        change: QuotaChange,
        region_ids: Mapping[str, int],
        now: datetime,
    ) -> tuple[Wanted, Wanted]:
        """Store a change; what was decided before, and what is now."""
        await decisions.hold_caps(connection)
        held = await self.store.project(connection, project.id)
        known = await self.store.wanted(connection, held or project, now)
        before = known if held else Wanted(project, {})  # classes apply to what is governed, from now on
        if held is None and change.generation is not None:
            raise NotFound(f"there is no quota of project {project.id!r} yet; leave the generation out")
        await decisions.put_project(connection, project, now, self._handed_over(now))
        if not await decisions.next_generation(connection, project.id, change.generation):
            raise GenerationConflict(
                f"the quota of project {project.id!r} was changed since generation {change.generation}; "
                f"it is {held.generation if held else 0} now: read it and try again"
            )
        if change.follow:
            await require_class(connection, change.class_name)
            await decisions.set_class(connection, project.id, change.class_name)
        kept = decided(change.limits, known.limits)
        await decisions.put_limits(connection, project.id, kept)
        await decisions.release(connection, project.id, set(change.limits) - set(kept))
        await decisions.put_raises(connection, project.id, change.raises)
        await decisions.put_bounds(
            connection,
            project.id,
            {
                (region_ids[region], resource): each
                for (region, resource), each in merged(change.bounds, before).items()
            },
        )
        now_held = await self.store.project(connection, project.id)
        after = await self.store.wanted(connection, now_held or project, now)
        left = (set(before.limits) | before.releasing) - set(after.limits) - after.releasing
        await decisions.release(connection, project.id, left)
        after = replace(after, releasing=after.releasing | left)
        require_raises(change, (await self.store.wanted(connection, after.project, _END)).limits, after)
        await require_caps(connection, self.store, [(before, after)], now)
        return before, after

    async def balance(self, requester: Requester, project_id: str, regions: Sequence[str] = ()) -> Operation:
        """Begin a round now; `regions` are those in which more is wanted.

        Raises `NotFound`, and `TooManyRequests` for a tenant who asked a moment ago.
        """
        if not self.policy.allows(requester, policies.SHOW, {"project_id": project_id}):
            raise NotFound(f"there is no quota of project {project_id!r}")
        self.policy.require(requester, policies.BALANCE, {"project_id": project_id})
        await self.regions.views(regions)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await self.store.require(connection, project_id)
            if not requester.operator:
                lately = now - timedelta(seconds=self.settings.ask_interval)
                if not await claims.may_ask(connection, project_id, lately, now):
                    wait = self.settings.ask_interval
                    raise TooManyRequests(
                        f"this quota was balanced a moment ago; ask again in {wait:g} s", retry_after=wait
                    )
            await claims.ask(connection, project_id, now, regions, self._handed_over(now))
            operation_id = await self.operations.enqueue(
                connection,
                requester,
                WRITE if requester.operator else BALANCE,
                {"project_id": project_id, "regions": sorted(regions)},
                [project_id],
            )
            await audit.record(connection, requester, now, "quota:balance", project_id)
        return (await self.operations.show(requester, operation_id))[0]

    # -- taking over what is there -------------------------------------------------------------------

    async def propose(
        self, requester: Requester, project_id: str, resources: Collection[str], kind: Kind | None
    ) -> Sequence[Proposal]:
        """Global limits as the regions' limits of today add up; nothing is written.

        Of all that some region limits where none is named; then `kind` is that of those that are summed.
        """
        self.policy.require(requester, policies.IMPORT)
        if resources:
            limits = {name: GlobalLimit(0, kind_for(name, kind)) for name in resources}
            await require_registered(self.reading, resources)
        else:
            limits = {
                name: GlobalLimit(0, kind_for(name, None if copied(name) else kind)) for name in listed()
            }
        found, complete = await self._today(project_id, limits)
        if resources or not complete:
            return found
        return [each for each in found if any(limit is not None for limit in each.regions.values())]

    async def today(self, project_id: str, resources: Collection[str]) -> Sequence[Proposal]:
        """What the regions' own limits of these resources add up to; for other services of quotas."""
        return (
            await self._today(project_id, {name: GlobalLimit(0, kind_for(name, None)) for name in resources})
        )[0]

    async def _today(
        self, project_id: str, limits: Mapping[str, GlobalLimit]
    ) -> tuple[Sequence[Proposal], bool]:
        """The sums, and whether all regions could be read."""
        shares = await self.reading.read(Wanted(await self.home.project(project_id), limits))
        found = [proposal(name, limits[name].kind, shares) for name in sorted(limits)]
        return found, not any(share.away for share in shares)

    # -- helpers -------------------------------------------------------------------------------------

    def _handed_over(self, now: datetime) -> datetime:
        """When the balancer does what an operation was begun for, unless that was there before."""
        return now + timedelta(seconds=min(HANDOVER, self.settings.interval))

    async def _region_ids(self, change: QuotaChange) -> dict[str, int]:
        names = sorted({region for region, _ in change.bounds})
        views = await self.regions.views(names) if names else ()
        return {view.region.name: view.region.id for view in views}


def _named(change: QuotaChange) -> set[str]:
    """The resources of which a change decides something."""
    limits = {resource for resource, limit in change.limits.items() if limit is not None}
    return limits | {resource for _, resource in change.bounds}
