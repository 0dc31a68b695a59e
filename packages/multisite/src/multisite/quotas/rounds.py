"""Rounds of projects, each begun by whoever holds the project, one at a time (design record 0008)."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from multisite.engine.writes import Author
from multisite.quotas.holding import Holding
from multisite.quotas.model import Share, Wanted
from multisite.quotas.planning import Asked
from multisite.quotas.round import Means, Round
from multisite.quotas.store import holder_of
from multisite.regions.model import Region
from multisite.request_ids import new_request_id


@dataclass(slots=True)
class Rounds(Means):
    """Does rounds; lives on the region loop."""

    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def balance(
        self, project_id: str, author: Author | None = None, *, grow: bool = True
    ) -> Round | None:
        """A round of a project; `None` where another process holds it, or it is governed no more.

        Without `grow` it ends when what is too large was shrunk.
        """
        async with self._locks.setdefault(project_id, asyncio.Lock()):
            round_ = await self.begin(project_id, author)
            if round_ is None:
                return None
            try:
                await round_.read()
                await round_.shrink()
                if grow:
                    await round_.grow()
                    round_.done = True
            finally:
                await round_.end()
            return round_

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> Round:
        """A round that reads and writes nothing to anybody: for dry runs."""
        regions = [region for region in await self.regions.select() if region.enabled]
        async with self.store.database.read() as connection:
            pinned = await self.store.backends(connection)
        round_ = Round(self, wanted, Asked(), regions, list(shares), pinned, "")
        await round_.read()
        return round_

    async def begin(self, project_id: str, author: Author | None) -> Round | None:
        """Hold a project, and load what is known of it."""
        fence = self.fencing()
        holder = holder_of(fence.executor, fence.incarnation)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await fence.check(connection)
            due_at = now + timedelta(seconds=self.settings.interval)
            claimed = await self.store.claim(connection, project_id, holder, due_at)
            if claimed is None:
                return None
            project, regions_asked = claimed
            asked = Asked(regions_asked, now.timestamp() - self.settings.interval)
            wanted = await self.store.wanted(connection, project, now)
            shares = await self.store.shares(connection, project_id)
            regions = [each for each in await self.regions.read(connection) if each.enabled]
            _mark_disabled(shares, regions)
            pinned = await self.store.backends(connection)
        request_id = author.request_id if author else new_request_id()
        writer = author or Author(None, "multisite", "multisite", request_id)
        holding = Holding(self.store, project_id, fence, writer)
        holding.know(shares)
        return Round(self, wanted, asked, regions, shares, pinned, request_id, holding)


def _mark_disabled(shares: Iterable[Share], regions: Iterable[Region]) -> None:
    """Regions that operators disabled count with what is known of them, and are left alone."""
    enabled = {region.id for region in regions}
    for share in shares:
        share.reachable = share.region_id in enabled
