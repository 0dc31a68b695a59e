"""What must be seen of quotas: global limits over real regions, used up by the real client.

RegionThree takes the limits of Nova and Glance from Keystone, the others keep their own (lab/README.md).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import openstack
import pytest
from openstack.exceptions import HttpException

from tests.lab.service.conftest import Api, Cloud, eventually

pytestmark = pytest.mark.lab

LIMITS = {
    "compute/cores": 12,
    "compute/instances": 60,
    "volume/volumes": 6,
    "network/network": 4,
    "network/floatingip": 2,
}


class Tenant:
    """A project of its own, in every region, and what is made in it."""

    def __init__(self, cloud: Cloud, api: Api) -> None:
        self.cloud, self.api = cloud, api
        self.admin = cloud.connection(f"{cloud.regions[0]}-admin")
        name = f"quota-{time.time_ns()}"
        self.project = self.admin.identity.create_project(name=name, domain_id="default")
        member = self.admin.identity.find_role("member")
        user = self.admin.current_user_id
        self.admin.identity.assign_project_role_to_user(self.project.id, user, member.id)
        self._connections: dict[str, openstack.connection.Connection] = {}

    @contextmanager
    def confined(self, by_endpoint: str, by_group: str) -> Iterator[None]:
        """Confined by Keystone's endpoint filter to one endpoint of a region, and to all of another one."""
        identity, endpoints = self.admin.identity, self.admin.identity.endpoints(region_id=by_endpoint)
        one = f"/OS-EP-FILTER/projects/{self.project.id}/endpoints/{next(endpoints).id}"
        identity.put(one).raise_for_status()
        body = {"endpoint_group": {"name": self.project.name, "filters": {"region_id": by_group}}}
        made = identity.post("/OS-EP-FILTER/endpoint_groups", json=body)
        made.raise_for_status()
        group = f"/OS-EP-FILTER/endpoint_groups/{made.json()['endpoint_group']['id']}"
        try:
            identity.put(f"{group}/projects/{self.project.id}").raise_for_status()
            yield
        finally:
            identity.delete(group).raise_for_status()
            identity.delete(one).raise_for_status()

    def connection(self, region: str) -> openstack.connection.Connection:
        """Scoped to the project."""
        if region not in self._connections:
            config = openstack.config.OpenStackConfig(
                config_files=[str(self.cloud.clouds_file)], load_envvars=False
            )
            scope = {"project_name": self.project.name}
            cloud = config.get_one(cloud=f"{region}-admin", auth=scope)
            self._connections[region] = openstack.connection.Connection(config=cloud)
        return self._connections[region]

    def set(self, limits: dict[str, Any]) -> None:
        """Set global limits, and wait until they are written."""
        answer = self.api.request("PATCH", f"/v1/quotas/{self.project.id}", json={"limits": limits})
        assert answer.status_code == 202, answer.text
        self.wait(answer.json()["id"])

    def establish(self, limits: dict[str, Any]) -> None:
        """Set global limits; a region that cannot be read for a moment is waited for."""
        self.set(limits)
        shown = eventually(
            self._balanced, lambda found: {each["state"] for each in found} == {"established"}, seconds=120
        )
        assert {each["resource"] for each in shown} == set(limits)

    def _balanced(self) -> Any:
        shown = self.api.get(f"/v1/quotas/{self.project.id}")["resources"]
        if any(each["state"] != "established" for each in shown):
            self.balance()
            shown = self.api.get(f"/v1/quotas/{self.project.id}")["resources"]
        return shown

    def balance(self, *regions: str) -> None:
        """Balance once."""
        path = f"/v1/quotas/{self.project.id}/balance"
        answer = self.api.request("POST", path, json={"regions": list(regions)})
        assert answer.status_code == 202, answer.text
        self.wait(answer.json()["id"])

    def wait(self, operation: str) -> None:
        """Until an operation has ended well."""
        path = f"/v1/operations/{operation}"
        done = eventually(
            lambda: self.api.get(path)["operation"], lambda found: found["finished_at"], seconds=120
        )
        assert done["state"] == "succeeded", done

    def quota(self, resource: str) -> Any:
        """One resource, as multisite tells it."""
        shown = self.api.get(f"/v1/quotas/{self.project.id}")
        return next(each for each in shown["resources"] if each["resource"] == resource)

    def limits(self, resource: str) -> dict[str, int]:
        """The limits in force, as the services themselves tell them."""
        return {region: self._limit(region, resource) for region in self.cloud.regions}

    def _limit(self, region: str, resource: str) -> int:
        admin = self.cloud.connection(f"{region}-admin")
        service, _, name = resource.partition("/")
        if service == "network":
            return int(admin.network.get(f"/quotas/{self.project.id}").json()["quota"][name])
        proxy = admin.compute if service == "compute" else admin.block_storage
        return int(proxy.get(f"/os-quota-sets/{self.project.id}").json()["quota_set"][name])

    def servers(self, region: str) -> int:
        """Make servers of one core until Nova refuses; how many there were made."""
        compute = self.connection(region).compute
        image = self.connection(region).image.find_image("lab-linux")
        flavor = next(each for each in compute.flavors() if each.vcpus == 1)

        def make() -> None:
            server = compute.create_server(
                name="quota", image_id=image.id, flavor_id=flavor.id, networks="none"
            )
            # Nova counts a server only when its conductor made the record: one after the other.
            eventually(lambda: compute.get_server(server).status, lambda status: status == "ACTIVE")

        return until_refused(make)

    def volumes(self, region: str) -> int:
        """Make volumes of a GiB until Cinder refuses."""
        volumes = self.connection(region).block_storage
        return until_refused(lambda: volumes.create_volume(name="quota", size=1))

    def networks(self, region: str) -> int:
        """Make networks until Neutron refuses."""
        network = self.connection(region).network
        return until_refused(lambda: network.create_network(name="quota"))

    def delete_servers(self, region: str) -> None:
        """Take all servers of a region away."""
        compute = self.connection(region).compute
        for server in compute.servers():
            compute.delete_server(server)
        eventually(lambda: [each.id for each in compute.servers()], lambda left: not left)
        admin = self.cloud.connection(f"{region}-admin").compute
        path = f"/os-quota-sets/{self.project.id}/detail"
        eventually(lambda: admin.get(path).json()["quota_set"]["cores"]["in_use"], lambda used: used == 0)

    def end(self) -> None:
        """Take everything away."""
        self.api.request("DELETE", f"/v1/quotas/{self.project.id}")
        for region in self.cloud.regions:
            connection = self.connection(region)
            self.delete_servers(region)
            for network in connection.network.networks(project_id=self.project.id):
                connection.network.delete_network(network)
            volumes = connection.block_storage
            eventually(partial(_states, volumes), lambda states: states <= {"available", "error"})
            for volume in volumes.volumes():
                volumes.delete_volume(volume)
        self.admin.identity.delete_project(self.project)


def _states(volumes: Any) -> set[str]:
    return {each.status for each in volumes.volumes()}


def until_refused(make: Callable[[], object]) -> int:
    """Make things until the region says that the limit is reached; how many there were made."""
    for made in range(100):
        try:
            make()
        except HttpException as error:
            if not any(word in str(error).lower() for word in ("quota", "limit", "exceed")):
                raise
            return made
    raise AssertionError("nobody refused")


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
