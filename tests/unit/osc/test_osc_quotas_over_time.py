"""`openstack multisite quota history list` and `quota request …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.osc.conftest import ALPHA

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

HISTORY = f"/v1/quotas/{ALPHA}/history"
REQUESTS = "/v1/quota-requests"
REQUEST = "5b0f5d3e-7c1f-4f2b-9d5e-0c6b1f2a3d4e"


def history(cloud: Cloud) -> dict[str, Any]:
    point = cloud.example("QUOTAPOINT")
    gap = cloud.example("QUOTAPOINT", at="2026-11-22T13:00:00Z", resources={})
    ram = {"compute/ram": {"used": 2048, "limit": -1, "bound": None}}
    full = cloud.example("QUOTAPOINT", at="2026-11-22T14:00:00Z", resources={**point["resources"], **ram})
    steady = {"runs_out_at": None, "outlook": "unlimited", "per_day": -12.0}
    forecast = {
        "compute/cores": cloud.example("FORECAST"),
        "compute/ram": cloud.example("FORECAST", **steady),
    }
    return {
        "project_id": ALPHA, "since": "s", "until": "u", "resolution": "raw",
        "points": [point, gap, full], "forecast": forecast, "links": [],
    }  # fmt: skip


def test_history_is_a_row_per_time_and_resource_and_a_gap_has_no_figures(
    cloud: Cloud, openstack: Openstack
) -> None:
    cloud.answer("GET", HISTORY, history(cloud))

    found = openstack("quota", "history", "list", "--resource", "compute/cores", "--hours", "3", "-f", "json")

    rows = [
        (row["Time"][11:13], row["Resource"], row["State"], row["Used"], row["Limit"]) for row in found.json
    ]
    assert rows == [
        ("12", "compute/cores", "known", 8, 12),
        ("13", "compute/cores", "gap", None, None),
        ("14", "compute/cores", "known", 8, 12),
        ("14", "compute/ram", "known", 2048, -1),
    ]
    assert "compute/cores runs out on 2026-12-05 (its use changes by +0.32 a day)." in found.err
    assert "compute/ram" not in found.err
    query = dict(cloud.calls[-1].query)
    assert query["resource"] == "compute/cores"
    assert query["since"].endswith("+00:00")


def test_a_table_says_unlimited_and_chooses_units(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", HISTORY, history(cloud))

    out = openstack("quota", "history", "list", ALPHA).out

    assert "unlimited" in out
    assert "2 GiB" in out


def test_the_forecast_is_a_table_of_its_own(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", HISTORY, history(cloud))

    found = openstack("quota", "history", "list", "--forecast", ALPHA, "-f", "json")

    assert found.json[0] == {
        "Resource": "compute/cores", "Outlook": "runs-out", "Runs Out At": "2026-12-05T00:00:00Z",
        "Per Day": 0.32, "Readings": 56, "Since": "2026-11-08T12:00:01Z",
    }  # fmt: skip
    assert (found.json[1]["Outlook"], found.json[1]["Runs Out At"]) == ("unlimited", None)
    assert found.err == ""


def test_every_page_of_history_is_followed(cloud: Cloud, openstack: Openstack) -> None:
    first = history(cloud) | {"links": [{"rel": "next", "href": f"{HISTORY}?marker=m"}]}
    second = history(cloud) | {"points": [cloud.example("QUOTAPOINT", at="2026-11-22T15:00:00Z")]}
    cloud.answer("GET", HISTORY, first, second)

    assert len(openstack("quota", "history", "list", ALPHA, "-f", "json").json) == 6
    assert dict(cloud.calls[-1].query) == {"marker": "m"}


def test_a_request_is_made_of_limits_and_a_reason(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", REQUESTS, cloud.example("QUOTAREQUEST"))
    limits = ("--limit", "compute/cores=40", "--limit", "volume/gigabytes_a=b=-1")

    found = openstack("quota", "request", "create", *limits, "--reason", "a launch", "-f", "json")

    assert cloud.calls[-1].body == {
        "limits": {"compute/cores": 40, "volume/gigabytes_a=b": -1},
        "reason": "a launch",
    }
    assert found.json == cloud.example("QUOTAREQUEST")


@pytest.mark.parametrize("limit", ["compute/cores", "cores=4", "compute/cores=", "compute/cores=x", "=4"])
def test_what_is_no_limit_is_refused(openstack: Openstack, limit: str) -> None:
    found = openstack("quota", "request", "create", "--limit", limit, "--reason", "r")

    assert found.status == 2
    assert "give it like compute/cores=12" in found.err


def test_a_limit_that_is_given_twice_is_refused(cloud: Cloud, openstack: Openstack) -> None:
    twice = ("--limit", "compute/cores=4", "--limit", "compute/cores=5")

    found = openstack("quota", "request", "create", *twice, "--reason", "r")

    assert found.status == 1
    assert "--limit compute/cores: give it once." in found.err
    assert cloud.calls == []


def test_requests_are_listed_with_filters(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", REQUESTS, {"requests": [cloud.example("QUOTAREQUEST")], "links": []})

    found = openstack("quota", "request", "list", "--state", "open", "--state", "refused", "--project", ALPHA)

    assert cloud.calls[-1].query == [("state", "open"), ("state", "refused"), ("project_id", ALPHA)]
    assert "compute/cores=40" in found.out
    assert "the launch in December" in found.out


@pytest.mark.parametrize(
    ("words", "method", "path", "body"),
    [
        (("show",), "GET", "", None),
        (("cancel",), "POST", "/cancel", None),
        (("refuse", "--reason", "no"), "POST", "/refuse", {"reason": "no"}),
    ],
)
def test_a_request_is_shown_taken_back_and_refused(
    cloud: Cloud, openstack: Openstack, words: tuple[str, ...], method: str, path: str, body: Any
) -> None:
    cloud.answer(method, f"{REQUESTS}/{REQUEST}{path}", cloud.example("QUOTAREQUEST"))

    found = openstack("quota", "request", *words, REQUEST, "-f", "json")

    assert found.json["answer"] == "until January"
    assert cloud.calls[-1].body == body


def test_an_approval_begins_an_operation_and_names_it(cloud: Cloud, openstack: Openstack) -> None:
    path = f"{REQUESTS}/{REQUEST}/approve"
    cloud.answer("POST", path, cloud.example("OPERATION", id="op-1"))

    part = openstack("quota", "request", "approve", "--limit", "compute/cores=30", "--answer", "yes", REQUEST)
    assert cloud.calls[-1].body == {"limits": {"compute/cores": 30}, "answer": "yes"}
    assert part.status == 0
    assert "openstack multisite operation wait op-1" in part.err
    openstack("quota", "request", "approve", REQUEST)
    assert not cloud.calls[-1].body


def test_an_approval_with_wait_ends_as_the_operation_does(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", f"{REQUESTS}/{REQUEST}/approve", cloud.example("OPERATION", id="op-1"))
    for state, status in (("succeeded", 0), ("failed", 1)):
        operation = cloud.example("OPERATION", id="op-1", state=state)
        cloud.answer("GET", "/v1/operations/op-1", {"operation": operation, "regions": []})

        assert openstack("quota", "request", "approve", "--wait", REQUEST).status == status
