"""What calls teach about a service."""

from datetime import UTC, datetime, timedelta

import pytest

from multisite.openstack.breaker import Breaker
from multisite.openstack.client import Outcome
from multisite.openstack.failures import RegionCallError
from multisite.regions.health import HealthBook, HealthRecord
from multisite.regions.states import CallError, Last
from multisite.regions.status import ServiceRow

EARLIER = datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KNOWN = HealthRecord("r", "compute", Last(EARLIER), latency=7.0, clock_skew=0.4)


def failure(code: str) -> Outcome:
    return Outcome("r", "compute", NOW, RegionCallError(code, "why"), breaker=Breaker.OPEN)


def test_a_success_brings_latency_and_closes_what_was_open() -> None:
    before = HealthRecord("r", "compute", Last(None, EARLIER), token_failure=True, breaker=Breaker.OPEN)
    after = before.learn(Outcome("r", "compute", NOW, None, latency=41.7, clock_skew=0.2))

    assert after.calls == Last(NOW, EARLIER)
    assert not after.calls.failing
    assert (after.latency, after.clock_skew) == (41.7, 0.2)
    assert (after.breaker, after.token_failure) == (Breaker.CLOSED, False)


def test_a_success_keeps_the_last_error_for_the_record() -> None:
    after = KNOWN.learn(failure("timeout")).learn(Outcome("r", "compute", NOW, None))

    assert after.error == CallError("timeout", "why")


def test_a_skew_that_the_service_does_not_tell_stays_as_it_was() -> None:
    assert KNOWN.learn(Outcome("r", "compute", NOW, None, latency=1.0)).clock_skew == 0.4


@pytest.mark.parametrize("code", ["forbidden", "not-found", "rate-limited"])
def test_a_refusal_proves_that_the_service_is_alive(code: str) -> None:
    after = KNOWN.learn(failure(code))

    assert not after.calls.failing
    assert after.calls == Last(NOW, NOW)
    assert after.error == CallError(code, "why")


@pytest.mark.parametrize("code", ["timeout", "server-error", "connection-refused", "unexpected-answer"])
def test_a_failure_keeps_the_last_success_and_its_latency(code: str) -> None:
    after = KNOWN.learn(failure(code))

    assert after.calls == Last(EARLIER, NOW)
    assert after.calls.failing
    assert after.latency == 7.0
    assert after.breaker is Breaker.OPEN
    assert not after.token_failure


@pytest.mark.parametrize(
    "code", ["token-rejected", "keystone-unreachable", "authentication-failed", "credential-unusable"]
)
def test_failures_of_the_token_are_told_apart(code: str) -> None:
    assert KNOWN.learn(failure(code)).token_failure


def test_changes_are_taken_once() -> None:
    book = HealthBook()
    book.heard(failure("timeout"))
    book.heard(Outcome("a", "volume", NOW, None))

    assert [(record.region, record.service) for record in book.take_changes()] == [
        ("a", "volume"),
        ("r", "compute"),
    ]
    assert book.take_changes() == []


def test_a_service_is_silent_until_it_was_heard_from_within_the_interval() -> None:
    book = HealthBook()
    assert book.silent("r", "compute", NOW, 15)

    book.heard(failure("timeout"))

    assert not book.silent("r", "compute", NOW + timedelta(seconds=14.9), 15)
    assert book.silent("r", "compute", NOW + timedelta(seconds=15), 15)
    assert book.failing("r", "compute")


def test_what_was_stored_does_not_replace_what_was_heard() -> None:
    book = HealthBook()
    book.heard(failure("timeout"))

    book.load("r", [ServiceRow("compute", calls=Last(NOW)), ServiceRow("volume", calls=Last(EARLIER, NOW))])

    assert book.failing("r", "compute")
    assert book.failing("r", "volume")
    assert [record.service for record in book.take_changes()] == ["compute"]


def test_a_region_that_is_forgotten_leaves_nothing() -> None:
    book = HealthBook()
    book.heard(failure("timeout"))
    book.forget("r")

    assert book.take_changes() == []
    assert not book.failing("r", "compute")
