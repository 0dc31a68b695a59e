"""Quotas where each region has a Keystone of its own: the project is the one of the same name there."""

from collections.abc import Iterator

import pytest

from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually
from tests.lab.service.tenants import Tenant

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

LIMITS = {"compute/cores": 6, "volume/volumes": 4, "network/network": 3}


@pytest.fixture
def admin(cloud: Cloud) -> Api:
    made = cloud.api("RegionOne-admin")
    eventually(lambda: made.get("/v1/capacity"), all_fresh, seconds=120)
    return made


@pytest.fixture
def tenant(cloud: Cloud, admin: Api) -> Iterator[Tenant]:
    made = Tenant(cloud, admin)
    assert len({project.id for project in made.projects.values()}) == len(cloud.regions)
    yield made
    made.end()


def test_the_bound_holds_over_several_keystones(tenant: Tenant) -> None:
    before = {resource: tenant.limits(resource) for resource in LIMITS}
    tenant.establish(LIMITS)
    for resource, limit in LIMITS.items():
        assert sum(tenant.limits(resource).values()) == limit, resource
    tenant.balance("RegionTwo")
    assert tenant.volumes("RegionTwo") == 4
    assert tenant.volumes("RegionOne") == 0
    assert tenant.networks("RegionTwo") == 3
    assert tenant.networks("RegionOne") == 0
    tenant.wait(tenant.api.request("DELETE", f"/v1/quotas/{tenant.project.id}").json()["id"])
    assert {resource: tenant.limits(resource) for resource in LIMITS} == before


def test_a_keystone_without_the_project_is_left_alone_until_it_has_it(cloud: Cloud, tenant: Tenant) -> None:
    """There is nothing to limit there, and what a project of another name has is not touched."""
    identity, project = cloud.connection("RegionTwo-admin").identity, tenant.projects["RegionTwo"]
    identity.update_project(project, name=f"other-{tenant.project.name}")
    stranger = tenant.limits("volume/volumes")["RegionTwo"]
    tenant.establish({"volume/volumes": 4})
    assert tenant.limits("volume/volumes") == {"RegionOne": 4, "RegionTwo": stranger}
    there = next(each for each in tenant.quota("volume/volumes")["regions"] if each["region"] == "RegionTwo")
    assert (there["limit"], there["ceiling"]) == (None, 0)
    assert there["note"] == "absent: the project or the service is not there"

    identity.update_project(project, name=tenant.project.name)
    tenant.balance("RegionTwo")
    eventually(lambda: sum(tenant.limits("volume/volumes").values()), lambda total: total == 4)
    assert tenant.volumes("RegionTwo") == 4
