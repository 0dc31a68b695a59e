"""Rounds of projects, each begun by whoever holds the project, one at a time (design record 0008)."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from multisite.engine.writes import Author
from multisite.quotas import claims, drafts, planning, share_store
from multisite.quotas.claims import holder_of
from multisite.quotas.dispatch import Dispatch, Outdated
from multisite.quotas.holding import Holding
from multisite.quotas.means import Means
from multisite.quotas.model import DryRun, Share, Wanted
from multisite.quotas.planning import Asked
from multisite.quotas.round import Round
from multisite.quotas.survey import Survey
from multisite.regions.model import Region
from multisite.request_ids import new_request_id


@dataclass(slots=True)
class Rounds(Means):
    """Does rounds; lives on the region loop."""

    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def balance(self, project_id: str, author: Author | None = None) -> Round | None:
        """A round of a project; `None` where another process holds it, or it is governed no more."""
        async with self._lock(project_id):
            while round_ := await self.begin(project_id, author):
                await _carried_out(round_, nullcontext())
                if not round_.outdated:
                    return round_
        return None

    async def set_out(
        self, project_ids: Sequence[str], turns: asyncio.Semaphore
    ) -> dict[str, "asyncio.Task[Round]"]:
        """Begin rounds of projects that nobody works on, together; the tasks that do each in its turn."""
        async with AsyncExitStack() as locked:
            free = [each for each in project_ids if not self._lock(each).locked()]
            for project_id in free:
                await locked.enter_async_context(self._lock(project_id))
            rounds = await self._begin(free, None, asked=False)
            held = {each.project.id for each in rounds}
            for project_id in free:
                if project_id not in held:
                    self._lock(project_id).release()
            locked.pop_all()  # from here on each is let go of when its task has ended
        tasks = {each.project.id: asyncio.create_task(_carried_out(each, turns)) for each in rounds}
        for project_id, task in tasks.items():
            task.add_done_callback(partial(self._unlock, project_id))
        return tasks

    async def survey(self, wanted: Wanted, shares: Sequence[Share]) -> Survey:
        """What regions have now, for who writes nothing; `shares` is what was known before."""
        async with self.store.database.read() as connection:
            regions = [each for each in await self.regions.read(connection) if each.enabled]
            pinned = await self.store.backends(connection)
        known = list(shares)
        _mark_disabled(known, regions)
        survey = Survey(self, wanted, regions, known, pinned)
        await survey.read()
        return survey

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> DryRun:
        """What a round would write now, and what it would have to know and could not read."""
        async with self.store.database.read() as connection:
            regions_asked = await claims.asked(connection, wanted.project.id)
        survey = await self.survey(wanted, shares)
        asked = Asked(regions_asked, self.clock.now().timestamp() - self.settings.interval)
        plan = planning.plan(wanted, survey.shares, asked, self.settings.burst)
        writes = [write.write for change in drafts.all_of(survey, plan) for write in change.writes]
        return DryRun(writes, survey.missing())

    async def begin(self, project_id: str, author: Author | None) -> Round | None:
        """Hold a project, and load what is known of it."""
        rounds = await self._begin([project_id], author, asked=True)
        return rounds[0] if rounds else None

    async def _begin(self, project_ids: Sequence[str], author: Author | None, *, asked: bool) -> list[Round]:
        """Hold what nobody else holds of these; one transaction for all costs little more than for one.

        What is not due any more is left out, unless somebody `asked` for it.
        """
        fence = self.fencing()
        holder = holder_of(fence.executor, fence.incarnation)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await fence.check(connection)
            due_at = now + timedelta(seconds=self.settings.interval)
            claimed = await claims.claim(connection, project_ids, holder, due_at, now, asked=asked)
            if not claimed:
                return []
            wanted = await self.store.wanted_all(connection, [project for project, _ in claimed], now)
            shares = await share_store.shares_of(connection, list(wanted))
            regions = [each for each in await self.regions.read(connection) if each.enabled]
            pinned = await self.store.backends(connection)
        rounds = []
        for project, regions_asked in claimed:
            writer = author or Author(None, "multisite", "multisite", new_request_id())
            holding = Holding(self.store, project.id, fence, writer)
            known = shares[project.id]
            _mark_disabled(known, regions)
            holding.know(known)
            more = Asked(regions_asked, now.timestamp() - self.settings.interval)
            survey = Survey(self, wanted[project.id], regions, known, pinned)
            rounds.append(Round(self, survey, more, Dispatch(self, survey, holding)))
        return rounds

    def _lock(self, project_id: str) -> asyncio.Lock:
        return self._locks.setdefault(project_id, asyncio.Lock())

    def _unlock(self, project_id: str, _: "asyncio.Task[Round]") -> None:
        self._lock(project_id).release()


async def _carried_out(round_: Round, turn: AbstractAsyncContextManager[None]) -> Round:
    """Read, shrink, and grow; whatever happens, it is stored how far it came."""
    try:
        async with turn:
            await round_.read()
            await round_.shrink()
            await round_.grow()
            round_.done = True
    except Outdated:
        round_.outdated = True
    finally:
        await round_.end()
    return round_


def _mark_disabled(shares: Iterable[Share], regions: Iterable[Region]) -> None:
    """Regions that operators disabled count with what is known of them, and are left alone."""
    enabled = {region.id for region in regions}
    for share in shares:
        share.reachable = share.region_id in enabled
