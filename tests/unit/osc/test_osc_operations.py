"""`openstack multisite operation …`, and the commands that begin one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.unit.osc.conftest import Answer

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

ID = "9f1c6a52-3c1f-4d0e-8f6a-5f0b6e0f7a11"
SHOW = f"/v1/operations/{ID}"
FAILURE = {"code": "credential-lacking", "detail": "lacks: roles", "request_id": "req-region-7"}


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch, _openstack_libraries_may_warn: None) -> Time:
    made = Time()
    monkeypatch.setattr("osc_multisite.following.sleep", made.sleep)
    monkeypatch.setattr("osc_multisite.following.monotonic", made.monotonic)
    return made


def found(cloud: Cloud, state: str, **parts: str) -> dict[str, Any]:
    """An operation and its parts; a part that failed says why."""
    told = [
        cloud.example(
            "PART", name=name, state=each, attempts=1, failure=FAILURE if each == "failed" else None
        )
        for name, each in parts.items()
    ]
    counts = {each: list(parts.values()).count(each) for each in parts.values()}
    operation = cloud.example("OPERATION", id=ID, state=state, parts=counts, percent=50)
    return {"operation": operation, "regions": told}


def test_list_asks_for_what_was_given(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/operations", {"operations": [cloud.example("OPERATION")], "links": []})

    outcome = openstack(
        *("operation", "list", "--kind", "region-test", "--state", "failed", "--state", "cancelled"),
        *("--region", "oslo", "--user", "u1", "--limit", "7", "-f", "json"),
    )

    assert cloud.calls[-1].query == [
        ("kind", "region-test"),
        ("state", "failed"),
        ("state", "cancelled"),
        ("region", "oslo"),
        ("user", "u1"),
        ("limit", "7"),
    ]
    [row] = outcome.json
    assert (row["State"], row["Parts"], row["User"]) == ("failed", {"succeeded": 2, "failed": 1}, "ada")


def test_a_limit_ends_the_list_before_the_next_page_is_asked_for(cloud: Cloud, openstack: Openstack) -> None:
    page = {
        "operations": [cloud.example("OPERATION", id=f"op-{number}") for number in range(3)],
        "links": [{"rel": "next", "href": "/v1/operations?marker=op-2"}],
    }
    cloud.answer("GET", "/v1/operations", page)

    outcome = openstack("operation", "list", "--limit", "2", "-f", "value", "-c", "ID")

    assert outcome.out.split() == ["op-0", "op-1"]
    assert len(cloud.calls) == 1


def test_list_reads_well_in_a_table(cloud: Cloud, openstack: Openstack) -> None:
    operation = cloud.example("OPERATION", failure=FAILURE)
    cloud.answer("GET", "/v1/operations", {"operations": [operation], "links": []})

    table = openstack("operation", "list").out

    assert "2 succeeded, 1 failed" in table
    assert "credential-lacking: lacks: roles (req-region-7)" in table


def test_show_has_a_table_of_the_parts(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", SHOW, found(cloud, "failed", RegionOne="succeeded", RegionTwo="failed"))

    table = openstack("operation", "show", ID).out
    programs = openstack("operation", "show", ID, "-f", "json").json

    assert "Region     State      Percent  Attempts  Step     Error" in table
    assert "RegionTwo  failed     0 %      1         examine  credential-lacking: lacks: roles (req" in table
    assert [part["name"] for part in programs["regions"]] == ["RegionOne", "RegionTwo"]
    assert programs["arguments"] == {"regions": []}


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_steering_prints_nothing(cloud: Cloud, openstack: Openstack, verb: str) -> None:
    cloud.answer("POST", f"{SHOW}/{verb}", Answer(cloud.example("OPERATION"), 202))

    outcome = openstack("operation", verb, ID)

    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")


def test_a_refused_cancel_is_the_services_sentence(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("POST", f"{SHOW}/cancel", 409, "operation-not-cancellable", "it is being undone already")

    outcome = openstack("operation", "cancel", ID)

    assert outcome.status == 1
    assert outcome.err == "it is being undone already (operation-not-cancellable).\n"


def test_an_operation_that_is_not_there_says_where_they_are(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", SHOW, 404, "not-found", f"there is no operation '{ID}'")
    assert "`openstack multisite operation list` shows" in openstack("operation", "show", ID).err


def test_wait_tells_each_change_once_and_ends_well(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer(
        "GET",
        SHOW,
        found(cloud, "queued", A="queued", B="queued"),
        found(cloud, "running", A="running", B="queued"),
        found(cloud, "running", A="running", B="queued"),
        found(cloud, "running", A="succeeded", B="running"),
        found(cloud, "succeeded", A="succeeded", B="succeeded"),
    )

    outcome = openstack("operation", "wait", ID)

    assert (outcome.status, outcome.out) == (0, "")
    assert outcome.err.splitlines() == [
        "A: running",
        "A: succeeded",
        "B: running",
        "B: succeeded",
    ]


@pytest.mark.parametrize("state", ["failed", "cancelled", "rollback-failed"])
def test_wait_has_status_1_where_it_did_not_succeed(cloud: Cloud, openstack: Openstack, state: str) -> None:
    cloud.answer("GET", SHOW, found(cloud, state, A="succeeded", B=state))

    outcome = openstack("operation", "wait", ID)

    assert outcome.status == 1
    last = outcome.err.splitlines()[-1]
    assert last == f"Operation {ID}: {state} (1 succeeded, 1 {state}). Not succeeded: B."
    if state == "failed":
        assert "B: failed, credential-lacking: lacks: roles (req-region-7)" in outcome.err


def test_a_cancel_that_is_waited_for_succeeds_when_it_is_cancelled(
    cloud: Cloud, openstack: Openstack
) -> None:
    cloud.answer("POST", f"{SHOW}/cancel", Answer(cloud.example("OPERATION"), 202))
    cloud.answer("GET", SHOW, found(cloud, "undoing", A="undoing"), found(cloud, "cancelled", A="cancelled"))
    assert openstack("operation", "cancel", "--wait", ID).status == 0


def test_wait_gives_up_after_its_time(cloud: Cloud, openstack: Openstack, time: Time) -> None:
    cloud.answer("GET", SHOW, found(cloud, "running", A="running"))

    outcome = openstack("operation", "wait", "--timeout", "5", ID)

    assert outcome.status == 1
    assert f"Operation {ID} did not end in 5 s; it goes on." in outcome.err
    assert time.now == 5


@pytest.mark.parametrize("text", ["soon", "0", "-1", "inf", "nan"])
def test_a_time_has_to_be_one(openstack: Openstack, text: str) -> None:
    outcome = openstack("operation", "wait", f"--timeout={text}", ID)
    assert outcome.status == 2
    assert f"{text} is not a number of seconds, such as 600" in outcome.err


def away() -> Any:
    return Answer(fault=requests.exceptions.ConnectionError("[Errno 111] Connection refused"))


def test_wait_goes_on_through_a_restart_of_the_service(cloud: Cloud, openstack: Openstack) -> None:
    refusal = {"errors": [{"status": 503, "code": "database-unavailable", "title": "t", "detail": "no"}]}
    cloud.answer(
        "GET",
        SHOW,
        found(cloud, "running", A="running"),
        away(),
        away(),
        Answer("<html>502 nginx</html>", 502),
        Answer(refusal, 503),
        found(cloud, "succeeded", A="succeeded"),
    )

    outcome = openstack("operation", "wait", ID)

    assert outcome.status == 0, outcome.err
    assert outcome.err.count("Trying again.") == 1
    assert "Cannot reach multisite at http://multisite.example:8118 (connection refused)" in outcome.err


def test_wait_does_not_wait_for_ever_for_a_service_that_is_gone(
    cloud: Cloud, openstack: Openstack, time: Time
) -> None:
    cloud.answer("GET", SHOW, away())

    outcome = openstack("operation", "wait", ID)

    assert outcome.status == 1
    assert time.now == 600
    assert outcome.err.splitlines()[-1].startswith("Cannot reach multisite at")


@pytest.mark.parametrize(
    ("status", "code"), [(404, "not-found"), (500, "internal-error"), (403, "forbidden")]
)
def test_what_does_not_pass_is_told_at_once(
    cloud: Cloud, openstack: Openstack, time: Time, status: int, code: str
) -> None:
    cloud.refuse("GET", SHOW, status, code, "no")
    assert openstack("operation", "wait", ID).status == 1
    assert time.now == 0


def test_a_terminal_gets_a_bar_that_is_written_over(cloud: Cloud) -> None:
    from osc_multisite import following  # OpenStackClient's libraries warn when they are imported

    stream = io.StringIO()
    bar = following._Bar(stream)

    bar.show(found(cloud, "running", A="succeeded", B="running"))
    bar.say("multisite is away. Trying again.")
    bar.close()

    text = stream.getvalue()
    assert "\r\x1b[K[###############---------------]  50 %  1 running, 1 succeeded" in text
    assert "\r\x1b[Kmultisite is away. Trying again.\n\r\x1b[K[####" in text
    assert text.endswith("\n")


def test_testing_all_regions_prints_the_operation(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions/test", Answer(cloud.example("OPERATION", id=ID), 202))

    outcome = openstack("region", "test", "--all", "-f", "json")

    assert outcome.status == 0
    assert [row["ID"] for row in outcome.json] == [ID]
    assert cloud.calls[-1].body == {"regions": []}


def test_testing_all_regions_and_waiting_prints_each(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions/test", Answer(cloud.example("OPERATION", id=ID), 202))
    done = found(cloud, "failed", A="succeeded", B="failed")
    done["regions"][0]["result"] = {"ok": True, "summary": "the credential has all", "checks": []}
    cloud.answer("GET", SHOW, done)

    outcome = openstack("region", "test", "--all", "--wait", "-f", "json")

    assert outcome.status == 1
    assert outcome.json == [
        {"Region": "A", "OK": True, "Detail": "the credential has all"},
        {"Region": "B", "OK": False, "Detail": "credential-lacking: lacks: roles (req-region-7)"},
    ]


@pytest.mark.parametrize("words", [[], ["RegionTwo", "--all"]])
def test_either_one_region_or_all_are_tested(cloud: Cloud, openstack: Openstack, words: list[str]) -> None:
    assert openstack("region", "test", *words).status == 2
    assert cloud.calls == []


def test_one_credential_is_answered_at_once(cloud: Cloud, openstack: Openstack) -> None:
    answer = {"created": [], "existing": ["A"], "skipped": [], "dry_run": False}
    cloud.answer("POST", "/v1/regions/discover", answer)

    outcome = openstack("region", "discover", "--credential", "lab", "--region", "A", "--wait")

    assert outcome.status == 0
    assert cloud.calls[-1].body == {"credential": "lab", "dry_run": False, "regions": ["A"]}


def test_several_credentials_begin_an_operation(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions/discover/all", Answer(cloud.example("OPERATION", id=ID), 202))
    several = ("--credential", "lab", "--credential", "other", "--prefix", "x-", "--identity", "own")

    outcome = openstack("region", "discover", *several, "-f", "json")

    assert [row["ID"] for row in outcome.json] == [ID]
    assert cloud.calls[-1].body == {
        "credentials": ["lab", "other"],
        "prefix": "x-",
        "identity": "own",
        "dry_run": False,
    }


def test_what_several_credentials_found_is_told_by_credential(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions/discover/all", Answer(cloud.example("OPERATION", id=ID), 202))
    done = found(cloud, "failed", lab="succeeded", other="failed")
    skipped = [{"region_name": "A b", "reason": "the name is taken"}]
    done["regions"][0]["result"] = {"created": ["A"], "existing": ["B"], "skipped": skipped}
    cloud.answer("GET", SHOW, done)
    several = ("--credential", "lab", "--credential", "other")

    outcome = openstack("region", "discover", *several, "--wait", "-f", "json")

    assert outcome.status == 1
    told = [(row["Credential"], row["Name"], row["Result"], row["Region Name"]) for row in outcome.json]
    assert told == [
        ("lab", "A", "created", None),
        ("lab", "B", "existing", None),
        ("lab", None, "skipped", "A b"),
        ("other", None, "failed", None),
    ]
    assert "A b was not registered: the name is taken." in outcome.err


def test_regions_are_named_of_one_catalog_only(cloud: Cloud, openstack: Openstack) -> None:
    outcome = openstack("region", "discover", "--credential", "a", "--credential", "b", "--region", "A")
    assert outcome.status == 1
    assert "give one --credential with it" in outcome.err
    assert cloud.calls == []


def test_writes_are_listed(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"{SHOW}/writes", {"writes": [cloud.example("WRITE")], "links": []})

    short = openstack("operation", "write", "list", ID, "-f", "json").json
    long = openstack("operation", "write", "list", "--long", ID, "-f", "json").json

    assert short[0]["What"] == "set the quota of project alpha"
    assert (short[0]["Outcome"], short[0]["HTTP Status"]) == ("done", 200)
    assert "Before" not in short[0]
    assert json.dumps(long[0]["Before"]) == '{"cores": 20}'
