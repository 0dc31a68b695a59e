"""One round of one project: read, shrink, read back, grow (design record 0008).

A round works on the project's rows: what it finds done it does not do again. It holds the project while it
lasts; what may be out there is stored before anything is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.quotas import claims, drafts, eventlog, planning
from multisite.quotas.changes import counted
from multisite.quotas.claims import Held
from multisite.quotas.dispatch import Dispatch
from multisite.quotas.history import store as history
from multisite.quotas.means import Means
from multisite.quotas.model import Project, Share
from multisite.quotas.planning import Asked, Plan
from multisite.quotas.releasing import forget, is_back
from multisite.quotas.resources import service_of
from multisite.quotas.standing import Standing, events_between, standing
from multisite.quotas.survey import Survey
from multisite.quotas.writing import Change


@dataclass(slots=True)
class Round:
    """One round, as it goes on."""

    means: Means
    survey: Survey
    asked: Asked
    dispatch: Dispatch
    done: bool = False
    #: Something else was decided meanwhile: it ended early, and another one is due.
    outdated: bool = False
    stands: Standing | None = None
    _plan: Plan | None = None
    _grown: set[str] = field(default_factory=set)

    @property
    def project(self) -> Project:
        """Whose limits these are."""
        return self.survey.wanted.project

    @property
    def shares(self) -> Sequence[Share]:
        """What is known of each region."""
        return self.survey.shares

    @property
    def written(self) -> int:
        """How many limits were written."""
        return self.dispatch.written

    @property
    def plan(self) -> Plan:
        """What each region should have, by all that is known now."""
        if self._plan is None:
            self._plan = planning.plan(self.survey.wanted, self.shares, self.asked, self.means.settings.burst)
        return self._plan

    async def read(self) -> None:
        """Read every service of every region whose limits matter."""
        await self.survey.read()
        self._plan = None

    async def shrink(self) -> None:
        """Write what is to be smaller, and read limits and use back."""
        for _ in range(drafts.PASSES):
            changes = await self.dispatch.ready(drafts.smaller(self.survey, self.plan))
            if not changes:
                break
            await self.dispatch.carry_out(changes, keep=True)
            await self._read_back(changes)
        await self._give_back()

    async def grow(self) -> None:
        """Write what is to be larger, as far as there is room."""
        changes = await self.dispatch.ready(drafts.larger(self.survey, self.plan))
        if changes:
            await self.dispatch.carry_out(changes, keep=False)
            self._grown |= {each.region.name for each in changes}

    async def _read_back(self, changes: Sequence[Change]) -> None:
        """Read limits and use where something was written.

        The plan stays as long as regions did as they were told: made anew after half of it was done, it would
        be another one, and take back what it just gave.
        """
        told = [(each.share, drafts.as_told(each)) for each in changes]
        await self.survey.read_again([(each.region, each.share) for each in changes])
        if any(share.away or share.figures != figures for share, figures in told):
            self._plan = None

    async def _give_back(self) -> None:
        """Write back what was there before us, of resources that have no global limit any more."""
        changes = drafts.given_back(self.survey)
        if changes:
            await self.dispatch.carry_out(changes, keep=True)
            await self._read_back(changes)
        for share in self.shares:
            for resource in self.survey.wanted.releasing:
                if service_of(resource) == share.service and is_back(
                    share, resource, self.survey.named, self.survey.facts
                ):
                    forget(share, resource)

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
        plan, wanted, holding = self.plan, self.survey.wanted, self.dispatch.holding
        for share in self.shares:
            counted(share, plan)
        settings, now = self.means.settings, self.means.clock.now()
        stands = self.stands = standing(wanted, self.shares, settings, plan) if self.done else None
        gone = {
            resource
            for resource in wanted.releasing
            if all(resource not in share.before for share in self.shares)
        }
        events = [*self.dispatch.events, *self.survey.events]

        async def work(connection: AsyncConnection, held: Held) -> None:
            store = self.means.store
            if stands is not None:
                events.extend(events_between(held.standing, stands, settings))
                await history.record(connection, self.project, held.standing, stands, now)
                await store.forget(connection, self.project.id, gone)
                if not wanted.limits and wanted.releasing <= gone:
                    await store.abandon(connection, self.project.id)
            await eventlog.tell(connection, self.project.id, events, now)
            await claims.release(
                connection,
                self.project.id,
                now,
                stands,
                held.asked_regions - self._heard(),
                handed_back=self.done and holding.author.operation_id is not None,
            )

        await holding.save(self.shares, work)
