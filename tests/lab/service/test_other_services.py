"""Limits of a service that is none of ours: Keystone has them registered, and nobody can read its use.

The service is there in Keystone's catalog alone; that is all that its limits need.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.lab.service.conftest import Api, Cloud, eventually
from tests.lab.service.tenants import Tenant

pytestmark = pytest.mark.lab

SECRETS = "key-manager/secrets"
REGISTERED = ("RegionOne", "RegionTwo")
DEFAULT = 10


@pytest.fixture
def registered(fresh: Cloud) -> Iterator[None]:
    """Ten secrets for each project in two of the regions."""
    identity = fresh.connection("RegionOne-admin").identity
    service = identity.create_service(type="key-manager", name="secrets")
    limits = [
        {"service_id": service.id, "region_id": region, "resource_name": "secrets", "default_limit": DEFAULT}
        for region in REGISTERED
    ]
    made = identity.post("/registered_limits", json={"registered_limits": limits})
    made.raise_for_status()
    yield
    for each in made.json()["registered_limits"]:
        identity.delete(f"/registered_limits/{each['id']}").raise_for_status()
    identity.delete_service(service, ignore_missing=False)


@pytest.fixture
def tenant(registered: None, fresh: Cloud, admin: Api) -> Iterator[Tenant]:
    del registered  # and its limits cannot be taken away while the tenant has its own
    made = Tenant(fresh, admin)
    yield made
    made.end()


def own_limits(tenant: Tenant) -> Mapping[str, int]:
    """What Keystone itself has for the tenant, by region."""
    answer = tenant.admin.identity.get("/limits", params={"project_id": tenant.project.id})
    answer.raise_for_status()
    return {
        each["region_id"]: each["resource_limit"]
        for each in answer.json()["limits"]
        if each["resource_name"] == "secrets"
    }


def balanced_limits(tenant: Tenant) -> Mapping[str, int]:
    """The same, after a balance."""
    tenant.balance()
    return own_limits(tenant)


def regions_of(tenant: Tenant) -> dict[str, Any]:
    """How multisite shows the resource, by region."""
    return {each["region"]: each for each in tenant.quota(SECRETS)["regions"]}


def test_its_limits_are_copied_or_shared_out_and_its_use_is_unknown(tenant: Tenant) -> None:
    path = f"/v1/quotas/{tenant.project.id}"
    hard = tenant.api.request("PATCH", path, json={"limits": {SECRETS: {"limit": 8, "kind": "hard"}}})
    assert hard.status_code == 400
    assert "its use cannot be read, so its limit cannot be hard" in hard.text
    typo = tenant.api.request("PATCH", path, json={"limits": {"key-manger/secrets": 8}})
    assert typo.status_code == 400
    assert "no region has a registered limit of key-manger/secrets" in typo.text

    tenant.set({SECRETS: 8})  # copied, unless said otherwise
    # What is registered is read again every half minute.
    eventually(lambda: balanced_limits(tenant), bool, seconds=60)
    assert own_limits(tenant) == dict.fromkeys(REGISTERED, 8)
    assert tenant.quota(SECRETS)["used"] is None

    tenant.set({SECRETS: {"limit": 8, "kind": "soft", "burst": 0}})
    tenant.balance()
    assert sum(own_limits(tenant).values()) == 8
    shown = regions_of(tenant)
    assert {region: shown[region]["limit"] for region in REGISTERED} == own_limits(tenant)
    assert {shown[region]["used"] for region in REGISTERED} == {None}
    assert shown.get("RegionThree", {"limit": None})["limit"] is None  # nothing is registered there

    answer = tenant.api.request("DELETE", path)
    assert answer.status_code == 202, answer.text
    tenant.wait(answer.json()["id"])
    assert own_limits(tenant) == {}
