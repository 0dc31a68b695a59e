"""Every route of the table, walked with no token, wrong ones, a reader's and a foreigner's.

Each walk is one test: what every route answered is compared with what it has to answer.
"""

from collections.abc import Callable
from typing import Any

import pytest

from multisite.actions.table import ACTIONS
from multisite.api.routes import ROUTES, Route
from tests.integration.service import ALPHA, Answer, Service

PUBLIC = {"GET /v1", "GET /healthcheck"}
FILLED = {
    "{name}": "RegionTwo", "{region}": "RegionTwo", "{project_id}": ALPHA, "{kind}": "servers",
    "{id}": "an-id", "{action}": "rescue", "{service}": "compute",
}  # fmt: skip
#: A body that every writing route takes for well formed, so that only the policy can refuse.
BODIES: dict[str, Any] = {
    "POST /v1/regions": {"name": "new", "credential": "lab-admin"},
    "POST /v1/regions/discover": {"credential": "lab-admin"},
    "POST /v1/regions/discover/all": {"credentials": ["lab-admin"]},
    "POST /v1/regions/test": {},
    "PATCH /v1/regions/{name}": {"generation": 1, "enabled": False},
    "POST /v1/quotas/import": {"project_id": ALPHA},
    "PATCH /v1/quotas/{project_id}": {"limits": {"compute/cores": 1}},
    "POST /v1/quotas/{project_id}/plan": {"limits": {"compute/cores": 1}},
    "POST /v1/quotas/{project_id}/balance": {},
    "POST /v1/quota-requests": {"limits": {"compute/cores": 1}, "reason": "more"},
    "POST /v1/quota-requests/{id}/approve": {},
    "POST /v1/quota-requests/{id}/refuse": {"reason": "no"},
    "PATCH /v1/quota-classes/{name}": {"limits": {"compute/cores": 1}},
    "POST /v1/quota-classes/{name}/plan": {"limits": {"compute/cores": 1}},
    "PUT /v1/quota-caps": {"scope": "domain", "scope_id": "d", "resource": "compute/cores", "limit": 1},
    "PUT /v1/quota-backends/{region}/{service}": {"backend": "classic"},
    "POST /v1/inventory/servers": {
        "region": "RegionTwo", "name": "n", "image_id": "i", "flavor_id": "f", "network_ids": ["w"],
    },
    "POST /v1/inventory/servers/{region}/{id}/reboot": {},
    "POST /v1/inventory/servers/{region}/{id}/resize": {"flavor_id": "f"},
    "POST /v1/inventory/volumes": {"region": "RegionTwo", "name": "n", "size": 1},
    "POST /v1/inventory/volumes/{region}/{id}/attach": {"server_id": "s"},
    "POST /v1/inventory/volumes/{region}/{id}/detach": {},
    "POST /v1/inventory/floating-ips": {"region": "RegionTwo", "network_id": "w"},
    "POST /v1/inventory/floating-ips/{region}/{id}/associate": {"port_id": "p"},
}  # fmt: skip
#: Whether there is such an operation comes before who may.
OF_ONE_OPERATION = {
    *(f"GET /v1/operations/{{id}}{rest}" for rest in ("", "/events", "/writes")),
    *(f"POST /v1/operations/{{id}}/{verb}" for verb in ("cancel", "retry")),
}
#: The same of requests for more quota, and of how a quota was.
OF_ONE_QUOTA = {
    *("GET /v1/quotas/{project_id}", "GET /v1/quotas/{project_id}/history", "GET /v1/quota-requests/{id}"),
    *(f"POST /v1/quota-requests/{{id}}/{verb}" for verb in ("cancel", "approve", "refuse")),
}
#: What a tenant of project alpha may do; all else is 403, or 404 where it must not even show.
TENANTS = {
    "GET /v1/regions": 200,
    "GET /v1/regions/{name}": 200,
    "GET /v1/regions/{name}/health": 200,
    "GET /v1/health": 200,
    "GET /v1/usage": 200,
    "GET /v1/quotas": 200,
    **dict.fromkeys(OF_ONE_QUOTA, 404),  # nothing is governed, and nothing was asked for
    "GET /v1/quota-requests": 200,
    "GET /v1/quota-events": 200,
    "GET /v1/operations": 200,
    **dict.fromkeys(OF_ONE_OPERATION, 404),
    "GET /v1/inventory/search": 200,
    "GET /v1/inventory/keypairs": 200,
    "GET /v1/inventory/offers/{region}": 409,  # the region is disabled, and the policy came first
    "GET /v1/inventory/{kind}": 200,
    "GET /v1/inventory/{kind}/{region}/{id}": 404,
    "POST /v1/inventory/{kind}/{region}/{id}/{action}": 404,
}
#: What acts in a region: readers may not, and members are told that this region is disabled.
ACTING = {f"{action.method} {action.path}" for action in ACTIONS}
USAGE = "GET /v1/usage/{project_id}"
BALANCE = "POST /v1/quotas/{project_id}/balance"
ASK = "POST /v1/quota-requests"


def called(route: Route) -> str:
    return f"{route.method} {route.path}"


def filled(path: str) -> str:
    path = f"{path}?q=anything" if path.endswith("/search") else path
    for name, value in FILLED.items():
        path = path.replace(name, value)
    return path


GUARDED = [route for route in ROUTES if not route.public]
NO_JSON = b"{ this is no JSON"


async def walk(service: Service, token: str | None, *, raw: bytes | None = None) -> dict[str, Answer]:
    """What every guarded route answers to `token`, with a body that is well formed unless `raw` is given."""
    return {
        called(route): await service.call(
            route.method, filled(route.path), token, BODIES.get(called(route)), raw=raw
        )
        for route in GUARDED
    }


def statuses(answers: dict[str, Answer]) -> dict[str, int]:
    return {name: answer.status for name, answer in answers.items()}


def expected(status: Callable[[str], int]) -> dict[str, int]:
    return {called(route): status(called(route)) for route in GUARDED}


def test_the_public_routes_are_these() -> None:
    assert {called(route) for route in ROUTES if route.public} == PUBLIC


def test_the_table_is_the_whole_api(service: Service) -> None:
    operations = {
        f"{method.upper()} {path}"
        for path, item in service.app.openapi()["paths"].items()
        for method in item
        if path != "/"
    }
    assert operations == {called(route) for route in ROUTES}


async def test_without_a_token_401_comes_before_the_body_is_read(service: Service) -> None:
    answers = await walk(service, None, raw=NO_JSON)

    assert statuses(answers) == expected(lambda _: 401)
    assert {answer.error["code"] for answer in answers.values()} == {"unauthenticated"}
    told = {answer.headers["www-authenticate"] for answer in answers.values()}
    assert told == {'Keystone uri="http://127.0.0.1:9/v3"'}
    assert service.authenticator.asked == []


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("wrong", 401, "unauthenticated"),
        ("domain", 403, "project-scope-required"),
        ("away", 503, "keystone-unavailable"),
    ],
)
async def test_a_token_that_does_not_do_says_why(
    service: Service, token: str, status: int, code: str
) -> None:
    answers = await walk(service, token, raw=NO_JSON)

    assert statuses(answers) == expected(lambda _: status)
    assert {answer.error["code"] for answer in answers.values()} == {code}
    asked = [f"{route.method} {filled(route.path).partition('?')[0]}" for route in GUARDED]
    assert service.authenticator.asked == asked


@pytest.mark.parametrize("token", ["reader", "member", "manager", "foreigner"])
async def test_tenants_read_what_is_theirs_and_write_nothing(service: Service, token: str) -> None:
    region = await service.add("RegionTwo", "compute", enabled=False)
    own = 404 if token == "foreigner" else 200  # whose use is asked about is project alpha

    answers = await walk(service, token)

    acting = dict.fromkeys(ACTING, 403 if token == "reader" else 409)
    acting[BALANCE] = 403 if token == "reader" else 404  # nothing is governed
    acting[ASK] = 403 if token == "reader" else 201  # in the token's own project
    assert statuses(answers) == expected(
        lambda name: own if name == USAGE else (TENANTS | acting).get(name, 403)
    )
    for answer in answers.values():
        if answer.status == 403:
            assert answer.error["code"] == "forbidden"
            assert answer.error["detail"].startswith("the policy multisite:")
    assert list(await service.store.select()) == [region]


async def test_a_role_that_no_rule_names_opens_nothing(service: Service) -> None:
    await service.add("RegionTwo", "compute")
    answers = await walk(service, "roleless")
    hidden = {USAGE, "GET /v1/inventory/keypairs", *OF_ONE_OPERATION}
    hidden |= {*OF_ONE_QUOTA, BALANCE}
    assert statuses(answers) == expected(lambda name: 404 if name in hidden else 403)


async def test_a_system_reader_reads_everything_and_writes_nothing(service: Service) -> None:
    region = await service.add("RegionTwo", "compute", enabled=False)
    answers = await walk(service, "system-reader")

    others = {
        **dict.fromkeys(OF_ONE_OPERATION, 404),
        **dict.fromkeys(OF_ONE_QUOTA, 404),
        ASK: 400,  # its token has no project to ask for
        "GET /v1/inventory/offers/{region}": 403,  # what a project may create is told to its members
        "GET /v1/inventory/{kind}/{region}/{id}": 404,
        "POST /v1/inventory/{kind}/{region}/{id}/{action}": 404,
    }
    assert statuses(answers) == expected(
        lambda name: others.get(name, 200 if name.startswith("GET") else 403)
    )
    assert list(await service.store.select()) == [region]


async def test_public_routes_ask_for_no_token(service: Service) -> None:
    found = {path: (await service.call("GET", path, None)).status for path in ("/", "/v1", "/openapi.json")}

    assert found == {"/": 200, "/v1": 200, "/openapi.json": 200}
    assert (await service.call("GET", "/healthcheck", None)).json["database"] == "ok"
    assert service.authenticator.asked == []


async def test_a_route_answers_other_methods_with_405_in_one_form(service: Service) -> None:
    taken = {(route.method, route.path) for route in ROUTES}
    for route in ROUTES:
        other = next(each for each in ("PUT", "DELETE") if (each, route.path) not in taken)
        answer = await service.call(other, filled(route.path))
        assert (answer.status, answer.error["code"]) == (405, "method-not-allowed")
