"""Every way in which a simulated region misbehaves costs its own figures, and nobody else's."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from multisite.regions.states import State
from multisite.sim import Plan
from multisite.sim.listening import running
from tests.integration.sim.over_regions import CALL_DEADLINE, DEADLY
from tests.integration.sim.swept import SETTINGS, Swept, truth

PLAN = Plan(regions=3, hosts=3, servers=8, projects=2, names=("one", "two", "three"))
READ = ("placement", "compute", "volume", "network", "image")


@pytest.fixture
def swept(tmp_path: Path) -> Iterator[Swept]:
    with running(PLAN, own_ports=True) as cloud:
        made = Swept(cloud, tmp_path)
        try:
            yield made
        finally:
            made.close()


def assert_true(swept: Swept, *regions: str) -> None:
    """The figures of these regions are what they have."""
    for name in regions:
        row, told = swept.of(name), truth(swept.cloud, name)
        assert row.state is State.FRESH
        assert row.placement is not None
        for kind, figures in row.placement.resources.items():
            assert (figures.total, figures.used) == (told.total[kind], told.used[kind]), (name, kind)


def assert_total_of(swept: Swept, *regions: str) -> None:
    """The totals are the sums over these regions, and say so."""
    totals = swept.totals
    assert totals.complete is (len(regions) == 3)
    assert {item.region for item in totals.missing} == set(swept.cloud.simulator.world.names) - set(regions)
    for kind, figures in totals.placement.resources.items():
        assert figures.total == sum(truth(swept.cloud, name).total[kind] for name in regions)
        assert figures.used == sum(truth(swept.cloud, name).used[kind] for name in regions)


def test_without_faults_everything_is_true(swept: Swept) -> None:
    swept.sweep()
    assert_true(swept, "one", "two", "three")
    assert_total_of(swept, "one", "two", "three")


#: And some more of the same codes.
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "refuse", "share": 0.999}, "connection-failed"),
    ({"kind": "latency", "seconds": 2 * CALL_DEADLINE}, "timeout"),
    ({"kind": "status", "status": 503, "retry_after": 60}, "server-error"),
]


@pytest.mark.parametrize(("fault", "code"), [*DEADLY, *OTHERS], ids=str)
def test_a_region_that_misbehaves_is_told_as_such_and_comes_back(
    swept: Swept, fault: dict[str, Any], code: str
) -> None:
    swept.sweep()
    before = swept.of("two")
    kind, rest = fault["kind"], {key: value for key, value in fault.items() if key != "kind"}
    swept.cloud.set(kind, region="two", **rest)
    started = time.monotonic()
    swept.sweep()
    assert time.monotonic() - started < SETTINGS.deadline + 3, "nobody waits longer than a deadline"
    assert_true(swept, "one", "three")
    assert_total_of(swept, "one", "three")
    ill = swept.of("two")
    errors = {name: ill.services[name].error for name in READ}
    codes = {name: error.code for name, error in errors.items() if error}
    assert set(codes) == set(READ), codes
    assert code in codes.values()
    assert ill.placement == before.placement, "the last figures stay"
    swept.cloud.clear()
    swept.forget()
    swept.sweep()
    assert_true(swept, "one", "two", "three")
    assert_total_of(swept, "one", "two", "three")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "latency", "seconds": 0.1, "spread": 0.1},
        {"kind": "status", "status": 503, "calls": 1, "service": "compute"},
        {"kind": "status", "status": 429, "calls": 1, "retry_after": 0.1, "service": "network"},
        {"kind": "reset", "calls": 1, "service": "volume"},
        {"kind": "refuse", "calls": 1, "service": "image"},
        {"kind": "expire", "calls": 1},
        {"kind": "skew", "seconds": -7200},
    ],
    ids=str,
)
def test_what_passes_is_not_noticed(swept: Swept, fault: dict[str, Any]) -> None:
    swept.sweep()
    kind, rest = fault["kind"], {key: value for key, value in fault.items() if key != "kind"}
    swept.cloud.set(kind, region="two", **rest)
    swept.sweep()
    assert_true(swept, "one", "two", "three")
    assert_total_of(swept, "one", "two", "three")


def test_figures_that_cannot_be_are_not_counted(swept: Swept) -> None:
    swept.sweep()
    whole = swept.totals
    swept.cloud.set("contradict", region="two")
    swept.sweep()
    ill = swept.of("two")
    for service in READ:
        error = ill.services[service].error
        assert error is not None
        assert error.code == "unexpected-answer"
        assert error.detail is not None
        assert error.detail.startswith("the answer has ")
        assert not swept.totals.complete_by_service[service]
    for kind, figures in swept.totals.placement.resources.items():
        assert figures.total == sum(truth(swept.cloud, name).total[kind] for name in ("one", "three"))
    assert swept.totals.image.bytes < whole.image.bytes
    assert_true(swept, "one", "three")


def test_a_clock_that_is_wrong_is_told_and_changes_no_age(swept: Swept) -> None:
    swept.cloud.set("skew", region="two", seconds=-7200)
    swept.sweep()
    skews = swept.skews("two")
    assert set(skews) >= {"compute", "network", "volume"}
    assert all(-7203 < skew < -7197 for skew in skews.values())
    assert_true(swept, "two")
