"""Requests for more quota behind the page, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from multisite import errors
from multisite.quotas.requests.model import Filter, QuotaRequest, RequestState
from multisite.quotas.requests.service import QuotaRequestDecided

if TYPE_CHECKING:
    from multisite.engine.model import Operation
    from multisite.requester import Requester
    from tests.unit.web.quotas import Quotas

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Requests:
    """What the service would answer, and what it was asked to do; the newest is the last one made."""

    quotas: Quotas
    there: dict[str, QuotaRequest] = field(default_factory=dict)
    approved: list[tuple[str, Mapping[str, int], str | None]] = field(default_factory=list)
    refusal: errors.MultisiteError | None = None

    def add(self, identity: str, limits: Mapping[str, int], **more: Any) -> None:
        """Put one there."""
        values: dict[str, Any] = {
            "at": NOW - timedelta(minutes=9),
            "project_id": "p-alpha",
            "project_name": "alpha",
            "user_id": "alice",
            "user_name": "alice",
            "reason": "a second cell",
            **more,
        }
        self.there[identity] = QuotaRequest(identity, limits=limits, **values)

    async def list(
        self, requester: Requester, wanted: Filter, limit: int, marker: str | None
    ) -> tuple[Sequence[QuotaRequest], str | None]:
        every = [self._for(requester, each) for each in reversed(self.there.values())]
        found = [
            each
            for each in every
            if (requester.operator_reader or each.project_id == requester.project_id)
            and wanted.project_id in {None, each.project_id}
            and (not wanted.states or each.state in wanted.states)
        ]
        if marker is not None:
            places = [number for number, each in enumerate(found) if each.id == marker]
            if not places:
                raise errors.BadRequest(f"marker: there is no request {marker!r} to continue after")
            found = found[places[0] + 1 :]
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    async def show(self, requester: Requester, request_id: str) -> QuotaRequest:
        found = self.there.get(request_id)
        if found is None or not (requester.operator_reader or found.project_id == requester.project_id):
            raise errors.NotFound(f"there is no request {request_id!r}")
        return self._for(requester, found)

    async def create(self, requester: Requester, limits: Mapping[str, int], reason: str) -> QuotaRequest:
        if self.refusal:
            raise self.refusal
        identity = f"made-{len(self.there)}"
        self.add(
            identity,
            limits,
            reason=reason,
            project_id=requester.project_id,
            user_id=requester.user_id,
            user_name=requester.user_name,
        )
        return self.there[identity]

    async def cancel(self, requester: Requester, request_id: str) -> QuotaRequest:
        return await self._decide(requester, request_id, state=RequestState.CANCELLED)

    async def approve(
        self, requester: Requester, request_id: str, limits: Mapping[str, int], answer: str | None
    ) -> Operation:
        if not requester.operator:
            raise errors.Forbidden("deciding is for operators")
        if self.refusal:
            raise self.refusal
        more = {"granted": limits, "answer": answer, "operation_id": "approving"}
        decided = await self._decide(requester, request_id, state=RequestState.APPROVED, **more)
        self.approved.append((request_id, limits, answer))
        return self.quotas.begun("approving", decided.project_id)

    async def refuse(self, requester: Requester, request_id: str, reason: str) -> QuotaRequest:
        if not requester.operator:
            raise errors.Forbidden("deciding is for operators")
        return await self._decide(requester, request_id, state=RequestState.REFUSED, answer=reason)

    async def _decide(self, requester: Requester, request_id: str, **values: Any) -> QuotaRequest:
        held = await self.show(requester, request_id)
        if held.state is not RequestState.OPEN:
            raise QuotaRequestDecided(f"the request {held.id} is {held.state.value} already")
        decided = replace(held, decided_at=NOW, decided_by=requester.user_name, **values)
        self.there[request_id] = decided
        return decided

    def _for(self, requester: Requester, request: QuotaRequest) -> QuotaRequest:
        if requester.operator_reader:
            return request
        own = request.state is RequestState.CANCELLED
        return replace(request, decided_by=request.decided_by if own else None, operation_id=None)
