"""Simulated Nova and Placement: rules, not canned answers."""

from typing import Any

import pytest

from tests.unit.sim.conftest import SimulatedCloud

NOVA = "/one/compute/v2.1"
NEUTRON = "/one/network/v2.0"


def used(cloud: SimulatedCloud, project: str) -> dict[str, Any]:
    path = f"{NOVA}/os-quota-sets/{cloud.project_id(project)}/detail"
    return {name: item["in_use"] for name, item in cloud.ask(path)["quota_set"].items() if name != "id"}


def allocated(cloud: SimulatedCloud) -> dict[str, int]:
    total: dict[str, int] = {}
    for provider in cloud.ask("/one/placement/resource_providers")["resource_providers"]:
        path = f"/one/placement/resource_providers/{provider['uuid']}/usages"
        for kind, amount in cloud.ask(path)["usages"].items():
            total[kind] = total.get(kind, 0) + amount
    return total


def free_addresses(cloud: SimulatedCloud, network_id: str) -> int:
    listed = cloud.ask(f"{NEUTRON}/network-ip-availabilities")["network_ip_availabilities"]
    [item] = [item for item in listed if item["network_id"] == network_id]
    return int(item["total_ips"]) - int(item["used_ips"])


def wish(cloud: SimulatedCloud, flavor: str = "m1.small", **more: Any) -> dict[str, Any]:
    flavors = cloud.ask(f"{NOVA}/flavors", user="project-001")["flavors"]
    flavor_id = next(item["id"] for item in flavors if item["name"] == flavor)
    image_id = cloud.ask("/one/image/v2/images", user="project-001")["images"][0]["id"]
    networks = cloud.ask(f"{NEUTRON}/networks?project_id={cloud.project_id('project-001')}")["networks"]
    wanted = {
        "name": "new",
        "flavorRef": flavor_id,
        "imageRef": image_id,
        "networks": [{"uuid": networks[0]["id"]}],
    }
    return {"server": wanted | more}


def test_the_seeded_cloud_is_consistent(cloud: SimulatedCloud) -> None:
    servers = cloud.ask(f"{NOVA}/servers/detail?all_tenants=1", openstack_api_version="compute 2.47")[
        "servers"
    ]
    assert len(servers) == 10
    assert allocated(cloud)["VCPU"] == sum(server["flavor"]["vcpus"] for server in servers)
    for name in ("project-001", "project-002", "project-003"):
        own = [server for server in servers if server["tenant_id"] == cloud.project_id(name)]
        assert used(cloud, name)["instances"] == len(own)
        assert used(cloud, name)["ram"] == sum(server["flavor"]["ram"] for server in own)
    ports = cloud.ask(f"{NEUTRON}/ports")["ports"]
    assert {port["device_id"] for port in ports if port["device_owner"].startswith("compute:")} == {
        server["id"] for server in servers
    }


def test_a_server_uses_quota_room_and_an_address_and_gives_them_back(cloud: SimulatedCloud) -> None:
    wanted = wish(cloud)
    network_id = wanted["server"]["networks"][0]["uuid"]
    before = used(cloud, "project-001"), allocated(cloud), free_addresses(cloud, network_id)
    made = cloud.send("POST", f"{NOVA}/servers", wanted, user="project-001", status=202)["server"]
    shown = cloud.ask(f"{NOVA}/servers/{made['id']}", user="project-001")["server"]
    assert shown["status"] == "ACTIVE"
    assert sum(len(rows) for rows in shown["addresses"].values()) >= 1
    assert used(cloud, "project-001")["instances"] == before[0]["instances"] + 1
    assert allocated(cloud)["MEMORY_MB"] == before[1]["MEMORY_MB"] + 2048
    assert free_addresses(cloud, network_id) == before[2] - sum(
        len(rows) for rows in shown["addresses"].values()
    )
    cloud.send("DELETE", f"{NOVA}/servers/{made['id']}", user="project-001", status=204)
    assert (used(cloud, "project-001"), allocated(cloud), free_addresses(cloud, network_id)) == before
    cloud.ask(f"{NOVA}/servers/{made['id']}", user="project-001", status=404)


def test_the_quota_holds(cloud: SimulatedCloud) -> None:
    path = f"{NOVA}/os-quota-sets/{cloud.project_id('project-001')}"
    held = used(cloud, "project-001")["instances"]
    cloud.send("PUT", path, {"quota_set": {"instances": held + 1}}, status=200)
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)
    refused = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=403)
    assert "Quota exceeded for instances" in refused["forbidden"]["message"]
    cloud.send("PUT", path, {"quota_set": {"instances": held}}, status=400)


def test_several_servers_at_once_are_as_many_as_the_quota_allows(cloud: SimulatedCloud) -> None:
    path = f"{NOVA}/os-quota-sets/{cloud.project_id('project-001')}"
    held = used(cloud, "project-001")["instances"]
    cloud.send("PUT", path, {"quota_set": {"instances": held + 3}}, status=200)
    cloud.send("POST", f"{NOVA}/servers", wish(cloud, min_count=4), user="project-001", status=403)
    assert used(cloud, "project-001")["instances"] == held
    wanted = wish(cloud, min_count=2, max_count=9)
    cloud.send("POST", f"{NOVA}/servers", wanted, user="project-001", status=202)
    assert used(cloud, "project-001")["instances"] == held + 3


def test_a_full_region_makes_a_server_in_error(cloud: SimulatedCloud) -> None:
    for host in cloud.world.region("one").compute.hosts.values():
        host.enabled = False
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    assert cloud.ask(f"{NOVA}/servers/{made['id']}", user="project-001")["server"]["status"] == "ERROR"


def test_another_projects_server_is_as_if_it_did_not_exist(cloud: SimulatedCloud) -> None:
    servers = cloud.ask(f"{NOVA}/servers/detail?all_tenants=1")["servers"]
    foreign = next(item for item in servers if item["tenant_id"] == cloud.project_id("project-002"))
    cloud.ask(f"{NOVA}/servers/{foreign['id']}", user="project-001", status=404)
    listed = cloud.ask(f"{NOVA}/servers/detail", user="project-001")["servers"]
    assert {item["tenant_id"] for item in listed} == {cloud.project_id("project-001")}
    cloud.ask(f"{NOVA}/servers/detail?all_tenants=1", user="project-001", status=403)
    assert "OS-EXT-SRV-ATTR:host" not in listed[0]


def test_pages_walk_everything_once(cloud: SimulatedCloud) -> None:
    seen: list[str] = []
    path: str | None = f"{NOVA}/servers?all_tenants=1&limit=3"
    while path:
        body = cloud.ask(path)
        seen += [server["id"] for server in body["servers"]]
        links = body.get("servers_links", [])
        path = "/" + links[0]["href"].split("/", 3)[3] if links else None
    assert len(seen) == len(set(seen)) == 10


def test_changes_since_tells_what_changed_and_what_is_gone(cloud: SimulatedCloud) -> None:
    servers = cloud.ask(f"{NOVA}/servers?all_tenants=1")["servers"]
    since = "2027-01-15T07:59:00Z"  # just before the clock of these tests
    assert cloud.ask(f"{NOVA}/servers/detail?all_tenants=1&changes-since={since}")["servers"] == []
    cloud.send("DELETE", f"{NOVA}/servers/{servers[0]['id']}", status=204)
    cloud.send("PUT", f"{NOVA}/servers/{servers[1]['id']}", {"server": {"name": "renamed"}}, status=200)
    changed = cloud.ask(f"{NOVA}/servers/detail?all_tenants=1&changes-since={since}")["servers"]
    assert {(item["id"], item["status"] == "DELETED") for item in changed} == {
        (servers[0]["id"], True),
        (servers[1]["id"], False),
    }


@pytest.mark.parametrize(
    ("first", "status", "then"),
    [
        ({"os-stop": None}, 202, "SHUTOFF"),
        ({"os-start": None}, 409, "ACTIVE"),
        ({"reboot": {"type": "SOFT"}}, 202, "ACTIVE"),
        ({"confirmResize": None}, 409, "ACTIVE"),
        ({"fly": None}, 400, "ACTIVE"),
    ],
)
def test_actions(cloud: SimulatedCloud, first: dict[str, Any], status: int, then: str) -> None:
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    path = f"{NOVA}/servers/{made['id']}"
    cloud.send("POST", f"{path}/action", first, user="project-001", status=status)
    assert cloud.ask(path, user="project-001")["server"]["status"] == then


@pytest.mark.parametrize("end", ["confirmResize", "revertResize"])
def test_a_resize_holds_both_sizes_until_it_ends(cloud: SimulatedCloud, end: str) -> None:
    before = allocated(cloud)["VCPU"]
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    path = f"{NOVA}/servers/{made['id']}"
    large = wish(cloud, "m1.large")["server"]["flavorRef"]
    cloud.send("POST", f"{path}/action", {"resize": {"flavorRef": large}}, user="project-001", status=202)
    assert cloud.ask(path, user="project-001")["server"]["status"] == "VERIFY_RESIZE"
    assert allocated(cloud)["VCPU"] == before + 1 + 4
    status = 204 if end == "confirmResize" else 202
    cloud.send("POST", f"{path}/action", {end: None}, user="project-001", status=status)
    assert allocated(cloud)["VCPU"] == before + (4 if end == "confirmResize" else 1)
    cloud.send("DELETE", path, user="project-001", status=204)
    assert allocated(cloud)["VCPU"] == before


def test_a_microversion_out_of_range_is_406_and_the_flavor_follows_it(cloud: SimulatedCloud) -> None:
    path = f"{NOVA}/servers/detail?all_tenants=1"
    old = cloud.ask(path)["servers"][0]["flavor"]
    new = cloud.ask(path, openstack_api_version="compute 2.47")["servers"][0]["flavor"]
    assert set(old) == {"id", "links"}
    assert "original_name" in new
    cloud.ask(path, status=406, openstack_api_version="compute 9.9")


def test_building_takes_the_time_of_the_plan() -> None:
    cloud = SimulatedCloud(regions=1, servers=2, projects=1, names=("one",), build_seconds=10)
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    path = f"{NOVA}/servers/{made['id']}"
    assert cloud.ask(path)["server"]["status"] == "BUILD"
    cloud.now += 11
    assert cloud.ask(path)["server"]["status"] == "ACTIVE"


def test_a_volume_is_attached_to_one_server_at_a_time(cloud: SimulatedCloud) -> None:
    server = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    other = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user="project-001", status=202)["server"]
    wanted = {"volume": {"size": 1, "name": "data"}}
    volume = cloud.send("POST", "/one/volume/v3/volumes", wanted, user="project-001", status=202)["volume"]
    body = {"volumeAttachment": {"volumeId": volume["id"]}}
    path = f"{NOVA}/servers/{server['id']}/os-volume_attachments"
    cloud.send("POST", path, body, user="project-001", status=200)
    shown = cloud.ask(f"/one/volume/v3/volumes/{volume['id']}", user="project-001")["volume"]
    assert (shown["status"], shown["attachments"][0]["server_id"]) == ("in-use", server["id"])
    again = f"{NOVA}/servers/{other['id']}/os-volume_attachments"
    assert cloud.call("POST", again, body, token=cloud.token("project-001")).status in {400, 409}
    cloud.send("DELETE", f"{path}/{volume['id']}", user="project-001", status=202)
    shown = cloud.ask(f"/one/volume/v3/volumes/{volume['id']}", user="project-001")["volume"]
    assert shown["status"] == "available"


@pytest.mark.parametrize("name", [" web", "web ", "  ", "", "a\nb", "a\u200bb", "w" * 256, None, 5])
def test_names_that_nova_does_not_take_are_refused(cloud: SimulatedCloud, name: object) -> None:
    told = cloud.send("POST", f"{NOVA}/servers", wish(cloud, name=name), user="project-001", status=400)
    assert "field/attribute name" in str(told)


def test_a_server_on_an_external_network_ends_in_error_unless_it_is_shared(cloud: SimulatedCloud) -> None:
    external = cloud.ask(f"{NEUTRON}/networks?router:external=True")["networks"][0]["id"]
    before, wanted = allocated(cloud), wish(cloud, networks=[{"uuid": external}])
    path = made(cloud, wanted)
    server = cloud.ask(path, user="project-001")["server"]
    assert (server["status"], server["addresses"]) == ("ERROR", {})
    assert "Failed to allocate the network(s)" in server["fault"]["message"]
    assert allocated(cloud) == before
    cloud.send("DELETE", path, user="project-001", status=204)
    assert allocated(cloud) == before
    cloud.world.region("one").network.networks[external].shared = True
    assert cloud.ask(made(cloud, wanted), user="project-001")["server"]["status"] != "ERROR"


def test_a_refusal_says_novas_word_for_the_state(cloud: SimulatedCloud) -> None:
    path = f"{made(cloud, wish(cloud))}/action"
    cloud.send("POST", path, {"os-stop": None}, user="project-001", status=202)
    told = cloud.send("POST", path, {"os-stop": None}, user="project-001", status=409)
    assert "while it is in vm_state stopped" in str(told)


def made(cloud: SimulatedCloud, wanted: dict[str, Any]) -> str:
    """The path of a new server of project-001."""
    server = cloud.send("POST", f"{NOVA}/servers", wanted, user="project-001", status=202)["server"]
    return f"{NOVA}/servers/{server['id']}"
