"""The application: API and page in one ASGI program."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from multisite import __version__
from multisite.api import errors
from multisite.api.auth import Authenticator
from multisite.api.middleware import Envelope
from multisite.api.routes import add_routes
from multisite.api.secrets import page_key
from multisite.api.versions import versions
from multisite.assembly import Assembly
from multisite.web.inventory.services import InventoryServices
from multisite.web.pages import Pages, create_pages
from multisite.web.services import Services
from multisite.web.session import SessionSealer


def create_app(assembly: Assembly) -> FastAPI:
    """The application over the parts of `assembly`, which it starts and stops."""
    settings = assembly.settings
    authenticator = Authenticator(settings.oslo)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await assembly.start()
        yield
        await assembly.stop()
        authenticator.close()

    app = FastAPI(
        title="multisite",
        version=__version__,
        summary="One service over many OpenStack regions.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.public_url = settings.api.public_url
    app.state.authenticator = authenticator
    app.state.regions = assembly.regions
    app.state.capacity = assembly.capacity
    app.state.history = assembly.history
    app.state.usage = assembly.usage
    app.state.quotas = assembly.quotas
    app.state.quota_rules = assembly.quota_rules
    app.state.quota_history = assembly.quota_history
    app.state.quota_requests = assembly.quota_requests
    app.state.inventory = assembly.inventory
    app.state.search = assembly.search
    app.state.keypairs = assembly.keypairs
    app.state.actions = assembly.actions
    app.state.offers = assembly.offers
    app.state.home = assembly.home
    app.state.operations = assembly.operations
    app.state.sweep_status = assembly.sweep_status
    app.state.sweep_regions = lambda: assembly.scheduler.status.regions
    app.state.database_trouble = lambda: assembly.database.room.trouble
    app.state.pages = _pages(assembly, authenticator) if settings.page.enabled else None
    errors.install(app, settings.home_auth_url)
    add_routes(app)
    _add_root(app, app.state.pages)
    app.add_middleware(Envelope)
    return app


def _pages(assembly: Assembly, authenticator: Authenticator) -> Pages:
    services = Services(
        authenticator=authenticator,
        keystone=assembly.home,
        regions=assembly.regions,
        capacity=assembly.capacity,
        usage=assembly.usage,
        history=assembly.history,
        operations=assembly.operations,
        inventory=InventoryServices(
            items=assembly.inventory,
            relations=assembly.relations,
            projects=assembly.relations,
            search=assembly.search,
            keypairs=assembly.keypairs,
            filters=assembly.filters,
            actions=assembly.actions,
            offers=assembly.offers,
            policy=assembly.policy,
        ),
        quotas=assembly.quotas,
        quota_rules=assembly.quota_rules,
        quota_history=assembly.quota_history,
        quota_requests=assembly.quota_requests,
    )
    sealer = SessionSealer(page_key(assembly.settings.page.secret_file))
    interval = assembly.settings.page.events_interval
    return create_pages(services, sealer, assembly.clock, event_interval=interval)


def _add_root(app: FastAPI, pages: Pages | None) -> None:
    """`/`: the versions for API clients, the page for browsers."""

    async def root(request: Request) -> Response:
        if pages and "text/html" in request.headers.get("accept", ""):
            return await pages.home(request)
        return JSONResponse(await versions(request))

    app.add_api_route(
        "/", root, methods=["GET"], response_model=None, summary="The versions that are served."
    )
    if pages:
        app.router.routes.extend(pages.routes)
