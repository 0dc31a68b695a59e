"""`openstack multisite health list`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]


def test_a_row_per_service(cloud: Cloud, openstack: Openstack) -> None:
    error = {"code": "timeout", "detail": "GET http://10.0.0.1 took too long"}
    ill = cloud.example("HEALTH", state="unreachable", latency=None, last_error=error, breaker="open")
    cloud.answer("GET", "/v1/health", {"services": [cloud.example("HEALTH"), ill], "links": []})

    first, second = openstack("health", "list", "-f", "json").json
    table = openstack("health", "list").out

    assert first["Latency"] == 41.7
    assert (second["Latency"], second["Breaker"], second["Last Error"]) == (None, "open", error)
    assert "| timeout: GET http://10.0.0.1 took too long | open" in table


def test_long_shows_every_field_of_the_contract(cloud: Cloud, openstack: Openstack) -> None:
    health = cloud.example("HEALTH")
    cloud.answer("GET", "/v1/health", {"services": [health], "links": []})

    (row,) = openstack("health", "list", "--long", "-f", "json").json

    assert {title.lower().replace(" ", "_"): value for title, value in row.items()} == health


def test_errors_are_cut_in_the_short_table_only(cloud: Cloud, openstack: Openstack) -> None:
    error = {"code": "keystone-unreachable", "detail": "refused again and " * 20 + "again"}
    cloud.answer("GET", "/v1/health", {"services": [cloud.example("HEALTH", last_error=error)], "links": []})

    assert "… | closed" in openstack("health", "list").out
    assert "and again |" in openstack("health", "list", "--long").out
    assert openstack("health", "list", "-f", "json").json[0]["Last Error"] == error


def test_filters(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/health", {"services": [], "links": []})

    openstack("health", "list", "--region", "A", "--service", "compute", "--service", "volume")

    assert cloud.calls[-1].query == [("region", "A"), ("service", "compute"), ("service", "volume")]
