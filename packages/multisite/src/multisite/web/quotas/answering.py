"""Answering a request for more: approve it, refuse it, take it back.

Each is done once, however often its form is sent. Who comes after somebody else reads what was decided
meanwhile, above the request as it is now.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.model import Operation
from multisite.errors import BadRequest
from multisite.quotas.requests.model import QuotaRequest
from multisite.requester import Requester
from multisite.web.inventory.acts import own_fields
from multisite.web.once import Once
from multisite.web.quotas.forms import limits_of
from multisite.web.quotas.requests import RequestPage, request_id
from multisite.web.quotas.sending import TOLD, Fields, once_of, said
from multisite.web.quotas.services import QuotaServices
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

End = Callable[[Requester, str], Awaitable[QuotaRequest]]


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """What the forms of a request do."""

    services: QuotaServices
    page: RequestPage
    begun: Once[Operation]
    ended: Once[QuotaRequest]

    async def approve(self, request: Request, visitor: Visitor) -> Response:
        """Grant the limits of the form, and go where they are seen to be written."""
        fields = await own_fields(request, visitor)
        requester, identity = visitor.acting_in(request), request_id(request)
        asked = await self.services.requests.show(requester, identity)
        try:
            limits = {name: each.limit for name, each in limits_of(fields).items() if each}
            answer = said(fields, "answer") or None

            async def work() -> Operation:
                return await self.services.requests.approve(requester, identity, limits, answer)

            operation = await self.begun.do(_key(requester, "approve", identity, fields), work)
        except TOLD as error:
            return await self.page.shown(request, visitor, fields, error)
        query = {"operation": operation.id, "resource": next(iter(limits)) if len(limits) == 1 else ""}
        return RedirectResponse(Urls.of(request).quota(asked.project_id, query=query), 303)

    async def refuse(self, request: Request, visitor: Visitor) -> Response:
        """Refuse it, with a reason."""
        fields = await own_fields(request, visitor)
        try:
            reason = said(fields, "reason", "write why; the project reads it")
        except BadRequest as error:
            return await self.page.shown(request, visitor, fields, error)

        async def refuse(requester: Requester, identity: str) -> QuotaRequest:
            return await self.services.requests.refuse(requester, identity, reason)

        return await self._end(request, visitor, "refuse", fields, refuse)

    async def cancel(self, request: Request, visitor: Visitor) -> Response:
        """Take it back."""
        fields = await own_fields(request, visitor)
        return await self._end(request, visitor, "cancel", fields, self.services.requests.cancel)

    async def _end(self, request: Request, visitor: Visitor, act: str, fields: Fields, end: End) -> Response:
        requester, identity = visitor.acting_in(request), request_id(request)

        async def work() -> QuotaRequest:
            return await end(requester, identity)

        try:
            await self.ended.do(_key(requester, act, identity, fields), work)
        except TOLD as error:
            return await self.page.shown(request, visitor, fields, error)
        return RedirectResponse(Urls.of(request).quota_request(identity), 303)


def _key(requester: Requester, act: str, identity: str, fields: Fields) -> tuple[str | None, ...]:
    return requester.user_id, requester.project_id, act, identity, once_of(fields)
