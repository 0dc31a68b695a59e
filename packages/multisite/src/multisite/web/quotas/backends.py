"""The page of back ends: where a service of a region keeps its limits, for where multisite cannot tell."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.errors import BadRequest, MultisiteError
from multisite.quotas import policies
from multisite.quotas.model import Backend
from multisite.quotas.resources import SERVICES
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.sending import TOLD, Fields
from multisite.web.quotas.services import QuotaServices
from multisite.web.rendering import Renderer
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

#: What a back end is, in words.
BACKENDS = {
    Backend.CLASSIC: "the service's own quota API",
    Backend.UNIFIED: "unified limits in the region's Keystone",
}


@dataclass(frozen=True, slots=True)
class BackendsPage:
    """All that is pinned, and the form that pins."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """What is pinned."""
        return await self._shown(request, visitor, {})

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Pin one."""
        fields = await own_fields(request, visitor)
        chosen = one(fields, "backend")
        if chosen not in set(Backend):
            error = BadRequest(f"backend: there is no {chosen[:40]!r}; there are: {', '.join(Backend)}")
            return await self._shown(request, visitor, fields, error)
        return await self._set(request, visitor, fields, Backend(chosen))

    async def unpin(self, request: Request, visitor: Visitor) -> Response:
        """Have it found out again."""
        return await self._set(request, visitor, await own_fields(request, visitor), None)

    async def _set(
        self, request: Request, visitor: Visitor, fields: Fields, backend: Backend | None
    ) -> Response:
        region, service = plain_text(one(fields, "region")), plain_text(one(fields, "service"), 64)
        try:
            await self.services.rules.set_backend(visitor.acting_in(request), region, service, backend)
        except TOLD as error:
            return await self._shown(request, visitor, fields, error)
        return RedirectResponse(Urls.of(request).page("quotas/backends"), 303)

    async def _shown(
        self, request: Request, visitor: Visitor, fields: Fields, error: MultisiteError | None = None
    ) -> Response:
        requester = visitor.requester
        pinned = await self.services.rules.backends(requester)
        views = await self.services.regions.list(requester)
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "pinned": sorted(pinned),
            "words": BACKENDS,
            "regions": sorted(view.region.name for view in views),
            "known": SERVICES,
            "may_set": self.services.policy.allows(requester, policies.SET_BACKEND),
            "filled": {name: plain_text(one(fields, name)) for name in ("region", "service", "backend")},
            "problem": error.detail if error else "",
            "address": Urls.of(request).page("quotas/backends"),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/backends.html", context, status=status)
