"""What must be seen, 5: with one Keystone per region, the same results."""

from typing import Any

import pytest

from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually
from tests.lab.service.test_truth import assert_equal_to_the_services

#: The first test may have to wait for two regions to be made.
pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture
def admin(cloud: Cloud) -> Api:
    return cloud.api("RegionOne-admin")


def whole(admin: Api) -> Any:
    return eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)


def test_every_region_is_discovered_with_the_identity_that_it_has(cloud: Cloud, admin: Api) -> None:
    regions = {region["name"]: region for region in admin.get("/v1/regions")["regions"]}
    assert sorted(regions) == sorted(cloud.regions)
    assert regions["RegionOne"]["identity"] == "home"
    assert regions["RegionTwo"]["identity"] == "own"


def test_every_figure_equals_what_the_services_answer(cloud: Cloud, admin: Api) -> None:
    whole(admin)
    answer = admin.get("/v1/capacity", fresh="true")
    assert answer["totals"]["complete"] is True
    for region in answer["regions"]:
        assert_equal_to_the_services(cloud, region["region"], region)


def test_a_project_is_matched_by_name_where_the_keystone_is_another(cloud: Cloud, admin: Api) -> None:
    whole(admin)
    home = str(cloud.connection("RegionOne-alpha").current_project_id)
    there = cloud.connection("RegionTwo-alpha")
    assert str(there.current_project_id) != home
    usage = cloud.api("RegionOne-alpha").get(f"/v1/usage/{home}", fresh="true")
    region = next(item for item in usage["regions"] if item["region"] == "RegionTwo")
    limits = there.compute.get("/limits").json()["limits"]["absolute"]
    assert region["found"] is True
    assert region["resources"]["compute/instances"]["used"] == limits["totalInstancesUsed"] > 0


def test_a_project_that_another_keystone_lacks_is_absent_there_and_never_guessed(cloud: Cloud) -> None:
    identity = cloud.connection("RegionOne-admin").identity
    project = identity.find_project("only-home") or identity.create_project(
        name="only-home", domain_id="default"
    )
    admin = cloud.api("RegionOne-admin")
    whole(admin)
    usage = admin.get(f"/v1/usage/{project.id}")
    regions = {item["region"]: item for item in usage["regions"]}
    assert regions["RegionOne"]["found"] is True
    assert (regions["RegionTwo"]["found"], regions["RegionTwo"]["state"]) == (False, "absent")
    assert regions["RegionTwo"]["resources"] == {}
    assert usage["totals"]["complete"] is True


def test_a_token_of_another_keystone_is_refused(cloud: Cloud) -> None:
    foreign = Api(cloud.service.url, cloud.token("RegionTwo-admin"))
    assert foreign.request("GET", "/v1/regions").status_code == 401


def test_the_other_keystone_away_leaves_its_region_alone_in_the_dark(admin: Api, lab: Any) -> None:
    whole(admin)
    lab.stop("RegionTwo")
    try:
        capacity = eventually(
            lambda: admin.get("/v1/capacity"),
            lambda answer: [region["state"] for region in answer["regions"]][:2] == ["fresh", "unreachable"],
        )
        assert capacity["totals"]["complete"] is False
    finally:
        lab.start("RegionTwo")
    whole(admin)


def test_a_tenant_finds_its_servers_in_a_region_with_another_keystone(cloud: Cloud, admin: Api) -> None:
    whole(admin)
    alpha = cloud.api("RegionOne-alpha")
    for kind in ("servers", "ports", "volumes"):
        answer = alpha.get(f"/v1/inventory/{kind}", fresh="true")
        assert answer["complete"] is True
        for region in ("RegionOne", "RegionTwo"):
            project = str(cloud.connection(f"{region}-alpha").current_project_id)
            every = admin.get(f"/v1/inventory/{kind}", region=region)["items"]
            own = {item["id"] for item in every if item["project_id"] == project}
            assert own
            assert {item["id"] for item in answer["items"] if item["region"] == region} == own


def test_keypairs_are_those_of_the_user_of_that_name(cloud: Cloud, admin: Api) -> None:
    whole(admin)
    answer = cloud.api("RegionOne-alpha").get("/v1/inventory/keypairs")
    real = {
        (region, keypair.name)
        for region in ("RegionOne", "RegionTwo")
        for keypair in cloud.connection(f"{region}-alpha").compute.keypairs()
    }
    assert {(each["region"], each["name"]) for each in answer["keypairs"]} == real
    user_id = str(cloud.connection("RegionOne-alpha").current_user_id)
    assert admin.get("/v1/inventory/keypairs", user_id=user_id)["keypairs"] == answer["keypairs"]
