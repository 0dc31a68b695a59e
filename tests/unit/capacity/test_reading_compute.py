"""What the lab's Nova and Placement answer, taken apart."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from multisite.capacity.details import ComputeDetail, Host, PlacementDetail
from multisite.capacity.model import Capacity, ComputeSummary, Inventory, Provider, placement_summary
from multisite.capacity.readers.compute import flavor_of, hosts_of, hypervisor_of, summarize
from multisite.capacity.readers.placement import InventoryMemory, inventory_of, place, read
from multisite.clock import FixedClock
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

Recorded = Callable[[str], Any]


class Answers(RegionClient):
    """A client that answers recorded documents by route, and counts."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self.documents = dict(documents)
        self.asked: list[str] = []

    async def get(
        self,
        service: str,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,
    ) -> dict[str, Any]:
        assert microversion == "placement 1.18"
        where = f"{service}{path}" + ("?required" if parameters else "")
        self.asked.append(where)
        if where not in self.documents:
            raise RegionCallError("not-found", where)
        return dict(self.documents[where])


@pytest.fixture
def compute(recorded: Recorded) -> ComputeDetail:
    hosts = hosts_of(recorded("nova_os_services")["services"], recorded("nova_os_aggregates")["aggregates"])
    available = {host.host: host.available for host in hosts if host.binary == "nova-compute"}
    hypervisors = recorded("nova_os_hypervisors_detail")["hypervisors"]
    return ComputeDetail(hosts, tuple(hypervisor_of(item, available) for item in hypervisors))


@pytest.fixture
def region(recorded: Recorded) -> Answers:
    listing = recorded("placement_resource_providers")
    documents = {
        "placement/resource_providers": listing,
        "placement/resource_providers?required": recorded("placement_sharing_providers"),
    }
    for item in listing["resource_providers"]:
        host = item["name"].partition("-")[2]
        for kind in ("inventories", "usages"):
            where = f"placement/resource_providers/{item['uuid']}/{kind}"
            documents[where] = recorded(f"placement_{kind}_{host}")
    return Answers(documents)


def test_services_stand_in_their_zones(compute: ComputeDetail) -> None:
    zones = {host.host: host.zone for host in compute.hosts if host.binary == "nova-compute"}
    assert zones == {"regiontwo-compute1": "nova", "regiontwo-compute2": "az2"}
    assert all(host.updated_at and host.updated_at.tzinfo is UTC for host in compute.hosts)


def test_the_summary_counts_services_and_hypervisors(compute: ComputeDetail) -> None:
    found = summarize(compute)
    assert found == ComputeSummary(
        services_up=4, services_down=0, services_disabled=0, hosts=2, hosts_available=2, running_servers=5
    )


def service(**changes: Any) -> Host:
    item = {"host": "c1", "binary": "nova-compute", "zone": "nova", "status": "enabled", "state": "up"}
    return hosts_of([{**item, **changes}], [{"hosts": ["c1"], "availability_zone": "az9"}])[0]


def test_an_aggregates_zone_holds_for_computes_only() -> None:
    assert service().zone == "az9"
    assert service(binary="nova-conductor").zone == "nova"


@pytest.mark.parametrize("changes", [{"state": "down"}, {"status": "disabled"}, {"forced_down": True}])
def test_a_service_that_is_down_disabled_or_forced_down_is_not_available(changes: dict[str, Any]) -> None:
    assert not service(**changes).available
    assert service().available


def test_a_hypervisor_is_available_only_with_its_compute_service(recorded: Recorded) -> None:
    item = recorded("nova_os_hypervisors_detail")["hypervisors"][0]
    host = item["service"]["host"]

    assert hypervisor_of(item, {host: True}).available
    assert not hypervisor_of(item, {host: False}).available
    assert not hypervisor_of({**item, "state": "down"}, {host: True}).available
    assert not hypervisor_of({**item, "status": "disabled"}, {host: True}).available


def test_the_labs_flavors_ask_for_what_they_name(recorded: Recorded) -> None:
    for item in recorded("nova_flavors_detail")["flavors"]:
        expected = {"VCPU": item["vcpus"], "MEMORY_MB": item["ram"], "DISK_GB": item["disk"]}
        assert flavor_of(item).resources == {name: figure for name, figure in expected.items() if figure}


def needs(**changes: Any) -> Mapping[str, int]:
    item = {"id": "f", "name": "f", "vcpus": 2, "ram": 512, "disk": 10, "swap": ""}
    return flavor_of({**item, **changes}).resources


def test_ephemeral_disk_and_swap_are_disk_too() -> None:
    assert needs(**{"OS-FLV-EXT-DATA:ephemeral": 5, "swap": 1025})["DISK_GB"] == 17


def test_dedicated_cpus_are_pcpus() -> None:
    assert needs(extra_specs={"hw:cpu_policy": "dedicated"}) == {"PCPU": 2, "MEMORY_MB": 512, "DISK_GB": 10}


def test_extra_specs_override_drop_and_add_resources() -> None:
    specs = {
        "resources:VCPU": "0",
        "resources:MEMORY_MB": "0",
        "resources:CUSTOM_BAREMETAL": "1",
        "resources1:SRIOV_NET_VF": "1",
        "resources_2:SRIOV_NET_VF": "1",
        "resources:BROKEN": "many",
        "hw:numa_nodes": "2",
    }
    assert needs(extra_specs=specs, disk=0) == {"CUSTOM_BAREMETAL": 1, "SRIOV_NET_VF": 2}


async def test_the_labs_providers_add_up(region: Answers, compute: ComputeDetail, clock: FixedClock) -> None:
    detail = place(await read(region, InventoryMemory(clock, 600)), compute)
    summary = placement_summary(detail.providers)

    assert summary.resources["VCPU"] == Capacity(total=72, reserved=0, usable=288, used=13, free=275)
    assert summary.zones["az2"]["VCPU"] == Capacity(total=24, reserved=0, usable=96, used=3, free=93)
    assert summary.resources["MEMORY_MB"].reserved == 1024
    assert summary.providers == 2


async def test_inventories_are_read_again_only_when_their_generation_moved_or_they_are_old(
    region: Answers, clock: FixedClock
) -> None:
    memory = InventoryMemory(clock, 600)

    async def calls() -> int:
        region.asked.clear()
        await read(region, memory)
        return sum(where.endswith("/inventories") for where in region.asked)

    assert await calls() == 2
    assert await calls() == 0
    assert sum(where.endswith("/usages") for where in region.asked) == 2
    region.documents["placement/resource_providers"]["resource_providers"][0]["generation"] += 1
    assert await calls() == 1
    clock.advance(timedelta(seconds=600))
    assert await calls() == 2


async def test_a_provider_that_is_gone_since_it_was_listed_is_left_out_and_forgotten(
    region: Answers, clock: FixedClock
) -> None:
    memory = InventoryMemory(clock, 600)
    await read(region, memory)
    gone = region.documents["placement/resource_providers"]["resource_providers"][0]["uuid"]
    del region.documents[f"placement/resource_providers/{gone}/usages"]

    assert gone not in {provider.uuid for provider in (await read(region, memory)).providers}

    del region.documents["placement/resource_providers"]["resource_providers"][0]
    await read(region, memory)
    assert gone not in memory.known


def test_nested_providers_follow_their_root_and_sharing_ones_stay_apart(compute: ComputeDetail) -> None:
    root = compute.hypervisors[0].uuid
    nested = Provider("numa", "numa", root, 1)
    shared = Provider(root, "nfs", root, 1, shared=True)
    stranger = Provider("x", "x", "x", 1)

    placed = place(PlacementDetail((nested, shared, stranger)), compute).providers

    assert placed[0].zone == "az2"
    assert [item.zone for item in placed[1:]] == [None, None]


def test_without_nova_zones_are_unknown_and_nothing_is_ruled_out() -> None:
    detail = PlacementDetail((Provider("h", "h", "h", 1),))
    assert place(detail, None) is detail


def test_providers_of_a_host_that_is_down_take_no_servers(compute: ComputeDetail) -> None:
    from dataclasses import replace

    down = replace(compute.hypervisors[0], available=False)
    detail = PlacementDetail((Provider("numa", "numa", down.uuid, 1),))
    assert not place(detail, ComputeDetail(compute.hosts, (down,))).providers[0].available


def test_an_inventory_with_defaults() -> None:
    assert inventory_of({"total": 8}) == Inventory(8, 0, 1.0, 1, 8, 1)


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"total": None},
        {"total": "many"},
        {"total": float("inf")},
        {"total": 10**400},
        {"total": 8, "allocation_ratio": float("inf")},
        {"total": 8, "allocation_ratio": "x"},
        {"total": 8, "allocation_ratio": 1e300},
        {"total": [8]},
    ],
)
def test_a_figure_that_is_none_is_refused_where_it_is_read(item: dict[str, Any]) -> None:
    with pytest.raises((LookupError, TypeError, ValueError, ArithmeticError)):
        inventory_of(item)


@pytest.mark.parametrize("used", ["many", None, 10**400, float("inf"), [1]])
async def test_a_usage_that_is_none_is_refused_where_it_is_read(
    region: Answers, clock: FixedClock, used: object
) -> None:
    where = next(name for name in region.documents if name.endswith("/usages"))
    region.documents[where] = {"usages": {"VCPU": used}}
    with pytest.raises((TypeError, ValueError, ArithmeticError)):
        await read(region, InventoryMemory(clock, 600))


def test_times_of_nova_are_utc() -> None:
    assert service(updated_at="2026-11-22T02:18:03.000000").updated_at == datetime(
        2026, 11, 22, 2, 18, 3, tzinfo=UTC
    )
    assert service(updated_at=None).updated_at is None
