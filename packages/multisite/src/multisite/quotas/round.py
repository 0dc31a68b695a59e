"""One round of one project: read, shrink, read back, grow (design record 0008).

A round works on the project's rows: what it finds done it does not do again. It holds the project while it
lasts; what may be out there is stored before anything is sent.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.engine.executors import Fence
from multisite.engine.writes import Journal
from multisite.openstack.together import by_deadline
from multisite.quotas import planning
from multisite.quotas.bound import Figures, height
from multisite.quotas.changes import (
    answered,
    comings_and_goings,
    counted,
    drifted,
    missed,
    settled,
    withdrawn,
)
from multisite.quotas.events import Event
from multisite.quotas.history import store as history
from multisite.quotas.holding import Holding
from multisite.quotas.model import Backend, MissingService, Project, Share, Wanted
from multisite.quotas.planning import NOT_NOW, Asked, Plan, Writes, governed
from multisite.quotas.reading import NO_FACTS, Facts, QuotaReader, Reading
from multisite.quotas.releasing import forget, is_back, releases
from multisite.quotas.resources import name_of, service_of
from multisite.quotas.standing import Standing, events_between, standing
from multisite.quotas.store import Held, QuotaStore
from multisite.quotas.writing import Came, Change, Sender, change, passes_default
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import QuotaSettings

#: How often a round shrinks: a region that refuses is read again, and gets what it uses.
PASSES = 3
#: A region that refused so often in a round is left to the next one.
REFUSALS = 2


@dataclass(slots=True)
class Means:
    """What rounds work with."""

    store: QuotaStore
    regions: RegionStore
    reader: QuotaReader
    sender: Sender
    journal: Journal
    fencing: Callable[[], Fence]
    settings: QuotaSettings
    clock: Clock
    #: When this process first knew that a value may be out there (monotonic).
    _known: dict[tuple[str, int, str, int], float] = field(default_factory=dict)

    def known_since(self, project_id: str, share: Share, resource: str, value: int) -> float:
        """When this process first knew that a value may be out there."""
        key = (project_id, share.region_id, resource, value)
        return self._known.setdefault(key, self.clock.monotonic())

    def forget(self, project_id: str, share: Share, resource: str, value: int) -> None:
        """It is not out there any more."""
        self._known.pop((project_id, share.region_id, resource, value), None)


@dataclass(slots=True)
class Round:
    """One round, as it goes on."""

    means: Means
    wanted: Wanted
    asked: Asked
    regions: Sequence[Region]
    shares: list[Share]
    pinned: Mapping[tuple[int, str], Backend]
    request_id: str
    #: None in a preview, which writes nothing.
    holding: Holding | None = None
    facts: dict[str, Facts] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)
    written: int = 0
    done: bool = False
    stands: Standing | None = None
    _governed: Mapping[str, Sequence[str]] = field(init=False)
    _plan: Plan | None = None
    _away: list[Share] = field(default_factory=list)
    _back: list[Share] = field(default_factory=list)
    _grown: set[str] = field(default_factory=set)
    #: What the write under way may bring about, that could not be before: (region id, resource) → values.
    _added: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Know what is to be read, and since when what is stored may be out there."""
        self._governed = governed(self.wanted)
        for share in self.shares:
            for resource, values in share.sent.items():
                for value in values:
                    self.means.known_since(self.project.id, share, resource, value)

    @property
    def project(self) -> Project:
        """Whose limits these are."""
        return self.wanted.project

    @property
    def _held(self) -> Holding:
        """What lets us write."""
        assert self.holding is not None  # noqa: S101 - a preview never writes
        return self.holding

    @property
    def _named(self) -> dict[str, Region]:
        """The regions that are enabled, by name."""
        return {region.name: region for region in self.regions}

    @property
    def _local_ids(self) -> dict[str, str]:
        """The project's ids where it was found, by region."""
        return {share.region: share.local_id for share in self.shares if share.found and share.local_id}

    def _facts_of(self, region: str) -> Facts:
        """What the Keystone of a region said; nothing before it was asked."""
        return self.facts.get(region, NO_FACTS)

    @property
    def plan(self) -> Plan:
        """What each region should have, by all that is known now."""
        if self._plan is None:
            self._plan = planning.plan(self.wanted, self.shares, self.asked, self.means.settings.burst)
        return self._plan

    # -- reading -------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Read every service of every region whose limits matter."""
        unified = any(service not in {"volume", "network"} for service in self._governed)
        self.facts = await self.means.reader.facts(
            self.project, self.regions, self._local_ids, unified=unified
        )
        wanted = [(region, service) for region in self.regions for service in self._governed]
        await self._read(wanted)
        self._plan = None

    async def _read(self, wanted: Sequence[tuple[Region, str]]) -> None:
        shares = {(share.region_id, share.service): share for share in self.shares}
        pairs = []
        for region, service in wanted:
            share = shares.get((region.id, service))
            if share is None:
                share = Share(region.id, region.name, service)
                self.shares.append(share)
            share.region = region.name
            pairs.append((region, share))
        reader = self.means.reader
        readings = await by_deadline(
            reader.deadline, (self._read_one(region, share) for region, share in pairs), reader.late()
        )
        now = self.means.clock.now()
        for (_, share), reading in zip(pairs, readings, strict=True):
            if reading is not None:
                self._take(share, reading)
                if reading.error is None and share.observed_at is None:
                    share.observed_at = now

    async def _read_one(self, region: Region, share: Share) -> Reading | None:
        facts = self._facts_of(region.name)
        if facts.error is None:
            share.found, share.local_id = facts.local_id is not None, facts.local_id or share.local_id
            share.usable = facts.regions is None or region.region_name in facts.regions
        if facts.error is not None and share.local_id is None:
            return Reading(self.means.clock.monotonic(), error=facts.error)
        if not share.found:
            return None
        if facts.error is not None:
            facts = Facts(share.local_id, error=facts.error)
        pinned = self.pinned.get((region.id, share.service))
        resources = self._governed[share.service]
        return await self.means.reader.read(region, share.service, resources, facts, pinned)

    def _take(self, share: Share, reading: Reading) -> None:
        """Believe what was read, and see what somebody else changed."""
        now = self.means.clock.now()
        if reading.error is not None:
            if reading.error.code == "no-endpoint" and not share.figures:
                share.found = False
                return
            if missed(share, reading.error, now):
                self._away.append(share)
            return
        if answered(share, now):
            self._back.append(share)
        if not (reading.backend is Backend.CLASSIC and self._facts_of(share.region).error):
            share.backend = reading.backend
        changed = drifted(share, reading.figures)
        self.events += [event for event in changed if event.resource in self.wanted.limits]
        settle = self.means.settings.settle
        for resource, value in settled(
            share,
            reading.figures,
            lambda resource, value: (
                reading.began - self.means.known_since(self.project.id, share, resource, value) >= settle
            ),
        ):
            self.means.forget(self.project.id, share, resource, value)
        share.figures = dict(reading.figures)

    # -- writing -------------------------------------------------------------------------------------

    async def shrink(self) -> None:
        """Write what is to be smaller, and read limits and use back."""
        for _ in range(PASSES):
            changes = await self._changes(
                self._without_passing(planning.shrinks(self.plan, self.shares), self.shares)
            )
            if not changes:
                break
            await self._write(changes, keep=True)
            await self._read_back(changes)
        await self._give_back()

    async def grow(self) -> None:
        """Write what is to be larger, as far as there is room."""
        changes = await self._changes(planning.grows(self.plan, self.wanted, self.shares))
        if changes:
            now = self.means.clock.now().timestamp()
            for each in changes:
                each.share.given |= dict.fromkeys(each.values, now)
                self._grown.add(each.region.name)
            await self._write(changes, keep=False)

    async def _read_back(self, changes: Sequence[Change]) -> None:
        """Read limits and use where something was written; what Keystone has, too, where it was.

        The plan stays as long as regions did as they were told: made anew after half of it was done, it would
        be another one, and take back what it just gave.
        """
        told = [(each.share, _as_told(each)) for each in changes]
        unified = [each.region for each in changes if each.share.backend is Backend.UNIFIED]
        if unified:
            self.facts |= await self.means.reader.facts(self.project, unified, self._local_ids, unified=True)
        await self._read([(each.region, each.share.service) for each in changes])
        if any(share.away or share.figures != figures for share, figures in told):
            self._plan = None

    def dry(self) -> list[Change]:
        """What a round would write now, in its order, if every region did as it is told."""
        hoped, found = deepcopy(self.shares), []
        for _ in range(PASSES):
            writes = self._without_passing(planning.shrinks(self.plan, hoped), hoped)
            if not writes:
                break
            found += self._built(writes, hoped)
            for share in hoped:
                for resource, value in writes.get((share.region, share.service), {}).items():
                    share.figures[resource] = Figures(value, share.figures[resource].used)
        grown = planning.grows(self.plan, self.wanted, hoped)
        return [*found, *self._releases(), *self._built(grown, hoped)]

    def missing(self) -> list[MissingService]:
        """What a round would have to know, and could not read."""
        names = self._named
        return [
            MissingService(share.region, share.service, share.error.code if share.error else None)
            for share in self.shares
            if share.away and share.region in names and share.service in self._governed
        ]

    def _without_passing(self, writes: Writes, shares: Sequence[Share]) -> Writes:
        """Zero is written only where the default that is in force meanwhile has room; else 1, for now."""
        found: Writes = {}
        for share in shares:
            for resource, value in writes.get((share.region, share.service), {}).items():
                kept = self._zero(share, resource, shares) if value == 0 else value
                now = share.figures[resource].limit
                if now is not None and kept > NOT_NOW and height(kept) < height(now):
                    found.setdefault((share.region, share.service), {})[resource] = kept
        return found

    def _zero(self, share: Share, resource: str, shares: Sequence[Share]) -> int:
        region, facts = self._named[share.region], self._facts_of(share.region)
        default = passes_default(region, share, resource, facts)
        limit = self.wanted.limits.get(resource)
        if default is None or planning.may_pass(limit, shares, share, resource, default):
            return 0
        return 1

    async def _changes(self, writes: Writes) -> list[Change]:
        """The changes for these writes, in regions that were read; what was there before is remembered."""
        changes = [
            each
            for each in self._built(writes, self.shares)
            if self.refusals.get((each.share.region, each.share.service), 0) < REFUSALS
        ]
        await asyncio.gather(*(self._remember(each.region, each.share) for each in changes))
        return changes

    def _built(self, writes: Writes, shares: Sequence[Share]) -> list[Change]:
        named = {(share.region, share.service): share for share in shares}
        regions = self._named
        found = []
        for (name, service), values in sorted(writes.items()):
            facts = self._facts_of(name)
            share = named[name, service]
            if share.backend is Backend.UNIFIED and facts.error is not None:
                continue  # what Keystone has is not known, so nothing can be written there now
            found.append(change(regions[name], share, values, facts))
        return found

    async def _remember(self, region: Region, share: Share) -> None:
        """Keep what a region had before our first write to it, and whether that was the defaults."""
        fresh = [resource for resource in share.figures if resource not in share.before]
        if not fresh:
            return
        first = not share.before
        facts = self._facts_of(region.name)
        for resource in fresh:
            value = share.figures[resource].limit
            if share.backend is Backend.UNIFIED:
                own = facts.limit_of(share.service, region, name_of(resource))
                value = own.value if own else None
            share.before[resource] = value
        if share.backend is Backend.CLASSIC and first:
            share.was_default = await self.means.reader.has_defaults(region, share)

    async def _write(self, changes: Sequence[Change], *, keep: bool) -> None:
        """Reserve, send, store what came; `keep` counts what was there until it is read back."""
        numbers = await self._reserve(changes)
        came = await self.means.sender.send_all(changes, self.request_id, self._held.fence)
        for each, outcome in zip(changes, came, strict=True):
            self._settle(each, outcome, keep=keep)
        outcomes = [outcome for each in came for outcome in each.outcomes]
        concluded = dict(zip(numbers, outcomes, strict=True))
        now = self.means.clock.now()
        await self._held.save(
            self.shares, lambda connection, _: self.means.journal.conclude_all(connection, concluded, now)
        )

    async def _reserve(self, changes: Sequence[Change]) -> Sequence[int]:
        """Store what may be in force from now on, and what is about to be sent, in one transaction."""
        self._added.clear()
        for each in changes:
            facts = self._facts_of(each.region.name)
            for resource, value in each.values.items():
                passing = passes_default(each.region, each.share, resource, facts) if not value else None
                self._may_be(each.share, resource, [one for one in (value, passing) if one is not None])

        writes = [write.write for each in changes for write in each.writes]

        async def work(connection: AsyncConnection, _: Held) -> Sequence[int]:
            now = self.means.clock.now()
            return await self.means.journal.begin_all(connection, writes, self._held.author, now)

        return await self._held.save(self.shares, work)

    def _may_be(self, share: Share, resource: str, values: Sequence[int]) -> None:
        """Count with these values; those that a lost answer left begin to settle anew."""
        sent = share.sent.setdefault(resource, [])
        added = self._added.setdefault((share.region_id, resource), [])
        for value in values:
            if value not in sent:
                sent.append(value)
                added.append(value)
            self.means.forget(self.project.id, share, resource, value)
            self.means.known_since(self.project.id, share, resource, value)

    def _settle(self, each: Change, came: Came, *, keep: bool) -> None:
        share, where = each.share, (each.share.region, each.share.service)
        self.written += len(came.confirmed)
        for resource in each.values:
            added, figures = self._added.get((share.region_id, resource), []), share.figures[resource]
            if resource in came.refused:
                withdrawn(share, resource, added)
            elif resource in came.confirmed:
                value = came.confirmed[resource]
                share.wanted[resource], share.base[resource] = value, figures.used or 0
                if not keep:
                    withdrawn(share, resource, added)
                    share.figures[resource] = Figures(value, figures.used)
        if came.refused or came.ignored:
            self.refusals[where] = self.refusals.get(where, 0) + 1
        if came.ignored or (came.sentence and not came.refused):
            self.events.append(_refused(share, came))

    # -- giving back ---------------------------------------------------------------------------------

    async def _give_back(self) -> None:
        """Write back what was there before us, of resources that have no global limit any more."""
        changes = self._releases()
        if changes:
            await self._write(changes, keep=True)
            await self._read_back(changes)
        for share in self.shares:
            for resource in self.wanted.releasing:
                if service_of(resource) == share.service and is_back(
                    share, resource, self._named, self.facts
                ):
                    forget(share, resource)

    def _releases(self) -> list[Change]:
        return releases(self.wanted, self.shares, self._named, self.facts)

    # -- ending --------------------------------------------------------------------------------------

    def _heard(self) -> frozenset[str]:
        """The regions whose wish for more is done with.

        A wish is kept where nothing was given and that may be for what is not known of some region now.
        """
        if not self.done:
            return frozenset()
        known = not any(share.away or share.sent for share in self.shares)
        return self.asked.regions if known else self.asked.regions & self._grown

    async def end(self) -> None:
        """Store how it stands, tell what happened, let go of the project."""
        plan = self.plan
        for share in self.shares:
            counted(share, plan)
        settings, now = self.means.settings, self.means.clock.now()
        stands = self.stands = standing(self.wanted, self.shares, settings, plan) if self.done else None
        gone = [
            resource
            for resource in self.wanted.releasing
            if all(resource not in share.before for share in self.shares)
        ]

        self.events += comings_and_goings(self._away, self._back)

        async def work(connection: AsyncConnection, held: Held) -> None:
            store = self.means.store
            if stands is not None:
                self.events += events_between(held.standing, stands, settings)
                await history.record(connection, self.project, held.standing, stands, now)
                await store.forget(connection, self.project.id, gone)
            if stands is not None and not self.wanted.limits and self.wanted.releasing <= set(gone):
                await store.abandon(connection, self.project.id)
            await store.tell(connection, self.project.id, self.events, now)
            await store.release(
                connection,
                self.project.id,
                now,
                stands,
                held.asked_regions - self._heard(),
                handed_back=self.done and self._held.author.operation_id is not None,
            )

        await self._held.save(self.shares, work)


def _as_told(each: Change) -> dict[str, Figures]:
    """What is read back if the region did as it was told, and nothing else happened there."""
    return {
        resource: Figures(each.values.get(resource, figures.limit), figures.used)
        for resource, figures in each.share.figures.items()
    }


def _refused(share: Share, came: Came) -> Event:
    sentence = came.sentence or (
        f"{share.service} of region {share.region} answered well, and kept "
        + ", ".join(f"{name_of(name)}={value}" for name, value in sorted(came.ignored.items()))
    )
    return Event("refused", sentence, region=share.region, figures={"service": share.service})
