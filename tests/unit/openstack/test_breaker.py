"""A dead service costs nothing, and is found alive soon after it is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.clock import FixedClock
from multisite.openstack.breaker import FIRST_PAUSE, LONGEST_PAUSE, THRESHOLD, Breaker, CircuitBreaker


@pytest.fixture
def breaker(clock: FixedClock) -> CircuitBreaker:
    return CircuitBreaker(clock)


def wait(clock: FixedClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


def fail(breaker: CircuitBreaker, times: int = THRESHOLD) -> None:
    for _ in range(times):
        assert breaker.admit()
        breaker.failed()


def test_it_stays_closed_below_the_threshold(breaker: CircuitBreaker) -> None:
    fail(breaker, THRESHOLD - 1)
    assert breaker.state is Breaker.CLOSED


def test_a_success_between_failures_starts_the_count_anew(breaker: CircuitBreaker) -> None:
    fail(breaker, THRESHOLD - 1)
    breaker.succeeded()
    fail(breaker, THRESHOLD - 1)
    assert breaker.state is Breaker.CLOSED


def test_it_opens_at_the_threshold_and_holds_calls_back(breaker: CircuitBreaker, clock: FixedClock) -> None:
    fail(breaker)

    assert breaker.state is Breaker.OPEN
    wait(clock, FIRST_PAUSE - 0.001)
    assert not breaker.admit()


def test_half_open_admits_one_call_only(breaker: CircuitBreaker, clock: FixedClock) -> None:
    fail(breaker)
    wait(clock, FIRST_PAUSE)

    assert breaker.state is Breaker.HALF_OPEN
    assert [breaker.admit() for _ in range(3)] == [True, False, False]


def test_a_trial_that_succeeds_closes_it_and_forgets_the_long_pause(
    breaker: CircuitBreaker, clock: FixedClock
) -> None:
    fail(breaker)
    wait(clock, FIRST_PAUSE)
    fail(breaker, 1)
    wait(clock, 2 * FIRST_PAUSE)
    assert breaker.admit()
    breaker.succeeded()
    assert breaker.state is Breaker.CLOSED

    fail(breaker)
    wait(clock, FIRST_PAUSE)
    assert breaker.admit()


def test_each_failed_trial_doubles_the_pause_up_to_the_longest(
    breaker: CircuitBreaker, clock: FixedClock
) -> None:
    fail(breaker)
    wait(clock, FIRST_PAUSE)
    pauses = []
    for _ in range(5):
        fail(breaker, 1)
        started = clock.monotonic()
        while breaker.state is not Breaker.HALF_OPEN:
            assert not breaker.admit()
            wait(clock, 1)
        pauses.append(clock.monotonic() - started)

    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(1, 6)]


def test_a_trial_that_was_given_up_leaves_its_place_to_the_next(
    breaker: CircuitBreaker, clock: FixedClock
) -> None:
    fail(breaker)
    wait(clock, FIRST_PAUSE)
    assert breaker.admit()
    breaker.abandoned()
    assert breaker.admit()


def test_a_trial_of_which_nothing_is_heard_does_not_block_for_ever(
    breaker: CircuitBreaker, clock: FixedClock
) -> None:
    fail(breaker)
    wait(clock, FIRST_PAUSE)
    assert breaker.admit()
    wait(clock, FIRST_PAUSE)
    assert breaker.admit()


def test_calls_that_were_under_way_when_it_opened_do_not_prolong_the_pause(
    breaker: CircuitBreaker, clock: FixedClock
) -> None:
    for _ in range(10):
        assert breaker.admit()
    for _ in range(10):
        breaker.failed()
    wait(clock, FIRST_PAUSE)
    assert breaker.state is Breaker.HALF_OPEN


@given(st.lists(st.sampled_from(["fail", "succeed", "abandon", "wait"]), max_size=60))
def test_it_never_stays_shut_longer_than_the_longest_pause(events: list[str]) -> None:
    from datetime import UTC, datetime

    clock = FixedClock(datetime(2026, 11, 22, tzinfo=UTC))
    breaker = CircuitBreaker(clock)
    for event in events:
        if event == "wait":
            wait(clock, 7)
        elif breaker.admit():
            {"fail": breaker.failed, "succeed": breaker.succeeded, "abandon": breaker.abandoned}[event]()
    wait(clock, LONGEST_PAUSE)
    assert breaker.admit()
