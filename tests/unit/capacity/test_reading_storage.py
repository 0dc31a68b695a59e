"""What Cinder, Neutron and Glance answer, taken apart."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from multisite.capacity.details import ImageDetail, NetworkDetail, Store, VolumeDetail, VolumeService
from multisite.capacity.documents import detail_of, to_text
from multisite.capacity.model import AddressCount, VolumeSummary
from multisite.capacity.readers import image, network, volume
from multisite.openstack.figures import Impossible

Recorded = Callable[[str], Any]


def pool(**capabilities: Any) -> dict[str, Any]:
    return {"name": "c@b#p", "capabilities": capabilities}


def summary(*pools: dict[str, Any]) -> VolumeSummary:
    return volume.summarize(VolumeDetail(tuple(volume.pool_of(item) for item in pools)))


def test_the_labs_pool(recorded: Recorded) -> None:
    (item,) = recorded("cinder_get_pools")["pools"]
    found = summary(item)

    assert (found.total, found.pools, found.pools_unlimited, found.pools_unknown) == (2000, 1, 0, 0)
    assert found.provisioned == item["capabilities"]["allocated_capacity_gb"]
    assert found.provisioned_limit == 2000 * 20
    assert volume.pool_of(item).backend == "file"


def test_pools_that_report_words_are_counted_not_summed() -> None:
    found = summary(
        pool(total_capacity_gb=100, free_capacity_gb=40.5),
        pool(total_capacity_gb="infinite", free_capacity_gb="infinite", provisioned_capacity_gb=7),
        pool(total_capacity_gb=" Unknown", free_capacity_gb="unknown"),
        pool(),
        pool(total_capacity_gb=50, free_capacity_gb="infinite"),
        pool(total_capacity_gb=float("inf"), free_capacity_gb=float("inf")),
    )
    assert (found.total, found.free, found.pools) == (100, 40.5, 6)
    assert (found.pools_unlimited, found.pools_unknown) == (3, 2)
    assert found.provisioned == 7


def test_figures_that_drivers_send_as_text_are_figures() -> None:
    found = volume.pool_of(
        pool(
            total_capacity_gb="100.5",
            free_capacity_gb="1",
            provisioned_capacity_gb="3.5",
            max_over_subscription_ratio="2.5",
            thin_provisioning_support="True",
        )
    )
    assert (found.total, found.free, found.provisioned, found.over_subscription) == (100.5, 1.0, 3.5, 2.5)
    assert found.thin


def test_only_thin_pools_may_be_over_subscribed() -> None:
    thick = pool(total_capacity_gb=100, free_capacity_gb=1, max_over_subscription_ratio=20)
    thin = pool(
        total_capacity_gb=10,
        free_capacity_gb=1,
        max_over_subscription_ratio=20,
        thin_provisioning_support=True,
    )
    assert summary(thick, thin).provisioned_limit == 300


@pytest.mark.parametrize("value", [None, "auto", "", float("inf"), float("nan"), 10**400, {}])
def test_a_figure_that_is_none_becomes_unknown_not_an_error(value: object) -> None:
    found = volume.pool_of(
        pool(
            total_capacity_gb=value,
            free_capacity_gb=value,
            provisioned_capacity_gb=value,
            max_over_subscription_ratio=value,
        )
    )
    assert found.total in {"unknown", "infinite"}
    assert (found.provisioned, found.over_subscription) == (0.0, 1.0)


@pytest.mark.parametrize(
    "figures",
    [
        {"total_capacity_gb": -1},
        {"free_capacity_gb": "-0.5"},
        {"free_capacity_gb": 102},
        {"provisioned_capacity_gb": -732},
        {"allocated_capacity_gb": -732},
        {"max_over_subscription_ratio": -21},
        {"total_capacity_gb": 10**300},
    ],
    ids=str,
)
def test_a_pool_that_cannot_be_is_refused(figures: dict[str, Any]) -> None:
    with pytest.raises(Impossible, match=next(iter(figures))):
        volume.pool_of(pool(**{"total_capacity_gb": 100, "free_capacity_gb": 40} | figures))


def test_a_driver_that_rounds_and_a_pool_filled_above_its_limit_are_believed() -> None:
    found = volume.pool_of(pool(total_capacity_gb=100, free_capacity_gb=100.4, provisioned_capacity_gb=900))
    assert (found.total, found.free, found.provisioned) == (100, 100.4, 900)


def test_cinder_services_are_counted() -> None:
    services = tuple(
        VolumeService("h", "cinder-volume", "nova", "enabled", state) for state in ("up", "down", "")
    )
    found = volume.summarize(VolumeDetail(services=services))
    assert (found.services_up, found.services_down) == (1, 2)


@pytest.fixture
def networks(recorded: Recorded) -> NetworkDetail:
    external = {item["id"] for item in recorded("neutron_external_networks")["networks"]}
    listed = recorded("neutron_network_ip_availabilities")["network_ip_availabilities"]
    return NetworkDetail(tuple(network.network_of(item, external) for item in listed))


def test_the_labs_addresses_external_and_tenant_apart(networks: NetworkDetail) -> None:
    found = network.summarize(networks)

    assert found.external_ipv4 == AddressCount(125, 4, 121)
    assert found.external_ipv6 == AddressCount()
    assert found.tenant_ipv4 == AddressCount(759, 7, 752)
    assert found.networks == 4


def test_ipv6_subnets_of_the_lab_hold_exactly_what_neutron_says(networks: NetworkDetail) -> None:
    found = network.summarize(networks)
    assert found.tenant_ipv6 == AddressCount(2 * (2**64 - 1), 7, 2 * (2**64 - 1) - 7)

    document = json.loads(to_text(networks))
    assert "18446744073709551615" in repr(document)
    assert detail_of("network", document) == networks


def subnet(total: int, used: int, version: int = 4) -> dict[str, Any]:
    return {
        "subnet_id": "s",
        "cidr": "10.0.0.0/24",
        "ip_version": version,
        "total_ips": total,
        "used_ips": used,
    }


def test_more_addresses_used_than_the_pools_hold_leave_none_free() -> None:
    item = {"network_id": "n", "subnet_ip_availability": [subnet(10, 12), subnet(10, 3)]}
    found = network.network_of(item, set())

    assert [part.free for part in found.subnets] == [0, 7]
    assert network.count(found.subnets) == AddressCount(20, 15, 7)


def test_a_network_without_subnets_is_a_network() -> None:
    found = network.network_of({"network_id": "n", "network_name": None}, {"n"})
    assert (found.external, found.subnets, found.name) == (True, (), "")


def test_images_name_the_stores_that_hold_them(recorded: Recorded) -> None:
    for item in recorded("glance_images")["images"]:
        assert image.stores_of(item) == ["file"]
    assert image.stores_of({"stores": "fast,slow"}) == ["fast", "slow"]
    assert image.stores_of({"stores": None}) == image.stores_of({}) == []


def test_the_image_summary_keeps_bytes_per_store() -> None:
    found = image.summarize(ImageDetail(3, 70, (Store("fast", 2, 60), Store("slow", 2, 40))))
    assert (found.images, found.bytes, found.stores) == (3, 70, {"fast": 60, "slow": 40})
