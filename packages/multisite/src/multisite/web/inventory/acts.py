"""Doing things from the page: forms that act in regions with the visitor's own token.

What was taken on leads back to the item (so that a reload sends nothing again); what was refused is told as
the region's own sentence, above the form. A form that is sent twice is done once (`once.py`), and what is
created has a key, which holds over several processes of ours, too.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.actions.bodies import ActionBody
from multisite.actions.errors import AnswerMissing, RegionFailed, RegionRefused, RegionUnavailable
from multisite.actions.model import Acted, Action
from multisite.errors import BadRequest, Conflict, Forbidden, MultisiteError, NotFound
from multisite.inventory.model import InventoryRow
from multisite.inventory.queries import Order
from multisite.inventory.service import Question
from multisite.openstack.users import UserToken
from multisite.regions.model import Identity
from multisite.web.csrf import read_fields, require_own_form
from multisite.web.inventory.cells import Cell, servers_of, short
from multisite.web.inventory.forms import DONE, Asks, Form, form_called, forms_for
from multisite.web.inventory.item import ItemPage
from multisite.web.inventory.services import InventoryServices
from multisite.web.inventory.words import noun, plural_of
from multisite.web.once import Once
from multisite.web.rendering import Renderer
from multisite.web.services import RegionService
from multisite.web.session import new_form_token
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

#: What is told to the visitor as it is; anything else is a failure of ours.
TOLD = (
    *(RegionRefused, RegionUnavailable, RegionFailed, AnswerMissing),
    *(Conflict, BadRequest, Forbidden, NotFound),
)
#: So many servers can be chosen from.
MOST_CHOICES = 500

#: The form that creates a server has a field for each network and security group that is chosen.
MOST_FIELDS = 150
#: What `new_form_token` makes.
_TEXT = re.compile(r"[A-Za-z0-9_-]{16,48}")

#: What pydantic misses, in words for a form.
_WANTED = {
    "missing": "write or choose one",
    "too_short": "choose one at least",
    "int_type": "write a whole number",
}

#: The fields by what the forms call them.
LABELS = {
    "name": "Name",
    "image_id": "Image",
    "flavor_id": "Flavor",
    "network_ids": "Networks",
    "security_groups": "Security groups",
    "key_name": "Keypair",
    "availability_zone": "Zone",
    "volume_size": "Size of the new volume",
    "size": "Size",
    "volume_type": "Type",
    "snapshot_id": "From",
    "source_volume_id": "From",
    "network_id": "Network",
    "region": "Region",
    "server_id": "Server",
}

Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Actor:
    """Sends an action, once for each form."""

    inventory: InventoryServices
    once: Once[Acted]

    async def send(  # noqa: PLR0913, PLR0917 - who, with which form, does what, where, to what, how
        self,
        request: Request,
        visitor: Visitor,
        fields: Fields,
        action: Action,
        region: str,
        item_id: str,
        body: Mapping[str, Any],
    ) -> Acted:
        """Do it. Raises one of `TOLD`."""
        once, key = one(fields, "once"), one(fields, "key") or one(fields, "once")
        if not _TEXT.fullmatch(once) or not _TEXT.fullmatch(key):
            raise BadRequest("The form was too old. Open the page anew and try again.")
        requester = visitor.acting_in(request)

        async def work() -> Acted:
            return await self.inventory.actions.act(
                requester,
                UserToken(visitor.session.token),
                action,
                region,
                item_id,
                body_of(action, body),
                key=f"page-{key}" if action.find else None,
            )

        return await self.once.do((requester.user_id, requester.project_id, action.full_name, once), work)


@dataclass(frozen=True, slots=True)
class ActPages:
    """The item's page with its forms, and the pages of forms that ask for something."""

    inventory: InventoryServices
    regions: RegionService
    item: ItemPage
    actor: Actor
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The page of an item, with what can be done to it."""
        row = await self.item.row(request, visitor)
        return await self._shown(request, visitor, row)

    async def form(self, request: Request, visitor: Visitor) -> Response:
        """The page of a form that asks for something."""
        row, form = await self.item.row(request, visitor), _form_of(request)
        if form.asks is Asks.NOTHING:
            raise NotFound(f"{form.label!r} is a button on the page of the {noun(plural_of(row.kind))}.")
        return await self._form(request, visitor, row, form)

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Do what a form says."""
        fields = await own_fields(request, visitor)
        row = await self.item.row(request, visitor)
        form = _form_of(request)
        body = {name: one(fields, name) for name in ("flavor_id", "server_id") if one(fields, name)}
        try:
            acted = await self.actor.send(
                request, visitor, fields, form.action, row.region, row.id, {**form.fixed, **body}
            )
        except TOLD as error:
            return await self._refused(request, visitor, row, form, error)
        return done(request, visitor, acted, form.action)

    async def _refused(
        self, request: Request, visitor: Visitor, row: InventoryRow, form: Form, error: MultisiteError
    ) -> Response:
        if form.asks is Asks.NOTHING:
            return await self._shown(request, visitor, row, error)
        return await self._form(request, visitor, row, form, error)

    async def _shown(
        self, request: Request, visitor: Visitor, row: InventoryRow, error: MultisiteError | None = None
    ) -> Response:
        def allows(rule: str) -> bool:
            return self.inventory.policy.allows(visitor.requester, rule)

        forms = forms_for(plural_of(row.kind), row, allows)
        view = await self.regions.show(visitor.requester, row.region) if forms else None
        own = view is not None and view.region.identity is Identity.OWN
        return await self.item.shown(
            request,
            visitor,
            row,
            status=error.status if error else 200,
            problem=error.detail if error else "",
            forms=[] if own else forms,
            own_keystone=own,
            once=new_form_token(),
            notice=notice(request, visitor),
        )

    async def _form(
        self,
        request: Request,
        visitor: Visitor,
        row: InventoryRow,
        form: Form,
        error: MultisiteError | None = None,
    ) -> Response:
        problem = error.detail if error else ""
        choices: Sequence[Cell] = ()
        if form.asks is not Asks.CONFIRMATION:
            try:
                choices = await self._choices(visitor, row, form)
            except TOLD as failure:
                problem = problem or failure.detail
        context = {
            "visitor": visitor,
            "here": "inventory",
            "row": row,
            "kind": plural_of(row.kind),
            "noun": noun(plural_of(row.kind)),
            "form": form,
            "choices": choices,
            "once": new_form_token(),
            "problem": problem,
        }
        return self.renderer.page(
            request, "inventory/act.html", context, status=error.status if error else 200
        )

    async def _choices(self, visitor: Visitor, row: InventoryRow, form: Form) -> Sequence[Cell]:
        """What can be chosen: the text that is shown, and as its title the id that is sent."""
        if form.asks is Asks.FLAVOR:
            token = UserToken(visitor.session.token)
            offers = await self.inventory.offers.show(visitor.requester, token, row.region)
            return [Cell(flavor_text(each), title=each.id) for each in offers.flavors]
        question = Question(regions=(row.region,), project_id=row.project_id if visitor.operator else None)
        page = await self.inventory.items.list(
            visitor.requester, "servers", question, Order(), limit=MOST_CHOICES
        )
        having = set(servers_of(row.attributes))
        names = {each.id: each.name or short(each.id) for each in page.rows}
        if form.asks is Asks.ONE_OF_ITS_SERVERS:
            return [Cell(names.get(each, each), title=each) for each in sorted(having)]
        return [
            Cell(f"{name} ({each[:8]})", title=each) for each, name in names.items() if each not in having
        ]


def done(request: Request, visitor: Visitor, acted: Acted, action: Action) -> Response:
    """To the item, or to its list where there is none (any more)."""
    urls, what = Urls.of(request), f"{action.kind}:{action.name}"
    item_id = acted.id if acted.item else ""
    told = {"done": what, "seal": _seal(visitor, what, acted.region, item_id)}
    if acted.item is None:
        return RedirectResponse(urls.page(f"inventory/{action.kind}", {"region": acted.region} | told), 303)
    return RedirectResponse(f"{urls.item(action.kind, acted.region, acted.id)}?{urlencode(told)}", 303)


def notice(request: Request, visitor: Visitor) -> str:
    """What was taken on, in words; only what we said ourselves, to this visitor, of this item."""
    query = request.query_params
    what, path = query.get("done", ""), request.path_params
    region = str(path.get("region") or query.get("region", ""))
    seal = _seal(visitor, what, region, str(path.get("id", "")))
    if not hmac.compare_digest(seal.encode(), query.get("seal", "").encode()):
        return ""
    return DONE.get(what, "")


def _seal(visitor: Visitor, what: str, region: str, item_id: str) -> str:
    """Shows that an address with a notice is our own: a stranger's link says nothing was done."""
    message = repr((what, region, item_id)).encode()
    return hmac.new(visitor.session.form_token.encode(), message, "sha256").hexdigest()[:16]


def flavor_text(flavor: Any) -> str:
    """A flavor as a choice: what it has, and how many fit."""
    size = f"{flavor.vcpus} VCPU, {flavor.ram / 1024:g} GiB memory, {flavor.disk} GiB disk"
    if flavor.fits is None:
        return f"{flavor.name}: {size}"
    return f"{flavor.name}: {size}; {'none fits' if flavor.fits == 0 else f'{flavor.fits} fit'}"


async def own_fields(request: Request, visitor: Visitor) -> Fields:
    """The fields of a form of our own page. Raises `ForeignForm`, `BadRequest`."""
    fields = await read_fields(request, MOST_FIELDS)
    require_own_form(request, sent=one(fields, "form_token"), expected=visitor.session.form_token)
    return fields


def one(fields: Fields, name: str) -> str:
    """The last value of a field; empty where there is none."""
    return fields[name][-1].strip() if fields.get(name) else ""


def body_of(action: Action, fields: Mapping[str, Any]) -> ActionBody | None:
    """The body of an action. Raises `BadRequest` with a sentence."""
    if action.body is None:
        return None
    try:
        return action.body(**fields)
    except ValidationError as error:
        mistake = error.errors()[0]
        wanted = _WANTED.get(mistake["type"], mistake["msg"].removeprefix("Value error, "))
        place = LABELS.get(str(mistake["loc"][0]), str(mistake["loc"][0])) if mistake["loc"] else ""
        raise BadRequest(f"{place}: {wanted}" if place else wanted) from error


def _form_of(request: Request) -> Form:
    form = form_called(str(request.path_params["kind"]), str(request.path_params["action"]))
    if form is None:
        raise NotFound(f"There is no form {request.path_params['action']!r}.")
    return form
