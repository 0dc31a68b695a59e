"""Use and limits, added up honestly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.regions.states import Freshness, Missing, State
from multisite.usage.model import UNLIMITED, RegionUsage, ResourceUsage, resource_usage, total_usage
from multisite.usage.readers import READERS
from multisite.usage.service import totals

usages = st.builds(
    resource_usage,
    st.none() | st.integers(0, 2**70),
    st.none() | st.just(UNLIMITED) | st.integers(0, 2**70),
    st.integers(0, 100),
)


def test_left_is_the_limit_less_use_and_reservations() -> None:
    assert resource_usage(3, 20, 2) == ResourceUsage(3, 2, 20, 15)


def test_left_is_negative_over_the_limit() -> None:
    assert resource_usage(25, 20).left == -5


@pytest.mark.parametrize(("used", "limit"), [(3, UNLIMITED), (3, None), (None, 100)])
def test_left_is_unknown_when_the_limit_or_the_use_is(used: int | None, limit: int | None) -> None:
    assert resource_usage(used, limit).left is None


def test_a_limit_of_zero_is_a_limit() -> None:
    assert resource_usage(0, 0).left == 0


def test_sums_over_regions() -> None:
    assert total_usage([resource_usage(3, 20, 1), resource_usage(2, 40)]) == ResourceUsage(5, 1, 60, 54)


def test_one_unlimited_region_makes_the_whole_unlimited() -> None:
    assert total_usage([resource_usage(3, 20), resource_usage(2, UNLIMITED)]) == ResourceUsage(
        5, 0, UNLIMITED
    )


def test_one_unknown_limit_makes_the_whole_unknown_even_beside_an_unlimited_one() -> None:
    assert total_usage([resource_usage(3, None), resource_usage(2, UNLIMITED)]) == ResourceUsage(5)


def test_unknown_use_of_one_region_is_not_counted_as_none() -> None:
    assert total_usage([resource_usage(3, 20), resource_usage(None, 20)]) == ResourceUsage(None, 0, 40)


@given(st.lists(usages, min_size=1, max_size=6))
def test_a_total_does_not_depend_on_the_order_and_adds_up(parts: list[ResourceUsage]) -> None:
    whole = total_usage(parts)
    assert whole == total_usage(parts[::-1])
    if whole.left is not None:
        assert whole.left == sum(part.left or 0 for part in parts)


def region(name: str, state: State, used: int = 1) -> RegionUsage:
    services = {"compute": Freshness(state), "volume": Freshness(State.FRESH)}
    resources = {"compute/cores": resource_usage(used, 10), "volume/volumes": resource_usage(2, 5)}
    return RegionUsage(name, State.FRESH, services=services, resources=resources)


def test_totals_leave_out_what_is_not_fresh_and_name_it() -> None:
    found = totals([region("a", State.FRESH), region("b", State.STALE), region("c", State.ABSENT)])

    assert found.resources["compute/cores"] == ResourceUsage(1, 0, 10, 9)
    assert found.resources["volume/volumes"] == ResourceUsage(6, 0, 15, 9)
    assert found.missing == (Missing("b", "compute", State.STALE),)
    assert not found.complete


def test_totals_of_no_region_are_complete_and_empty() -> None:
    found = totals([])
    assert (found.resources, found.complete, found.missing) == ({}, True, ())


def test_each_service_says_for_itself_whether_its_total_is_complete() -> None:
    services = {name: Freshness(State.FRESH) for name in READERS}
    regions = [
        RegionUsage("a", State.FRESH, services=services),
        RegionUsage("b", State.DEGRADED, services=services | {"volume": Freshness(State.UNREACHABLE)}),
    ]

    found = totals(regions)

    assert found.complete_by_service == {"compute": True, "volume": False, "network": True, "image": True}
    assert not found.complete
