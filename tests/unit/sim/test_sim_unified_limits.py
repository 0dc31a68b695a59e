"""Limits that Keystone keeps: its rules and traps, and Nova and Glance that ask it."""

from typing import Any

import pytest

from lab import limits as in_the_lab
from multisite.sim import Plan
from multisite.sim.plan import REGISTERED
from tests.unit.sim.conftest import Reply, SimulatedCloud
from tests.unit.sim.test_sim_compute import wish
from tests.unit.sim.test_sim_quotas import KEY, NEW, ask, message

LIMITS, DEFAULTS = "/identity/v3/limits", "/identity/v3/registered_limits"
NOVA, GLANCE = "/one/compute/v2.1", "/one/image/v2"
TENANT = "project-001"
OCTETS: dict[str, Any] = {"Content_Type": "application/octet-stream"}


@pytest.fixture
def cloud() -> SimulatedCloud:
    """Two regions; Nova and Glance of the first one take their limits from Keystone."""
    return SimulatedCloud(
        regions=2, hosts=3, servers=10, projects=3, names=("one", "two"), unified=("compute", "image"),
        unified_regions="on*",
    )  # fmt: skip


@pytest.fixture
def project(cloud: SimulatedCloud) -> str:
    return cloud.project_id(TENANT)


def service(cloud: SimulatedCloud, kind: str = "compute") -> str:
    return str(cloud.ask(f"/identity/v3/services?type={kind}")["services"][0]["id"])


def registered(cloud: SimulatedCloud, name: str) -> dict[str, Any]:
    [found] = cloud.ask(f"{DEFAULTS}?resource_name={name}&region_id=one")["registered_limits"]
    return dict(found)


def limit(cloud: SimulatedCloud, project: str, name: str, number: Any, **more: Any) -> Reply:
    kind = "image" if name.startswith("image") else "compute"
    wanted = {
        "service_id": service(cloud, kind), "region_id": "one", "project_id": project,
        "resource_name": name, "resource_limit": number,
    }  # fmt: skip
    return ask(cloud, "POST", LIMITS, {"limits": [wanted | more]})


def default(cloud: SimulatedCloud, name: str, number: int) -> None:
    path = f"{DEFAULTS}/{registered(cloud, name)['id']}"
    cloud.send("PATCH", path, {"registered_limit": {"default_limit": number}}, status=200)


def shown(cloud: SimulatedCloud, project: str) -> dict[str, Any]:
    return dict(cloud.ask(f"{NOVA}/os-quota-sets/{project}", **NEW)["quota_set"])


# -- Keystone --------------------------------------------------------------------------------------------


def test_what_services_need_is_registered_where_they_ask_keystone(cloud: SimulatedCloud) -> None:
    found = cloud.ask(DEFAULTS)["registered_limits"]
    assert {item["region_id"] for item in found} == {"one"}
    assert {item["resource_name"] for item in found} > {"servers", "class:VCPU", "image_size_total"}
    with pytest.raises(ValueError, match="volume has no unified limits"):
        Plan(unified=("volume",))


def test_an_empty_cloud_has_registered_what_the_lab_has() -> None:
    plan = Plan(empty=True, unified=tuple(REGISTERED))
    assert {kind: plan.registered(kind) for kind in plan.unified} == in_the_lab.REGISTERED == REGISTERED


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"region_id": None}, 403),
        ({"region_id": "two"}, 403),
        ({"resource_name": "class:NOTHING"}, 403),
        ({"region_id": "nowhere"}, 400),
        ({"region_id": ""}, 400),
        ({"project_id": "0" * 32}, 400),
        ({"service_id": "0" * 32}, 400),
        ({"domain_id": "default"}, 400),
        ({"resource_limit": -2}, 400),
        ({"resource_limit": "5"}, 400),
        ({"resource_limit": True}, 400),
        ({"resource_limit": 2**31}, 400),
        ({"nothing": 1}, 400),
        ({}, 201),
        ({"resource_limit": 0}, 201),
        ({"resource_limit": -1}, 201),
    ],
)
def test_a_limit_needs_what_is_registered_for_its_service_and_region(
    cloud: SimulatedCloud, project: str, more: dict[str, Any], status: int
) -> None:
    assert limit(cloud, project, "class:VCPU", 5, **more).status == status


def test_a_second_limit_is_a_conflict_and_a_batch_is_taken_whole_or_not_at_all(
    cloud: SimulatedCloud, project: str
) -> None:
    assert limit(cloud, project, "servers", 5).status == 201
    assert limit(cloud, project, "servers", 6).status == 409
    base = {"service_id": service(cloud), "region_id": "one", "project_id": project, "resource_limit": 9}
    wanted = [base | {"resource_name": name} for name in ("class:VCPU", "servers")]
    cloud.send("POST", LIMITS, {"limits": wanted}, status=409)
    cloud.send("POST", LIMITS, {"limits": []}, status=400)
    assert [item["resource_name"] for item in cloud.ask(LIMITS)["limits"]] == ["servers"]
    cloud.send("POST", LIMITS, {"limits": wanted[:1]}, status=201)


def test_a_change_to_zero_is_answered_and_not_taken(cloud: SimulatedCloud, project: str) -> None:
    path = f"{LIMITS}/{limit(cloud, project, 'class:VCPU', 5).json['limits'][0]['id']}"
    assert (
        cloud.send("PATCH", path, {"limit": {"resource_limit": 0}}, status=200)["limit"]["resource_limit"]
        == 5
    )
    assert shown(cloud, project)["cores"] == 5
    cloud.send("PATCH", path, {"limit": {"resource_limit": 7, "description": "more"}}, status=200)
    assert shown(cloud, project)["cores"] == 7
    cloud.send("PATCH", path, {"limit": {"region_id": "two"}}, status=400)
    cloud.send("PATCH", path, {"limit": {"resource_limit": -2}}, status=400)
    cloud.send("PATCH", path, {}, status=400)
    cloud.send("PATCH", path, {"limit": {"resource_limit": 3}}, user=TENANT, status=403)


def test_what_is_registered_stands_while_a_limit_hangs_on_it_and_holds_after(
    cloud: SimulatedCloud, project: str
) -> None:
    kept = registered(cloud, "class:VCPU")
    path = f"{DEFAULTS}/{kept['id']}"
    made = limit(cloud, project, "class:VCPU", 5).json["limits"][0]
    cloud.send("PATCH", path, {"registered_limit": {"default_limit": 30}}, status=403)
    cloud.send("DELETE", path, status=403)
    cloud.send("DELETE", f"{LIMITS}/{made['id']}", status=204)
    assert shown(cloud, project)["cores"] == kept["default_limit"]
    cloud.send("PATCH", path, {"registered_limit": {"default_limit": 30}}, status=200)
    assert shown(cloud, project)["cores"] == 30
    cloud.send("DELETE", f"{LIMITS}/{made['id']}", status=404)
    twin = {key: kept[key] for key in ("service_id", "region_id", "resource_name", "default_limit")}
    cloud.send("POST", DEFAULTS, {"registered_limits": [twin]}, status=409)
    cloud.send("PATCH", path, {"registered_limit": {"resource_name": "class:VCPU"}}, status=409)
    cloud.send("PATCH", path, {"registered_limit": {"default_limit": 3}}, user=TENANT, status=403)


def test_tenants_are_told_of_their_own_limits(cloud: SimulatedCloud, project: str) -> None:
    other = cloud.project_id("project-002")
    own = limit(cloud, project, "servers", 50).json["limits"][0]["id"]
    foreign = limit(cloud, other, "servers", 60).json["limits"][0]["id"]
    assert [item["id"] for item in cloud.ask(LIMITS, user=TENANT)["limits"]] == [own]
    assert cloud.ask(f"{LIMITS}?project_id={other}", user=TENANT)["limits"] == []
    assert [item["id"] for item in cloud.ask(f"{LIMITS}?project_id={other}")["limits"]] == [foreign]
    assert cloud.ask(f"{LIMITS}?region_id=two")["limits"] == []
    for path, status in ((own, 200), (foreign, 403), ("0" * 32, 403)):
        cloud.ask(f"{LIMITS}/{path}", user=TENANT, status=status)
    cloud.ask(f"{LIMITS}/{'0' * 32}", status=404)
    cloud.ask(f"{DEFAULTS}/{'0' * 32}", user=TENANT, status=404)
    assert cloud.ask(f"{LIMITS}/model", user=TENANT)["model"]["name"] == "flat"


def test_the_limits_of_a_project_go_with_it(cloud: SimulatedCloud) -> None:
    other = cloud.project_id("project-002")
    limit(cloud, other, "servers", 60)
    cloud.send("DELETE", f"/identity/v3/projects/{other}", status=204)
    assert cloud.ask(LIMITS)["limits"] == []


# -- Nova ------------------------------------------------------------------------------------------------


def test_nova_drops_what_its_own_quotas_are_set_to_and_answers_200(
    cloud: SimulatedCloud, project: str
) -> None:
    before, path = shown(cloud, project), f"{NOVA}/os-quota-sets/{project}"
    for body in ({"cores": 1}, {"cores": 1, "force": True}):
        answer = cloud.send("PUT", path, {"quota_set": body}, status=200, **NEW)["quota_set"]
        assert answer["cores"] == before["cores"]
    cloud.send("PUT", path, {"quota_set": {"nothing": 1}}, status=400)
    cloud.send("DELETE", path, status=202)
    cloud.send("PUT", f"{NOVA}/os-quota-class-sets/default", {"quota_class_set": {"cores": 3}}, status=200)
    assert shown(cloud, project) == before
    other = f"/two/compute/v2.1/os-quota-sets/{project}"
    assert cloud.send("PUT", other, {"quota_set": {"cores": 399}}, status=200)["quota_set"]["cores"] == 399


@pytest.mark.parametrize("name", ["servers", "class:VCPU", "class:MEMORY_MB", "class:DISK_GB"])
def test_servers_past_a_unified_limit_are_refused(cloud: SimulatedCloud, project: str, name: str) -> None:
    made = limit(cloud, project, name, 0).json["limits"][0]
    reply = ask(cloud, "POST", f"{NOVA}/servers", wish(cloud), TENANT)
    assert (reply.status, f"[Resource {name} is over limit of 0 due to current usage" in message(reply)) == (
        403, True,
    )  # fmt: skip
    cloud.send("PATCH", f"{LIMITS}/{made['id']}", {"limit": {"resource_limit": -1}}, status=200)
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)


def test_what_is_not_registered_is_shown_as_zero_and_is_not_refused_but_for_servers(
    cloud: SimulatedCloud, project: str
) -> None:
    for name in ("class:VCPU", "class:DISK_GB", "server_key_pairs"):
        cloud.send("DELETE", f"{DEFAULTS}/{registered(cloud, name)['id']}", status=204)
    assert (shown(cloud, project)["cores"], shown(cloud, project)["key_pairs"]) == (0, 0)
    pair = {"keypair": {"name": "more", "public_key": KEY}}
    assert ask(cloud, "POST", f"{NOVA}/os-keypairs", pair, TENANT).status == 200
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)
    cloud.send("DELETE", f"{DEFAULTS}/{registered(cloud, 'servers')['id']}", status=204)
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=403)


def test_a_resize_has_both_sizes_counted(cloud: SimulatedCloud, project: str) -> None:
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)["server"]["id"]
    used = cloud.ask(f"{NOVA}/os-quota-sets/{project}/detail", **NEW)["quota_set"]["cores"]["in_use"]
    larger = {"resize": {"flavorRef": wish(cloud, "m1.large")["server"]["flavorRef"]}}
    held = limit(cloud, project, "class:VCPU", used + 3).json["limits"][0]["id"]
    cloud.send("POST", f"{NOVA}/servers/{made}/action", larger, user=TENANT, status=403)
    cloud.send("PATCH", f"{LIMITS}/{held}", {"limit": {"resource_limit": used + 4}}, status=200)
    cloud.send("POST", f"{NOVA}/servers/{made}/action", larger, user=TENANT, status=202)
    detail = cloud.ask(f"{NOVA}/os-quota-sets/{project}/detail", **NEW)["quota_set"]
    assert detail["cores"]["in_use"] == used + 4


def test_projects_have_no_say_in_keypairs_groups_and_metadata(cloud: SimulatedCloud, project: str) -> None:
    limit(cloud, project, "server_metadata_items", 100)
    assert limit(cloud, project, "server_key_pairs", 100).status == 201
    for name in ("server_groups", "server_group_members"):
        default(cloud, name, 0)
    reply = ask(
        cloud,
        "POST",
        f"{NOVA}/os-server-groups",
        {"server_group": {"name": "a", "policies": ["affinity"]}},
        TENANT,
    )
    assert message(reply).startswith(
        "Project None is over a limit for [Resource server_groups is over limit of 0"
    )
    assert shown(cloud, project)["key_pairs"] == registered(cloud, "server_key_pairs")["default_limit"]


# -- Glance ----------------------------------------------------------------------------------------------


def image(cloud: SimulatedCloud, status: int = 201) -> str:
    body = {"name": "more", "disk_format": "raw", "container_format": "bare"}
    made = cloud.send("POST", f"{GLANCE}/images", body, user=TENANT, status=status)
    return str(made.get("id"))


def upload(cloud: SimulatedCloud, image_id: str, size: int, word: str = "file") -> int:
    path = f"{GLANCE}/images/{image_id}/{word}"
    return cloud.call("PUT", path, b"x" * size, token=cloud.token(TENANT), **OCTETS).status


def test_glance_tells_a_token_its_own_projects_use(cloud: SimulatedCloud, project: str) -> None:
    assert upload(cloud, image(cloud), 3 * 2**20) == 204
    usage = cloud.ask(f"{GLANCE}/info/usage", user=TENANT)["usage"]
    assert usage["image_size_total"] == {"usage": 3, "limit": 10000}
    assert usage["image_count_total"] == {"usage": 1, "limit": 100}
    admins = cloud.ask(f"{GLANCE}/info/usage")["usage"]
    assert cloud.ask(f"{GLANCE}/info/usage?project_id={project}")["usage"] == admins != usage
    assert cloud.ask("/two/image/v2/info/usage")["usage"] == {}


def test_images_and_their_data_past_a_limit_are_refused(cloud: SimulatedCloud, project: str) -> None:
    limit(cloud, project, "image_size_total", 2)
    assert upload(cloud, image(cloud), 3 * 2**20) == 413
    assert upload(cloud, image(cloud), 2 * 2**20) == 204
    limit(cloud, project, "image_stage_total", 0)
    assert upload(cloud, image(cloud), 2**20, "stage") == 413
    limit(cloud, project, "image_count_total", 3)
    assert image(cloud, status=413) == "None"


def test_only_so_many_images_are_on_their_way(cloud: SimulatedCloud, project: str) -> None:
    limit(cloud, project, "image_count_uploading", 1)
    assert upload(cloud, image(cloud), 10, "stage") == 204
    assert upload(cloud, image(cloud), 10, "stage") == 413
    assert upload(cloud, image(cloud), 10) == 413


def test_an_import_that_finds_no_room_ends_in_silence(cloud: SimulatedCloud, project: str) -> None:
    staged = image(cloud)
    assert upload(cloud, staged, 2 * 2**20, "stage") == 204
    limit(cloud, project, "image_size_total", 1)
    body = {"method": {"name": "glance-direct"}}
    cloud.send("POST", f"{GLANCE}/images/{staged}/import", body, user=TENANT, status=202)
    assert cloud.ask(f"{GLANCE}/images/{staged}", user=TENANT)["status"] == "queued"


def test_where_glance_asks_nobody_there_is_no_limit(cloud: SimulatedCloud, project: str) -> None:
    limit(cloud, project, "image_count_total", 0)
    body = {"name": "more", "disk_format": "raw", "container_format": "bare"}
    cloud.send("POST", "/two/image/v2/images", body, user=TENANT, status=201)
