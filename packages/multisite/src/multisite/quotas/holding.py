"""A project that a round holds: nobody else balances it, and of its shares only differences are stored."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.engine.executors import Fence
from multisite.engine.writes import Author
from multisite.quotas import claims, share_store
from multisite.quotas.claims import Held
from multisite.quotas.model import Share
from multisite.quotas.store import QuotaStore

T = TypeVar("T")


@dataclass(slots=True)
class Holding:
    """What a round may store, and in whose name; `author` is whom the journal names."""

    store: QuotaStore
    project_id: str
    fence: Fence
    author: Author
    _stored: dict[tuple[int, str], Any] = field(default_factory=dict)

    def know(self, shares: Iterable[Share]) -> None:
        """These are in the database as they are now."""
        for share in shares:
            self._stored[share.region_id, share.service] = _snapshot(share)

    async def save(self, shares: Iterable[Share], work: Callable[[AsyncConnection, Held], Awaitable[T]]) -> T:
        """Do something in a transaction that stores what changed, as long as we hold the project."""
        changed = self._changed(shares)
        async with self.store.database.write() as connection:
            held = await claims.held(connection, self.project_id, self.fence)
            if held is None:
                await self.fence.check(connection)
                raise asyncio.CancelledError("another process balances this project")
            result = await work(connection, held)
            await share_store.save(connection, self.project_id, [share for share, _ in changed])
        for share, snapshot in changed:
            self._stored[share.region_id, share.service] = snapshot
        return result

    def _changed(self, shares: Iterable[Share]) -> list[tuple[Share, Any]]:
        """What differs from the database, and what it will have then."""
        snapshots = [(share, _snapshot(share)) for share in shares]
        return [
            (share, snapshot)
            for share, snapshot in snapshots
            if self._stored.get((share.region_id, share.service)) != snapshot
        ]


def _snapshot(share: Share) -> Any:
    """What the database has of a share, for comparison."""
    return (
        dict(share.figures),
        {resource: tuple(values) for resource, values in share.sent.items()},
        dict(share.before),
        dict(share.wanted),
        dict(share.base),
        dict(share.given),
        share.was_default,
        share.backend,
        share.local_id,
        share.found,
        share.usable,
        share.observed_at,
        share.failed_at is None,
        share.error,
    )
