"""The openstacksdk proxy, as a program uses it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openstack
import pytest
import requests
from openstack import exceptions

from osc_multisite import errors, sdk

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud

README = Path(__file__).parents[3] / "packages/osc-multisite/README.md"


@pytest.fixture
def connection(cloud: Cloud) -> Any:  # noqa: ARG001
    made = openstack.connect(cloud="RegionTwo-admin")
    sdk.register(made)
    return made


def test_the_example_of_the_readme_runs(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    found = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    missing = [{"region": "RegionTwo", "service": "compute", "state": "stale"}]
    cloud.answer("GET", "/v1/regions", {"regions": [cloud.example("REGION")], "links": []})
    cloud.answer("GET", "/v1/capacity", {"regions": [], "totals": {"complete": False, "missing": missing}})
    cloud.answer("GET", "/v1/usage/" + "a1" * 16, cloud.example("PROJECT"))
    cloud.refuse("GET", "/v1/regions/Atlantis", 404, "not-found", "No region is called 'Atlantis'.")
    sentence = (
        "No region is called 'Atlantis' (not-found): `openstack multisite region list` shows the names."
    )

    exec(found[1], {})  # noqa: S102 - our own README

    assert capsys.readouterr().out.splitlines() == [
        "RegionTwo degraded",
        f"without {missing}",
        "{'used': 5, 'reserved': 0, 'limit': 60, 'left': 55}",
        f"not-found {sentence}",
    ]


def test_listings_are_generators_of_plain_dicts(cloud: Cloud, connection: Any) -> None:
    region = cloud.example("REGION")
    cloud.answer("GET", "/v1/regions", {"regions": [region], "links": []})

    listing = connection.multisite.regions()

    assert cloud.calls == []
    assert next(listing) == region
    assert type(region) is dict


def test_a_vendor_hook_of_clouds_yaml_registers_the_proxy(cloud: Cloud) -> None:
    cloud.answer("GET", "/v1/regions/A", cloud.example("REGION"))

    hooked = openstack.connect(cloud="RegionTwo-admin", vendor_hook="osc_multisite.sdk:register")

    assert hooked.multisite.region("A")["name"] == "RegionTwo"


def test_the_endpoint_may_be_given_in_the_program(cloud: Cloud) -> None:
    given = openstack.connect(cloud="RegionTwo-admin", multisite_endpoint_override="http://given:8118/")
    sdk.register(given)
    cloud.answer("GET", "/v1/regions/A", cloud.example("REGION"))

    given.multisite.region("A")

    assert cloud.calls[-1].host == "given:8118"


def test_capacity_joins_its_pages(cloud: Cloud, connection: Any) -> None:
    one, two = (cloud.example("CAPACITY", region=name) for name in ("RegionOne", "RegionTwo"))
    following = [{"rel": "next", "href": "/v1/capacity?marker=RegionOne"}]
    totals = {"complete": True, "missing": []}
    cloud.answer(
        "GET",
        "/v1/capacity",
        {"regions": [one], "totals": totals, "links": following},
        {"regions": [two], "totals": totals, "links": []},
    )

    answer = connection.multisite.capacity()

    assert [region["region"] for region in answer["regions"]] == ["RegionOne", "RegionTwo"]
    assert answer["totals"] == totals


def test_health_of_one_region(cloud: Cloud, connection: Any) -> None:
    health = cloud.example("HEALTH")
    cloud.answer("GET", "/v1/regions/RegionTwo/health", {"services": [health]})

    assert connection.multisite.region_health("RegionTwo") == [health]


def test_usage_is_that_of_the_tokens_project(cloud: Cloud, connection: Any) -> None:
    cloud.answer("GET", "/v1/usage/" + "a1" * 16, cloud.example("PROJECT"))

    assert connection.multisite.usage()["project_name"] == "alpha"


@pytest.mark.parametrize(
    ("status", "error", "sdk_error"),
    [
        (400, errors.BadRequest, exceptions.BadRequestException),
        (403, errors.Forbidden, exceptions.ForbiddenException),
        (404, errors.NotFound, exceptions.NotFoundException),
        (409, errors.Conflict, exceptions.ConflictException),
        (503, errors.ApiError, exceptions.HttpException),
    ],
)
def test_errors_are_those_of_openstacksdk_with_a_code(
    cloud: Cloud, connection: Any, status: int, error: type[Exception], sdk_error: type[Exception]
) -> None:
    cloud.refuse("GET", "/v1/regions/A", status, "some-code", "It is so.")

    with pytest.raises(error) as caught:
        connection.multisite.region("A")

    assert isinstance(caught.value, sdk_error)
    assert caught.value.code == "some-code"  # type: ignore[attr-defined]
    assert caught.value.status_code == status  # type: ignore[attr-defined]
    assert caught.value.request_id == "req-7"  # type: ignore[attr-defined]


def test_other_services_work_without_multisite(cloud: Cloud, connection: Any) -> None:
    cloud.catalog = [service for service in cloud.catalog if service["type"] != "multisite"]

    assert connection.identity.get("/projects").status_code == 404
    with pytest.raises(errors.NoEndpoint):
        _ = connection.multisite


def test_the_configured_timeout_is_kept(
    cloud: Cloud, connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    cloud.answer("GET", "/v1/regions/A", cloud.example("REGION"))

    def send(_adapter: object, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        seen.append(options["timeout"])
        return cloud.send(request)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)

    connection.multisite.region("A")
    connection.session.timeout = 7.0
    connection.multisite.region("A")

    assert seen[-2:] == [sdk.TIMEOUT, 7.0]


def test_the_proxy_says_where_the_service_is(connection: Any) -> None:
    assert connection.multisite.get_endpoint() == "http://multisite.example:8118"
