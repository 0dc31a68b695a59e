"""Points of the history of a quota: when one is written, where there are gaps, what is shown."""

from datetime import UTC, datetime, timedelta
from typing import Any

from multisite.quotas.figures import state_of
from multisite.quotas.history.model import (
    Point,
    Totals,
    changes,
    named,
    next_point,
    of_document,
    to_document,
    with_gaps,
)
from multisite.quotas.model import State

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CORES = "compute/cores"


def told(used: int | None = 3, kind: str = "hard", state: str = "established") -> dict[str, Any]:
    return {"used": used, "limit": 12, "bound": 12, "kind": kind, "state": state}


def test_a_change_is_written_and_the_same_again_is_not() -> None:
    point = next_point({CORES: told(3)}, NOW - MINUTE, {CORES: told(4)}, NOW)

    assert point == Point(NOW, {CORES: Totals(4, 12, 12)}, hourly=False)
    assert next_point({CORES: told(4)}, NOW - MINUTE, {CORES: told(4)}, NOW) is None


def test_what_is_no_total_is_no_change() -> None:
    before, now = {CORES: told(state="establishing")}, {CORES: told()}

    assert next_point(before, NOW - MINUTE, now, NOW) is None


def test_the_first_round_of_an_hour_writes_what_is() -> None:
    before = {CORES: told()}

    point = next_point(before, NOW - 31 * MINUTE, before, NOW)
    assert point is not None
    assert point.hourly
    assert next_point(before, NOW - 29 * MINUTE, before, NOW) is None
    first = next_point(None, None, before, NOW)
    assert first is not None
    assert first.hourly


def test_limits_that_are_copied_have_no_totals() -> None:
    point = next_point(None, None, {CORES: told(), "compute/key_pairs": told(None, "copied")}, NOW)

    assert point is not None
    assert set(point.resources) == {CORES}


def test_the_end_of_a_quota_is_a_point_and_nothing_at_all_is_none() -> None:
    assert next_point({CORES: told()}, NOW - MINUTE, {}, NOW) == Point(NOW, {}, hourly=False)
    assert next_point(None, None, {}, NOW) is None


def test_where_nothing_was_written_for_long_there_is_a_gap() -> None:
    one, two = Point(NOW, {CORES: Totals(1, 2, 3)}), Point(NOW + 5 * HOUR, {CORES: Totals(2, 2, 3)})

    found = list(with_gaps([one, two], two.at + 2 * HOUR, 2 * HOUR))

    assert found == [one, Point(NOW + 2 * HOUR), two]
    assert list(with_gaps([one], NOW + 3 * HOUR, 2 * HOUR)) == [one, Point(NOW + 2 * HOUR)]
    assert list(with_gaps([one, Point(NOW + HOUR)], NOW + 9 * HOUR, 2 * HOUR))[-1] == Point(NOW + HOUR)
    assert list(with_gaps([], NOW, HOUR)) == []


def test_of_some_resources_only_what_changed_is_shown() -> None:
    cores = Totals(1, 2, 2)
    points = [
        Point(NOW, {CORES: cores, "other": cores}),
        Point(NOW + HOUR, {CORES: cores, "other": Totals(2, 2, 2)}),
        Point(NOW + 2 * HOUR),
    ]

    assert changes(named(points, [CORES])) == [Point(NOW, {CORES: cores}), Point(NOW + 2 * HOUR)]


def test_what_is_stored_comes_back() -> None:
    resources = {CORES: Totals(None, -1, None), "volume/gigabytes": Totals(1, 2**40, 3)}

    assert of_document(to_document(resources)) == resources


def test_a_project_is_as_its_worst_resource() -> None:
    def state(*states: str) -> State:
        return state_of({str(number): told(state=each) for number, each in enumerate(states)})

    assert state("unlimited", "established") is State.ESTABLISHED
    assert state("established", "establishing", "releasing") is State.ESTABLISHING
    assert state("establishing", "over") is State.OVER
    assert state_of(None) is State.ESTABLISHING
    assert {state(each) for each in State} == set(State)
