"""Totals say what they lack; warnings keep silent in maintenance."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.capacity.documents import Summary
from multisite.capacity.model import (
    AddressCount,
    Capacity,
    CapacityWarning,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    RegionCapacity,
    VolumeSummary,
)
from multisite.capacity.service import region_capacity
from multisite.capacity.totals import totals
from multisite.regions.model import READ_SERVICES, Maintenance, Region
from multisite.regions.states import Freshness, Missing, State
from multisite.regions.status import RegionView

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARTS: dict[str, Summary] = {
    "placement": PlacementSummary(
        {"VCPU": Capacity(10, 0, 40, 30, 10)},
        {"nova": {"VCPU": Capacity(10, 0, 40, 30, 10)}},
        {"DISK_GB": Capacity(100, 0, 100, 1, 99)},
        2,
    ),
    "compute": ComputeSummary(4, 1, 1, 2, 1, 3),
    "volume": VolumeSummary(100.0, 9.5, 90.5, 2000, 2, 1, 0, 3, 1),
    "network": NetworkSummary(AddressCount(250, 240, 10), AddressCount(2**64, 1, 2**64 - 1), networks=3),
    "image": ImageSummary(3, 70, {"file": 70}),
}

state_maps = st.fixed_dictionaries(
    {
        name: st.sampled_from([State.FRESH, State.STALE, State.UNREACHABLE, State.DISABLED, State.ABSENT])
        for name in READ_SERVICES
    }
)


def region(name: str = "r", **states: State) -> RegionCapacity:
    services = {service: Freshness(states.get(service, State.FRESH)) for service in READ_SERVICES}
    return RegionCapacity(name, State.FRESH, services, **PARTS)  # type: ignore[arg-type]


def test_fresh_regions_add_up() -> None:
    found = totals([region("a"), region("b")])

    assert found.complete
    assert found.missing == ()
    assert found.placement.resources == {"VCPU": Capacity(20, 0, 80, 60, 20)}
    assert found.placement.shared == {"DISK_GB": Capacity(200, 0, 200, 2, 198)}
    assert found.placement.zones == {}
    assert found.compute == ComputeSummary(8, 2, 2, 4, 2, 6)
    assert found.volume == VolumeSummary(200, 19, 181, 4000, 4, 2, 0, 6, 2)
    assert found.network.external_ipv6 == AddressCount(2**65, 2, 2**65 - 2)
    assert found.image == ImageSummary(6, 140, {"file": 140})


@pytest.mark.parametrize("state", [State.STALE, State.UNREACHABLE])
def test_what_is_not_known_now_is_left_out_and_named(state: State) -> None:
    found = totals([region("a"), region("b", volume=state)])

    assert not found.complete
    assert found.missing == (Missing("b", "volume", state),)
    assert found.volume.total == 100
    assert found.placement.resources["VCPU"].total == 20


@pytest.mark.parametrize("state", [State.DISABLED, State.ABSENT])
def test_what_was_taken_out_or_does_not_exist_is_left_out_and_not_missed(state: State) -> None:
    found = totals([region("a"), region("b", volume=state)])

    assert found.complete
    assert found.volume.total == 100


def test_nothing_adds_up_to_nothing_and_is_complete() -> None:
    found = totals([])
    assert found.complete
    assert found.placement.resources == {}


@given(st.lists(state_maps, max_size=4))
def test_a_total_is_complete_exactly_when_nothing_is_stale_or_unreachable(
    maps: list[dict[str, State]],
) -> None:
    regions = [region(str(index), **states) for index, states in enumerate(maps)]
    found = totals(regions)
    unknown = [
        state for states in maps for state in states.values() if state in {State.STALE, State.UNREACHABLE}
    ]

    assert found.complete is not bool(unknown)
    assert len(found.missing) == len(unknown)
    fresh = sum(states["placement"] is State.FRESH for states in maps)
    assert found.placement.providers == 2 * fresh


def view(**fields: object) -> RegionView:
    entry = replace(Region("r", "r", "c"), **fields)  # type: ignore[arg-type]
    return RegionView(entry, State.FRESH, {service: Freshness(State.FRESH) for service in READ_SERVICES})


def warned(thresholds: dict[str, float], **fields: object) -> list[CapacityWarning]:
    return list(region_capacity(view(**fields), PARTS, thresholds, NOW).warnings)


def test_a_resource_warns_below_its_threshold_and_not_at_it() -> None:
    assert warned({"VCPU": 25.1}) == [CapacityWarning("VCPU", 25.0, 25.1)]
    assert warned({"VCPU": 25.0}) == []


def test_volumes_and_addresses_warn_too() -> None:
    assert [item.resource for item in warned({"volume": 9.6, "external_ipv4": 4.0})] == ["volume"]
    assert [item.resource for item in warned({"volume": 10, "external_ipv4": 4.1})] == [
        "external_ipv4",
        "volume",
    ]


def test_a_resource_that_a_region_does_not_have_is_silent() -> None:
    empty = {"volume": VolumeSummary(pools=1, pools_unlimited=1)}
    assert (
        region_capacity(view(), empty, {"volume": 100, "PCPU": 100, "external_ipv4": 100}, NOW).warnings == ()
    )


def test_maintenance_silences_warnings_until_it_ends() -> None:
    thresholds = {"VCPU": 90.0}
    later = NOW + timedelta(seconds=1)

    assert warned(thresholds, maintenance=Maintenance("disks")) == []
    assert warned(thresholds, maintenance=Maintenance("disks", later)) == []
    assert len(warned(thresholds, maintenance=Maintenance("disks", NOW))) == 1


def test_a_disabled_region_does_not_warn() -> None:
    assert warned({"VCPU": 90.0}, enabled=False) == []


def test_a_part_that_was_never_read_is_none_and_the_others_stand() -> None:
    found = region_capacity(view(), {"image": PARTS["image"]}, {}, NOW)

    assert found.image == PARTS["image"]
    assert (found.placement, found.compute, found.volume, found.network) == (None, None, None, None)


def test_each_service_says_for_itself_whether_its_total_is_complete() -> None:
    found = totals([region("a"), region("b", volume=State.STALE, image=State.ABSENT)])

    assert found.complete_by_service == {
        "compute": True,
        "placement": True,
        "volume": False,
        "network": True,
        "image": True,
    }
