"""The page's table of contents, and the one function that makes it.

    pages = create_pages(services, sealer, clock)
    app.router.routes.extend(pages.routes)

`pages.home` answers `/` for browsers. `await pages.close()` has to come before the server waits for its
connections: it ends the live views, which otherwise would last as long as their tokens.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.staticfiles import StaticFiles

from multisite.clock import Clock
from multisite.errors import NotFound
from multisite.web.attempts import Attempts
from multisite.web.events import Events, LiveView
from multisite.web.feeds import Feeds
from multisite.web.headers import SECURITY_HEADERS, SecureHeaders
from multisite.web.history import HistoryChart
from multisite.web.inventory.listing import ListingPage
from multisite.web.inventory.routes import inventory_pages
from multisite.web.login import LogIn
from multisite.web.operation import OperationPage
from multisite.web.operations import OperationsPage
from multisite.web.project import ProjectPage
from multisite.web.quotas.history import QuotaChart
from multisite.web.quotas.listing import QuotasPage
from multisite.web.quotas.project import QuotaPage
from multisite.web.quotas.routes import quota_pages
from multisite.web.quotas.services import QuotaServices
from multisite.web.region import RegionPage
from multisite.web.rendering import Renderer
from multisite.web.services import Services
from multisite.web.session import SessionSealer
from multisite.web.urls import STATIC, Urls, asset_digest
from multisite.web.visitors import Visitor, Visitors
from multisite.web.wall import RegionBoard, trouble

#: What answers without a session: the log-in and its assets (`/events` then sends its farewell only).
PUBLIC_PATHS = ("/login", "/logout", "/events", "/static/")

_CLOSE_PATIENCE = 3.0
_YEAR = "public, max-age=31536000, immutable"

_ASSETS = StaticFiles(directory=STATIC)

Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Pages:
    """The page: its routes, its answers at `/` and for paths that are none, and its end."""

    routes: Sequence[BaseRoute]
    home: Answer
    missing: Answer
    feeds: Feeds

    @property
    def router(self) -> Router:
        """The routes as an application of their own."""
        return Router(routes=list(self.routes))

    async def close(self) -> None:
        """End all live views; browsers come back by themselves when there is somebody to come back to."""
        await self.feeds.close(_CLOSE_PATIENCE)


def create_pages(
    services: Services,
    sealer: SessionSealer,
    clock: Clock,
    *,
    cookie_name: str = "multisite_session",
    event_interval: float = 5.0,
) -> Pages:
    """The page over these collaborators; `event_interval` is in seconds."""
    renderer = Renderer(clock)
    visitors = Visitors(services.authenticator, sealer, renderer, clock, cookie_name=cookie_name)
    login = LogIn(services, visitors, sealer, renderer, clock, cookie_name, Attempts(clock))
    wall = RegionBoard("wall", services.regions, services.capacity, renderer, clock, services.history)
    regions = RegionBoard("regions", services.regions, None, renderer, clock)
    charts = HistoryChart(services.history, clock)
    region = RegionPage(services.regions, services.capacity, charts, renderer, clock)
    project = ProjectPage(services.usage, renderer, clock)
    operations = OperationsPage(services.operations, services.regions, services.inventory.policy, renderer)
    operation = OperationPage(services.operations, renderer)
    listing = ListingPage(services.inventory, services.regions, renderer)
    quota_services = QuotaServices(
        services.quotas,
        services.quota_rules,
        services.quota_requests,
        services.quota_history,
        services.regions,
        services.operations,
        services.inventory.projects,
        services.inventory.policy,
    )
    quotas = QuotasPage(quota_services, renderer)
    quota = QuotaPage(quota_services, QuotaChart(services.quota_history, clock), renderer)
    feeds = Feeds(event_interval, trouble)
    views: dict[str, LiveView] = {
        "wall": wall,
        "regions": regions,
        "region": region,
        "project": project,
        "operations": operations,
        "operation": operation,
        "inventory": listing,
        "quotas": quotas,
        "quota": quota,
    }
    events = Events(visitors, views, feeds, clock)
    page = visitors.page
    routes: list[BaseRoute] = [
        _route("GET", "/login", login.form),
        _route("POST", "/login", login.submit),
        _route("POST", "/logout", login.log_out),
        _route("GET", "/wall", page(wall.page)),
        _route("GET", "/wall/regions/{name}", page(region.page)),
        _route("GET", "/wall/regions/{name}/history", page(charts.data)),
        _route("GET", "/regions", page(regions.page)),
        _route("GET", "/project", page(project.page)),
        *(
            _route(method, path, page(endpoint))
            for method, path, endpoint in inventory_pages(services, listing, renderer, clock)
        ),
        *(
            _route(method, path, page(endpoint))
            for method, path, endpoint in quota_pages(quota_services, quotas, quota, renderer, clock)
        ),
        _route("GET", "/operations", page(operations.page)),
        _route("POST", "/operations/test", page(operations.test)),
        _route("GET", "/operations/{id}", page(operation.page)),
        _route("POST", "/operations/{id}/cancel", page(operation.cancel)),
        _route("POST", "/operations/{id}/retry", page(operation.retry)),
        _route("GET", "/events", events.endpoint),
        _route("GET", "/static/{path:path}", _asset),
    ]

    async def missing(request: Request) -> Response:
        return visitors.failure(request, NotFound(f"there is nothing at {request.url.path}"))

    return Pages(routes, _secured(page(_home)), _secured(missing), feeds)


def _route(method: str, path: str, endpoint: Answer) -> Route:
    secure = [Middleware(SecureHeaders)]
    return Route(path, endpoint, methods=[method], middleware=secure, include_in_schema=False)


async def _asset(request: Request) -> Response:
    """A static file; where the address names the content's digest, browsers keep it for a year.

    Not a `Mount`: that one loses its way when a proxy takes the root path from the address.
    """
    answer = await _ASSETS.get_response(request.path_params["path"], request.scope)
    digest = request.query_params.get("v")
    if answer.status_code == HTTPStatus.OK and digest == asset_digest(request.path_params["path"]):
        answer.headers["Cache-Control"] = _YEAR
    return answer


def _secured(endpoint: Answer) -> Answer:
    """The endpoint with the headers that the page's own routes have from their middleware."""

    async def answer(request: Request) -> Response:
        response = await endpoint(request)
        response.headers.update(SECURITY_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


async def _home(request: Request, visitor: Visitor) -> Response:
    """Operators to the wall, tenants to their own use."""
    home = "wall" if visitor.operator else "project"
    return RedirectResponse(Urls.of(request).page(home), HTTPStatus.SEE_OTHER)
