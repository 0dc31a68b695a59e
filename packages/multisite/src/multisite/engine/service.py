"""Operations for users: begin, watch, cancel, try again."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine import policies
from multisite.engine.durable import Durable, workflow_id_of
from multisite.engine.kinds import Kinds
from multisite.engine.model import RETRIED, Failure, JsonObject, Operation, Part, State, Wanted
from multisite.engine.store import OperationStore
from multisite.engine.writes import Journal, WriteRecord
from multisite.errors import BadRequest, Conflict, NotFound
from multisite.policy import Policy
from multisite.requester import Requester

#: The priority of what a user asked for; schedules have a higher number, and go after it.
USUAL, LATER = 10, 20


class NotCancellable(Conflict):
    """The operation cannot be cancelled now."""

    code = "operation-not-cancellable"


class NotRetryable(Conflict):
    """There is nothing in the operation to try again."""

    code = "operation-not-retryable"


@dataclass(frozen=True, slots=True)
class OperationService:
    """Operations of all kinds; domains begin them, users see and steer them."""

    store: OperationStore
    journal: Journal
    durable: Durable
    kinds: Kinds
    policy: Policy
    clock: Clock
    #: Raises `NotFound` for a region that is not registered.
    known: Callable[[str], Awaitable[None]]

    async def enqueue(
        self,
        connection: AsyncConnection,
        requester: Requester,
        kind: str,
        arguments: JsonObject,
        parts: Sequence[str],
        *,
        priority: int = USUAL,
    ) -> str:
        """Begin an operation in the caller's transaction; its id. The caller asked the policy before."""
        now = self.clock.now()
        operation_id = await self.store.insert(
            connection, requester, kind, arguments, parts, now, priority=priority
        )
        for part in parts:
            await self._enqueue(connection, operation_id, part, 1, priority)
        return operation_id

    async def list(
        self, requester: Requester, wanted: Wanted, limit: int, marker: str | None
    ) -> tuple[Sequence[Operation], str | None]:
        """A page of operations, the newest first, and the marker of the next page.

        Raises `BadRequest` for a marker that is no operation's id, or a kind that there is not; `NotFound`
        for a region that is neither registered nor in any operation that the user may see.
        """
        self.policy.require(requester, policies.LIST)
        unknown = sorted(set(wanted.kinds) - set(self.kinds.names))
        if unknown:
            known = ", ".join(sorted(self.kinds.names))
            raise BadRequest(f"kind: there is no kind {', '.join(map(repr, unknown))}; there are: {known}")
        hidden = sorted(set(self.kinds.names) - set(self.kinds_for(requester)))
        bounded = replace(wanted, project_id=_bound(requester), hidden=hidden)
        after = None
        if marker is not None:
            after = await self.store.get(marker, _bound(requester))
            if after is None or after.kind in hidden:
                raise BadRequest(f"marker: there is no operation {marker!r} to continue after")
        found = await self.store.page(bounded, limit + 1, after)
        if not found and wanted.region is not None:
            await self._require_region(wanted.region, bounded)
        shown = [_for(requester, operation) for operation in found[:limit]]
        return shown, shown[-1].id if len(found) > limit else None

    async def _require_region(self, name: str, bounded: Wanted) -> None:
        """A region that was forgotten is still one, as long as operations tell of it."""
        anything = Wanted(region=name, project_id=bounded.project_id, hidden=bounded.hidden)
        if not await self.store.page(anything, 1, None):
            await self.known(name)

    def kinds_for(self, requester: Requester) -> Sequence[str]:
        """The kinds of operations that this user may see, by name."""
        return sorted(
            name for name in self.kinds.names if requester.operator_reader or self.kinds.for_tenants(name)
        )

    def may_steer(self, requester: Requester, operation: Operation) -> bool:
        """Whether this user may cancel an operation that it sees, or try it again."""
        return self.policy.allows(requester, policies.STEER, {"project_id": operation.project_id})

    async def show(self, requester: Requester, operation_id: str) -> tuple[Operation, Sequence[Part]]:
        """An operation with its parts. Raises `NotFound`, for those of other projects, too."""
        operation = await self._visible(requester, operation_id, policies.SHOW)
        parts = [_part_for(requester, part) for part in await self.store.parts(operation_id)]
        return _for(requester, operation), parts

    async def generation(self, operation_id: str) -> int | None:
        """What a watcher of an operation that it may see looks at: it grows with each change."""
        return await self.store.generation(operation_id)

    async def writes(
        self, requester: Requester, operation_id: str, limit: int, after: int
    ) -> Sequence[WriteRecord]:
        """What an operation wrote to regions, in order, after the write of a number."""
        await self._visible(requester, operation_id, policies.WRITES)
        records = await self.journal.of_operation(operation_id, limit, after)
        if requester.operator_reader:
            return records
        return [replace(record, detail=None) for record in records]

    async def cancel(self, requester: Requester, operation_id: str) -> Operation:
        """Ask for a cancel: what has not begun ends at once, what is at work is undone after its step.

        Raises `NotCancellable` where everything ended, or is being undone already.
        """
        await self._visible(requester, operation_id, policies.STEER)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            states = {each.state for each in (await self.store.attempts(connection, operation_id)).values()}
            if not states & {State.QUEUED, State.RUNNING}:
                raise NotCancellable(f"operation {operation_id} cannot be cancelled: {_why_not(states)}")
            await self.store.request_cancel(connection, operation_id, now)
            await audit.record(connection, requester, now, "operation:cancel", operation_id)
            operation = await self.store.read(connection, operation_id)
        return _for(requester, _there(operation, operation_id))

    async def retry(self, requester: Requester, operation_id: str) -> Operation:
        """Do the parts again that failed or were cancelled; go on undoing where that failed.

        Raises `NotRetryable` where there are none, or something is still at work.
        """
        operation = await self._visible(requester, operation_id, policies.STEER)
        now = self.clock.now()
        halfway: list[tuple[str, int, int]] = []
        async with self.store.database.write() as connection:
            attempts = await self.store.attempts(connection, operation_id)
            if not all(each.state.ended for each in attempts.values()):
                raise NotRetryable(
                    f"operation {operation_id} is still at work; wait for its end, or cancel it"
                )
            again = {name: each for name, each in attempts.items() if each.state in RETRIED}
            if not again:
                raise NotRetryable(
                    f"operation {operation_id} did all that it was asked; nothing is to be tried"
                )
            for name, each in again.items():
                if each.undo_from is not None:
                    halfway.append((name, each.number, each.undo_from))
                    continue
                await self.store.queue_again(connection, operation_id, name, each.number + 1, now)
                await self._enqueue(connection, operation_id, name, each.number + 1, operation.priority)
            await audit.record(connection, requester, now, "operation:retry", operation_id)
        for name, number, step in halfway:
            await self._go_on_undoing(operation_id, name, number, step)
        return _for(requester, _there(await self.store.get(operation_id), operation_id))

    async def _enqueue(
        self, connection: AsyncConnection, operation_id: str, part: str, attempt: int, priority: int
    ) -> None:
        await connection.run_sync(
            lambda sync: self.durable.enqueue(sync, operation_id, part, attempt, priority)
        )

    async def _go_on_undoing(self, operation_id: str, part: str, attempt: int, step: int) -> None:
        """First the fork, which marks the part when it begins; then the mark, unless it has begun."""
        last, new = (workflow_id_of(operation_id, part, number) for number in (attempt, attempt + 1))
        await self.durable.redo_from(last, step, new, part)
        async with self.store.database.write() as connection:
            await self.store.queue_again(connection, operation_id, part, attempt + 1, self.clock.now())

    async def _visible(self, requester: Requester, operation_id: str, rule: str) -> Operation:
        """The operation, if this user may see it; then the rule has to allow what is asked."""
        found = await self.store.get(operation_id, _bound(requester))
        if found and not (requester.operator_reader or self.kinds.for_tenants(found.kind)):
            found = None
        operation = _there(found, operation_id)
        self.policy.require(requester, rule, {"project_id": operation.project_id})
        return operation


def _bound(requester: Requester) -> str | None:
    """The project to which a user's view is bound; `None` for operators."""
    return None if requester.operator_reader else requester.project_id or ""


def _there(operation: Operation | None, operation_id: str) -> Operation:
    if operation is None:
        raise NotFound(f"there is no operation {operation_id!r}")
    return operation


def _why_not(states: set[State]) -> str:
    if State.UNDOING in states:
        return "it is being undone already; what is half undone helps nobody, so that goes to its end"
    if State.ROLLBACK_FAILED in states:
        return "undoing it failed; try it again with retry, which goes on undoing"
    return "it has ended"


def _for(requester: Requester, operation: Operation) -> Operation:
    return operation if requester.operator_reader else replace(operation, failure=_told(operation.failure))


def _part_for(requester: Requester, part: Part) -> Part:
    return part if requester.operator_reader else replace(part, failure=_told(part.failure))


def _told(failure: Failure | None) -> Failure | None:
    """What a tenant is told: details hold internal addresses."""
    return replace(failure, detail="") if failure else None
