"""Simulated Cinder: quotas that count, statuses that forbid, pools that follow, filters with their traps."""

from typing import Any

from tests.unit.sim.conftest import SimulatedCloud

CINDER = "/one/volume/v3"
AT_360 = "volume 3.60"
TENANT = "project-001"


def make(cloud: SimulatedCloud, status: int = 202, **values: Any) -> Any:
    body = cloud.send("POST", f"{CINDER}/volumes", {"volume": values}, user=TENANT, status=status)
    return body.get("volume") or body


def usage(cloud: SimulatedCloud) -> dict[str, Any]:
    path = f"{CINDER}/os-quota-sets/{cloud.project_id(TENANT)}?usage=True"
    return dict(cloud.ask(path, user=TENANT)["quota_set"])


def test_a_volume_counts_against_its_project_and_its_type_until_it_is_deleted(cloud: SimulatedCloud) -> None:
    before = usage(cloud)
    volume = make(cloud, name="data", size=7)
    assert volume["status"] == "creating"
    now = usage(cloud)
    for resource in ("gigabytes", "gigabytes_ssd"):
        assert now[resource]["in_use"] == before[resource]["in_use"] + 7
    assert now["volumes"]["in_use"] == before["volumes"]["in_use"] + 1
    cloud.send("DELETE", f"{CINDER}/volumes/{volume['id']}", user=TENANT, status=202)
    assert usage(cloud) == before


def test_more_than_the_quota_is_413_with_a_time_to_retry_after(cloud: SimulatedCloud) -> None:
    body = {"volume": {"size": 100_000}}
    reply = cloud.call("POST", f"{CINDER}/volumes", body, token=cloud.token(TENANT))
    assert (reply.status, reply.headers["retry-after"]) == (413, "0")
    assert reply.json["overLimit"]["retryAfter"] == "0"


def test_pools_say_what_is_stored_in_them(cloud: SimulatedCloud) -> None:
    path = f"{CINDER}/scheduler-stats/get_pools?detail=true"
    before = cloud.ask(path)["pools"][0]["capabilities"]
    make(cloud, size=30)
    after = cloud.ask(path)["pools"][0]["capabilities"]
    assert after["allocated_capacity_gb"] == before["allocated_capacity_gb"] + 30
    assert after["free_capacity_gb"] == before["free_capacity_gb"] - 30
    cloud.ask(path, user=TENANT, status=403)


def test_a_volume_with_a_snapshot_or_in_a_server_cannot_be_deleted(cloud: SimulatedCloud) -> None:
    volume = make(cloud, size=1)
    body = {"snapshot": {"volume_id": volume["id"]}}
    snapshot = cloud.send("POST", f"{CINDER}/snapshots", body, user=TENANT, status=202)["snapshot"]
    cloud.send("DELETE", f"{CINDER}/volumes/{volume['id']}", user=TENANT, status=400)
    cloud.send("DELETE", f"{CINDER}/snapshots/{snapshot['id']}", user=TENANT, status=202)
    state = cloud.world.region("one").volume
    state.attach(volume["id"], "server", cloud.project_id(TENANT), "host", "/dev/vdb")
    cloud.send("DELETE", f"{CINDER}/volumes/{volume['id']}", user=TENANT, status=400)
    state.detach(volume["id"])
    cloud.send("DELETE", f"{CINDER}/volumes/{volume['id']}", user=TENANT, status=202)


def test_a_backup_of_a_volume_in_use_needs_force(cloud: SimulatedCloud) -> None:
    volume = make(cloud, size=2)
    cloud.world.region("one").volume.attach(volume["id"], "s", cloud.project_id(TENANT), "h", "/dev/vdb")
    body: dict[str, Any] = {"backup": {"volume_id": volume["id"], "name": "weekly"}}
    cloud.send("POST", f"{CINDER}/backups", body, user=TENANT, status=400)
    body["backup"]["force"] = True
    cloud.send("POST", f"{CINDER}/backups", body, user=TENANT, status=202)
    assert usage(cloud)["backup_gigabytes"]["in_use"] == 2


def test_times_filter_volumes_only_and_from_331_on(cloud: SimulatedCloud) -> None:
    make(cloud, name="new", size=1)
    query = "all_tenants=1&updated_at=gte:2026-12-01T00:00:00"  # what is seeded is older
    found = cloud.ask(f"{CINDER}/volumes?{query}", OpenStack_API_Version=AT_360)["volumes"]
    assert [volume["name"] for volume in found] == ["new"]
    assert len(cloud.ask(f"{CINDER}/volumes?{query}")["volumes"]) > 1
    assert cloud.ask(f"{CINDER}/snapshots?{query}", OpenStack_API_Version=AT_360)["snapshots"] == []
    cloud.ask(f"{CINDER}/snapshots?{query}", user=TENANT, status=400, OpenStack_API_Version=AT_360)


def test_pages_hold_each_volume_once_and_the_last_full_one_links_on(cloud: SimulatedCloud) -> None:
    for _ in range(3):
        make(cloud, size=1)
    everything = cloud.ask(f"{CINDER}/volumes", user=TENANT)["volumes"]
    seen: list[str] = []
    path = f"{CINDER}/volumes?limit=1"
    while path:
        page = cloud.ask(path, user=TENANT)
        seen += [volume["id"] for volume in page["volumes"]]
        links = page.get("volumes_links")
        path = f"{CINDER}/{links[0]['href'].partition('/v3/')[2]}" if links else ""
    assert seen == [volume["id"] for volume in everything]
    cloud.ask(f"{CINDER}/volumes?marker={seen[0][:-1]}x", user=TENANT, status=404)


def test_another_projects_volume_is_not_there(cloud: SimulatedCloud) -> None:
    volume = make(cloud, size=1)
    cloud.ask(f"{CINDER}/volumes/{volume['id']}", user="project-002", status=404)
    cloud.send("DELETE", f"{CINDER}/volumes/{volume['id']}", user="project-002", status=404)
    assert cloud.ask(f"{CINDER}/volumes/{volume['id']}")["volume"]["os-vol-host-attr:host"]


def test_a_limit_below_what_is_used_is_refused_only_the_second_time(cloud: SimulatedCloud) -> None:
    make(cloud, size=1)
    make(cloud, size=1)
    path, body = f"{CINDER}/os-quota-sets/{cloud.project_id(TENANT)}", {"quota_set": {"volumes_ssd": 1}}
    cloud.send("PUT", path, body, status=200)
    cloud.send("PUT", path, body, status=400)
    make(cloud, status=413, size=1)
