"""What must be seen of quotas: global limits over real regions, used up by the real client.

RegionThree takes the limits of Nova and Glance from Keystone, the others keep their own (lab/README.md).
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.service.conftest import Api, Cloud, eventually
from tests.lab.service.tenants import Tenant

pytestmark = pytest.mark.lab

LIMITS = {
    "compute/cores": 12,
    "compute/instances": 60,
    "volume/volumes": 6,
    "network/network": 4,
    "network/floatingip": 2,
}


@pytest.fixture
def tenant(fresh: Cloud, admin: Api) -> Iterator[Tenant]:
    made = Tenant(fresh, admin)
    yield made
    made.end()


def only(after: Any) -> int:
    """The one limit that is there after a write; Keystone has each by itself, other services by name."""
    [value] = after.values() if isinstance(after, dict) else [after]
    return int(value)


def test_a_dry_run_shows_the_writes_and_makes_none(tenant: Tenant) -> None:
    before = tenant.limits("compute/cores")
    path = f"/v1/quotas/{tenant.project.id}/plan"
    answer = tenant.api.request("POST", path, json={"limits": LIMITS})
    assert answer.status_code == 200, answer.text
    writes = answer.json()["writes"]
    assert {(each["region"], each["service"]) for each in writes} >= {
        (region, "network") for region in tenant.cloud.regions
    }
    unified = [each for each in writes if each["service"] == "identity"]
    assert {each["region"] for each in unified} == {"RegionThree"}
    assert tenant.limits("compute/cores") == before
    assert tenant.api.request("GET", f"/v1/quotas/{tenant.project.id}").status_code == 404


def test_a_change_of_a_class_and_the_end_are_tried_out(tenant: Tenant) -> None:
    """What is shown is what is written then, and nothing is written before."""
    cores, name = "compute/cores", f"class-{tenant.project.name}"
    given, quota, gold = (
        tenant.limits(cores), f"/v1/quotas/{tenant.project.id}", f"/v1/quota-classes/{name}"
    )  # fmt: skip
    assert tenant.api.request("PATCH", gold, json={"limits": {cores: 12}}).status_code == 200
    tenant.wait(tenant.api.request("PATCH", quota, json={"class_name": name}).json()["id"])
    eventually(lambda: sum(tenant.limits(cores).values()), lambda total: total == 12)
    before = tenant.limits(cores)

    answer = tenant.api.request("POST", f"{gold}/plan", json={"limits": {cores: 9}})

    assert answer.status_code == 200, answer.text
    [plan] = answer.json()["plans"]
    assert (plan["project_id"], plan["missing"], answer.json()["left_out"]) == (tenant.project.id, [], 0)
    then = before | {each["region"]: only(each["after"]) for each in plan["writes"]}
    assert sum(then.values()) == 9
    end = tenant.api.request("POST", f"{quota}/plan", json={"unset": True})
    assert end.status_code == 200, end.text
    assert {each["region"] for each in end.json()["writes"]} == set(tenant.cloud.regions)
    assert tenant.limits(cores) == before
    tenant.wait(tenant.api.request("DELETE", quota).json()["id"])
    eventually(lambda: tenant.limits(cores), lambda limits: limits == given)
    assert tenant.api.request("DELETE", gold).status_code == 204


def test_a_project_never_has_more_than_its_global_limits(tenant: Tenant) -> None:
    """Cores, volumes and networks, used up by the real client from one region and then another."""
    tenant.establish(LIMITS)
    for resource, limit in LIMITS.items():
        assert sum(tenant.limits(resource).values()) == limit, resource
        assert tenant.quota(resource)["state"] == "established"
    one, two, three = "RegionOne", "RegionTwo", "RegionThree"
    assert tenant.servers(one) == 4
    tenant.balance()
    # Keystone cannot change a limit to 0 but by way of the registered default, which has no room here.
    kept = tenant.limits("compute/cores")[three]
    assert kept in {0, 1}
    assert tenant.servers(one) == 8 - kept
    assert tenant.servers(two) == 0
    tenant.balance()
    assert sum(tenant.limits("compute/cores").values()) == 12
    assert tenant.quota("compute/cores")["bound"] == 12
    tenant.delete_servers(one)
    tenant.balance(three)
    assert tenant.servers(three) == 12
    assert tenant.servers(one) == tenant.servers(two) == 0
    tenant.balance(two)  # somebody who asks for a region asks for all that is limited
    assert tenant.volumes(two) == 6
    assert tenant.volumes(one) == 0
    assert tenant.networks(two) == 4
    assert tenant.networks(three) == 0
    assert sum(tenant.limits("network/network").values()) == 4
    tenant.balance()
    assert {each["refuses"] for each in tenant.quota("volume/volumes")["regions"]} == {"global-limit"}


def test_hands_in_a_region_are_noticed(tenant: Tenant) -> None:
    tenant.establish({"compute/cores": 12})
    admin = tenant.cloud.connection("RegionTwo-admin")
    body = {"quota_set": {"cores": 50}}
    admin.compute.put(f"/os-quota-sets/{tenant.project.id}", json=body).raise_for_status()
    tenant.balance()
    assert sum(tenant.limits("compute/cores").values()) == 12
    events = tenant.api.get("/v1/quota-events", kind="drift")["events"]
    assert any(each["project_id"] == tenant.project.id and each["region"] == "RegionTwo" for each in events)


def test_unset_gives_every_region_back_what_it_had(tenant: Tenant) -> None:
    before = {resource: tenant.limits(resource) for resource in LIMITS}
    tenant.establish(LIMITS)
    answer = tenant.api.request("DELETE", f"/v1/quotas/{tenant.project.id}")
    assert answer.status_code == 202, answer.text
    tenant.wait(answer.json()["id"])
    assert {resource: tenant.limits(resource) for resource in LIMITS} == before
    assert tenant.api.request("GET", f"/v1/quotas/{tenant.project.id}").status_code == 404


def test_a_project_gets_nothing_where_an_endpoint_filter_keeps_it_away(tenant: Tenant) -> None:
    """It is confined to one endpoint of RegionOne, and to a group of all that RegionTwo has."""
    with tenant.confined("RegionOne", "RegionTwo"):
        tenant.establish({"network/network": 4, "volume/volumes": 6})
        for resource, limit in (("network/network", 4), ("volume/volumes", 6)):
            limits = tenant.limits(resource)
            assert limits["RegionThree"] == 0, resource
            assert sum(limits.values()) == limit, resource
            kept = {each["region"]: each["note"] for each in tenant.quota(resource)["regions"]}
            assert kept["RegionThree"] == "the project may not use this region"
            assert not kept["RegionOne"]
        tenant.balance("RegionTwo")
        assert tenant.limits("volume/volumes") == {"RegionOne": 0, "RegionTwo": 6, "RegionThree": 0}


def test_images_are_limited_where_keystone_has_their_limits(tenant: Tenant) -> None:
    """The other regions keep no limit of images, so the bound cannot hold, which is told."""
    tenant.set({"image/image_size_total": 500})
    quota = tenant.quota("image/image_size_total")
    assert quota["state"] == "establishing"
    assert quota["establishing"] == ["RegionOne", "RegionTwo"]
    tenant.set({"image/image_size_total": {"limit": 500, "kind": "soft"}})
    soft = {each["region"]: each for each in tenant.quota("image/image_size_total")["regions"]}
    assert soft["RegionThree"]["limit"] is not None
    assert soft["RegionThree"]["limit"] <= 600
