"""Asks a region, once, and keeps record of it.

What is asked is written down before, and what came of it after: a process that ends in between leaves a
record whose outcome is `begun`. What is created carries a mark with a key. By it the item is found when the
answer was lost, and when the same request comes again under a key of the client's own.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from multisite.actions.errors import ActionInProgress, AnswerMissing, KeyReused, RegionFailed
from multisite.actions.model import Deed, digest
from multisite.actions.performer import Performer
from multisite.actions.store import ActionStore
from multisite.clock import Clock
from multisite.errors import MultisiteError
from multisite.openstack.users import Reply

LOG = logging.getLogger(__name__)

#: Seconds that a region may still be at work on a request after we stopped to wait for its answer.
LATE = 60.0


@dataclass(frozen=True, slots=True)
class Done:
    """What a region did: the item, the region's id of the request, and whether it had done it before."""

    id: str
    region_request_id: str | None = None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks regions. `patience`: how long after a lost answer the region may still be at work."""

    store: ActionStore
    performer: Performer
    patience: timedelta
    clock: Clock

    async def ask(self, deed: Deed) -> Done:
        """Ask the region for it, once."""
        record = await self.store.begin(
            deed.requester, self.clock.now(), deed.action.full_name, deed.target, deed.asked
        )
        try:
            done = await self._performed(deed)
        except MultisiteError as error:
            await self._conclude(record, {"outcome": error.code, "detail": error.detail})
            raise
        told = {"outcome": "done", "id": done.id, "region_request_id": done.region_request_id}
        await self._conclude(record, told)
        return done

    async def create(self, deed: Deed, key: str | None) -> Done:
        """The same for what carries a mark: under a client's `key` it is made once."""
        if key is None:
            return await self.ask(deed.marked(str(uuid.uuid4())))
        requester, region, action = deed.requester, deed.region, deed.action
        name = digest([requester.project_id, region.id, action.kind, deed.name, key])
        now = self.clock.now()
        if not await self.store.claim(name, requester.request_id, now, now + self.patience):
            raise ActionInProgress(
                f"a request with the Idempotency-Key {key!r} is under way, or its answer was lost a moment "
                f"ago; repeat it in {self.patience.seconds} s"
            )
        try:
            done = await self._once(deed, key)
        except (AnswerMissing, RegionFailed):
            raise  # it may still be done: the claim holds until it ends by itself
        except MultisiteError:
            await self.store.release(name, requester.request_id)
            raise
        await self.store.release(name, requester.request_id)
        return done

    async def _once(self, deed: Deed, key: str) -> Done:
        """What an earlier request with the key has made, or else what this one makes."""
        found = await self.performer.find(deed, key)
        if found is None:
            return await self.ask(deed.marked(key))
        if found.digest != digest(deed.asked):
            raise KeyReused(
                f"the Idempotency-Key {key!r} belongs to {found.id}, for which another request asked; "
                "take a new key"
            )
        return Done(found.id, repeated=True)

    async def _performed(self, deed: Deed) -> Done:
        try:
            reply = await self.performer.perform(deed)
        except (AnswerMissing, RegionFailed) as lost:
            return await self._looked_for(deed, lost)
        return Done(_made(deed, reply) if deed.action.made else deed.item_id, reply.request_id)

    async def _looked_for(self, deed: Deed, lost: MultisiteError) -> Done:
        """What was made although its answer was lost. Raises `lost` where it is not seen."""
        if not deed.mark:
            raise lost
        try:
            found = await self.performer.find(deed, deed.mark.partition(" ")[0])
        except MultisiteError as error:
            raise lost from error
        if found is None:
            raise lost
        return Done(found.id)

    async def _conclude(self, record: int, outcome: Mapping[str, Any]) -> None:
        """The region has answered: whatever becomes of the record, the user is told what it said."""
        try:
            await self.store.conclude(record, outcome)
        except MultisiteError as error:
            LOG.error("audit record %s: the outcome %s was not written: %s", record, outcome, error.detail)


def _made(deed: Deed, reply: Reply) -> str:
    """The id of what a region made."""
    made = reply.body.get(deed.action.made or "")
    item_id = made.get("id") if isinstance(made, dict) else None
    if not isinstance(item_id, str) or not item_id:
        raise AnswerMissing(
            f"region {deed.region.name!r} answered without an id when asked to {deed.action.what}; "
            "it may have been done: look before you repeat"
        )
    return item_id
