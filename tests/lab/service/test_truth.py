"""What must be seen, 1: the numbers equal those that the services themselves answer, region by region.

The expected figures come from calls of their own, through openstacksdk's plain REST, added up here in
the simplest possible way.
"""

from typing import Any

import pytest

from tests.lab.service.conftest import Api, Cloud, eventually

pytestmark = pytest.mark.lab

MICROVERSION = {"OpenStack-API-Version": "placement 1.18"}


def placement_figures(cloud: Cloud, region: str) -> dict[str, dict[str, Any]]:
    placement = cloud.connection(f"{region}-admin").placement
    figures: dict[str, dict[str, Any]] = {}
    for provider in placement.get("/resource_providers", headers=MICROVERSION).json()["resource_providers"]:
        base = f"/resource_providers/{provider['uuid']}"
        inventories = placement.get(f"{base}/inventories", headers=MICROVERSION).json()["inventories"]
        usages = placement.get(f"{base}/usages", headers=MICROVERSION).json()["usages"]
        for name, inventory in inventories.items():
            row = figures.setdefault(name, {"total": 0, "reserved": 0, "usable": 0, "used": 0})
            row["total"] += inventory["total"]
            row["reserved"] += inventory["reserved"]
            row["usable"] += (inventory["total"] - inventory["reserved"]) * inventory["allocation_ratio"]
            row["used"] += usages.get(name, 0)
    for row in figures.values():
        row["free"] = row["usable"] - row["used"]
    return figures


def service_counts(cloud: Cloud, region: str) -> tuple[int, int]:
    services = list(cloud.connection(f"{region}-admin").compute.services())
    up = sum(service.state == "up" for service in services)
    return up, len(services) - up


def pool_figures(cloud: Cloud, region: str) -> tuple[float, float, float]:
    block_storage = cloud.connection(f"{region}-admin").block_storage
    pools = block_storage.get("/scheduler-stats/get_pools?detail=true").json()["pools"]
    rows = [pool["capabilities"] for pool in pools]
    return (
        sum(row["total_capacity_gb"] for row in rows),
        round(sum(row["free_capacity_gb"] for row in rows), 2),
        sum(row.get("provisioned_capacity_gb", row["allocated_capacity_gb"]) for row in rows),
    )


def address_figures(cloud: Cloud, region: str) -> dict[str, tuple[int, int]]:
    network = cloud.connection(f"{region}-admin").network
    external = {item.id for item in network.networks(is_router_external=True)}
    sums = {f"{kind}_ipv{version}": (0, 0) for kind in ("external", "tenant") for version in (4, 6)}
    listed = network.get("/network-ip-availabilities").json()["network_ip_availabilities"]
    for item in listed:
        kind = "external" if item["network_id"] in external else "tenant"
        for subnet in item["subnet_ip_availability"]:
            key = f"{kind}_ipv{subnet['ip_version']}"
            total, used = sums[key]
            sums[key] = (total + subnet["total_ips"], used + subnet["used_ips"])
    return sums


def image_figures(cloud: Cloud, region: str) -> tuple[int, int]:
    images = list(cloud.connection(f"{region}-admin").image.images(visibility="all"))
    return len(images), sum(image.size or 0 for image in images)


def assert_equal_to_the_services(cloud: Cloud, region: str, answer: dict[str, Any]) -> None:
    assert answer["placement"]["resources"] == placement_figures(cloud, region)
    assert (answer["compute"]["services_up"], answer["compute"]["services_down"]) == service_counts(
        cloud, region
    )
    volume = answer["volume"]
    assert (volume["total"], volume["free"], volume["provisioned"]) == pool_figures(cloud, region)
    for key, (total, used) in address_figures(cloud, region).items():
        assert answer["network"][key] == {
            "total": str(total),
            "used": str(used),
            "free": str(max(0, total - used)),
        }
    assert (answer["image"]["images"], answer["image"]["bytes"]) == image_figures(cloud, region)


def test_every_figure_equals_what_the_services_answer(fresh: Cloud, admin: Api) -> None:
    answer = admin.get("/v1/capacity", fresh="true")
    assert [region["region"] for region in answer["regions"]] == sorted(fresh.regions)
    for region in answer["regions"]:
        assert_equal_to_the_services(fresh, region["region"], region)


def test_totals_are_the_sums_of_the_regions(fresh: Cloud, admin: Api) -> None:
    answer = admin.get("/v1/capacity")
    assert answer["totals"]["complete"] is True
    assert answer["totals"]["missing"] == []
    for name in ("VCPU", "MEMORY_MB", "DISK_GB"):
        for figure in ("total", "reserved", "usable", "used", "free"):
            parts = [region["placement"]["resources"][name][figure] for region in answer["regions"]]
            assert answer["totals"]["placement"]["resources"][name][figure] == sum(parts)
    assert len(answer["regions"]) == len(fresh.regions)


def test_the_zones_of_a_region_with_two_computes_add_up(fresh: Cloud, admin: Api) -> None:
    detail = admin.get("/v1/capacity/RegionTwo")
    zones = detail["region"]["placement"]["zones"]
    assert sorted(zones) == ["az2", "nova"]
    assert sum(zone["VCPU"]["total"] for zone in zones.values()) == 48 + 24
    assert len(detail["providers"]) == 2
    assert fresh.regions


def test_three_servers_booted_with_the_real_client_show_within_one_sweep(fresh: Cloud, admin: Api) -> None:
    def cores() -> int:
        capacity = admin.get("/v1/capacity", region="RegionTwo")
        return int(capacity["totals"]["placement"]["resources"]["VCPU"]["used"])

    before = cores()
    network = fresh.openstack("RegionTwo-alpha", "network", "list", "--internal")[0]["ID"]
    image = fresh.openstack("RegionTwo-alpha", "image", "list")[0]["ID"]
    fresh.openstack(
        *("RegionTwo-alpha", "server", "create", "--flavor", "m1.tiny", "--image", image),
        *("--network", network, "--min", "3", "--max", "3", "--wait", "multisite-test"),
    )
    try:
        # One sweep (5 s), and what a busy machine needs on top.
        assert eventually(cores, lambda used: used == before + 3, seconds=20) == before + 3
        [row] = fresh.openstack("RegionOne-admin", "multisite", "capacity", "list", "--region", "RegionTwo")
        assert before + 3 in row.values()
        answer = admin.get("/v1/capacity", region="RegionTwo", fresh="true")
        assert_equal_to_the_services(fresh, "RegionTwo", answer["regions"][0])
        usage = fresh.api("RegionTwo-alpha")
        project = usage.get("/v1/usage")["projects"][0]["project_id"]
        compute = fresh.connection("RegionTwo-alpha").compute
        limits = compute.get("/limits").json()["limits"]["absolute"]
        region = usage.get(f"/v1/usage/{project}", region="RegionTwo", fresh="true")["regions"][0]
        assert region["resources"]["compute/instances"]["used"] == limits["totalInstancesUsed"]
        assert region["resources"]["compute/cores"]["used"] == limits["totalCoresUsed"]
        assert region["resources"]["compute/ram"]["used"] == limits["totalRAMUsed"]
        assert region["resources"]["compute/cores"]["limit"] == limits["maxTotalCores"]
    finally:
        servers = fresh.connection("RegionTwo-alpha").compute
        for server in list(servers.servers(name="multisite-test")):
            servers.delete_server(server)
    eventually(cores, lambda used: used == before, seconds=60)


def test_use_equals_what_cinder_and_neutron_answer_to_the_project_itself(fresh: Cloud) -> None:
    for region in fresh.regions:
        tenant = fresh.api(f"{region}-beta")
        connection = fresh.connection(f"{region}-beta")
        project = str(connection.current_project_id)
        answer = tenant.get(f"/v1/usage/{project}", region=region, fresh="true")["regions"][0]["resources"]
        cinder = connection.block_storage.get(f"/os-quota-sets/{project}?usage=True").json()["quota_set"]
        for name in ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes"):
            assert answer[f"volume/{name}"]["used"] == cinder[name]["in_use"]
            assert answer[f"volume/{name}"]["limit"] == cinder[name]["limit"]
        assert answer["network/network"]["used"] == len(list(connection.network.networks(project_id=project)))
        assert answer["network/port"]["used"] == len(list(connection.network.ports(project_id=project)))
        assert answer["network/floatingip"]["used"] == len(list(connection.network.ips(project_id=project)))
        owned = [image for image in connection.image.images() if image.owner == project]
        assert answer["image/image_count_total"]["used"] == len(owned)


def test_how_many_fit_agrees_with_placement_itself(fresh: Cloud, admin: Api) -> None:
    """Boot nothing: Placement's allocation candidates say whether one more fits, we say how many."""
    for flavor in admin.get("/v1/capacity/RegionThree")["flavors"]:
        placement = fresh.connection("RegionThree-admin").placement
        resources = f"VCPU:{flavor['vcpus']},MEMORY_MB:{flavor['ram']},DISK_GB:{max(1, flavor['disk'])}"
        candidates = placement.get(
            f"/allocation_candidates?resources={resources}", headers=MICROVERSION
        ).json()
        assert (flavor["fits"] > 0) == bool(candidates["allocation_requests"])
