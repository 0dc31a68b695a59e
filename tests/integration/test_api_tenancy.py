"""Nothing of operators and of other projects leaves by any route that a tenant may call."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from multisite.clock import FixedClock
from multisite.regions.health import HealthRecord
from multisite.regions.model import Maintenance
from multisite.regions.states import CallError, Last
from multisite.usage.model import resource_usage
from multisite.usage.store import TrackedProject, UsageReading, UsageStore
from tests.integration.service import ALPHA, BETA, Service

DETAIL = "GET http://10.9.8.7/compute: connection refused by internal-host"
#: What no answer to a tenant may hold.
SECRETS = ("secret-entry", "10.9.8.7", "internal-host", "-catalog", BETA, "beta-name", "97531")
ROUTES = (
    "/v1/regions",
    "/v1/regions/RegionTwo",
    "/v1/regions/RegionTwo/health",
    "/v1/health",
    "/v1/health?service=compute",
    "/v1/usage",
    f"/v1/usage/{ALPHA}",
    "/v1/usage?sort=compute/cores",
)


@pytest_asyncio.fixture
async def full(service: Service, clock: FixedClock) -> AsyncIterator[Service]:
    """A region with an unreachable service, two projects with use of it, and errors with addresses."""
    now = clock.now()
    region = await service.add(
        "RegionTwo",
        "compute",
        "volume",
        maintenance=Maintenance("new disks", now + timedelta(hours=1)),
        labels={"country": "no"},
        dashboard_url="https://horizon.example/",
        sweep_interval=97531 % 86400,
    )
    error = CallError("connection-refused", DETAIL)
    failing = HealthRecord("RegionTwo", "compute", Last(now - timedelta(minutes=1), now), error, latency=3.0)
    await service.store.write_health([failing, HealthRecord("RegionTwo", "volume", Last(now))])
    usage = UsageStore(service.assembly.database)
    await usage.track(
        [TrackedProject(ALPHA, "reader", "Default"), TrackedProject(BETA, "beta-name", "Default")], now
    )
    for project, used in ((ALPHA, 3), (BETA, 97531)):
        await usage.write(
            project,
            region.id,
            [
                UsageReading("volume", now, {"volume/volumes": resource_usage(used, 100000)}),
                UsageReading("compute", now, error=error),
            ],
        )
    yield service


async def test_no_answer_to_a_tenant_holds_what_is_not_theirs(full: Service) -> None:
    for token in ("reader", "member", "manager"):
        for route in ROUTES:
            answer = await full.call("GET", route, token)
            assert answer.status == 200, route
            leaks = [secret for secret in SECRETS if secret in answer.text]
            assert leaks == [], (route, leaks)


async def test_the_same_answers_to_an_operator_do_hold_it(full: Service) -> None:
    """So that the test above can fail."""
    found = "".join([(await full.call("GET", route)).text for route in ROUTES if ALPHA not in route])
    assert [secret for secret in SECRETS if secret not in found] == []


async def test_a_tenant_sees_a_region_with_codes_of_errors_and_nulls_for_the_rest(full: Service) -> None:
    region = (await full.call("GET", "/v1/regions/RegionTwo", "reader")).json

    assert region["state"] == "degraded"
    assert region["services"]["compute"]["error"] == {"code": "connection-refused", "detail": None}
    assert region["maintenance"]["reason"] == "new disks"
    assert (region["labels"], region["dashboard_url"]) == ({"country": "no"}, "https://horizon.example/")
    hidden = ("region_name", "credential", "interface", "identity", "sweep_interval", "generation")
    assert [region[name] for name in hidden] == [None] * len(hidden)


async def test_a_tenant_sees_health_without_endpoints(full: Service) -> None:
    services = (await full.call("GET", "/v1/regions/RegionTwo/health", "reader")).json["services"]
    compute = next(item for item in services if item["service"] == "compute")

    assert compute["state"] == "unreachable"
    assert compute["endpoint"] is None
    assert compute["last_error"] == {"code": "connection-refused", "detail": None}
    operators = (await full.call("GET", "/v1/regions/RegionTwo/health")).json["services"]
    assert DETAIL in str(operators)


async def test_a_tenant_sees_its_own_use_only_and_that_it_is_not_complete(full: Service) -> None:
    listing = (await full.call("GET", "/v1/usage", "reader")).json["projects"]

    assert [project["project_id"] for project in listing] == [ALPHA]
    assert listing[0]["resources"]["volume/volumes"] == {
        "used": 3,
        "reserved": 0,
        "limit": 100000,
        "left": 99997,
    }
    assert not listing[0]["complete"]
    assert {"region": "RegionTwo", "service": "compute", "state": "unreachable"} in listing[0]["missing"]


async def test_another_project_and_one_that_is_none_look_the_same(full: Service) -> None:
    other = await full.call("GET", f"/v1/usage/{BETA}", "reader")
    none = await full.call("GET", f"/v1/usage/{'f' * 32}", "reader")

    assert (other.status, none.status) == (404, 404)
    assert other.error["detail"].replace(BETA, "") == none.error["detail"].replace("f" * 32, "")
    assert other.error["code"] == none.error["code"] == "not-found"


async def test_an_operator_sees_every_followed_project_most_used_first(full: Service) -> None:
    listing = (await full.call("GET", "/v1/usage?sort=volume/volumes")).json["projects"]
    assert [project["project_id"] for project in listing] == [BETA, ALPHA]
    by_name = (await full.call("GET", "/v1/usage")).json["projects"]
    assert [project["project_name"] for project in by_name] == ["beta-name", "reader"]
