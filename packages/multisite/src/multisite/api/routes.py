"""The table of contents of the API: every route, and the one place where tokens are asked for."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, get_origin, get_type_hints

from fastapi import APIRouter, FastAPI, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from pydantic import TypeAdapter

from multisite.actions import routes as actions
from multisite.api import healthcheck, versions
from multisite.api.mistakes import MOST_ECHOED, TOLD
from multisite.capacity import routes as capacity
from multisite.capacity.history import routes as history
from multisite.engine import routes as operations
from multisite.errors import BadRequest, Unauthenticated
from multisite.inventory import routes as inventory
from multisite.quotas import routes as quotas
from multisite.quotas.history import routes as quota_history
from multisite.quotas.requests import routes as quota_requests
from multisite.regions import routes as regions
from multisite.usage import routes as usage


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `public` ones need no token."""

    method: str
    path: str
    handler: Callable[..., Any]
    status: int = 200
    public: bool = False


ROUTES = (
    Route("GET", "/v1", versions.version, public=True),
    Route("GET", "/healthcheck", healthcheck.healthcheck, public=True),
    Route("GET", "/v1/regions", regions.list_regions),
    Route("POST", "/v1/regions", regions.create_region, status=201),
    Route("POST", "/v1/regions/discover", regions.discover_regions),
    Route("POST", "/v1/regions/discover/all", regions.discover_all_regions, status=202),
    Route("POST", "/v1/regions/test", regions.test_all_regions, status=202),
    Route("GET", "/v1/regions/{name}", regions.show_region),
    Route("PATCH", "/v1/regions/{name}", regions.update_region),
    Route("DELETE", "/v1/regions/{name}", regions.delete_region, status=204),
    Route("POST", "/v1/regions/{name}/test", regions.test_region),
    Route("GET", "/v1/regions/{name}/health", regions.region_health),
    Route("GET", "/v1/health", regions.list_health),
    Route("GET", "/v1/operations", operations.list_operations),
    Route("GET", "/v1/operations/{id}", operations.show_operation),
    Route("GET", "/v1/operations/{id}/events", operations.follow_operation),
    Route("GET", "/v1/operations/{id}/writes", operations.list_writes),
    Route("POST", "/v1/operations/{id}/cancel", operations.cancel_operation, status=202),
    Route("POST", "/v1/operations/{id}/retry", operations.retry_operation, status=202),
    Route("GET", "/v1/capacity", capacity.list_capacity),
    Route("GET", "/v1/capacity/history", history.show_history),
    Route("GET", "/v1/capacity/{region}", capacity.show_capacity),
    Route("GET", "/v1/usage", usage.list_usage),
    Route("GET", "/v1/usage/{project_id}", usage.show_usage),
    Route("GET", "/v1/quotas", quotas.list_quotas),
    Route("POST", "/v1/quotas/import", quotas.import_quota),
    Route("GET", "/v1/quotas/{project_id}", quotas.show_quota),
    Route("PATCH", "/v1/quotas/{project_id}", quotas.change_quota, status=202),
    Route("DELETE", "/v1/quotas/{project_id}", quotas.unset_quota, status=202),
    Route("POST", "/v1/quotas/{project_id}/plan", quotas.plan_quota),
    Route("POST", "/v1/quotas/{project_id}/balance", quotas.balance_quota, status=202),
    Route("GET", "/v1/quota-classes", quotas.list_classes),
    Route("PATCH", "/v1/quota-classes/{name}", quotas.change_class),
    Route("POST", "/v1/quota-classes/{name}/plan", quotas.plan_class),
    Route("DELETE", "/v1/quota-classes/{name}", quotas.delete_class, status=204),
    Route("GET", "/v1/quota-caps", quotas.list_caps),
    Route("PUT", "/v1/quota-caps", quotas.set_cap),
    Route("GET", "/v1/quota-backends", quotas.list_backends),
    Route("PUT", "/v1/quota-backends/{region}/{service}", quotas.set_backend),
    Route("GET", "/v1/quota-events", quotas.list_events),
    Route("GET", "/v1/quotas/{project_id}/history", quota_history.list_quota_history),
    Route("GET", "/v1/quota-requests", quota_requests.list_quota_requests),
    Route("POST", "/v1/quota-requests", quota_requests.create_quota_request, status=201),
    Route("GET", "/v1/quota-requests/{id}", quota_requests.show_quota_request),
    Route("POST", "/v1/quota-requests/{id}/cancel", quota_requests.cancel_quota_request),
    Route("POST", "/v1/quota-requests/{id}/approve", quota_requests.approve_quota_request, status=202),
    Route("POST", "/v1/quota-requests/{id}/refuse", quota_requests.refuse_quota_request),
    Route("GET", "/v1/inventory/search", inventory.search_inventory),
    Route("GET", "/v1/inventory/keypairs", inventory.list_keypairs),
    Route("GET", "/v1/inventory/offers/{region}", actions.show_offers),
    Route("GET", "/v1/inventory/{kind}", inventory.list_inventory),
    Route("GET", "/v1/inventory/{kind}/{region}/{id}", inventory.show_item),
    *(Route(action.method, action.path, handler, status=202) for action, handler in actions.HANDLERS),
    Route("POST", "/v1/inventory/{kind}/{region}/{id}/{action}", actions.do_something_else, status=404),
)


#: Only for the OpenAPI document: `GuardedRoute` does the checking, before a body is even read.
_TOKEN = APIKeyHeader(name="X-Auth-Token", auto_error=False, description="A token of the home Keystone.")


def _repeatable(field: Any) -> bool:
    """Whether a parameter takes several values."""
    return get_origin(field.field_info.annotation) is list


class StrictRoute(APIRoute):
    """A route that takes no parameter but its own: another one is a typing error."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the look at the parameters."""
        answer = super().get_route_handler()
        known = {field.alias for field in self.dependant.query_params}
        once = known - {field.alias for field in self.dependant.query_params if _repeatable(field)}

        async def strict(request: Request) -> Response:
            unknown = sorted(set(request.query_params) - known)
            if unknown:
                named = ", ".join(repr(each[:MOST_ECHOED]) for each in unknown[:TOLD])
                more = f" and {len(unknown) - TOLD} more" if len(unknown) > TOLD else ""
                path = request.url.path[:MOST_ECHOED]
                raise BadRequest(
                    f"there is no parameter {named}{more} of {request.method} {path}; "
                    f"it takes{': ' + ', '.join(sorted(known)) if known else ' none'}"
                )
            given = [name for name, _ in request.query_params.multi_items()]
            if twice := sorted(name for name in once if given.count(name) > 1):
                raise BadRequest(f"{twice[0]}: give it once")
            return await answer(request)

        return strict


class GuardedRoute(StrictRoute):
    """A route that checks the token before it looks at anything else of the request."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind the check."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await authenticate(request)
            return await answer(request)

        return guarded


async def authenticate(request: Request) -> None:
    """Check the token of a request, and remember who asks."""
    token = request.headers.get("X-Auth-Token")
    if not token:
        raise Unauthenticated("send a token of the home Keystone in X-Auth-Token")
    requester = await request.app.state.authenticator.authenticate(
        token,
        service_token=request.headers.get("X-Service-Token"),
        method=request.method,
        path=request.scope["path"],
    )
    request.state.requester = replace(requester, request_id=request.state.request_id)


def answering(handler: Callable[..., Any], status: int) -> Callable[..., Any]:
    """The handler, whose value is written to JSON once.

    FastAPI would turn the value into plain Python, check that, and write it: for a listing over 1,000
    regions that costs more than all the rest. The annotation still makes the OpenAPI document.
    """
    kind = get_type_hints(handler)["return"]
    if isinstance(kind, type) and issubclass(kind, Response):
        return handler
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    @wraps(handler)
    async def answer(*arguments: Any, **parameters: Any) -> Response:
        value = adapter.dump_json(await handler(*arguments, **parameters))
        return Response(value, status_code=status, media_type="application/json")

    return answer


def add_routes(app: FastAPI) -> None:
    """Put all routes into the application."""
    guarded = APIRouter(route_class=GuardedRoute, dependencies=[Security(_TOKEN)])
    public = APIRouter(route_class=StrictRoute)
    for route in ROUTES:
        (public if route.public else guarded).add_api_route(
            route.path,
            answering(route.handler, route.status),
            methods=[route.method],
            status_code=route.status,
            summary=(route.handler.__doc__ or "").splitlines()[0],
            operation_id=route.handler.__name__,
            tags=[route.path.split("/")[2] if route.path.count("/") > 1 else "service"],
        )
    app.include_router(public)
    app.include_router(guarded)
