"""The rules of counting (design record 0001)."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from multisite.capacity.documents import summary_of, to_text
from multisite.capacity.model import (
    AddressCount,
    Capacity,
    Inventory,
    NetworkSummary,
    PlacementSummary,
    Provider,
    capacity_of,
    placement_summary,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ZONES = ("nova", "az2", None)

amounts = st.integers(0, 10**6)
inventories = st.builds(
    Inventory, amounts, amounts, st.floats(0.1, 32, allow_nan=False).map(lambda ratio: round(ratio, 2))
)
classes = st.sampled_from(["VCPU", "MEMORY_MB", "CUSTOM_GPU"])
providers = st.lists(
    st.builds(
        Provider,
        uuid=st.uuids().map(str),
        name=st.just("host"),
        root=st.just("root"),
        generation=st.just(1),
        zone=st.sampled_from(ZONES),
        available=st.booleans(),
        shared=st.booleans(),
        inventories=st.dictionaries(classes, inventories),
        usages=st.dictionaries(classes, amounts),
    ),
    max_size=6,
)


def host(uuid: str, used: int = 0, zone: str | None = "nova", *, available: bool = True) -> Provider:
    """A host of 16 CPUs, each promised four times."""
    inventories = {"VCPU": Inventory(16, 0, 4.0)}
    return Provider(uuid, uuid, uuid, 1, zone, available, inventories=inventories, usages={"VCPU": used})


def test_usable_takes_reserved_off_before_the_ratio() -> None:
    assert Inventory(total=100, reserved=10, allocation_ratio=1.5).usable == 135.0


def test_reserved_above_total_leaves_nothing_rather_than_less_than_nothing() -> None:
    assert Inventory(total=10, reserved=12, allocation_ratio=4.0).usable == 0
    overbooked = Provider("p", "p", "p", 1, inventories={"VCPU": Inventory(10, 12)}, usages={"VCPU": 1})
    assert capacity_of([overbooked])["VCPU"] == Capacity(total=10, reserved=12, usable=0, used=1, free=0)


def test_fractions_of_a_ratio_are_kept_and_whole_numbers_stay_whole() -> None:
    provider = Provider("p", "p", "p", 1, inventories={"VCPU": Inventory(5, 0, 1.5), "GPU": Inventory(2)})
    found = capacity_of([provider])

    assert found["VCPU"].usable == 7.5
    assert json.dumps(found["GPU"].usable) == "2"


def test_hosts_that_take_no_servers_count_but_are_not_free() -> None:
    found = capacity_of([host("up", used=4), host("down", used=10, available=False)])["VCPU"]

    assert found == Capacity(total=32, reserved=0, usable=128, used=14, free=60)


def test_a_nested_provider_counts_once_in_the_zone_of_its_root() -> None:
    root = host("root", zone="az2")
    numa = Provider("numa", "numa", "root", 1, "az2", inventories={"PCPU": Inventory(8)}, usages={"PCPU": 2})

    found = placement_summary([root, numa])

    assert found.providers == 2
    assert found.resources["PCPU"] == found.zones["az2"]["PCPU"] == Capacity(8, 0, 8, 2, 6)
    assert set(found.zones) == {"az2"}


def test_a_sharing_provider_stands_apart_from_the_zones() -> None:
    nfs = Provider("nfs", "nfs", "nfs", 1, shared=True, inventories={"DISK_GB": Inventory(1000)})
    found = placement_summary([host("h"), nfs])

    assert set(found.resources) == {"VCPU"}
    assert set(found.zones["nova"]) == {"VCPU"}
    assert found.shared["DISK_GB"].total == 1000


def test_a_provider_outside_every_zone_is_in_the_whole_only() -> None:
    found = placement_summary([host("h", zone=None)])
    assert found.zones == {}
    assert found.resources["VCPU"].total == 16


def test_a_class_without_usage_is_unused() -> None:
    assert capacity_of([Provider("p", "p", "p", 1, inventories={"VCPU": Inventory(4)})])["VCPU"].used == 0


@given(providers)
def test_nothing_is_negative_and_free_is_within_usable(found: list[Provider]) -> None:
    for capacity in capacity_of(found).values():
        assert min(capacity.total, capacity.usable, capacity.used, capacity.free) >= 0
        assert capacity.free <= capacity.usable + 0.001


@given(providers)
def test_the_whole_is_the_sum_of_its_zones_and_of_what_has_none(found: list[Provider]) -> None:
    summary = placement_summary(found)
    homeless = capacity_of(item for item in found if item.zone is None and not item.shared)
    parts = [*summary.zones.values(), homeless]

    for name, whole in summary.resources.items():
        members = [part[name] for part in parts if name in part]
        assert whole.total == sum(member.total for member in members)
        assert whole.reserved == sum(member.reserved for member in members)
        assert whole.used == sum(member.used for member in members)
        assert abs(whole.usable - sum(member.usable for member in members)) < 0.01
        assert whole.free <= sum(member.free for member in members) + 0.01
    assert set(summary.resources) == {name for part in parts for name in part}


@given(providers, providers)
def test_adding_figures_is_adding_providers_where_all_can_take_servers(
    one: list[Provider], other: list[Provider]
) -> None:
    left, right, both = capacity_of(one), capacity_of(other), capacity_of([*one, *other])
    for name, whole in both.items():
        added = left.get(name, Capacity()) + right.get(name, Capacity())
        assert (added.total, added.reserved, added.used) == (whole.total, whole.reserved, whole.used)
        assert abs(added.usable - whole.usable) < 0.01


@given(st.integers(0, 2**130), st.integers(0, 2**130))
def test_addresses_of_any_size_pass_json_exactly(total: int, used: int) -> None:
    before = NetworkSummary(external_ipv6=AddressCount(total, used, max(0, total - used)), networks=1)

    text = json.dumps(json.loads(to_text(before)))

    assert f'"{total}"' in text
    assert summary_of("network", json.loads(text)) == before


@given(providers)
def test_a_summary_comes_back_from_its_document_as_it_was(found: list[Provider]) -> None:
    before = placement_summary(found)
    assert summary_of("placement", json.loads(json.dumps(json.loads(to_text(before))))) == before


def test_a_document_of_another_version_is_as_if_never_read() -> None:
    assert summary_of("placement", {"resources": [1, 2]}) is None
    assert summary_of("placement", None) is None
    assert summary_of("placement", {}) == PlacementSummary()
