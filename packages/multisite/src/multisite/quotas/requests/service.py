"""Requests for more quota, for users: ask, see, take back, approve, refuse."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine.model import Operation
from multisite.errors import BadRequest, Conflict, NotFound
from multisite.policy import OPERATOR_READER, Policy
from multisite.quotas import eventlog
from multisite.quotas.bound import height
from multisite.quotas.events import Event
from multisite.quotas.limits import QuotaChange, require_sense
from multisite.quotas.model import LimitChange, Wanted
from multisite.quotas.requests import policies
from multisite.quotas.requests.model import MOST_OPEN, Filter, QuotaRequest, RequestState, in_words
from multisite.quotas.requests.store import QuotaRequestStore
from multisite.quotas.resources import copied
from multisite.quotas.service import QuotaService
from multisite.quotas.standing import TOLD
from multisite.requester import Requester


class TooManyQuotaRequests(Conflict):
    """Too many requests of the project are open."""

    code = "too-many-quota-requests"


class QuotaRequestDecided(Conflict):
    """The request is not open any more."""

    code = "quota-request-decided"


@dataclass(frozen=True, slots=True)
class QuotaRequestService:
    """Requests of all projects."""

    store: QuotaRequestStore
    quotas: QuotaService
    policy: Policy
    clock: Clock

    # -- seeing --------------------------------------------------------------------------------------

    async def list(
        self, requester: Requester, wanted: Filter, limit: int, marker: str | None
    ) -> tuple[Sequence[QuotaRequest], str | None]:
        """A page of requests, the newest first, and the marker of the next page.

        Raises `BadRequest` for a marker that is no request's id.
        """
        self.policy.require(requester, policies.LIST)
        own = requester.project_id or ""
        if not self._sees_all(requester):
            if wanted.project_id not in {None, own}:
                return [], None
            wanted = replace(wanted, project_id=own)
        after = None
        if marker is not None:
            after = await self.store.get(marker)
            if after is None or not self._sees(requester, after):
                raise BadRequest(f"marker: there is no request {marker!r} to continue after")
        found = await self.store.page(wanted, limit + 1, after)
        shown = [self._for(requester, each) for each in found[:limit]]
        return shown, shown[-1].id if len(found) > limit else None

    async def show(self, requester: Requester, request_id: str) -> QuotaRequest:
        """One request. Raises `NotFound`, for those of other projects, too."""
        return self._for(requester, await self._visible(requester, request_id))

    # -- asking --------------------------------------------------------------------------------------

    async def create(self, requester: Requester, limits: Mapping[str, int], reason: str) -> QuotaRequest:
        """Ask for limits for the project of the token.

        Raises `BadRequest` for what is no more than the project has, `TooManyQuotaRequests`.
        """
        project_id = requester.project_id
        if project_id is None:
            raise BadRequest("a request is for the project of the token, and this one belongs to none")
        self.policy.require(requester, policies.CREATE, {"project_id": project_id})
        now = self.clock.now()
        require_sense(QuotaChange(limits={name: LimitChange(each) for name, each in limits.items()}), now)
        request = QuotaRequest(
            str(uuid.uuid4()),
            now,
            project_id,
            requester.project_name,
            requester.user_id,
            requester.user_name,
            limits,
            reason,
        )
        for _ in range(MOST_OPEN):
            try:
                await self._insert(requester, request)
            except sa.exc.IntegrityError:
                continue  # somebody took that place in this moment: take the next one
            return self._for(requester, request)
        raise TooManyQuotaRequests(_TOO_MANY)

    async def _insert(self, requester: Requester, request: QuotaRequest) -> None:
        async with self.store.database.write() as connection:
            quotas = self.quotas.store
            project = await quotas.project(connection, request.project_id)
            if project is not None:
                _require_more(request.limits, await quotas.wanted(connection, project, request.at))
            place = await self.store.free_place(connection, request.project_id)
            if place is None:
                raise TooManyQuotaRequests(_TOO_MANY)
            await self.store.insert(connection, request, place)
            who = request.project_name or request.project_id
            sentence = f"project {who} asks for {in_words(request.limits)}"
            await self._tell(connection, request, "request-created", sentence, {"reason": request.reason})
            told = {"limits": dict(request.limits), "reason": request.reason}
            await audit.record(
                connection, requester, request.at, "quota-request:create", request.id, after=told
            )

    async def cancel(self, requester: Requester, request_id: str) -> QuotaRequest:
        """Take a request back. Raises `NotFound`, `QuotaRequestDecided`."""
        request = await self._visible(requester, request_id)
        self.policy.require(requester, policies.CANCEL, {"project_id": request.project_id})
        now = self.clock.now()
        async with self.store.database.write() as connection:
            values = {"decided_at": now, "decided_by": requester.user_name}
            await self._decide(connection, request_id, RequestState.CANCELLED, values)
            await audit.record(connection, requester, now, "quota-request:cancel", request_id)
        return await self.show(requester, request_id)

    # -- deciding ------------------------------------------------------------------------------------

    async def approve(
        self, requester: Requester, request_id: str, limits: Mapping[str, int], answer: str | None
    ) -> Operation:
        """Set what is asked for, or these `limits` of the same resources, and begin to write it.

        Limits and answer are stored together, or not at all. Raises what `QuotaService.change` does, and
        `QuotaRequestDecided`, `BadRequest`, and `Conflict` where the project has more by now: as its quota,
        or, where it has none, by the limits of its regions, which are read for that.
        """
        request = await self._visible(requester, request_id)
        self.policy.require(requester, policies.DECIDE)
        foreign = sorted(set(limits) - set(request.limits))
        if foreign:
            raise BadRequest(
                f"limits: {foreign[0]} is not asked for; there are: {', '.join(sorted(request.limits))}"
            )
        granted = dict(limits or request.limits)
        now = self.clock.now()

        async def also(connection: AsyncConnection, before: Wanted, operation_id: str) -> None:
            values = {
                "decided_at": now,
                "decided_by": requester.user_name,
                "answer": answer,
                "granted": granted,
                "operation_id": operation_id,
            }
            await self._decide(connection, request_id, RequestState.APPROVED, values)
            _require_still_more(granted, before)
            sentence = f"the request for {in_words(request.limits)} is approved: {in_words(granted)}"
            told = {"granted": granted, "answer": answer}
            await self._tell(connection, request, "request-approved", sentence, told)
            await audit.record(
                connection, requester, now, "quota-request:approve", request_id, after={"granted": granted}
            )

        if request.state is not RequestState.OPEN:
            raise _decided(request)
        await self._require_no_less(request.project_id, granted)
        change = QuotaChange(limits={name: LimitChange(each) for name, each in granted.items()})
        return await self.quotas.change(requester, request.project_id, change, also)

    async def refuse(self, requester: Requester, request_id: str, reason: str) -> QuotaRequest:
        """Refuse a request, and say why. Raises `NotFound`, `QuotaRequestDecided`."""
        request = await self._visible(requester, request_id)
        self.policy.require(requester, policies.DECIDE)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            values = {"decided_at": now, "decided_by": requester.user_name, "answer": reason}
            await self._decide(connection, request_id, RequestState.REFUSED, values)
            sentence = f"the request for {in_words(request.limits)} is refused"
            await self._tell(connection, request, "request-refused", sentence, {"answer": reason})
            await audit.record(
                connection, requester, now, "quota-request:refuse", request_id, after={"answer": reason}
            )
        return await self.show(requester, request_id)

    async def _decide(
        self, connection: AsyncConnection, request_id: str, state: RequestState, values: Mapping[str, Any]
    ) -> None:
        if not await self.store.decide(connection, request_id, state, values):
            found = await self.store.read(connection, request_id)
            raise _decided(found) if found else NotFound(_NONE.format(request_id))

    # -- helpers -------------------------------------------------------------------------------------

    async def _tell(
        self,
        connection: AsyncConnection,
        request: QuotaRequest,
        kind: str,
        sentence: str,
        told: Mapping[str, Any],
    ) -> None:
        figures = {"request_id": request.id, "limits": dict(request.limits), **told}
        event = Event(kind, sentence, figures=figures)
        await eventlog.tell(connection, request.project_id, [event], self.clock.now())

    async def _require_no_less(self, project_id: str, granted: Mapping[str, int]) -> None:
        """Raise `Conflict` where regions by themselves let the project have more than is granted."""
        quotas, now = self.quotas.store, self.clock.now()
        async with quotas.database.read() as connection:
            project = await quotas.project(connection, project_id)
            held = (await quotas.wanted(connection, project, now)).limits if project else {}
        fresh = sorted(set(granted) - set(held))
        if not fresh:
            return
        for each in await self.quotas.today(project_id, fresh):
            if each.missing:
                raise Conflict(
                    f"{each.resource}: the project has no limit over all regions yet, and what it has in "
                    f"{', '.join(each.missing[:TOLD])} cannot be read now; try again when that answers"
                )
            if each.limit is not None and height(granted[each.resource]) < height(each.limit):
                # A limit per user or item is the same everywhere; nobody adds it up.
                said = "one of its regions has" if copied(each.resource) else "those of its regions add up to"
                raise Conflict(
                    f"{each.resource}: the project has no limit over all regions yet, and {said} "
                    f"{_shown(each.limit)}, which is more; to limit it to less, set its quota"
                )

    async def _visible(self, requester: Requester, request_id: str) -> QuotaRequest:
        found = await self.store.get(request_id)
        if found is None or not self._sees(requester, found):
            raise NotFound(_NONE.format(request_id))
        return found

    def _sees(self, requester: Requester, request: QuotaRequest) -> bool:
        return self.policy.allows(requester, policies.SHOW, {"project_id": request.project_id})

    def _sees_all(self, requester: Requester) -> bool:
        return self.policy.allows(requester, OPERATOR_READER.removeprefix("rule:"))

    def _for(self, requester: Requester, request: QuotaRequest) -> QuotaRequest:
        """The request as this user sees it: who decided is for operators, and so is the operation."""
        if self._sees_all(requester):
            return request
        own = request.state is RequestState.CANCELLED
        return replace(request, decided_by=request.decided_by if own else None, operation_id=None)


_NONE = "there is no request {!r}"
_TOO_MANY = f"{MOST_OPEN} requests of this project are open already; wait for an answer, or take one back"


def _decided(request: QuotaRequest) -> QuotaRequestDecided:
    return QuotaRequestDecided(f"the request {request.id} is {request.state.value} already")


def _require_more(limits: Mapping[str, int], held: Wanted) -> None:
    for resource, value in sorted(limits.items()):
        now = held.limits.get(resource)
        if now is not None and height(value) <= height(now.limit):
            raise BadRequest(f"limits: {resource}: {_shown(value)} is not more than {_shown(now.limit)}")


def _require_still_more(limits: Mapping[str, int], held: Wanted) -> None:
    for resource, value in sorted(limits.items()):
        now = held.limits.get(resource)
        if now is not None and height(value) < height(now.limit):
            raise Conflict(f"{resource}: the project has {_shown(now.limit)} by now, which is more")


def _shown(limit: int) -> str:
    return "unlimited" if limit < 0 else str(limit)
