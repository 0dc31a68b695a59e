"""How many more servers fit: an upper bound, never a negative one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.capacity.details import Flavor
from multisite.capacity.fit import fits
from multisite.capacity.model import Inventory, Provider

SMALL = {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 20}


def flavor(**resources: int) -> Flavor:
    return Flavor("f", "m1.small", 2, 2048, 20, resources or SMALL)


def provider(uuid: str, used: dict[str, int] | None = None, **fields: Any) -> Provider:
    inventories = fields.pop(
        "inventories",
        {"VCPU": Inventory(16, 0, 4.0), "MEMORY_MB": Inventory(65536, 512), "DISK_GB": Inventory(1000)},
    )
    root = fields.pop("root", uuid)
    return Provider(uuid, uuid, root, 1, inventories=inventories, usages=used or {}, **fields)


def count(providers: list[Provider], **resources: int) -> int:
    return fits(flavor(**resources), providers).fits


def test_the_scarcest_resource_decides() -> None:
    assert count([provider("h")]) == 31  # (65536 - 512) // 2048
    assert count([provider("h", {"VCPU": 50})]) == 7
    assert count([provider("h", {"DISK_GB": 981})]) == 0


def test_hosts_add_up_and_what_is_left_over_does_not() -> None:
    nearly_full = [provider(name, {"VCPU": 61}) for name in "abc"]  # 3 of 64 left on each
    assert count(nearly_full) == 3


def test_hosts_that_take_no_servers_do_not_count() -> None:
    assert count([provider("h", available=False), provider("g")]) == 31
    assert count([]) == 0


@pytest.mark.parametrize(
    "inventory",
    [Inventory(100, max_unit=3), Inventory(100, min_unit=5), Inventory(100, step_size=3)],
    ids=["max_unit", "min_unit", "step_size"],
)
def test_a_request_outside_the_providers_units_fits_nowhere(inventory: Inventory) -> None:
    assert count([provider("h", inventories={"VCPU": inventory})], VCPU=4) == 0


def test_units_that_are_met_exactly_fit() -> None:
    exact = Inventory(100, min_unit=4, max_unit=4, step_size=4)
    assert count([provider("h", inventories={"VCPU": exact})], VCPU=4) == 25


def test_a_resource_that_no_provider_has_fits_nowhere() -> None:
    assert count([provider("h")], VCPU=1, CUSTOM_GPU=1) == 0


def test_resources_of_nested_providers_count_with_their_root() -> None:
    root = provider("h", inventories={"MEMORY_MB": Inventory(8192)})
    numa = [provider(name, root="h", inventories={"PCPU": Inventory(4)}) for name in ("n0", "n1")]
    assert count([root, *numa], MEMORY_MB=1024, PCPU=2) == 4


def test_one_tree_does_not_lend_to_another() -> None:
    memory = provider("a", inventories={"MEMORY_MB": Inventory(8192)})
    cpus = provider("b", inventories={"VCPU": Inventory(8)})
    assert count([memory, cpus], VCPU=1, MEMORY_MB=1024) == 0


def test_shared_disk_is_divided_among_all_hosts() -> None:
    hosts = [provider(name, inventories={"VCPU": Inventory(16)}) for name in "ab"]
    nfs = provider("nfs", {"DISK_GB": 900}, shared=True, inventories={"DISK_GB": Inventory(1000)})

    assert count([*hosts, nfs], VCPU=2, DISK_GB=20) == 5
    assert count(hosts, VCPU=2, DISK_GB=20) == 0


def test_a_sharing_provider_alone_is_no_host() -> None:
    nfs = provider("nfs", shared=True, inventories={"DISK_GB": Inventory(1000)})
    assert count([nfs], DISK_GB=20) == 0


def test_an_overcommitted_host_takes_none_and_costs_the_others_nothing() -> None:
    assert count([provider("full", {"VCPU": 100}), provider("empty")]) == 31


def test_the_answer_names_the_flavor() -> None:
    found = fits(flavor(), [provider("h")])
    assert (found.id, found.name, found.vcpus, found.ram, found.disk) == ("f", "m1.small", 2, 2048, 20)


used_figures = st.fixed_dictionaries({name: st.integers(0, 2000) for name in SMALL})


@given(st.lists(used_figures, max_size=4), used_figures)
def test_one_more_host_never_makes_fewer_fit_and_one_more_server_takes_one(
    hosts: list[dict[str, int]], more: dict[str, int]
) -> None:
    some = [provider(str(index), used) for index, used in enumerate(hosts)]
    before = count(some)
    assert 0 <= before <= count([*some, provider("more", more)])

    room = next((item for item in some if count([item]) > 0), None)
    if room is not None:
        used = {name: room.usages[name] + SMALL[name] for name in SMALL}
        rest = [item for item in some if item is not room]
        assert count([*rest, provider(room.uuid, used)]) == before - 1
