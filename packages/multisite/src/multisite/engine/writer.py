"""Does the writes of operations, with the regions' own credentials."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from multisite.clock import Clock
from multisite.engine.recording import Recording
from multisite.engine.writes import Author, Journal, RegionWrite
from multisite.openstack.client import Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.once import AnswerLost, NeverSent, Silenced
from multisite.openstack.users import Refused, Reply, Stumbled, UserCalls, UserToken

if TYPE_CHECKING:
    from multisite.engine.saga import Step

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

        try:
            return await self._send(step, target, write)
        except Refused as error:
            failure = StepError("region-refused", f"{write.what}: {error.message}", error.request_id)
        except (NeverSent, RegionCallError) as error:
            failure = StepError("region-unavailable", f"{write.what}: {error}")
        except Stumbled as error:
            failure = StepError("region-failed", f"{write.what}: HTTP {error.status}", error.request_id)
        except AnswerLost as error:
            failure = StepError("answer-lost", f"{write.what}: {error}")
        raise failure

    async def _send(self, step: "Step", target: Target, write: RegionWrite) -> Reply:
        """Send it; a token that the region refuses is renewed once, since nothing was done with it."""
        regions = self.calls.regions
        access = await regions.client(target).access()
        try:
            return await self._once(step, target, access.token, write)
        except Refused as error:
            if error.status != _UNAUTHORIZED:
                raise
        credential = regions.clouds.credential(target.credential)
        renewed = await regions.tokens.renewed(credential, access.token)
        return await self._once(step, target, renewed.token, write)

    async def _once(self, step: "Step", target: Target, token: str, write: RegionWrite) -> Reply:
        author = _author(step)
        recording = Recording(
            self.journal, step.stored, author, self.clock, write.what, write.before, write.after
        )
        may_send = step.saga.may_send
        client = self.calls.client(target, UserToken(token), author.request_id, recording, may_send)
        body = write.body if write.body is not None else write.after
        while True:
            try:
                return await client.write(
                    write.method, write.service, write.path, body, microversion=write.microversion
                )
            except Silenced:
                await step.saga.until_it_may_send()


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
