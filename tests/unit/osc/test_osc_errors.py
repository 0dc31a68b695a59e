"""Whatever goes wrong, a user reads one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

SERVICE = "http://multisite.example:8118"
UNAUTHENTICATED = "check that your auth_url is the Keystone that multisite uses"
OPERATORS = "operators have the role admin in a project or on the system"
LIST_REGIONS = "`openstack multisite region list` shows the names"
STRANGER = "check the endpoint (`openstack catalog show multisite`, --os-multisite-endpoint-override)."
REFUSED = "HTTPConnectionPool(host='x'): Max retries exceeded ([Errno 111] Connection refused)"
ABORTED = "('Connection aborted.', RemoteDisconnected('closed'))"


@pytest.mark.parametrize(
    ("status", "code", "marks", "advice"),
    [
        (400, "bad-request", "bad-request", "see the command's --help"),
        (403, "forbidden", "forbidden", OPERATORS),
        (403, "forbidden-of-tomorrow", None, OPERATORS),
        (404, "not-found", None, LIST_REGIONS),
        (406, "unsupported-version", None, "install the osc-multisite that fits the service"),
        (409, "credential-unusable", None, "mend that entry in the clouds.yaml of the server"),
        (409, "conflict-of-tomorrow", None, "look at the present state, then decide"),
        (
            500,
            "internal-error",
            "internal-error, req-7",
            "tell the operator of multisite, with the id of the request",
        ),
        (503, "database-unavailable", "database-unavailable, req-7", "tell the operator of multisite"),
    ],
)
def test_the_service_refuses(
    cloud: Cloud, openstack: Openstack, status: int, code: str, marks: str | None, advice: str
) -> None:
    cloud.refuse("GET", "/v1/capacity/X", status, code, "It is\n  so.")

    outcome = openstack("capacity", "show", "X")

    assert (outcome.status, outcome.out, outcome.err) == (1, "", f"It is so ({marks or code}): {advice}.\n")


@pytest.mark.parametrize(
    ("status", "code", "mark"),
    [
        (403, "project-scope-required", ""),
        (409, "generation-conflict", ""),
        (503, "keystone-unavailable", ", req-7"),
    ],
)
def test_advice_of_the_service_is_not_repeated(
    cloud: Cloud, openstack: Openstack, status: int, code: str, mark: str
) -> None:
    cloud.refuse("GET", "/v1/regions", status, code, "It is so; do that.")

    assert openstack("region", "list").err == f"It is so; do that ({code}{mark}).\n"


def test_a_status_without_advice_is_a_sentence_too(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", "/v1/regions", 418, "teapot", "I am a teapot")

    assert openstack("region", "list").err == "I am a teapot (teapot).\n"


def test_another_project_is_not_found(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", "/v1/usage/" + "b" * 32, 404, "not-found", "No such project")

    assert openstack("usage", "show", "b" * 32).err == (
        "No such project (not-found): give a project's id, or a name that you may look up in Keystone; "
        "others' use is hidden.\n"
    )


def test_a_refused_token_is_renewed_once_and_then_explained(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", "/v1/regions", 401, "unauthenticated", "The token is not valid")

    outcome = openstack("region", "list")

    assert outcome.err == f"The token is not valid (unauthenticated): {UNAUTHENTICATED}.\n"
    assert [call.headers["X-Auth-Token"] for call in cloud.calls] == ["token-1", "token-2"]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, f"multisite does not accept the token (unauthenticated): {UNAUTHENTICATED}."),
        (403, f"multisite does not allow this (forbidden): {OPERATORS}."),
        (404, f"{SERVICE}/v1/regions answered HTTP 404, but not as multisite does: {STRANGER}"),
        (502, f"{SERVICE}/v1/regions answered HTTP 502, but not as multisite does: {STRANGER}"),
        (200, f"{SERVICE}/v1/regions answered HTTP 200, but not as multisite does: {STRANGER}"),
    ],
)
def test_something_else_answers(cloud: Cloud, openstack: Openstack, status: int, sentence: str) -> None:
    cloud.page_of_a_stranger("GET", "/v1/regions", status)

    outcome = openstack("region", "list")

    assert (outcome.status, outcome.err) == (1, f"{sentence}\n")


def test_a_bare_503_says_to_try_again(cloud: Cloud, openstack: Openstack) -> None:
    cloud.page_of_a_stranger("GET", "/v1/regions", 503)

    assert openstack("region", "list").err.startswith("multisite is not available (unavailable): try again")


@pytest.mark.parametrize("answer", [{"versions": []}, ["x"], {"error": {"code": 404}}])
@pytest.mark.parametrize("command", ["list", "show"])
def test_json_of_something_else_is_no_traceback(
    cloud: Cloud, openstack: Openstack, answer: object, command: str
) -> None:
    cloud.answer("GET", "/v1/regions", answer)
    cloud.answer("GET", "/v1/regions/A", ["x"])

    outcome = openstack("region", command, *(["A"] if command == "show" else []))

    assert "answered HTTP 200, but not as multisite does" in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("fault", "beginning"),
    [
        (
            requests.ConnectionError(REFUSED),
            f"Cannot reach multisite at {SERVICE} (connection refused): check",
        ),
        (
            requests.ConnectionError(ABORTED),
            f"Cannot reach multisite at {SERVICE} (the connection failed): c",
        ),
        (
            requests.ReadTimeout("Read timed out."),
            f"multisite at {SERVICE} did not answer in time: try again",
        ),
        (requests.exceptions.SSLError("WRONG"), f"TLS with multisite at {SERVICE} failed: check --os-cacert"),
    ],
)
def test_the_service_is_away(cloud: Cloud, openstack: Openstack, fault: Exception, beginning: str) -> None:
    cloud.fail("GET", "/v1/regions", fault)

    outcome = openstack("region", "list")

    assert outcome.status == 1
    assert outcome.err.startswith(beginning)
    assert len(outcome.err.splitlines()) == 1


def test_with_debug_the_whole_story_is_told(cloud: Cloud, openstack: Openstack) -> None:
    cloud.fail("GET", "/v1/regions", requests.ConnectionError(REFUSED))

    outcome = openstack("--debug", "multisite", "region", "list", multisite=False)

    assert "Traceback" in outcome.err
    assert REFUSED in outcome.err
