"""Keeps the journal of what is sent to regions, by operations and by users."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.engine import writes
from multisite.engine.model import Json
from multisite.engine.writes import Author, Journal, Outcome, RegionWrite
from multisite.errors import MultisiteError
from multisite.openstack.once import NeverSent
from multisite.openstack.users import Refused, Reply, Sent, Stumbled

LOG = logging.getLogger(__name__)

Store = Callable[[Callable[[AsyncConnection], Awaitable[Any]]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Recording:
    """Records what one author sends; `what`, `before` and `after` say what for.

    `store` runs something in a transaction: that of an operation asks the fence there, and waits while the
    database is away.
    """

    journal: Journal
    store: Store
    author: Author
    clock: Clock
    what: str
    before: Json = None
    after: Json = None

    async def begin(self, sent: Sent) -> int:
        """Write down what is about to be sent."""
        write = RegionWrite(
            sent.region, sent.service, sent.method, sent.path, self.what, self.before, self.after
        )
        number = await self.store(
            lambda connection: self.journal.begin(connection, write, self.author, self.clock.now())
        )
        return int(number)

    async def conclude(self, number: int, came: Reply | Exception) -> None:
        """Write down what came of it; the region has answered: a failure of ours is told in the log only."""
        outcome = outcome_of(came)
        try:
            await self.store(
                lambda connection: self.journal.conclude(connection, number, outcome, self.clock.now())
            )
        except MultisiteError as error:
            LOG.error("write %d: that it is %s was not written: %s", number, outcome.outcome, error.detail)


def outcome_of(came: Reply | Exception) -> Outcome:
    """What came of a write, as the journal has it."""
    if isinstance(came, Reply):
        return Outcome(writes.DONE, came.status, came.request_id)
    if isinstance(came, Refused):
        return Outcome(writes.REFUSED, came.status, came.request_id, came.message)
    if isinstance(came, Stumbled):
        return Outcome(writes.FAILED, came.status, came.request_id)
    if isinstance(came, NeverSent):
        return Outcome(writes.NOT_SENT, detail=str(came))
    return Outcome(writes.UNKNOWN, detail=str(came))
