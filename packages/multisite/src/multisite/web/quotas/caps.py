"""The page of caps: what the projects of a domain, or of a tree, may have together; to see and to change.

A tree is named by its project's name or id. A domain is named by its id: nothing here knows domains by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.errors import BadRequest, MultisiteError
from multisite.quotas import policies
from multisite.quotas.limits import LARGEST
from multisite.quotas.model import Cap
from multisite.quotas.resources import UNLIMITED, copied, listed
from multisite.requester import Requester
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.forms import number
from multisite.web.quotas.sending import TOLD, Fields, project_of
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import limit_text
from multisite.web.rendering import Renderer
from multisite.web.urls import Urls
from multisite.web.usage_rows import label
from multisite.web.visitors import Visitor

#: Whose projects a cap is for, as the form says it.
SCOPES: Mapping[str, str] = {"domain": "a domain", "tree": "a project and all below it"}
_LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class CapsPage:
    """All caps, and the form that sets one."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The caps; the form begins with what the address says."""
        query = request.query_params
        names = ("scope", "scope_id", "resource")
        return await self._shown(request, visitor, {name: [query.get(name, "")] for name in names})

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Set one; the form is there for the next one of the same domain or tree."""
        fields = await own_fields(request, visitor)
        requester = visitor.acting_in(request)
        try:
            cap = await self._cap(requester, fields)
            await self.services.rules.set_cap(requester, cap)
        except TOLD as error:
            return await self._shown(request, visitor, fields, error)
        query = {"scope": cap.scope, "scope_id": cap.scope_id}
        return RedirectResponse(Urls.of(request).page("quotas/caps", query), 303)

    async def take_away(self, request: Request, visitor: Visitor) -> Response:
        """Take one away."""
        fields = await own_fields(request, visitor)
        resource, scope_id = plain_text(one(fields, "resource"), 300), plain_text(one(fields, "scope_id"))
        try:
            cap = Cap(_scope(fields), scope_id, resource, UNLIMITED)
            await self.services.rules.set_cap(visitor.acting_in(request), cap)
        except TOLD as error:
            return await self._shown(request, visitor, {}, error)
        return RedirectResponse(Urls.of(request).page("quotas/caps"), 303)

    async def _cap(self, requester: Requester, fields: Fields) -> Cap:
        scope, named = _scope(fields), plain_text(one(fields, "scope_id"))
        if not named or (len(named) > _LONGEST_ID and scope == "domain"):
            raise BadRequest("scope_id: write the id of a domain, or the name or id of a project")
        resource = plain_text(one(fields, "resource"), 300)
        if not resource:
            raise BadRequest("resource: write one, such as compute/cores")
        limit = number(fields, "limit", f"limit: {resource}")
        if limit is None:
            raise BadRequest("limit: write what the limits may add up to")
        if not UNLIMITED <= limit <= LARGEST:
            raise BadRequest(f"limit: {limit} cannot be; write {UNLIMITED} for no cap, or up to {LARGEST}")
        if scope == "tree":
            named = await project_of(self.services.projects, requester, named)
        return Cap(scope, named, resource, limit)

    async def _shown(
        self, request: Request, visitor: Visitor, fields: Fields, error: MultisiteError | None = None
    ) -> Response:
        caps = await self.services.rules.caps(visitor.requester)
        names: Mapping[str, str | None] = {}
        if any(cap.scope == "tree" for cap in caps):
            governed = await self.services.quotas.list(visitor.requester)
            names = {row.project_id: row.project_name for row in governed}
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "caps": [
                {
                    "cap": cap,
                    "governed": cap.scope == "tree" and cap.scope_id in names,
                    "name": names.get(cap.scope_id) or cap.scope_id if cap.scope == "tree" else cap.scope_id,
                    "label": label(cap.resource),
                    "limit": limit_text(cap.resource, cap.limit),
                }
                for cap in sorted(caps, key=lambda cap: (cap.scope, cap.scope_id, cap.resource))
            ],
            "scopes": SCOPES,
            "known": [name for name in listed() if not copied(name)],
            "may_set": self.services.policy.allows(visitor.requester, policies.SET_CAP),
            "filled": {
                name: plain_text(one(fields, name), 300)
                for name in ("scope", "scope_id", "resource", "limit")
            },
            "problem": error.detail if error else "",
            "address": Urls.of(request).page("quotas/caps"),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/caps.html", context, status=status)


def _scope(fields: Fields) -> str:
    scope = one(fields, "scope")
    if scope not in SCOPES:
        raise BadRequest(f"scope: there is no scope {scope[:40]!r}; there are: {', '.join(SCOPES)}")
    return scope
