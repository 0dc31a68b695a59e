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
            Kind(BALANCE, self._balance, steps=2),
            Kind(WRITE, self._balance, steps=2, operators_only=True),
        )

    async def _balance(self, saga: Saga) -> Json:
        shrunk = await saga.do(self._shrink)
        grown = await saga.do(self._grow)
        written = shrunk["written"] + grown["written"]
        return grown | {"written": written, "summary": summary(written, grown["resources"])}

    async def _shrink(self, step: Step) -> Json:
        """Bring regions down to their shares, and read back; done twice it finds nothing to do."""
        round_ = await self._round(step, grow=False)
        return {"written": round_.written if round_ else 0}

    async def _grow(self, step: Step) -> Json:
        """The whole round again, which grows what may grow."""
        round_ = await self._round(step, grow=True)
        if round_ is None:
            return {"written": 0, "resources": {}}
        return {
            "written": round_.written,
            "resources": dict(round_.stands.resources) if round_.stands else {},
        }

    async def _round(self, step: Step, *, grow: bool) -> Round | None:
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
            round_ = await self.rounds.balance(step.part, author, grow=grow)
            if round_ is not None or not await self.rounds.store.projects([step.part]):
                return round_
            await asyncio.sleep(PAUSE)
        raise StepError("conflict", "another process has been balancing this project all the time")
