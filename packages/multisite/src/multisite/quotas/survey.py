"""What a round knows of its project: each region's share as it was last read, and what Keystones say."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace

from multisite.openstack.together import by_deadline
from multisite.quotas.changes import answered, comings_and_goings, drifted, missed, settled
from multisite.quotas.events import Event
from multisite.quotas.means import Means
from multisite.quotas.model import Backend, MissingService, Share, Wanted
from multisite.quotas.planning import governed
from multisite.quotas.reading import NO_FACTS, Facts, Reading
from multisite.regions.model import Region


@dataclass(slots=True)
class Survey:
    """The regions of one project, as far as they were read."""

    means: Means
    wanted: Wanted
    regions: Sequence[Region]
    shares: list[Share]
    pinned: Mapping[tuple[int, str], Backend]
    facts: dict[str, Facts] = field(default_factory=dict)
    _drifts: list[Event] = field(default_factory=list)
    _away: list[Share] = field(default_factory=list)
    _back: list[Share] = field(default_factory=list)
    _governed: Mapping[str, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Know what is to be read, and since when what is stored may be out there."""
        self._governed = governed(self.wanted)
        for share in self.shares:
            for resource, values in share.sent.items():
                for value in values:
                    self.means.known_since(self.wanted.project.id, share, resource, value)

    @property
    def named(self) -> dict[str, Region]:
        """The regions that are enabled, by name."""
        return {region.name: region for region in self.regions}

    @property
    def _local_ids(self) -> dict[str, str]:
        """The project's ids where it was found, by region."""
        return {share.region: share.local_id for share in self.shares if share.found and share.local_id}

    def facts_of(self, region: str) -> Facts:
        """What the Keystone of a region said; nothing before it was asked."""
        return self.facts.get(region, NO_FACTS)

    @property
    def events(self) -> list[Event]:
        """What was seen: limits that somebody else changed, regions that went away and came back."""
        return [*self._drifts, *comings_and_goings(self._away, self._back)]

    def missing(self) -> list[MissingService]:
        """What a round would have to know, and could not read."""
        names = self.named
        return [
            MissingService(share.region, share.service, share.error.code if share.error else None)
            for share in self.shares
            if share.away and share.region in names and share.service in self._governed
        ]

    async def read(self) -> None:
        """Read every service of every region whose limits matter."""
        unified = any(service not in {"volume", "network"} for service in self._governed)
        self.facts = await self.means.reader.facts(
            self.wanted.project, self.regions, self._local_ids, unified=unified
        )
        await self._read([(region, service) for region in self.regions for service in self._governed])

    async def read_again(self, shares: Sequence[tuple[Region, Share]]) -> None:
        """Read these shares of regions anew; and what Keystone has, where it has their limits."""
        unified = [region for region, share in shares if share.backend is Backend.UNIFIED]
        if unified:
            self.facts |= await self.means.reader.facts(
                self.wanted.project, unified, self._local_ids, unified=True
            )
        await self._read([(region, share.service) for region, share in shares])

    def copy(self) -> "Survey":
        """The same knowledge, to reckon with."""
        return replace(self, shares=deepcopy(self.shares))

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
        facts = self.facts_of(region.name)
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
        if not (reading.backend is Backend.CLASSIC and self.facts_of(share.region).error):
            share.backend = reading.backend
        changed = drifted(share, reading.figures)
        self._drifts += [event for event in changed if event.resource in self.wanted.limits]
        project_id, settle = self.wanted.project.id, self.means.settings.settle

        def long_ago(resource: str, value: int) -> bool:
            return reading.began - self.means.known_since(project_id, share, resource, value) >= settle

        for resource, value in settled(share, reading.figures, long_ago):
            self.means.forget(project_id, share, resource, value)
        share.figures = dict(reading.figures)
