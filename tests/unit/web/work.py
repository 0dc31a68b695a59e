"""Operations behind the page, as plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from multisite import errors
from multisite.engine.model import ENDED, Failure, Operation, Part, State, Wanted, state_of
from multisite.engine.writes import WriteRecord
from multisite.requester import Requester

KINDS = ("region-discover", "region-test")


@dataclass
class Operations:
    """What the service would answer, and what it was asked to do."""

    now: datetime
    there: dict[str, Operation] = field(default_factory=dict)
    parts: dict[str, Sequence[Part]] = field(default_factory=dict)
    written: dict[str, Sequence[WriteRecord]] = field(default_factory=dict)
    steered: list[tuple[str, str, str]] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)

    def add(self, identity: str, *parts: Part, kind: str = "region-test", project: str = "p-alpha") -> None:
        """Put an operation there, or change it."""
        states = [part.state for part in parts]
        failure: Failure | None = next((part.failure for part in parts if part.failure), None)
        self.parts[identity] = parts
        self.there[identity] = Operation(
            identity,
            kind,
            state_of(states),
            {},
            project,
            "root",
            "root",
            "req-1",
            10,
            sum(part.percent for part in parts) // max(1, len(parts)),
            self.now,
            self.now,
            self.now if set(states) <= ENDED else None,
            None,
            failure,
            Counter(states),
            1,
        )

    def kinds_for(self, requester: Requester) -> Sequence[str]:
        return KINDS if requester.operator_reader else ()

    def may_steer(self, requester: Requester, operation: Operation) -> bool:
        return operation.project_id == requester.project_id and bool({"member", "admin"} & requester.roles)

    async def list(
        self, requester: Requester, wanted: Wanted, limit: int, marker: str | None
    ) -> tuple[Sequence[Operation], str | None]:
        every = [each for each in self.there.values() if self._visible(requester, each)]
        every = [each for each in every if not wanted.states or each.state in wanted.states]
        every = [each for each in every if not wanted.kinds or each.kind in wanted.kinds]
        if set(wanted.kinds) - set(KINDS):
            raise errors.BadRequest(f"kind: there is no kind {wanted.kinds[0]!r}")
        if wanted.region == "nope":
            raise errors.NotFound("there is no region called 'nope'")
        names = [each.id for each in every]
        begin = names.index(marker) + 1 if marker else 0
        found = every[begin : begin + limit]
        return found, found[-1].id if len(every) > begin + limit else None

    async def show(self, requester: Requester, operation_id: str) -> tuple[Operation, Sequence[Part]]:
        found = self.there.get(operation_id)
        if found is None or not self._visible(requester, found):
            raise errors.NotFound(f"there is no operation {operation_id!r}")
        return found, self.parts[operation_id]

    async def writes(
        self, requester: Requester, operation_id: str, limit: int, after: int
    ) -> Sequence[WriteRecord]:
        assert after == 0
        await self.show(requester, operation_id)
        return self.written.get(operation_id, ())[:limit]

    async def cancel(self, requester: Requester, operation_id: str) -> Operation:
        return await self._steer("cancel", requester, operation_id)

    async def retry(self, requester: Requester, operation_id: str) -> Operation:
        return await self._steer("retry", requester, operation_id)

    async def _steer(self, what: str, requester: Requester, operation_id: str) -> Operation:
        operation, _ = await self.show(requester, operation_id)
        if not self.may_steer(requester, operation):
            raise errors.Forbidden("the policy does not allow this")
        if operation.state is State.UNDOING:
            raise errors.Conflict("it is being undone already")
        self.steered.append((what, operation_id, requester.user_name))
        return replace(operation)

    @staticmethod
    def _visible(requester: Requester, operation: Operation) -> bool:
        return requester.operator_reader or operation.project_id == requester.project_id
