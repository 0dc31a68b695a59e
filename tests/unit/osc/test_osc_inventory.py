"""`openstack multisite server list`, `… volume show`, `… where`, `… keypair list`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

MISSING = [
    {"region": "RegionTwo", "service": "compute", "state": "unreachable", "code": "timeout", "detail": None}
]


def item(identity: str = "s1", **fields: Any) -> dict[str, Any]:
    attributes = {"flavor": "m1.small", "host": "h1", "image_id": None, "key_name": "k"}
    return {
        "region": "RegionOne",
        "kind": "server",
        "id": identity,
        "name": "web-1",
        "project_id": "p" * 32,
        "project_name": "alpha",
        "user_id": "u",
        "status": "ACTIVE",
        "addresses": ["10.1.2.3", "172.24.1.9"],
        "created_at": "2026-11-22T05:00:00Z",
        "updated_at": "2026-11-22T06:00:00Z",
        "observed_at": "2026-11-22T06:01:00Z",
        "state": "fresh",
        "dashboard_url": None,
        "attributes": attributes | fields.pop("attributes", {}),
        **fields,
    }


def answer(*items: dict[str, Any], missing: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"items": list(items), "complete": not missing, "missing": missing or [], "links": []}


def test_a_list_has_a_row_per_item(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/inventory/servers", answer(item()))
    (row,) = openstack("server", "list", "-f", "json").json
    assert row == {
        "ID": "s1",
        "Name": "web-1",
        "Region": "RegionOne",
        "Status": "ACTIVE",
        "Addresses": ["10.1.2.3", "172.24.1.9"],
        "Flavor": "m1.small",
        "Project": "alpha",
    }


def test_long_says_how_fresh_a_row_is(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/inventory/servers", answer(item(state="stale")))
    (row,) = openstack("server", "list", "--long", "-f", "json").json
    assert (row["State"], row["Observed At"]) == ("stale", "2026-11-22T06:01:00Z")
    assert row["Host"] == "h1"


def test_options_become_the_question(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/inventory/volumes", answer())
    words = "volume list --region A --region B --status error --name web --address 10.1. --visible --fresh"
    openstack(*words.split(), "--sort", "updated_at:desc")
    (call,) = [each for each in cloud.calls if each.path == "/v1/inventory/volumes"]
    asked = dict(call.query)
    assert [value for name, value in call.query if name == "region"] == ["A", "B"]
    assert (asked["status"], asked["name"], asked["address"]) == ("error", "web", "10.1.")
    assert (asked["visible"].lower(), asked["fresh"].lower()) == ("true", "true")
    assert (asked["sort"], asked["direction"]) == ("updated_at", "desc")


def test_what_is_missing_is_a_warning_and_the_rows_are_shown(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/inventory/servers", answer(item(), missing=MISSING))
    outcome = openstack("server", "list")
    assert "web-1" in outcome.out
    assert "RegionTwo" in outcome.err
    assert "may lack items" in outcome.err


@pytest.mark.parametrize(("said", "more"), [(5000, "and 4999 more regions"), (1, None), (None, None)])
def test_of_many_regions_that_are_missing_the_rest_is_counted(
    cloud: Cloud, openstack: Openstack, said: int | None, more: str | None
) -> None:
    page = answer(item(), missing=MISSING) | ({} if said is None else {"missing_regions": said})
    cloud.answer("GET", "/v1/inventory/servers", page)
    outcome = openstack("server", "list")
    assert "RegionTwo" in outcome.err
    assert (more in outcome.err) if more else (" more region" not in outcome.err)


@pytest.mark.parametrize(
    "words",
    ["server list --sort colour", "server list --sort name:up", "server list --limit 0"],
)
def test_what_is_wrong_with_an_option_is_told(openstack: Openstack, words: str) -> None:
    outcome = openstack(*words.split())
    assert outcome.status != 0
    assert words.rsplit(maxsplit=1)[-1] in outcome.err


def test_show_finds_the_region_by_the_id(cloud: Cloud, openstack: Openstack) -> None:
    found = {"match": "id", "exact": True, "item": item()}
    nearly = {"match": "id", "exact": False, "item": item("s11", region="RegionTwo")}
    other = {"match": "id", "exact": True, "item": item(kind="volume", region="RegionTwo")}
    result = {"found": [found, nearly, other], "more": False, "complete": True, "missing": []}
    cloud.answer("GET", "/v1/inventory/search", result)
    cloud.answer("GET", "/v1/inventory/servers/RegionOne/s1", item())
    shown = openstack("server", "show", "s1", "-f", "json").json
    assert (shown["id"], shown["flavor"], shown["state"]) == ("s1", "m1.small", "fresh")


def test_an_id_in_two_regions_asks_for_the_region(cloud: Cloud, openstack: Openstack) -> None:
    found = [
        {"match": "id", "exact": True, "item": item(region=region)} for region in ("RegionOne", "RegionTwo")
    ]
    result = {"found": found, "more": False, "complete": True, "missing": []}
    cloud.answer("GET", "/v1/inventory/search", result)
    outcome = openstack("server", "show", "s1")
    assert outcome.status != 0
    assert "--region" in outcome.err
    assert "RegionTwo" in outcome.err


def test_where_tells_kind_and_region(cloud: Cloud, openstack: Openstack) -> None:
    found = {"match": "address", "exact": True, "item": item()}
    result = {"found": [found], "more": False, "complete": False, "missing": MISSING}
    cloud.answer("GET", "/v1/inventory/search", result)
    outcome = openstack("where", "10.1.2.3", "-f", "json")
    (row,) = outcome.json
    assert {"server", "RegionOne", "s1", "web-1"} <= {
        value for value in row.values() if isinstance(value, str)
    }
    assert "RegionTwo" in outcome.err


def test_keypairs_of_all_regions(cloud: Cloud, openstack: Openstack) -> None:
    keypair = {
        "region": "RegionOne",
        "name": "k",
        "type": "ssh",
        "fingerprint": "aa:bb",
        "public_key": "ssh-ed25519 A",
    }
    result = {"keypairs": [keypair], "complete": False, "missing": MISSING}
    cloud.answer("GET", "/v1/inventory/keypairs", result)
    outcome = openstack("keypair", "list", "-f", "json")
    (row,) = outcome.json
    assert {"RegionOne", "k", "ssh", "aa:bb"} <= set(row.values())
    assert "RegionTwo" in outcome.err
