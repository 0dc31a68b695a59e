"""`openstack multisite capacity history show`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

PATH = "/v1/capacity/history"


def point(at: str, region: str | None = "oslo", regions: int | None = None, **used: Any) -> dict[str, Any]:
    known = None if regions is None else regions - 1
    resources = {
        name: {"total": 10, "usable": 40, "used": value, "free": None, "regions": known}
        for name, value in used.items()
    }
    return {"region": region, "at": f"2026-11-22T{at}Z", "regions": regions, "resources": resources}


def answer(*points: dict[str, Any]) -> dict[str, Any]:
    return {"since": "s", "until": "u", "resolution": "raw", "points": list(points), "links": []}


@pytest.fixture
def gap(cloud: Cloud) -> None:
    """A region whose Placement was away twice, and whose MEMORY_MB is known from the second point on."""
    cloud.answer(
        "GET",
        PATH,
        answer(
            point("12:00:00", VCPU=4),
            point("12:01:00", VCPU=5, MEMORY_MB=2048),
            point("12:02:00", tenant_ipv6=str(2**64)),
            point("12:03:00"),
            point("12:04:00", VCPU=6),
        ),
    )


@pytest.mark.usefixtures("gap")
def test_a_gap_is_one_row_without_figures(openstack: Openstack) -> None:
    rows = openstack("capacity", "history", "show", "--resource", "VCPU", "-f", "json").json

    assert [(row["Time"][11:19], row["State"], row["Used"]) for row in rows] == [
        ("12:00:00", "known", 4),
        ("12:01:00", "known", 5),
        ("12:02:00", "gap", None),
        ("12:04:00", "known", 6),
    ]
    assert rows[0] | {"Time": ""} == {
        "Region": "oslo", "Time": "", "Resource": "VCPU", "State": "known", "Regions": None,
        "Total": 10, "Usable": 40, "Used": 4, "Free": None,
    }  # fmt: skip


@pytest.mark.usefixtures("gap")
def test_every_format_shows_it(openstack: Openstack) -> None:
    table = openstack("capacity", "history", "show", "--resource", "MEMORY_MB").out
    assert "| 2 GiB |" in table
    assert "gap" in table
    csv = openstack("capacity", "history", "show", "--resource", "all", "-f", "csv").out
    assert f'"tenant_ipv6","known","",10,40,{2**64},' in csv
    value = openstack("capacity", "history", "show", "--resource", "VCPU", "-f", "value", "-c", "Used").out
    assert value.split() == ["4", "5", "None", "6"]
    assert "- Free: null" in openstack("capacity", "history", "show", "-f", "yaml").out


def test_totals_say_of_how_many_regions_they_are(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", PATH, answer(point("12:00:00", region=None, regions=6, VCPU=4)))

    assert "5 of 6" in openstack("capacity", "history", "show").out
    (row,) = openstack("capacity", "history", "show", "-f", "json").json
    assert (row["Region"], row["Regions"]) == ("(total)", {"known": 5, "enabled": 6})


@pytest.mark.usefixtures("gap")
def test_what_is_asked_is_sent(cloud: Cloud, openstack: Openstack) -> None:
    openstack(
        *("capacity", "history", "show", "--region", "oslo", "--resource", "VCPU"),
        *("--since", "2026-11-22T12:00:00+01:00", "--until", "2026-11-22", "--resolution", "hour"),
    )
    assert cloud.calls[-1].query == [
        ("region", "oslo"),
        ("resource", "VCPU"),
        ("since", "2026-11-22T12:00:00+01:00"),
        ("until", "2026-11-22T00:00:00+00:00"),
        ("resolution", "hour"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "yesterday"), "is not a time"),
        (("--hours", "-1"), "is not a number of hours"),
        (("--hours", "2", "--since", "2026-11-22"), "not allowed"),
        (("--resource", "VGPU"), "History has nothing of VGPU"),
    ],
)
@pytest.mark.usefixtures("gap")
def test_mistakes_get_a_sentence(openstack: Openstack, arguments: tuple[str, ...], words: str) -> None:
    outcome = openstack("capacity", "history", "show", *arguments)

    assert outcome.status
    assert words in outcome.err
