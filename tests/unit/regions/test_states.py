"""The rules of design record 0001, in their order, at their boundaries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.regions.states import Last, State, patience, region_state, service_state

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PATIENCE = patience(60, 30)
FRESH = Last(NOW - timedelta(seconds=1))
FAILED = Last(NOW - timedelta(seconds=2), NOW - timedelta(seconds=1))
NEVER = Last()

moments = st.none() | st.integers(0, 1000).map(lambda seconds: NOW - timedelta(seconds=seconds))
lasts = st.builds(Last, moments, moments)
states = st.sampled_from([State.FRESH, State.STALE, State.UNREACHABLE, State.ABSENT])


def state(
    calls: Last = FRESH, figures: Last | None = FRESH, *, enabled: bool = True, present: bool = True
) -> State:
    return service_state(
        enabled=enabled, present=present, calls=calls, figures=figures, now=NOW, patience=PATIENCE
    )


def test_patience_is_two_intervals_and_the_deadline() -> None:
    assert patience(60, 30) == timedelta(seconds=150)


def test_a_region_that_is_not_enabled_is_disabled_whatever_else_is_true() -> None:
    assert state(FAILED, FAILED, enabled=False, present=False) is State.DISABLED


def test_a_service_without_endpoint_is_absent_even_when_its_last_call_failed() -> None:
    assert state(FAILED, FAILED, present=False) is State.ABSENT


def test_a_failure_later_than_the_last_success_is_unreachable() -> None:
    assert state(FAILED) is State.UNREACHABLE


def test_figures_that_could_not_be_read_make_it_unreachable_though_other_calls_succeed() -> None:
    assert state(FRESH, FAILED) is State.UNREACHABLE


def test_a_failure_weighs_more_than_old_age() -> None:
    old = Last(NOW - timedelta(days=1), NOW - timedelta(hours=1))
    assert state(old, old) is State.UNREACHABLE


def test_a_failure_of_a_service_that_never_answered_is_unreachable() -> None:
    assert state(Last(None, NOW), NEVER) is State.UNREACHABLE


def test_a_service_that_was_never_read_is_stale() -> None:
    assert state(NEVER, NEVER) is State.STALE


def test_success_at_the_same_moment_as_failure_counts() -> None:
    assert not Last(NOW, NOW).failing


@pytest.mark.parametrize(("seconds", "expected"), [(150, State.FRESH), (150.001, State.STALE)])
def test_figures_are_fresh_up_to_and_including_their_patience(seconds: float, expected: State) -> None:
    assert state(FRESH, Last(NOW - timedelta(seconds=seconds))) is expected


def test_fresh_calls_do_not_freshen_old_figures() -> None:
    assert state(FRESH, Last(NOW - timedelta(days=1))) is State.STALE


def test_a_service_that_is_only_probed_is_as_fresh_as_its_calls() -> None:
    assert state(FRESH, None) is State.FRESH
    assert state(Last(NOW - timedelta(days=1)), None) is State.STALE


@given(lasts, st.none() | lasts)
def test_fresh_means_read_lately_and_not_failing_since(calls: Last, figures: Last | None) -> None:
    found = state(calls, figures)
    read = calls if figures is None else figures
    if found is State.FRESH:
        assert read.success is not None
        assert NOW - read.success <= PATIENCE
        assert not calls.failing
        assert not read.failing
    else:
        assert found in {State.STALE, State.UNREACHABLE}
        assert read.success is None or NOW - read.success > PATIENCE or calls.failing or read.failing


def test_a_region_whose_services_are_all_fresh_or_absent_is_fresh() -> None:
    assert region_state([State.FRESH, State.ABSENT], enabled=True) is State.FRESH


def test_a_region_is_unreachable_when_no_service_that_is_read_answers() -> None:
    assert region_state([State.UNREACHABLE, State.ABSENT], enabled=True) is State.UNREACHABLE


def test_a_dead_region_is_dead_though_the_keystone_it_shares_is_well() -> None:
    assert region_state([State.UNREACHABLE], [State.FRESH], enabled=True) is State.UNREACHABLE


def test_one_unreachable_service_degrades_a_region_even_one_that_nobody_reads() -> None:
    assert region_state([State.FRESH, State.UNREACHABLE, State.STALE], enabled=True) is State.DEGRADED
    assert region_state([State.FRESH], [State.UNREACHABLE], enabled=True) is State.DEGRADED


def test_a_region_is_stale_when_some_service_is_or_nothing_is_known() -> None:
    assert region_state([State.FRESH, State.STALE], enabled=True) is State.STALE
    assert region_state([State.ABSENT], enabled=True) is State.STALE
    assert region_state([], enabled=True) is State.STALE


@given(st.lists(states), st.lists(states))
def test_the_state_of_a_region_does_not_depend_on_the_order_of_its_services(
    read: list[State], others: list[State]
) -> None:
    forward = region_state(read, others, enabled=True)
    assert forward is region_state(reversed(read), reversed(others), enabled=True)
    assert region_state(read, others, enabled=False) is State.DISABLED
    assert forward is not State.FRESH or not {State.STALE, State.UNREACHABLE} & {*read, *others}
