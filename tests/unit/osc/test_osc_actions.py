"""`openstack multisite server create`, `… stop`, `volume attach` and so on, as a user types them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Call, Cloud, Outcome

Openstack = Callable[..., "Outcome"]
UUID = "408c55d6-0000-4000-8000-000000000001"
OTHER = "408c55d6-0000-4000-8000-000000000002"
KEY = re.compile(r"[0-9a-f-]{36}")


def item(kind: str = "server", item_id: str = UUID, name: str = "web", **fields: Any) -> dict[str, Any]:
    known = {"region": "RegionTwo", "kind": kind, "id": item_id, "name": name, "status": "ACTIVE"}
    more = {"project_id": "p", "project_name": "alpha", "user_id": "u", "addresses": [], "attributes": {}}
    unknown = dict.fromkeys(("created_at", "updated_at", "observed_at", "dashboard_url"))
    return known | more | unknown | {"state": "fresh"} | fields


def acted(one: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "action": "x", "region": "RegionTwo", "id": UUID, "request_id": "req-1", "region_request_id": "req-2",
        "repeated": False, "item": one,
    }  # fmt: skip


def listed(cloud: Cloud, kind: str, *items: dict[str, Any]) -> None:
    cloud.answer(
        "GET", f"/v1/inventory/{kind}", {"items": list(items), "complete": True, "missing": [], "links": []}
    )


def offer(cloud: Cloud, *flavors: str, complete: bool = True) -> None:
    found = [
        {"id": f"id-{name}", "name": name, "vcpus": 1, "ram": 1, "disk": 1, "fits": 1} for name in flavors
    ]
    cloud.answer(
        "GET", "/v1/inventory/offers/RegionTwo", {"flavors": found, "complete": complete, "missing": []}
    )


def written(cloud: Cloud) -> Call:
    (call,) = [each for each in cloud.calls if each.method != "GET"]
    return call


CREATE = (
    *("server", "create", "--region", "RegionTwo", "--image", "debian", "--flavor", "m1.small"),
    *("--network", "lan", "web"),
)


def ready_to_create(cloud: Cloud) -> None:
    listed(cloud, "images", item("image", "i1", "debian"), item("image", "i2", "debian-old"))
    listed(cloud, "networks", item("network", "n1", "lan"))
    offer(cloud, "m1.small")


def test_a_server_is_created_by_names_and_shown(cloud: Cloud, openstack: Openstack) -> None:
    ready_to_create(cloud)
    cloud.answer("POST", "/v1/inventory/servers", acted(item()))
    done = openstack(*CREATE, "-f", "json")
    assert done.status == 0, done.err
    assert (done.json["id"], done.json["region"]) == (UUID, "RegionTwo")
    call = written(cloud)
    assert call.body == {
        "region": "RegionTwo", "name": "web", "image_id": "i1", "flavor_id": "id-m1.small",
        "network_ids": ["n1"], "security_groups": [],
    }  # fmt: skip
    assert KEY.fullmatch(call.headers["Idempotency-Key"])


def test_after_a_lost_answer_the_key_is_told(cloud: Cloud, openstack: Openstack) -> None:
    ready_to_create(cloud)
    cloud.refuse("POST", "/v1/inventory/servers", 504, "region-answer-lost", "it may have been done")
    done = openstack(*CREATE)
    key = written(cloud).headers["Idempotency-Key"]
    assert done.status == 1
    assert f"--idempotency-key {key}" in done.err
    assert "region-answer-lost" in done.err
    cloud.calls.clear()
    openstack(*CREATE, "--idempotency-key", key)
    assert written(cloud).headers["Idempotency-Key"] == key


def test_the_key_is_told_when_multisite_itself_does_not_answer(cloud: Cloud, openstack: Openstack) -> None:
    ready_to_create(cloud)
    cloud.fail("POST", "/v1/inventory/servers", requests.exceptions.ReadTimeout("read timed out"))
    assert "--idempotency-key" in openstack(*CREATE).err


def test_no_key_is_told_when_the_region_refused(cloud: Cloud, openstack: Openstack) -> None:
    ready_to_create(cloud)
    cloud.refuse("POST", "/v1/inventory/servers", 403, "region-refused", "region 'RegionTwo' refused: Quota")
    done = openstack(*CREATE)
    assert (done.status, "Quota" in done.err, "--idempotency-key" in done.err) == (1, True, False)


def test_a_flavor_that_is_not_offered_is_told_with_those_that_are(cloud: Cloud, openstack: Openstack) -> None:
    ready_to_create(cloud)
    offer(cloud, "m1.tiny", "m1.large")
    done = openstack(*CREATE)
    assert (done.status, done.out) == (1, "")
    assert "no flavor 'm1.small'; it offers: m1.tiny, m1.large" in done.err
    offer(cloud, complete=False)
    cloud.answer("POST", "/v1/inventory/servers", acted(item()))
    assert openstack(*CREATE).status == 0


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (("server", "start", "web"), "servers/RegionTwo/{}/start", None),
        (("server", "stop", "web"), "servers/RegionTwo/{}/stop", None),
        (("server", "reboot", "web"), "servers/RegionTwo/{}/reboot", {"type": "soft"}),
        (("server", "reboot", "--hard", "web"), "servers/RegionTwo/{}/reboot", {"type": "hard"}),
        (
            ("server", "resize", "--flavor", "m1.small", "web"),
            "servers/RegionTwo/{}/resize",
            {"flavor_id": "id-m1.small"},
        ),
        (("server", "resize", "confirm", "web"), "servers/RegionTwo/{}/confirm-resize", None),
        (("server", "resize", "revert", "web"), "servers/RegionTwo/{}/revert-resize", None),
        (("server", "delete", "web"), "servers/RegionTwo/{}", None),
    ],
)
def test_a_server_with_one_name_needs_no_region(
    cloud: Cloud, openstack: Openstack, words: tuple[str, ...], path: str, body: Any
) -> None:
    listed(cloud, "servers", item(), item(item_id=OTHER, name="web-2"))
    offer(cloud, "m1.small")
    method = "DELETE" if "delete" in words else "POST"
    cloud.answer(method, "/v1/inventory/" + path.format(UUID), acted())
    done = openstack(*words)
    assert (done.status, done.out) == (0, ""), done.err
    call = written(cloud)
    assert (call.method, call.body) == (method, body)


def test_several_of_a_name_are_told_and_nothing_is_done(cloud: Cloud, openstack: Openstack) -> None:
    listed(cloud, "servers", item(), item(item_id=OTHER, region="RegionOne"))
    done = openstack("server", "stop", "web")
    assert done.status == 1
    assert f"Several servers are called 'web': {UUID} in RegionTwo, {OTHER} in RegionOne" in done.err
    assert all(call.method == "GET" for call in cloud.calls)


def test_a_name_that_nobody_has_is_told(cloud: Cloud, openstack: Openstack) -> None:
    listed(cloud, "servers", item(name="web-2"))
    done = openstack("server", "stop", "--region", "RegionTwo", "web")
    assert (done.status, "No server 'web' is known in region 'RegionTwo'" in done.err) == (1, True)


def test_an_id_with_its_region_is_not_looked_up(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", f"/v1/inventory/servers/RegionTwo/{UUID}/stop", acted())
    assert openstack("server", "stop", "--region", "RegionTwo", UUID).status == 0
    assert [call.method for call in cloud.calls] == ["POST"]


def test_an_id_alone_is_found_in_its_region(cloud: Cloud, openstack: Openstack) -> None:
    found = [{"match": "id", "exact": True, "item": item()}]
    cloud.answer(
        "GET", "/v1/inventory/search", {"found": found, "more": False, "complete": True, "missing": []}
    )
    cloud.answer("POST", f"/v1/inventory/servers/RegionTwo/{UUID}/stop", acted())
    assert openstack("server", "stop", UUID).status == 0


def test_waiting_says_what_changes_and_ends(
    cloud: Cloud, openstack: Openstack, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("osc_multisite.waiting.sleep", pauses.append)
    path = f"/v1/inventory/servers/RegionTwo/{UUID}"
    cloud.answer("POST", f"{path}/stop", acted())
    busy = item(attributes={"task_state": "powering-off"})
    cloud.answer("GET", path, busy, busy, item(status="SHUTOFF"))
    done = openstack("server", "stop", "--region", "RegionTwo", "--wait", UUID)
    assert done.status == 0, done.err
    assert done.err.splitlines() == [f"{UUID}: active (powering-off)", f"{UUID}: shutoff"]
    assert pauses == [2.0] * 2
    assert [dict(call.query) for call in cloud.calls if call.method == "GET"] == [{"fresh": "true"}] * 3


def test_waiting_ends_with_the_reason_of_an_error(
    cloud: Cloud, openstack: Openstack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("osc_multisite.waiting.sleep", lambda _: None)
    ready_to_create(cloud)
    cloud.answer("POST", "/v1/inventory/servers", acted(item(status="BUILD")))
    broken = item(status="ERROR", attributes={"fault": "No valid host was found."})
    cloud.answer("GET", f"/v1/inventory/servers/RegionTwo/{UUID}", item(status="BUILD"), broken)
    done = openstack(*CREATE, "--wait")
    assert (done.status, "is error: No valid host was found., not active" in done.err) == (1, True)


def test_waiting_for_the_end_ends_when_it_is_gone(cloud: Cloud, openstack: Openstack) -> None:
    path = f"/v1/inventory/volumes/RegionTwo/{UUID}"
    cloud.answer("DELETE", path, acted())
    cloud.refuse("GET", path, 404, "not-found", "there is no volume")
    done = openstack("volume", "delete", "--region", "RegionTwo", "--wait", UUID)
    assert (done.status, done.err) == (0, f"{UUID}: gone\n")


def test_a_volume_is_made_of_what_was_named(cloud: Cloud, openstack: Openstack) -> None:
    listed(cloud, "snapshots", item("snapshot", "s1", "monday"))
    cloud.answer("POST", "/v1/inventory/volumes", acted(item("volume")))
    words = ("--region", "RegionTwo", "--size", "5", "--type", "ssd", "--snapshot", "monday", "data")
    assert openstack("volume", "create", *words).status == 0
    assert written(cloud).body == {
        "region": "RegionTwo", "name": "data", "size": 5, "volume_type": "ssd", "snapshot_id": "s1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        (
            ("volume", "attach", "--server", "web", "data"),
            f"volumes/RegionTwo/{OTHER}/attach",
            {"server_id": UUID},
        ),
        (("volume", "detach", "data"), f"volumes/RegionTwo/{OTHER}/detach", {}),
        (
            ("floating", "ip", "associate", "--server", "web", "203.0.113.7"),
            f"floating-ips/RegionTwo/{OTHER}/associate",
            {"server_id": UUID},
        ),
        (
            ("floating", "ip", "disassociate", "203.0.113.7"),
            f"floating-ips/RegionTwo/{OTHER}/disassociate",
            None,
        ),
    ],
)
def test_the_other_actions_find_both_ends_by_name(
    cloud: Cloud, openstack: Openstack, words: tuple[str, ...], path: str, body: Any
) -> None:
    listed(cloud, "servers", item())
    listed(cloud, "volumes", item("volume", OTHER, "data"))
    listed(cloud, "floating-ips", item("floating_ip", OTHER, "203.0.113.7"))
    cloud.answer("POST", f"/v1/inventory/{path}", acted())
    done = openstack(*words)
    assert done.status == 0, done.err
    assert written(cloud).body == body


def test_a_floating_ip_is_taken_without_a_key(cloud: Cloud, openstack: Openstack) -> None:
    listed(cloud, "networks", item("network", "n1", "public"))
    cloud.answer("POST", "/v1/inventory/floating-ips", acted())
    done = openstack("floating", "ip", "create", "--region", "RegionTwo", "public", "-f", "json")
    assert (done.status, done.json) == (0, {"region": "RegionTwo", "id": UUID})
    assert "Idempotency-Key" not in written(cloud).headers


def test_the_line_for_a_region_with_its_own_keystone_is_printed(cloud: Cloud, openstack: Openstack) -> None:
    detail = (
        "region 'own' has a Keystone of its own; use your account there: openstack --os-cloud X server stop Y"
    )
    cloud.refuse("POST", f"/v1/inventory/servers/own/{UUID}/stop", 409, "region-own-keystone", detail)
    done = openstack("server", "stop", "--region", "own", UUID)
    assert (done.status, "openstack --os-cloud X server stop Y" in done.err) == (1, True)
