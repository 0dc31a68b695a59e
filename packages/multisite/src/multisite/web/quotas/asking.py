"""Asking for more: the form, which begins with what the project has, and what becomes of it.

It is for the project that one is logged in with. Rows without a limit ask for nothing. A form that is sent
twice asks once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.errors import BadRequest, Forbidden, MultisiteError
from multisite.quotas.model import ProjectQuota
from multisite.quotas.requests.model import QuotaRequest
from multisite.quotas.resources import UNLIMITED, Kind, listed
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.once import Once
from multisite.web.quotas.forms import limit_rows, limits_of
from multisite.web.quotas.requests import may_ask, quota_of
from multisite.web.quotas.sending import TOLD, Fields, once_of, said
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import as_typed
from multisite.web.rendering import Renderer
from multisite.web.session import new_form_token
from multisite.web.urls import Urls
from multisite.web.usage_rows import MAIN, label
from multisite.web.visitors import Visitor

#: Rows of a form that begins with all that a project has.
MOST_ROWS = 12
#: Empty rows besides.
SPARE = 2


@dataclass(frozen=True, slots=True)
class AskPage:
    """The form that asks."""

    services: QuotaServices
    renderer: Renderer
    once: Once[QuotaRequest]

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The form, with a row for `resource`, else for each that the project has."""
        return await self._shown(request, visitor, None)

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Ask, and go to the request."""
        fields = await own_fields(request, visitor)
        requester = visitor.acting_in(request)
        try:
            limits = {name: each.limit for name, each in limits_of(fields).items() if each}
            reason = said(fields, "reason", "write a few words: what is it for?")

            async def work() -> QuotaRequest:
                return await self.services.requests.create(requester, limits, reason)

            key = (requester.user_id, requester.project_id, "request", once_of(fields))
            made = await self.once.do(key, work)
        except TOLD as error:
            return await self._shown(request, visitor, fields, error)
        return RedirectResponse(Urls.of(request).quota_request(made.id), 303)

    async def _shown(
        self, request: Request, visitor: Visitor, fields: Fields | None, error: MultisiteError | None = None
    ) -> Response:
        requester = visitor.requester
        if requester.project_id is None:
            raise BadRequest("A request is for the project that you are logged in with, and you are in none.")
        if not may_ask(self.services, requester):
            raise Forbidden("Your roles do not allow to ask for more.")
        quota = await quota_of(self.services, requester, requester.project_id)
        resource = plain_text(request.query_params.get("resource", ""), 300)
        typed = _begin(quota, resource) if fields is None else [row[:2] for row in limit_rows(fields)]
        rows = [_row(quota, *each) for each in typed]
        blank = sum(1 for each in typed if not any(each))
        urls = Urls.of(request)
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "rows": rows + [_row(quota, "", "")] * max(0, SPARE - blank),
            "known": listed(),
            "reason": one(fields or {}, "reason"),
            "once": new_form_token(),
            "problem": error.detail if error else "",
            "address": urls.page("quotas/requests/create", {"resource": resource}),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/ask.html", context, status=status)


def _begin(quota: ProjectQuota | None, resource: str) -> Sequence[tuple[str, str]]:
    """The rows of a form that nobody filled in yet."""
    if resource:
        return [(resource, "")]
    if quota is None:
        return [(name, "") for name in MAIN]
    summed = [each for each in quota.resources if each.kind is not Kind.COPIED and each.limit != UNLIMITED]
    pressed = sorted(summed, key=lambda each: (-(each.pressure or 0.0), each.resource))
    return [(each.resource, "") for each in pressed[:MOST_ROWS]]


def _row(quota: ProjectQuota | None, resource: str, limit: str) -> dict[str, str]:
    held = next((each for each in quota.resources if each.resource == resource), None) if quota else None
    has = ""
    if held is not None:
        used = "" if held.used is None else f", {as_typed(resource, held.used)} used"
        has = f"{as_typed(resource, held.limit)}{used}"
    return {"resource": resource, "limit": limit, "label": label(resource) if resource else "", "has": has}
