"""A tenant of real regions: its project, its quotas, and what it makes until a region refuses."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import openstack
from openstack.exceptions import HttpException

from tests.lab.service.conftest import Api, Cloud, eventually


class Tenant:
    """A project of its own, of one name in the Keystone of every region, and what is made in it.

    `project` is that of the first region's Keystone, by whose id multisite knows it.
    """

    def __init__(self, cloud: Cloud, api: Api) -> None:
        self.cloud, self.api = cloud, api
        self.admin = cloud.connection(f"{cloud.regions[0]}-admin")
        name = f"quota-{time.time_ns()}"
        self.projects = {region: self._project(region, name) for region in cloud.regions}
        self.project = self.projects[cloud.regions[0]]
        self._connections: dict[str, openstack.connection.Connection] = {}

    def _project(self, region: str, name: str) -> Any:
        admin = self.cloud.connection(f"{region}-admin")
        found = admin.identity.find_project(name)
        if found is not None:
            return found
        made = admin.identity.create_project(name=name, domain_id="default")
        member = admin.identity.find_role("member")
        admin.identity.assign_project_role_to_user(made.id, admin.current_user_id, member.id)
        return made

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
        project_id = self.projects[region].id
        if service == "network":
            return int(admin.network.get(f"/quotas/{project_id}").json()["quota"][name])
        proxy = admin.compute if service == "compute" else admin.block_storage
        return int(proxy.get(f"/os-quota-sets/{project_id}").json()["quota_set"][name])

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
        path = f"/os-quota-sets/{self.projects[region].id}/detail"
        eventually(lambda: admin.get(path).json()["quota_set"]["cores"]["in_use"], lambda used: used == 0)

    def end(self) -> None:
        """Take everything away."""
        self.api.request("DELETE", f"/v1/quotas/{self.project.id}")
        for region in self.cloud.regions:
            connection = self.connection(region)
            self.delete_servers(region)
            for network in connection.network.networks(project_id=self.projects[region].id):
                connection.network.delete_network(network)
            volumes = connection.block_storage
            eventually(partial(_states, volumes), lambda states: states <= {"available", "error"})
            for volume in volumes.volumes():
                volumes.delete_volume(volume)
        for region in self.cloud.regions:
            identity = self.cloud.connection(f"{region}-admin").identity
            identity.delete_project(self.projects[region], ignore_missing=True)


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
