"""The simulator's endpoint filter: what a project is confined to is all that its catalog has."""

from typing import Any

import pytest

from tests.unit.sim.conftest import SimulatedCloud

FILTER = "/identity/v3/OS-EP-FILTER"
TENANT = "project-001"


def endpoint_of(cloud: SimulatedCloud, region: str, interface: str = "public") -> str:
    """The id of an endpoint of a region."""
    found = cloud.ask(f"/identity/v3/endpoints?region_id={region}&interface={interface}")["endpoints"]
    return str(found[0]["id"])


def catalog_regions(cloud: SimulatedCloud, user: str = TENANT) -> set[str]:
    """The regions of the endpoints in the catalog of a new token."""
    catalog = cloud.log_in(user).json["token"]["catalog"]
    return {endpoint["region_id"] for service in catalog for endpoint in service["endpoints"]}


def group(cloud: SimulatedCloud, **filters: Any) -> str:
    """The path of a new group."""
    body = {"endpoint_group": {"name": "some", "filters": filters}}
    made = cloud.send("POST", f"{FILTER}/endpoint_groups", body, status=201)["endpoint_group"]
    assert made["filters"] == filters
    return f"{FILTER}/endpoint_groups/{made['id']}"


def test_a_project_that_is_confined_to_an_endpoint_sees_no_other(cloud: SimulatedCloud) -> None:
    project = f"{FILTER}/projects/{cloud.project_id(TENANT)}"
    one = f"{project}/endpoints/{endpoint_of(cloud, 'one')}"
    assert cloud.ask(f"{project}/endpoints")["endpoints"] == []
    cloud.send("PUT", one, status=204)
    cloud.send("PUT", one, status=409)
    cloud.send("GET", one, status=204)
    assert [each["region_id"] for each in cloud.ask(f"{project}/endpoints")["endpoints"]] == ["one"]
    assert catalog_regions(cloud) == {"one"}
    assert catalog_regions(cloud, "project-002") == {"one", "two"}
    cloud.send("DELETE", one, status=204)
    cloud.send("DELETE", one, status=404)
    cloud.send("GET", one, status=404)
    assert catalog_regions(cloud) == {"one", "two"}


def test_the_endpoints_of_a_group_are_those_of_its_filters(cloud: SimulatedCloud) -> None:
    project_id = cloud.project_id(TENANT)
    some = group(cloud, region_id="two", interface="public")
    cloud.send("PUT", f"{some}/projects/{project_id}", status=204)
    held = cloud.ask(f"{FILTER}/projects/{project_id}/endpoint_groups")["endpoint_groups"]
    assert [each["name"] for each in held] == ["some"]
    shown = cloud.ask(f"{FILTER}/projects/{project_id}/endpoints")["endpoints"]
    assert {(each["region_id"], each["interface"]) for each in shown} == {("two", "public")}
    assert catalog_regions(cloud) == {"two"}
    cloud.send("DELETE", some, status=204)
    assert cloud.ask(f"{FILTER}/projects/{project_id}/endpoint_groups")["endpoint_groups"] == []
    assert catalog_regions(cloud) == {"one", "two"}


def test_what_is_gone_confines_nobody(cloud: SimulatedCloud) -> None:
    project = f"{FILTER}/projects/{cloud.project_id(TENANT)}"
    endpoint = endpoint_of(cloud, "one")
    cloud.send("PUT", f"{project}/endpoints/{endpoint}", status=204)
    cloud.send("DELETE", f"/identity/v3/endpoints/{endpoint}", status=204)
    assert cloud.ask(f"{project}/endpoints")["endpoints"] == []
    assert catalog_regions(cloud) == {"one", "two"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/endpoint_groups", 403),
        ("GET", "/projects/{project}/endpoints", 403),
        ("GET", "/projects/{project}/endpoint_groups", 403),
        ("PUT", "/projects/{project}/endpoints/{endpoint}", 403),
        ("DELETE", "/projects/{project}/endpoints/{endpoint}", 403),
    ],
)
def test_tenants_have_no_say(cloud: SimulatedCloud, method: str, path: str, status: int) -> None:
    where = path.format(project=cloud.project_id(TENANT), endpoint=endpoint_of(cloud, "one"))
    cloud.send(method, FILTER + where, user=TENANT, status=status)


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": "x"},
        {"filters": {"region_id": "one"}},
        {"name": "x", "filters": {}},
        {"name": "x", "filters": []},
        {"name": "x", "filters": {"nothing": "x"}},
        {"name": "x", "filters": {"region_id": "one"}, "more": 1},
        [],
    ],
)
def test_a_group_that_makes_no_sense_is_refused(cloud: SimulatedCloud, wanted: Any) -> None:
    cloud.send("POST", f"{FILTER}/endpoint_groups", {"endpoint_group": wanted}, status=400)
    assert cloud.ask(f"{FILTER}/endpoint_groups")["endpoint_groups"] == []
