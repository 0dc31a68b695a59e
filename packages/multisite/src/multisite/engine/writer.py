"""Does writes to regions with the regions' own credentials, and keeps the journal."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.clock import Clock
from multisite.engine import writes
from multisite.engine.writes import Author, Journal, Outcome, RegionWrite
from multisite.openstack.client import Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.once import AnswerLost, NeverSent
from multisite.openstack.users import Refused, Reply, Stumbled, UserCalls, UserToken

if TYPE_CHECKING:
    from multisite.engine.saga import Step

LOG = logging.getLogger(__name__)

_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes to regions; lives on the region loop."""

    calls: UserCalls
    journal: Journal
    clock: Clock

    async def write(self, step: "Step", target: Target, write: RegionWrite) -> Reply:
        """One write of a step: first into the journal, behind the fence, then to the region, once.

        Raises `StepError`; its code tells whether it may have been done.
        """
        from multisite.engine.saga import StepError  # it needs us, too

        author = _author(step)
        number = await step.stored(
            lambda connection: self.journal.begin(connection, write, author, self.clock.now())
        )
        try:
            reply = await self._send(target, write, author.request_id)
        except Refused as error:
            outcome = Outcome(writes.REFUSED, error.status, error.request_id, error.message)
            failure = StepError("region-refused", f"{write.what}: {error.message}", error.request_id)
        except (NeverSent, RegionCallError) as error:
            outcome = Outcome(writes.NOT_SENT, detail=str(error))
            failure = StepError("region-unavailable", f"{write.what}: {error}")
        except Stumbled as error:
            outcome = Outcome(writes.FAILED, error.status, error.request_id)
            failure = StepError("region-failed", f"{write.what}: HTTP {error.status}", error.request_id)
        except AnswerLost as error:
            outcome = Outcome(writes.UNKNOWN, detail=str(error))
            failure = StepError("answer-lost", f"{write.what}: {error}")
        else:
            await self._conclude(step, number, Outcome(writes.DONE, 200, reply.request_id))
            return reply
        await self._conclude(step, number, outcome)
        raise failure

    async def _conclude(self, step: "Step", number: int, outcome: Outcome) -> None:
        await step.stored(
            lambda connection: self.journal.conclude(connection, number, outcome, self.clock.now())
        )

    async def _send(self, target: Target, write: RegionWrite, request_id: str) -> Reply:
        """Send it; a token that the region refuses is renewed once, since nothing was done with it."""
        client = self.calls.regions.client(target)
        access = await client.access()
        try:
            return await self._once(target, access.token, write, request_id)
        except Refused as error:
            if error.status != _UNAUTHORIZED:
                raise
        credential = self.calls.regions.clouds.credential(target.credential)
        renewed = await self.calls.regions.tokens.renewed(credential, access.token)
        return await self._once(target, renewed.token, write, request_id)

    async def _once(self, target: Target, token: str, write: RegionWrite, request_id: str) -> Reply:
        client = self.calls.client(target, UserToken(token), request_id)
        body = write.body if write.body is not None else write.after
        return await client.write(
            write.method, write.service, write.path, body, microversion=write.microversion
        )


def _author(step: "Step") -> Author:
    operation = step.operation
    return Author(
        operation.project_id,
        operation.user_id,
        operation.user_name,
        operation.request_id,
        operation.id,
        step.name,
    )
