"""The routes of the inventory's pages: a table, as in `web/pages.py`."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.web.inventory.item import ItemPage
from multisite.web.inventory.listing import ListingPage
from multisite.web.inventory.saved import SavedPage
from multisite.web.inventory.search import SearchPage
from multisite.web.rendering import Renderer
from multisite.web.services import Services
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor

Endpoint = Callable[[Request, Visitor], Awaitable[Response]]


def inventory_pages(services: Services, renderer: Renderer) -> list[tuple[str, str, Endpoint]]:
    """Method, path, and endpoint of each page."""
    listing = ListingPage(services.inventory, services.regions, renderer)
    item = ItemPage(services.inventory, renderer)
    search = SearchPage(services.inventory, renderer)
    saved = SavedPage(services.inventory.filters)
    return [
        ("GET", "/search", search.page),
        ("GET", "/inventory", _first),
        ("POST", "/inventory/filters", saved.save),
        ("POST", "/inventory/filters/delete", saved.delete),
        ("GET", "/inventory/{kind}", listing.page),
        ("GET", "/inventory/{kind}/{region}/{id}", item.page),
    ]


async def _first(request: Request, visitor: Visitor) -> Response:  # noqa: ARG001 - the same for everybody
    """Servers are what most people look for."""
    return RedirectResponse(Urls.of(request).page("inventory/servers"), 303)
