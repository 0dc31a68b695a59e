"""Whatever goes wrong is answered in one form: API-SIG's, with a stable code."""

from typing import Any

import pytest

from multisite.errors import DatabaseAway
from tests.integration.service import ALPHA, Service


async def refused(service: Service, status: int, code: str, *call: Any, **more: Any) -> str:
    """The sentence of a refusal, which has to have that status and code."""
    answer = await service.call(*call, **more)
    assert (answer.status, answer.error["code"]) == (status, code), answer.text
    return str(answer.error["detail"])


async def test_a_path_that_is_none(service: Service) -> None:
    assert "/v1/nothing" in await refused(service, 404, "not-found", "GET", "/v1/nothing")


async def test_a_region_that_is_none(service: Service) -> None:
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/health"),
        ("POST", "/test"),
    ):
        said = await refused(service, 404, "not-found", method, f"/v1/regions/nowhere{path}")
        assert said == "there is no region called 'nowhere'"
    await refused(service, 404, "not-found", "GET", "/v1/capacity/nowhere")
    await refused(service, 404, "not-found", "PATCH", "/v1/regions/nowhere", "operator", {"generation": 1})


async def test_a_body_that_is_no_json(service: Service) -> None:
    for raw in (b"{", b"", b"[1", b"\xff\xfe", b"[" * 100_000, b'{"name": "\\ud800", "credential": "c"}'):
        await refused(service, 400, "bad-request", "POST", "/v1/regions", raw=raw)


async def test_a_body_that_is_not_well_formed_says_what_and_where(service: Service) -> None:
    bodies: list[tuple[Any, str]] = [
        ({}, "name: "),
        ([], "body: "),
        ({"name": "r", "credential": "c", "colour": "red"}, "colour: "),
        ({"name": "a b", "credential": "c"}, "name: "),
        ({"name": "../etc", "credential": "c"}, "name: "),
        ({"name": "r\n", "credential": "c"}, "name: "),
        ({"name": "r" * 256, "credential": "c"}, "name: "),
        ({"name": "r", "credential": ""}, "credential: "),
        ({"name": "r", "credential": "c\x00"}, "credential: "),
        ({"name": "r", "credential": "c", "interface": "side"}, "interface: "),
        ({"name": "r", "credential": "c", "position": 2**31}, "position: "),
        ({"name": "r", "credential": "c", "sweep_interval": 0}, "sweep_interval: "),
        ({"name": "r", "credential": "c", "dashboard_url": "javascript:alert(1)"}, "dashboard_url: "),
        ({"name": "r", "credential": "c", "labels": {"": "x"}}, "labels"),
        ({"name": "r", "credential": "c", "labels": {"a": "x\x00"}}, "labels"),
    ]
    for body, said in bodies:
        assert said in await refused(service, 400, "bad-request", "POST", "/v1/regions", "operator", body)
    assert await service.store.select() == []


async def test_a_query_that_is_not_well_formed(service: Service) -> None:
    for query in (
        "regions?limit=0",
        "regions?limit=1001",
        "regions?limit=x",
        "regions?label=country",
        "regions?marker=nowhere",
        "regions?label=" + "&label=".join(["a=b"] * 65),
        "capacity?fresh=perhaps",
        "usage?sort=cores",
        "usage?limit=-1",
    ):
        await refused(service, 400, "bad-request", "GET", f"/v1/{query}")


async def test_odd_names_are_mistakes_of_the_request_on_every_database(service: Service) -> None:
    for path in (
        "/v1/regions/%00",
        "/v1/regions?region=%00",
        "/v1/capacity/%00",
        "/v1/capacity?region=%00",
        "/v1/health?region=a%00b",
        "/v1/health?service=%00",
        "/v1/regions/" + "r" * 300,
        "/v1/usage/" + "p" * 65,
        "/v1/usage/%00",
        "/v1/usage?region=%00",
        "/v1/regions?marker=%00",
        "/v1/regions?label=a%3D%00",
        "/v1/regions/%F0%9F%A6%8A",
    ):
        answer = await service.call("GET", path)
        assert answer.status in {200, 400, 404}, (path, answer.text)


async def test_a_moment_outside_all_calendars_is_a_mistake_of_the_request(service: Service) -> None:
    await service.add("RegionTwo")
    for ends_at in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "2026-11-22T12:00:00"):
        body = {"generation": 1, "maintenance": {"reason": "disks", "ends_at": ends_at}}
        said = await refused(service, 400, "bad-request", "PATCH", "/v1/regions/RegionTwo", "operator", body)
        assert "ends_at" in said


@pytest.mark.parametrize("path", ["/v1/capacity/history", f"/v1/quotas/{ALPHA}/history"])
async def test_a_moment_at_an_end_of_the_calendar_is_none_to_ask_for(service: Service, path: str) -> None:
    for name, at in (("until", "0001-01-01T00:00:00Z"), ("since", "9999-12-31T23:59:59-12:00")):
        said = await refused(service, 400, "bad-request", "GET", f"{path}?{name}={at}", "operator")
        assert f"{name}: " in said
        assert "is beyond the calendar" in said


async def test_a_body_that_is_too_large_is_not_read(service: Service) -> None:
    said = await refused(service, 413, "too-large", "POST", "/v1/regions", raw=b" " * (1024 * 1024 + 1))
    assert "larger than 1048576 bytes" in said
    assert service.authenticator.asked == []


async def test_a_chunked_body_is_not_taken(service: Service) -> None:
    await refused(
        service, 400, "bad-request", "POST", "/v1/regions", headers={"transfer-encoding": "gzip, Chunked"}
    )


async def test_a_version_that_is_not_served_is_406(service: Service) -> None:
    for header in ("multisite 1.1", "multisite 0.1", "multisite x"):
        sent = {"OpenStack-API-Version": header}
        await refused(service, 406, "unsupported-version", "GET", "/v1/regions", headers=sent)


async def test_the_version_is_echoed_and_varied_on(service: Service) -> None:
    for header in (
        {},
        {"OpenStack-API-Version": "multisite latest"},
        {"OpenStack-API-Version": "compute 2.1"},
    ):
        answer = await service.call("GET", "/v1/regions", headers=header)
        assert answer.headers["openstack-api-version"] == "multisite 1.0"
        assert "openstack-api-version" in answer.headers["vary"].lower()


async def test_a_mistake_of_ours_is_500_in_the_same_form_and_tells_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stumble(_names: object = ()) -> None:
        raise RuntimeError("secret-entry at http://10.9.8.7")

    monkeypatch.setattr(service.assembly.regions, "views", stumble)
    answer = await service.call("GET", "/v1/regions")

    assert (answer.status, answer.error["code"]) == (500, "internal-error")
    assert "secret-entry" not in answer.text


async def test_a_database_that_is_away_is_503(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise DatabaseAway("the database postgresql://multisite@10.9.8.7/x cannot be used: no route")

    monkeypatch.setattr(service.assembly.database, "read", away)
    told = await service.call("GET", "/v1/regions")
    assert (told.status, told.error["code"]) == (503, "database-unavailable")
    assert told.error["detail"] == "the database cannot be used now; the log of the service says why"
    assert "10.9.8.7" not in told.text
    [line] = [each for each in caplog.messages if "10.9.8.7" in each]
    assert line.startswith(told.headers["x-openstack-request-id"])
    health = await service.call("GET", "/healthcheck", None)
    assert (health.status, health.json["database"]) == (503, "unavailable")


async def test_every_answer_carries_its_own_request_id(service: Service) -> None:
    ids = {
        (await service.call("GET", path, token)).headers["x-openstack-request-id"]
        for path, token in (
            ("/v1", None),
            ("/v1/regions", None),
            ("/v1/regions", "reader"),
            ("/nothing", None),
        )
    }
    assert len(ids) == 4
    assert all(item.startswith("req-") for item in ids)


async def test_a_request_id_of_the_client_is_not_taken_for_ours(service: Service) -> None:
    theirs = "req-00000000-0000-0000-0000-000000000000"
    answer = await service.call("GET", "/v1", None, headers={"X-OpenStack-Request-Id": theirs})
    assert answer.headers["x-openstack-request-id"] != theirs


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("path", ["/nothing", "/wall/", "/static/nothing.css", "/v10/regions"])
async def test_a_browser_gets_a_page_for_a_path_that_is_none(service: Service, path: str) -> None:
    answer = await service.call("GET", path, None, headers={"accept": BROWSER})
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert f"there is nothing at {path}" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/v1/nothing", BROWSER),
        ("/v1", "text/html;q=0"),
        ("/nothing", "*/*"),
        ("/nothing", "application/json"),
        ("/nothing", "application/json, text/html;q=0.5"),
        ("/nothing", "text/html;q=0, */*"),
        ("/nothing", "text/html;q=x"),
        ("/nothing", ""),
    ],
)
async def test_everybody_else_gets_json(service: Service, path: str, accept: str) -> None:
    answer = await service.call("GET", path, "operator", headers={"accept": accept})
    assert answer.headers["content-type"] == "application/json"
