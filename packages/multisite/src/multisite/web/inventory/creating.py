"""The forms that make something new: a region is chosen, then of what that region offers."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.actions.errors import ActionInProgress, AnswerMissing, RegionFailed
from multisite.errors import Forbidden, MultisiteError, NotFound
from multisite.regions.model import Identity
from multisite.web.inventory.acts import TOLD, Actor, Fields, done, one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.inventory.creations import CREATIONS, Creation, Offered
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.tables import by_region
from multisite.web.inventory.words import TITLES, noun
from multisite.web.rendering import Renderer
from multisite.web.services import RegionService
from multisite.web.session import new_form_token
from multisite.web.visitors import Visitor

LOST = (AnswerMissing, RegionFailed, ActionInProgress)


@dataclass(frozen=True, slots=True)
class CreatePage:
    """Choose a region; then fill in what it takes there."""

    inventory: InventoryServices
    regions: RegionService
    actor: Actor
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The form."""
        creation = self._creation(request, visitor)
        region = plain_text(request.query_params.get("region", ""))
        return await self._form(request, visitor, creation, region)

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Create, once; what was filled in stays where the region refuses."""
        creation = self._creation(request, visitor)
        fields = await own_fields(request, visitor)
        region = one(fields, "region")
        try:
            body = creation.body(fields) | {"region": region}
            acted = await self.actor.send(request, visitor, fields, creation.action, region, "", body)
        except TOLD as error:
            return await self._form(request, visitor, creation, region, fields, error)
        return done(request, visitor, acted, creation.action)

    def _creation(self, request: Request, visitor: Visitor) -> Creation:
        kind = str(request.path_params["kind"])
        creation = CREATIONS.get(kind)
        if creation is None:
            raise NotFound(f"There is no form that makes {TITLES.get(kind, repr(kind)).lower()}.")
        if not self.inventory.policy.allows(visitor.requester, creation.action.rule):
            raise Forbidden(f"Your roles in this project do not allow to create {noun(kind, 2)}.")
        return creation

    async def _form(
        self,
        request: Request,
        visitor: Visitor,
        creation: Creation,
        region: str,
        fields: Fields | None = None,
        error: MultisiteError | None = None,
    ) -> Response:
        views = await self.regions.list(visitor.requester)
        reachable = [
            view.region.name
            for view in views
            if view.region.enabled and view.region.identity is Identity.HOME
        ]
        problem, offered = (error.detail if error else ""), None
        if region:
            try:
                offered = await creation.offered(self.inventory, visitor, region)
            except TOLD as failure:
                problem = problem or failure.detail
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "inventory",
            "kind": creation.action.kind,
            "title": TITLES[creation.action.kind],
            "label": creation.label,
            "regions": sorted(reachable, key=str.casefold),
            "region": region,
            **_names(offered),
            "filled": {name: one(fields, name) for name in fields} if fields else {},
            "several": {name: list((fields or {}).get(name, ())) for name in creation.several},
            "once": new_form_token(),
            # Where the answer was lost, the same key finds what was made nevertheless.
            "key": one(fields, "key") if fields and isinstance(error, LOST) else new_form_token(),
            "problem": problem,
        }
        status = error.status if error else 200
        return self.renderer.page(request, creation.template, context, status=status)


def _names(offered: Offered | None) -> dict[str, Any]:
    if offered is None:
        return {"offered": False, "missing": {}}
    return {**offered.names, "offered": True, "missing": by_region(offered.missing)}
