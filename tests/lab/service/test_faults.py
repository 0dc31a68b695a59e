"""What must be seen, 2: parts of a region die, hang and come back; the others never notice."""

import time
from typing import Any

import pytest

from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually

pytestmark = pytest.mark.lab

#: Seconds within which a stored answer has to come, whatever is dead. Far above the real figure (10 ms):
#: this tells "did not wait for the region" from "waited for it".
PROMPT = 3.0


def states(capacity: Any, region: str) -> dict[str, str]:
    found = next(item for item in capacity["regions"] if item["region"] == region)
    return {"region": found["state"]} | {name: item["state"] for name, item in found["services"].items()}


def assert_others_fresh(capacity: Any, but: str) -> None:
    for region in capacity["regions"]:
        if region["region"] != but:
            assert region["state"] == "fresh", region


def missing(capacity: Any) -> set[tuple[str, str]]:
    return {(item["region"], item["service"]) for item in capacity["totals"]["missing"]}


def test_a_stopped_region_is_unreachable_and_comes_back_alone(fresh: Cloud, admin: Api, lab: Any) -> None:
    whole = admin.get("/v1/capacity")["totals"]["placement"]["resources"]["VCPU"]["total"]
    lab.stop("RegionThree")
    capacity = eventually(
        lambda: admin.get("/v1/capacity"),
        lambda answer: states(answer, "RegionThree")["region"] == "unreachable",
    )
    assert_others_fresh(capacity, but="RegionThree")
    assert capacity["totals"]["complete"] is False
    services = ("compute", "placement", "volume", "network", "image")
    assert missing(capacity) == {("RegionThree", service) for service in services}
    dead = next(item for item in capacity["regions"] if item["region"] == "RegionThree")
    assert dead["placement"]["resources"]["VCPU"]["total"] == 16, (
        "the last figures stay in the region's own row"
    )
    assert capacity["totals"]["placement"]["resources"]["VCPU"]["total"] == whole - 16

    def code() -> str:
        """A connection that was kept open is reset first; every new one is refused."""
        [region] = admin.get("/v1/capacity", region="RegionThree")["regions"]
        return str(region["services"]["compute"]["error"]["code"])

    eventually(code, lambda found: found == "connection-refused")
    lab.start("RegionThree")
    capacity = eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)
    assert capacity["totals"]["complete"] is True
    assert fresh.service.answers()


def test_only_its_cinder(fresh: Cloud, admin: Api, lab: Any) -> None:
    lab.stop("RegionThree:cinder")
    capacity = eventually(
        lambda: admin.get("/v1/capacity"),
        lambda answer: states(answer, "RegionThree")["volume"] == "unreachable",
    )
    found = states(capacity, "RegionThree")
    assert found.pop("region") == "degraded"
    assert found == {
        "compute": "fresh",
        "placement": "fresh",
        "volume": "unreachable",
        "network": "fresh",
        "image": "fresh",
    }
    assert missing(capacity) == {("RegionThree", "volume")}
    assert_others_fresh(capacity, but="RegionThree")
    lab.start("RegionThree:cinder")
    eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)
    assert fresh.service.answers()


def test_a_hanging_nova_is_a_timeout_and_delays_nobody(fresh: Cloud, admin: Api, lab: Any) -> None:
    lab.pause("RegionThree:nova-api")
    capacity = eventually(
        lambda: admin.get("/v1/capacity"),
        lambda answer: states(answer, "RegionThree")["compute"] == "unreachable",
    )
    assert_others_fresh(capacity, but="RegionThree")
    started = time.monotonic()
    admin.get("/v1/capacity")
    assert time.monotonic() - started < PROMPT
    started = time.monotonic()
    capacity = admin.get("/v1/capacity", fresh="true")
    assert time.monotonic() - started < 10 + PROMPT, "fresh=true has a deadline of 10 s here"
    assert states(capacity, "RegionThree")["placement"] == "fresh"
    [health] = admin.get("/v1/health", region="RegionThree", service="compute")["services"]
    assert health["last_error"]["code"] in {"timeout", "breaker-open"}
    eventually(
        lambda: admin.get("/v1/health", region="RegionThree", service="compute")["services"][0]["breaker"],
        lambda breaker: breaker == "open",
    )
    lab.resume("RegionThree:nova-api")
    eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)
    assert fresh.service.answers()


def test_keystone_away_is_503_and_the_service_recovers(fresh: Cloud, admin: Api, lab: Any) -> None:
    lab.stop("keystone")
    answer = eventually(
        lambda: admin.request("GET", "/v1/regions"), lambda response: response.status_code == 503
    )
    [error] = answer.json()["errors"]
    assert error["code"] == "keystone-unavailable"
    wrong = Api(fresh.service.url, "never-a-token").request("GET", "/v1/regions")
    assert wrong.status_code == 503, "Keystone away is never 401"
    assert Api(fresh.service.url, "").request("GET", "/healthcheck").json()["keystone"] == "unavailable"
    lab.start("keystone")
    capacity = eventually(lambda: fresh.api("RegionOne-admin").get("/v1/capacity"), all_fresh, seconds=120)
    assert capacity["totals"]["complete"] is True


def test_a_hanging_keystone_is_503_too(fresh: Cloud, admin: Api, lab: Any) -> None:
    lab.pause("keystone")
    answer = eventually(
        lambda: admin.request("GET", "/v1/regions"), lambda response: response.status_code != 200, seconds=90
    )
    assert answer.status_code == 503, answer.text
    lab.resume("keystone")
    eventually(lambda: fresh.api("RegionOne-admin").get("/v1/capacity"), all_fresh, seconds=120)


def test_a_disabled_region_is_left_alone_and_makes_no_total_incomplete(fresh: Cloud, admin: Api) -> None:
    region = admin.get("/v1/regions/RegionThree")
    answer = admin.request(
        "PATCH", "/v1/regions/RegionThree", json={"generation": region["generation"], "enabled": False}
    )
    assert answer.status_code == 200, answer.text
    try:
        capacity = admin.get("/v1/capacity")
        assert states(capacity, "RegionThree")["region"] == "disabled"
        assert capacity["totals"]["complete"] is True
        assert capacity["totals"]["placement"]["providers"] == 3
    finally:
        generation = answer.json()["generation"]
        admin.request("PATCH", "/v1/regions/RegionThree", json={"generation": generation, "enabled": True})
    eventually(lambda: admin.get("/v1/capacity"), all_fresh)
    assert fresh.service.answers()
