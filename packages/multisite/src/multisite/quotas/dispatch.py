"""Carries out a round's changes: what may be out there is stored before anything is sent, and what came."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.quotas.bound import Figures
from multisite.quotas.changes import withdrawn
from multisite.quotas.claims import Held
from multisite.quotas.events import Event
from multisite.quotas.holding import Holding
from multisite.quotas.means import Means
from multisite.quotas.model import Backend, Share
from multisite.quotas.resources import name_of
from multisite.quotas.survey import Survey
from multisite.quotas.writing import Came, Change, passes_default
from multisite.regions.model import Region

#: A region that refused so often in a round is left to the next one.
REFUSALS = 2


class Outdated(Exception):
    """What is decided for the project has changed since the round began: it writes nothing more."""


@dataclass(slots=True)
class Dispatch:
    """What one round writes to regions, in whose name it holds the project."""

    means: Means
    survey: Survey
    holding: Holding
    #: What regions refused, or answered well and did not do.
    events: list[Event] = field(default_factory=list)
    #: How many limits were written.
    written: int = 0
    _refusals: dict[tuple[str, str], int] = field(default_factory=dict)
    #: What the write under way may bring about, that could not be before: (region id, resource) → values.
    _added: dict[tuple[int, str], list[int]] = field(default_factory=dict)

    async def ready(self, changes: Sequence[Change]) -> list[Change]:
        """Those of the changes that may be sent; what was there before them is remembered."""
        ready = [
            each
            for each in changes
            if self._refusals.get((each.share.region, each.share.service), 0) < REFUSALS
        ]
        await asyncio.gather(*(self._remember(each.region, each.share) for each in ready))
        return ready

    async def carry_out(self, changes: Sequence[Change], *, keep: bool) -> None:
        """Reserve, send, store what came; `keep` counts what was there until it is read back.

        Raises `Outdated`, and sends nothing then.
        """
        numbers = await self._reserve(changes, keep=keep)
        request_id, fence = self.holding.author.request_id, self.holding.fence
        came = await self.means.sender.send_all(changes, request_id, fence)
        for each, outcome in zip(changes, came, strict=True):
            self._settle(each, outcome, keep=keep)
        outcomes = [outcome for each in came for outcome in each.outcomes]
        concluded = dict(zip(numbers, outcomes, strict=True))
        now = self.means.clock.now()
        await self.holding.save(
            self.survey.shares,
            lambda connection, _: self.means.journal.conclude_all(connection, concluded, now),
        )

    async def _remember(self, region: Region, share: Share) -> None:
        """Keep what a region had before our first write to it, and whether that was the defaults."""
        fresh = [resource for resource in share.figures if resource not in share.before]
        if not fresh:
            return
        first = not share.before
        facts = self.survey.facts_of(region.name)
        for resource in fresh:
            value = share.figures[resource].limit
            if share.backend is Backend.UNIFIED:
                own = facts.limit_of(share.service, region, name_of(resource))
                value = own.value if own else None
            share.before[resource] = value
        if share.backend is Backend.CLASSIC and first:
            share.was_default = await self.means.reader.has_defaults(region, share)

    async def _reserve(self, changes: Sequence[Change], *, keep: bool) -> Sequence[int]:
        """Store what may be in force from now on, and what is about to be sent, in one transaction."""
        given = [dict(each.share.given) for each in changes]
        if not keep:
            now = self.means.clock.now().timestamp()
            for each in changes:
                each.share.given |= dict.fromkeys(each.values, now)
        self._added.clear()
        for each in changes:
            facts = self.survey.facts_of(each.region.name)
            for resource, value in each.values.items():
                passing = passes_default(each.region, each.share, resource, facts) if not value else None
                self._may_be(each.share, resource, [one for one in (value, passing) if one is not None])

        writes = [write.write for each in changes for write in each.writes]

        async def work(connection: AsyncConnection, _: Held) -> Sequence[int]:
            now = self.means.clock.now()
            await self._require_what_is_wanted(connection, now)
            return await self.means.journal.begin_all(connection, writes, self.holding.author, now)

        try:
            return await self.holding.save(self.survey.shares, work)
        except Outdated:
            for each, before in zip(changes, given, strict=True):
                each.share.given = before
                for resource in each.values:
                    withdrawn(each.share, resource, self._added.get((each.share.region_id, resource), ()))
            raise

    async def _require_what_is_wanted(self, connection: AsyncConnection, now: datetime) -> None:
        """Raise `Outdated` unless what is decided is what it was when the round began.

        The project's row is locked: who decides something later finds these writes reserved.
        """
        wanted = await self.means.store.wanted_of(connection, self.holding.project_id, now)
        if not wanted.same(self.survey.wanted):
            raise Outdated

    def _may_be(self, share: Share, resource: str, values: Sequence[int]) -> None:
        """Count with these values; those that a lost answer left begin to settle anew."""
        sent = share.sent.setdefault(resource, [])
        added = self._added.setdefault((share.region_id, resource), [])
        for value in values:
            if value not in sent:
                sent.append(value)
                added.append(value)
            self.means.forget(self.holding.project_id, share, resource, value)
            self.means.known_since(self.holding.project_id, share, resource, value)

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
            self._refusals[where] = self._refusals.get(where, 0) + 1
        if came.ignored or (came.sentence and not came.refused):
            self.events.append(_refused(share, came))


def _refused(share: Share, came: Came) -> Event:
    sentence = came.sentence or (
        f"{share.service} of region {share.region} answered well, and kept "
        + ", ".join(f"{name_of(name)}={value}" for name, value in sorted(came.ignored.items()))
    )
    return Event("refused", sentence, region=share.region, figures={"service": share.service})
