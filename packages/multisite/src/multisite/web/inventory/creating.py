"""The form that creates a server: what the chosen region offers, and how many of each flavor fit there."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.actions.errors import ActionInProgress, AnswerMissing, RegionFailed
from multisite.actions.table import BY_NAME
from multisite.errors import Forbidden, MultisiteError
from multisite.openstack.users import UserToken
from multisite.regions.model import Identity
from multisite.web.inventory.acts import TOLD, Actor, Fields, done, flavor_text, one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.tables import by_region
from multisite.web.rendering import Renderer
from multisite.web.services import RegionService
from multisite.web.session import new_form_token
from multisite.web.visitors import Visitor

ACTION = BY_NAME["servers", "create"]
LOST = (AnswerMissing, RegionFailed, ActionInProgress)
_TEXTS = ("name", "image_id", "flavor_id", "key_name", "availability_zone")
_SEVERAL = ("network_ids", "security_groups")


@dataclass(frozen=True, slots=True)
class CreatePage:
    """Choose a region; then image, flavor and networks of that region."""

    inventory: InventoryServices
    regions: RegionService
    actor: Actor
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The form."""
        self._require(visitor)
        return await self._form(request, visitor, plain_text(request.query_params.get("region", "")))

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Create, once; what was filled in stays where the region refuses."""
        self._require(visitor)
        fields = await own_fields(request, visitor)
        region = one(fields, "region")
        try:
            acted = await self.actor.send(request, visitor, fields, ACTION, region, "", _body(fields, region))
        except TOLD as error:
            return await self._form(request, visitor, region, fields, error)
        return done(request, visitor, acted, ACTION)

    def _require(self, visitor: Visitor) -> None:
        if not self.inventory.policy.allows(visitor.requester, ACTION.rule):
            raise Forbidden("Your roles in this project do not allow to create servers.")

    async def _form(
        self,
        request: Request,
        visitor: Visitor,
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
        problem, offers = (error.detail if error else ""), None
        if region:
            try:
                token = UserToken(visitor.session.token)
                offers = await self.inventory.offers.show(visitor.requester, token, region)
            except TOLD as failure:
                problem = problem or failure.detail
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "inventory",
            "regions": sorted(reachable, key=str.casefold),
            "region": region,
            "offers": offers,
            "flavors": [(each.id, flavor_text(each)) for each in offers.flavors] if offers else [],
            "missing": by_region(offers.missing) if offers else {},
            "filled": {name: one(fields, name) for name in fields} if fields else {},
            "several": {name: list((fields or {}).get(name, ())) for name in _SEVERAL},
            "once": new_form_token(),
            # Where the answer was lost, the same key finds what was made nevertheless.
            "key": one(fields, "key") if fields and isinstance(error, LOST) else new_form_token(),
            "problem": problem,
        }
        return self.renderer.page(
            request, "inventory/create.html", context, status=error.status if error else 200
        )


def _body(fields: Fields, region: str) -> dict[str, Any]:
    """The fields of the form as the action's body; what was left empty is not asked for."""
    body: dict[str, Any] = {name: one(fields, name) for name in _TEXTS if one(fields, name)}
    body["region"] = region
    body |= {name: [each for each in fields.get(name, ()) if each] for name in _SEVERAL}
    size = one(fields, "volume_size")
    if size:
        body["volume_size"] = int(size) if size.isascii() and size.isdigit() else size
    return body
