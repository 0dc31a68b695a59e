"""The routes of the inventory's pages: a table, as in `web/pages.py`."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.clock import Clock
from multisite.web.inventory.acts import Actor, ActPages
from multisite.web.inventory.creating import CreatePage
from multisite.web.inventory.item import ItemPage
from multisite.web.inventory.listing import ListingPage
from multisite.web.inventory.saved import SavedPage
from multisite.web.inventory.search import SearchPage
from multisite.web.once import Once
from multisite.web.rendering import Renderer
from multisite.web.services import Services
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

Endpoint = Callable[[Request, Visitor], Awaitable[Response]]


def inventory_pages(
    services: Services, listing: ListingPage, renderer: Renderer, clock: Clock
) -> list[tuple[str, str, Endpoint]]:
    """Method, path, and endpoint of each page; `listing` is a live view, too."""
    actor = Actor(services.inventory, Once(clock))
    item = ItemPage(services.inventory, renderer)
    acts = ActPages(services.inventory, services.regions, item, actor, renderer)
    create = CreatePage(services.inventory, services.regions, actor, renderer)
    search = SearchPage(services.inventory, renderer)
    saved = SavedPage(services.inventory.filters)
    return [
        ("GET", "/search", search.page),
        ("GET", "/inventory", _first),
        ("POST", "/inventory/filters", saved.save),
        ("POST", "/inventory/filters/delete", saved.delete),
        ("GET", "/inventory/{kind}/create", create.page),
        ("POST", "/inventory/{kind}/create", create.submit),
        ("GET", "/inventory/{kind}", listing.page),
        ("GET", "/inventory/{kind}/{region}/{id}", acts.page),
        ("GET", "/inventory/{kind}/{region}/{id}/{action}", acts.form),
        ("POST", "/inventory/{kind}/{region}/{id}/{action}", acts.submit),
    ]


async def _first(request: Request, visitor: Visitor) -> Response:  # noqa: ARG001 - the same for everybody
    """Servers are what most people look for."""
    return RedirectResponse(Urls.of(request).page("inventory/servers"), 303)
