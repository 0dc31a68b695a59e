"""The ledger: what every write of a limit did to the sum over all regions."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from multisite.sim.ledger import Record
from tests.unit.sim.conftest import SimulatedCloud
from tests.unit.sim.test_sim_compute import wish

TENANT = "project-001"
NAMES = ("one", "two", "three")


def make(**plan: Any) -> SimulatedCloud:
    return SimulatedCloud(
        regions=3, hosts=3, servers=6, projects=2, names=NAMES, unified=("compute", "image"),
        unified_regions="three", **plan,
    )  # fmt: skip


@pytest.fixture
def cloud() -> SimulatedCloud:
    """Three regions; Nova and Glance of the last one take their limits from Keystone."""
    return make()


def put(cloud: SimulatedCloud, region: str, **limits: Any) -> None:
    path = f"/{region}/compute/v2.1/os-quota-sets/{cloud.project_id(TENANT)}"
    cloud.send(
        "PUT", path, {"quota_set": limits}, status=200, User_Agent="a-tool/1", X_OpenStack_Request_Id="r-7"
    )


def told(cloud: SimulatedCloud, query: str = "") -> dict[str, Any]:
    return dict(cloud.call("GET", f"/_sim/quotas{query}").json)


def hand(
    cloud: SimulatedCloud, status: int = 200, method: str = "PUT", path: str = "limits", **what: Any
) -> Any:
    reply = cloud.call(method, f"/_sim/{path}", {"project": TENANT} | what)
    assert reply.status == status, reply.raw
    return reply.json


def worked_out(cloud: SimulatedCloud, resource: str) -> int:
    """O of the tenant, from what the services themselves answer."""
    service, _, name = resource.partition("/")
    project, total = cloud.project_id(TENANT), 0
    for region in NAMES:
        if service == "compute":
            path = f"/{region}/compute/v2.1/os-quota-sets/{project}/detail"
            item = cloud.ask(path)["quota_set"][name]
            limit, used = item["limit"], item["in_use"]
        elif service == "volume":
            item = cloud.ask(f"/{region}/volume/v3/os-quota-sets/{project}?usage=true")["quota_set"][name]
            limit, used = item["limit"], item["in_use"]
        elif service == "network":
            item = cloud.ask(f"/{region}/network/v2.0/quotas/{project}/details")["quota"][name]
            limit, used = item["limit"], item["used"]
        else:
            usage = cloud.ask(f"/{region}/image/v2/info/usage", user=TENANT)["usage"]
            if name not in usage:
                continue
            limit, used = usage[name]["limit"], usage[name]["usage"]
        if limit < 0:
            return -1
        total += max(limit, used)
    return total


def test_a_write_is_recorded_with_the_sum_before_and_after_and_its_writer(cloud: SimulatedCloud) -> None:
    before = worked_out(cloud, "compute/cores")
    put(cloud, "one", cores=500)
    [record] = told(cloud)["records"]
    assert (record["before"], record["after"]) == (before, before + 100)
    assert (record["limit_before"], record["limit_after"]) == (400, 500)
    assert (record["region"], record["service"], record["resource"]) == ("one", "compute", "compute/cores")
    assert (record["project"], record["project_id"]) == (TENANT, cloud.project_id(TENANT))
    assert (record["user_agent"], record["request_id"]) == ("a-tool/1", "r-7")
    assert record["how"].startswith("PUT /os-quota-sets/")


def test_use_counts_where_it_is_more_than_the_limit(cloud: SimulatedCloud) -> None:
    rest = worked_out(cloud, "compute/instances") - 200
    used = cloud.world.region("one").compute.usage(cloud.project_id(TENANT))["instances"]
    assert used > 0
    put(cloud, "one", instances=0, force=True)
    assert told(cloud)["records"][-1]["after"] == rest + used


def test_no_limit_in_one_region_is_no_limit_in_all(cloud: SimulatedCloud) -> None:
    put(cloud, "one", cores=-1)
    put(cloud, "two", cores=500)
    put(cloud, "one", cores=400)
    assert [record["after"] for record in told(cloud)["records"]] == [
        -1,
        -1,
        worked_out(cloud, "compute/cores"),
    ]


def test_refused_writes_are_not_recorded_and_dropped_ones_are(cloud: SimulatedCloud) -> None:
    path = f"/one/compute/v2.1/os-quota-sets/{cloud.project_id(TENANT)}"
    cloud.send("PUT", path, {"quota_set": {"cores": 0}}, status=400)
    assert told(cloud)["records"] == []
    put(cloud, "three", cores=1)
    [record] = told(cloud)["records"]
    assert record["before"] == record["after"]
    assert told(cloud)["writes"] == {"three": {"compute": 1}}


def test_unified_limits_are_recorded_under_their_classic_names(cloud: SimulatedCloud) -> None:
    [registered] = cloud.ask("/identity/v3/registered_limits?resource_name=class:VCPU")["registered_limits"]
    wanted = {key: registered[key] for key in ("service_id", "region_id", "resource_name")}
    wanted |= {"project_id": cloud.project_id(TENANT), "resource_limit": 500}
    made = cloud.send("POST", "/identity/v3/limits", {"limits": [wanted]}, status=201)["limits"][0]
    path = f"/identity/v3/limits/{made['id']}"
    cloud.send("PATCH", path, {"limit": {"resource_limit": 0}}, status=200)
    cloud.send("PATCH", path, {"limit": {"resource_limit": 450}}, status=200)
    cloud.send("DELETE", path, status=204)
    records = told(cloud)["records"]
    assert {(record["region"], record["resource"]) for record in records} == {("three", "compute/cores")}
    assert [record["limit_after"] for record in records] == [500, 500, 450, 400]
    assert [record["after"] - record["before"] for record in records] == [100, 0, -50, -50]
    assert told(cloud)["writes"] == {"three": {"compute": 4}}


def test_a_change_of_defaults_is_a_record_for_everybody_whom_it_changes(cloud: SimulatedCloud) -> None:
    body = {"quota_class_set": {"cores": 21, "ram": 51200}}
    cloud.send("PUT", "/one/compute/v2.1/os-quota-class-sets/default", body, status=200)
    records = told(cloud)["records"]
    assert {record["project"] for record in records} == {"admin", "service"}
    assert {record["resource"] for record in records} == {"compute/cores"}
    [registered] = cloud.ask("/identity/v3/registered_limits?resource_name=servers")["registered_limits"]
    path = f"/identity/v3/registered_limits/{registered['id']}"
    cloud.send("PATCH", path, {"registered_limit": {"default_limit": 0}}, status=200)
    later = told(cloud, f"?since={records[-1]['number']}")["records"]
    assert {record["project"] for record in later} == {"admin", "service", TENANT, "project-002"}
    assert all(record["limit_after"] == 0 for record in later)


def test_records_are_filtered_and_forgotten(cloud: SimulatedCloud) -> None:
    put(cloud, "one", cores=401, ram=10**6)
    put(cloud, "two", cores=402)
    assert len(told(cloud, "?resource=compute/cores")["records"]) == 2
    assert len(told(cloud, f"?project={cloud.project_id(TENANT)}&since=1")["records"]) == 2
    assert told(cloud, "?project=nobody")["records"] == []
    assert cloud.call("GET", "/_sim/quotas?since=x").status == 400
    assert cloud.call("GET", "/_sim/quotas?sort=x").status == 400
    assert cloud.call("DELETE", "/_sim/quotas").status == 204
    assert told(cloud) == {"records": [], "last": 3, "writes": {}}


def test_a_hook_is_called_after_every_single_write(cloud: SimulatedCloud) -> None:
    seen: list[Record] = []
    cloud.world.ledger.hooks.append(seen.append)
    put(cloud, "one", cores=401, ram=10**6)
    assert [record.resource for record in seen] == ["compute/cores", "compute/ram"]
    assert [record.number for record in seen] == [1, 2]


def test_a_hand_sets_limits_without_asking_anybody(cloud: SimulatedCloud) -> None:
    for region in ("one", "three"):
        assert hand(cloud, region=region, resource="compute/instances", limit=0)["limit"] == 0
        hand(cloud, region=region, resource="compute/instances", limit=None)
    how = [(record["how"], record["limit_after"]) for record in told(cloud)["records"]]
    assert how == [("hand", 0), ("hand", 10), ("hand", 0), ("hand", 200)]
    for wrong in ({"limit": -2}, {"limit": "x"}, {"resource": "compute/nothing"}, {"project": "nobody"}):
        what: dict[str, Any] = {"region": "one", "resource": "compute/cores", "limit": 1} | wrong
        hand(cloud, status=404 if "project" in wrong else 400, **what)


HANDS = [
    "compute/instances", "compute/cores", "compute/ram", "volume/volumes", "volume/gigabytes",
    "volume/snapshots", "volume/backups", "network/network", "network/port", "network/router",
    "network/floatingip", "network/security_group", "image/image_count_total", "image/image_size_total",
]  # fmt: skip


@pytest.mark.parametrize("resource", HANDS)
def test_a_hand_uses_more_and_less_within_the_limit_unless_forced(
    cloud: SimulatedCloud, resource: str
) -> None:
    def use(by: int, **more: Any) -> Any:
        return hand(cloud, method="POST", path="use", region="three", resource=resource, by=by, **more)

    hand(cloud, method="POST", path="use", region="three", resource="volume/volumes", by=1)
    start = use(3)
    assert start["refused"] is None
    assert use(-3)["used"] == start["used"] - 3
    hand(cloud, region="three", resource=resource, limit=start["used"] - 3)
    stopped = use(3)
    assert (stopped["done"], stopped["used"]) == (0, start["used"] - 3)
    assert stopped["refused"]["status"] in {403, 409, 413}
    assert use(3, force=True)["used"] == start["used"]
    assert use(-3)["used"] == start["used"] - 3


RESOURCES = [
    "compute/cores",
    "compute/instances",
    "volume/gigabytes",
    "network/port",
    "image/image_count_total",
]


@pytest.mark.parametrize("seed", range(6))
def test_the_sum_is_always_that_of_all_regions_whatever_comes_and_goes(seed: int) -> None:
    """Parts that did not change are not asked again: what changed must not be missed."""
    draws, cloud = random.Random(seed), make(seed=seed)  # noqa: S311 - a seeded world
    user = cloud.world.keystone("one").find("users", {"name": TENANT}) or {}
    for _ in range(40):
        region, resource = draws.choice(NAMES), draws.choice(RESOURCES)
        if resource.startswith("image") and region != "three":
            continue
        match draws.choice(("use", "limit", "limit", "boot", "group")):
            case "use":
                by = draws.choice((-2, 1, 5))
                hand(cloud, method="POST", path="use", region=region, resource=resource, by=by, force=True)
            case "boot":
                compute = cloud.world.region(region).compute
                own = [server for server in compute.servers.values() if server.user_id == user["id"]]
                if own:
                    compute.delete_server(draws.choice(own))  # behind the back of all routes
            case "group":
                cloud.ask(f"/{region}/network/v2.0/security-groups", user=TENANT)  # makes one, sometimes
            case _:
                worked = worked_out(cloud, resource)
                hand(cloud, region=region, resource=resource, limit=draws.choice((-1, 0, 3, 40, None)))
                record = told(cloud)["records"][-1]
                assert (record["before"], record["after"]) == (worked, worked_out(cloud, resource))


def test_projects_are_matched_by_name_where_each_region_has_a_keystone() -> None:
    cloud = make(own_keystone=True)
    keystone = cloud.world.keystone("two")
    project = keystone.find("projects", {"name": TENANT})
    assert project
    body = {"quota_set": {"cores": 500}}
    path = f"/two/compute/v2.1/os-quota-sets/{project['id']}"
    token = cloud.token(region="two")
    limits = [
        cloud.world.region(name).compute.limits(
            str((cloud.world.keystone(name).find("projects", {"name": TENANT}) or {})["id"])
        )["cores"]
        for name in NAMES
    ]
    assert cloud.call("PUT", path, body, token=token).status == 200
    [record] = told(cloud)["records"]
    assert record["project"] == TENANT
    assert record["before"] == sum(limits)
    assert record["after"] == sum(limits) + 500 - limits[1]


def test_servers_that_are_made_by_their_own_route_count_at_the_next_write(cloud: SimulatedCloud) -> None:
    put(cloud, "one", instances=0, force=True)
    first = told(cloud)["records"][-1]["after"]
    put(cloud, "one", instances=-1)
    cloud.send("POST", "/one/compute/v2.1/servers", wish(cloud), user=TENANT, status=202)
    put(cloud, "one", instances=0, force=True)
    assert told(cloud)["records"][-1]["after"] == first + 1


def _end_a_server(cloud: SimulatedCloud, project: str) -> None:
    state = cloud.world.region("one").compute
    server = next(item for item in state.servers.values() if item.project_id == project)
    server.volumes.clear()
    state.region.network = type(state.region.network)(state.region)  # it has no port there to give back
    state.delete_server(server)


def _make_a_volume(cloud: SimulatedCloud, project: str) -> None:
    region = cloud.world.region("one")
    region.limits_hold = False
    region.volume.create(name="x", size=700, project_id=project, user_id="")


def _make_a_group(cloud: SimulatedCloud, project: str) -> None:
    network = cloud.world.region("one").network
    for group in list(network.security_groups.values()):
        if group.project_id == project:
            del network.security_groups[group.id]
    hand(cloud, region="one", resource="network/security_group", limit=0)
    cloud.ask("/one/network/v2.0/security-groups", user=TENANT)  # a GET that makes one


@pytest.mark.parametrize(
    ("resource", "change"),
    [
        ("compute/cores", _end_a_server),
        ("volume/gigabytes", _make_a_volume),
        ("network/security_group", _make_a_group),
    ],
)
def test_what_changes_without_a_request_that_writes_is_not_missed(
    cloud: SimulatedCloud, resource: str, change: Callable[[SimulatedCloud, str], None]
) -> None:
    project = cloud.project_id(TENANT)
    hand(cloud, region="one", resource=resource, limit=0)
    hand(cloud, region="two", resource=resource, limit=0)
    change(cloud, project)
    before = told(cloud)["records"][-1]["after"]
    hand(cloud, region="two", resource=resource, limit=0)
    now = told(cloud)["records"][-1]["before"]
    service, _, name = resource.partition("/")
    standings = [cloud.world.region(region).standing(service, project, name) for region in NAMES]
    assert now == sum(max(standing) for standing in standings if standing)
    assert now != before
