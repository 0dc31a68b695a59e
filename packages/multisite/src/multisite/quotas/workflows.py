"""The operation that balances one project: for people who want to watch it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from multisite.engine.kinds import Kind
from multisite.engine.model import Json
from multisite.engine.saga import Saga, Step, StepError
from multisite.engine.writes import Author
from multisite.quotas.round import Round
from multisite.quotas.rounds import Rounds
from multisite.quotas.standing import summary

BALANCE = "quota-balance"
#: The same, begun by an operator: what it tells of a project is not for others in the operator's own.
WRITE = "quota-write"
#: Seconds between two tries to hold a project that another process holds, and tries.
PAUSE, TRIES = 0.5, 240


@dataclass(frozen=True, slots=True)
class QuotaWorkflows:
    """The kinds of operations on quotas; runs on the region loop. A part is a project, by its id."""

    rounds: Rounds

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds, for the engine."""
        return (
            Kind(BALANCE, self._balance),
            Kind(WRITE, self._balance, operators_only=True),
        )

    async def _balance(self, saga: Saga) -> Json:
        return await saga.do(self._write)

    async def _write(self, step: Step) -> Json:
        """A round; what it did before it was cut off it does not do again."""
        round_ = await self._round(step)
        written = round_.written if round_ else 0
        resources = dict(round_.stands.resources) if round_ and round_.stands else {}
        return {"written": written, "resources": resources, "summary": summary(written, resources)}

    async def _round(self, step: Step) -> Round | None:
        operation = step.operation
        author = Author(
            operation.project_id,
            operation.user_id,
            operation.user_name,
            operation.request_id,
            operation.id,
            step.name,
        )
        for _ in range(TRIES):
            round_ = await self.rounds.balance(step.part, author)
            if round_ is not None or not await self.rounds.store.projects([step.part]):
                return round_
            await asyncio.sleep(PAUSE)
        raise StepError("conflict", "another process has been balancing this project all the time")
