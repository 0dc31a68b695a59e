"""When a resource runs out: the trend of its use, and what is left."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from multisite.quotas.history.forecast import HORIZON, SPAN, Forecast, Outlook, forecast, forecasts
from multisite.quotas.history.model import Point, Totals

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

History = list[tuple[datetime, Totals | None]]
uses = st.lists(st.integers(0, 10**9), min_size=2, max_size=400)
limits = st.integers(0, 10**9)


def hourly(used: Sequence[int], limit: int = 1000) -> History:
    """One reading an hour, the last one now."""
    begin = NOW - (len(used) - 1) * HOUR
    return [(begin + number * HOUR, Totals(use, limit, use)) for number, use in enumerate(used)]


def line(a_day: int, days: int, last: int = 0) -> list[int]:
    """Use that grew evenly to `last`, read each hour."""
    return [last - a_day * (24 * days - hour) // 24 for hour in range(24 * days + 1)]


def test_even_growth_runs_out_on_the_day_that_arithmetic_says() -> None:
    found = forecast(hourly(line(24, 4, 700)), NOW)

    assert found.per_day == 24
    assert found.outlook is Outlook.RUNS_OUT
    assert found.runs_out_at == NOW + timedelta(days=300 / 24)
    assert found.basis.readings == 17
    assert found.basis.until == NOW


def test_a_day_of_history_is_needed() -> None:
    short = forecast(hourly(list(range(24))), NOW)
    enough = forecast(hourly(list(range(25))), NOW)

    assert (short.outlook, short.runs_out_at, short.per_day) == (Outlook.SHORT, None, None)
    assert enough.outlook is Outlook.RUNS_OUT


def test_a_day_in_which_the_project_was_empty_does_not_bend_the_trend() -> None:
    used = line(24, 10, 600)
    used[100:124] = [0] * 24

    assert forecast(hourly(used), NOW).per_day == 24


def test_what_was_more_than_two_weeks_ago_does_not_count() -> None:
    old = [(NOW - SPAN - each * HOUR, Totals(999, 1000, 999)) for each in range(1, 100)]

    assert forecast([*old, *hourly(line(24, 4, 700))], NOW) == forecast(hourly(line(24, 4, 700)), NOW)


def test_what_is_used_up_ran_out_already() -> None:
    assert forecast(hourly([10] * 30, limit=10), NOW).outlook is Outlook.USED_UP
    found = forecast(hourly([12, 12], limit=10), NOW)
    assert (found.outlook, found.runs_out_at) == (Outlook.USED_UP, NOW)


def test_without_a_limit_there_is_nothing_to_run_out_of() -> None:
    for limit in (-1, None):
        history: History = [
            (at, Totals(totals.used, limit, None)) for at, totals in hourly(line(24, 4, 700)) if totals
        ]
        found = forecast(history, NOW)
        assert (found.outlook, found.runs_out_at, found.per_day) == (Outlook.UNLIMITED, None, 24)


def test_nothing_is_said_beyond_ten_years() -> None:
    found = forecast(hourly([0] * 160 + [1] * 176, limit=10**6), NOW)

    assert found.runs_out_at is None
    assert found.outlook in {Outlook.FAR, Outlook.STEADY}
    assert forecast(hourly(line(24, 14, 400), limit=10**9), NOW).outlook is Outlook.FAR


def test_readings_without_use_are_none() -> None:
    unknown: History = [
        (NOW - each * HOUR, Totals(None, 5, None) if each % 2 else None) for each in range(50)
    ]

    assert forecast(unknown, NOW) == Forecast(None, None, Outlook.SHORT, forecast([], NOW).basis)
    assert forecast([*unknown, *hourly([5], 5)], NOW).outlook is Outlook.USED_UP


def test_every_resource_that_is_there_now_has_a_forecast() -> None:
    points = [
        Point(at, {"compute/cores": totals, **({"gone": totals} if at < NOW else {})})
        for at, totals in hourly(line(24, 4, 700))
        if totals
    ]

    assert set(forecasts(points, NOW)) == {"compute/cores"}
    assert forecasts([], NOW) == {}


@given(uses, limits)
def test_the_answer_does_not_depend_on_the_order_of_readings(used: list[int], limit: int) -> None:
    history = hourly(used, limit)

    assert forecast(history, NOW) == forecast(history[::-1], NOW)


@given(uses, limits, st.integers(0, 10**6))
def test_what_is_always_used_makes_no_difference(used: list[int], limit: int, base: int) -> None:
    lifted = forecast(hourly([each + base for each in used], limit + base), NOW)

    assert lifted == forecast(hourly(used, limit), NOW)


@given(uses.map(lambda used: sorted(used, reverse=True)), limits)
def test_what_never_grows_never_runs_out(used: list[int], limit: int) -> None:
    found = forecast(hourly(used, limit), NOW)

    assert found.outlook in {Outlook.STEADY, Outlook.USED_UP, Outlook.SHORT}
    assert (found.runs_out_at is None) == (used[-1] < limit)


@given(uses, limits)
def test_a_day_is_never_in_the_past_and_comes_only_with_growth(used: list[int], limit: int) -> None:
    found = forecast(hourly(used, limit), NOW)

    if found.outlook is Outlook.RUNS_OUT:
        assert found.per_day is not None
        assert found.per_day > 0
        assert found.runs_out_at is not None
        assert NOW <= found.runs_out_at <= NOW + HORIZON
    assert (found.runs_out_at is not None) == (found.outlook in {Outlook.RUNS_OUT, Outlook.USED_UP})


@given(st.integers(1, 50), st.lists(st.integers(0, 10**6), max_size=14), st.randoms())
def test_a_quarter_of_the_readings_may_be_anything_without_turning_the_trend(
    a_day: int, wild: list[int], random: object
) -> None:
    used = line(24 * a_day, 14, 24 * a_day * 20)
    kept = forecast(hourly(used, 10**9), NOW)
    last_in_each = [
        number for number in range(len(used)) if (NOW - (len(used) - 1 - number) * HOUR).hour % 6 == 5
    ]
    for place, value in zip(random.sample(last_in_each, len(wild)), wild, strict=True):  # type: ignore[attr-defined]
        used[place] = value
    found = forecast(hourly(used, 10**9), NOW)

    assert kept.per_day == 24 * a_day
    assert found.per_day is not None
    assert found.per_day > 0


@given(uses, st.integers(1, 1000), limits)
def test_a_higher_limit_never_runs_out_earlier(used: list[int], more: int, limit: int) -> None:
    low, high = forecast(hourly(used, limit), NOW), forecast(hourly(used, limit + more), NOW)

    if low.runs_out_at and high.runs_out_at:
        assert high.runs_out_at >= low.runs_out_at
