"""Requests for more quota: the list of them, the newest first, and one of them with what can be answered.

What a tenant may not know (who decided, by which operation) is not in what the service answers. Over what
a project has now is told of open requests; of others it is told what was granted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.errors import BadRequest, MultisiteError, NotFound
from multisite.quotas.model import ProjectQuota
from multisite.quotas.requests import policies
from multisite.quotas.requests.model import Filter, QuotaRequest, RequestState
from multisite.requester import Requester
from multisite.web.inventory.acts import one
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.asked import AskedRequests
from multisite.web.quotas.forms import limit_rows
from multisite.web.quotas.sending import Fields, project_of
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import limit_text, limits_in_words, unit_of
from multisite.web.rendering import Renderer
from multisite.web.session import new_form_token
from multisite.web.urls import Urls
from multisite.web.usage_rows import label
from multisite.web.visitors import Visitor

#: Requests on a page of the list.
ROWS = 50
#: Open requests that are counted; of more it is said that there are more.
MOST_COUNTED = 99
#: The icon of each state: those of a region that is as well.
LOOKS: Mapping[RequestState, str] = {
    RequestState.OPEN: "stale",
    RequestState.APPROVED: "fresh",
    RequestState.REFUSED: "unreachable",
    RequestState.CANCELLED: "disabled",
}

#: Limits by resource.
Limits = Mapping[str, int]


async def open_requests(
    services: QuotaServices, requester: Requester, project_id: str | None = None
) -> str | None:
    """How many requests wait for an answer, of all that one sees or of a project; `None` who sees none."""
    if not services.policy.allows(requester, policies.LIST):
        return None
    wanted = Filter((RequestState.OPEN,), project_id)
    found, following = await services.requests.list(requester, wanted, MOST_COUNTED, None)
    return f"more than {MOST_COUNTED}" if following else str(len(found))


def may_ask(services: QuotaServices, requester: Requester) -> bool:
    """Whether one may ask for more for the project that one is logged in with."""
    target = {"project_id": requester.project_id}
    return requester.project_id is not None and services.policy.allows(requester, policies.CREATE, target)


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """The list."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A page of it."""
        urls, asked = Urls.of(request), AskedRequests.of(request.query_params)
        problem, following = "", None
        found: Sequence[QuotaRequest] = ()
        try:
            wanted = await self._filter(visitor, asked)
            found, following = await self.services.requests.list(
                visitor.requester, wanted, ROWS, asked.after or None
            )
        except BadRequest as error:  # what is asked for cannot be: said above an empty list
            problem = error.detail
        held = await self._held(visitor.requester, found)
        context = {
            "visitor": visitor,
            "here": "quotas",
            "asked": asked,
            "states": list(RequestState),
            "looks": LOOKS,
            "rows": [_row(each, held.get(each.project_id, {})) for each in found],
            "problem": problem,
            "may_ask": may_ask(self.services, visitor.requester),
            "older": urls.page("quotas/requests", asked.query(after=following)) if following else "",
            "newest": urls.page("quotas/requests", asked.query(after="")) if asked.after else "",
        }
        return self.renderer.page(request, "quotas/requests.html", context)

    async def _filter(self, visitor: Visitor, asked: AskedRequests) -> Filter:
        if not asked.project or not visitor.operator:
            return Filter(asked.states)
        project_id = await project_of(self.services.projects, visitor.requester, asked.project)
        return Filter(asked.states, project_id)

    async def _held(self, requester: Requester, found: Sequence[QuotaRequest]) -> Mapping[str, Limits]:
        """What projects have now, where any of them waits for an answer."""
        if not any(each.state is RequestState.OPEN for each in found):
            return {}
        return {
            row.project_id: {name: told["limit"] for name, told in row.resources.items()}
            for row in await self.services.quotas.list(requester)
        }


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One request."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The request, and forms to answer it."""
        return await self.shown(request, visitor)

    async def shown(
        self,
        request: Request,
        visitor: Visitor,
        fields: Fields | None = None,
        error: MultisiteError | None = None,
    ) -> Response:
        """The page, with what was refused above it, and what was typed."""
        urls, requester = Urls.of(request), visitor.requester
        found = await self.services.requests.show(requester, request_id(request))
        quota = await quota_of(self.services, requester, found.project_id)
        is_open = found.state is RequestState.OPEN
        own = found.project_id == requester.project_id
        target = {"project_id": found.project_id}
        allows = self.services.policy.allows
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "request": found,
            "governed": quota is not None,
            "rows": _resource_rows(found, quota, fields or {}),
            "looks": LOOKS,
            "may_decide": is_open and allows(requester, policies.DECIDE),
            "may_cancel": is_open and own and allows(requester, policies.CANCEL, target),
            "answer": one(fields or {}, "answer"),
            "reason": one(fields or {}, "reason"),
            "once": new_form_token(),
            "problem": error.detail if error else "",
            "address": urls.quota_request(found.id),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/request.html", context, status=status)


async def quota_of(services: QuotaServices, requester: Requester, project_id: str) -> ProjectQuota | None:
    """The quota of a project, `None` where nobody governs it."""
    try:
        return await services.quotas.show(requester, project_id)
    except NotFound:
        return None


def request_id(request: Request) -> str:
    """The request for more that an address names."""
    return plain_text(str(request.path_params["request_id"]), 64)


def _row(request: QuotaRequest, held: Limits) -> dict[str, Any]:
    """One request in the list."""
    now = {name: held[name] for name in request.limits if name in held}
    return {
        "request": request,
        "asked": limits_in_words(request.limits),
        "has": limits_in_words(now) if request.state is RequestState.OPEN else "",
        "granted": limits_in_words(request.granted) if request.granted is not None else "",
    }


def _resource_rows(request: QuotaRequest, quota: ProjectQuota | None, fields: Fields) -> list[dict[str, Any]]:
    """What is asked of each resource, over what there is; `typed` is what the form says."""
    held = {each.resource: each for each in quota.resources} if quota else {}
    granted = request.granted or {}
    typed = {row[0]: row[1] for row in limit_rows(fields)} if "limit" in fields else None
    return [
        {
            "resource": name,
            "label": label(name),
            "unit": unit_of(name),
            "asked": limit_text(name, number),
            "now": limit_text(name, held[name].limit) if name in held else "",
            "used": limit_text(name, held[name].used) if name in held else "",
            "granted": limit_text(name, granted[name]) if name in granted else "",
            "typed": str(number) if typed is None else typed.get(name, ""),
        }
        for name, number in sorted(request.limits.items(), key=lambda each: label(each[0]))
    ]
