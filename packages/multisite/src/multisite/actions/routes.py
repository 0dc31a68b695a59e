"""HTTP of the actions: a route for each row of the table, with its own body in the OpenAPI document."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, Path, Request
from pydantic import ValidationError

from multisite.actions.bodies import ID_PATTERN, ActionBody
from multisite.actions.model import Acted, Action
from multisite.actions.offers import Offers, OfferService
from multisite.actions.service import ActionService
from multisite.actions.table import ACTIONS
from multisite.http import TEXT, requester
from multisite.openstack.users import UserToken

RegionPath = Annotated[str, Path(description="The region's name.", max_length=255, pattern=TEXT)]
IdPath = Annotated[str, Path(description="The item's id.", pattern=ID_PATTERN)]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Your own name of this creation: the same request with the same key is done once.",
        pattern=r"^[A-Za-z0-9._:-]{1,64}$",
    ),
]


def token_of(request: Request) -> UserToken:
    """The token of the user; the application checked it."""
    return UserToken(request.headers["X-Auth-Token"])


def service_of(request: Request) -> ActionService:
    """The service behind the routes."""
    service: ActionService = request.app.state.actions
    return service


def handler_of(action: Action) -> Callable[..., Any]:
    """The handler of an action's route."""
    handler = _creating(action) if action.creates else _changing(action) if action.body else _plain(action)
    handler.__name__ = f"{action.name.replace('-', '_')}_{action.noun}"
    handler.__doc__ = f"{action.what[:1].upper()}{action.what[1:]}, as the user."
    if action.body is not None:
        handler.__annotations__["body"] = action.body
    return handler


def _creating(action: Action) -> Callable[..., Any]:
    async def create(request: Request, body: Any, idempotency_key: Key = None) -> Acted:
        service = service_of(request)
        return await service.act(
            requester(request), token_of(request), action, body.region, body=body, key=idempotency_key
        )

    return create


def _changing(action: Action) -> Callable[..., Any]:
    usual = _empty(action.body)

    async def change(
        request: Request,
        region: RegionPath,
        id: IdPath,  # noqa: A002
        body: ActionBody = usual,
    ) -> Acted:
        return await service_of(request).act(requester(request), token_of(request), action, region, id, body)

    return change


def _empty(body: type[ActionBody] | None) -> Any:
    """The body for a request without one; what FastAPI takes for a required one where something is needed."""
    try:
        return body() if body else ...
    except ValidationError:
        return ...


def _plain(action: Action) -> Callable[..., Any]:
    async def act(request: Request, region: RegionPath, id: IdPath) -> Acted:  # noqa: A002
        return await service_of(request).act(requester(request), token_of(request), action, region, id)

    return act


HANDLERS = tuple((action, handler_of(action)) for action in ACTIONS)


async def show_offers(request: Request, region: RegionPath) -> Offers:
    """What a region offers for new servers and volumes, and how many fit."""
    offers: OfferService = request.app.state.offers
    return await offers.show(requester(request), token_of(request), region)


async def do_something_else(
    request: Request,
    kind: Annotated[str, Path(description="The kind, in the plural.", max_length=32)],
    region: RegionPath,
    id: IdPath,  # noqa: A002
    action: Annotated[str, Path(description="What multisite does not do.", max_length=32)],
) -> None:
    """Say which command does what multisite does not."""
    await service_of(request).refuse(requester(request), kind, region, id, action)
