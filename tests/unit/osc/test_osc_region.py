"""`openstack multisite region …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]


def test_list_shows_which_services_are_not_well(cloud: Cloud, openstack: Openstack) -> None:
    well = cloud.example("REGION", name="RegionOne", state="fresh")
    ill = cloud.example(
        "REGION", services={"compute": {"state": "unreachable"}, "volume": {"state": "fresh"}}
    )
    cloud.answer("GET", "/v1/regions", {"regions": [well, ill], "links": []})

    table = openstack("region", "list").out

    assert "| RegionOne | fresh    | all fresh " in table
    assert "| RegionTwo | degraded | compute unreachable " in table


def test_list_asks_for_the_named_regions_and_labels(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/regions", {"regions": [], "links": []})

    openstack("region", "list", "--region", "A", "--region", "B", "--label", "country=no", "--label", "x=y")

    assert cloud.calls[-1].query == [
        ("region", "A"),
        ("region", "B"),
        ("label", "country=no"),
        ("label", "x=y"),
    ]


def test_list_follows_the_pages_without_leaving_the_endpoint(cloud: Cloud, openstack: Openstack) -> None:
    elsewhere = "http://attacker.example/v1/regions?marker=RegionOne&limit=1"
    cloud.answer(
        "GET",
        "/v1/regions",
        {
            "regions": [cloud.example("REGION", name="RegionOne")],
            "links": [{"rel": "next", "href": elsewhere}],
        },
        {"regions": [cloud.example("REGION", name="RegionTwo")], "links": []},
    )

    outcome = openstack("region", "list", "-f", "value", "-c", "Name")

    assert outcome.out.split() == ["RegionOne", "RegionTwo"]
    assert [(call.host, call.query) for call in cloud.calls] == [
        ("multisite.example:8118", []),
        ("multisite.example:8118", [("marker", "RegionOne"), ("limit", "1")]),
    ]


def test_paging_that_does_not_advance_ends_in_a_sentence(cloud: Cloud, openstack: Openstack) -> None:
    page = {"regions": [], "links": [{"rel": "next", "href": "/v1/regions?marker=A"}]}
    cloud.answer("GET", "/v1/regions", page)

    outcome = openstack("region", "list")

    assert outcome.status == 1
    assert outcome.err == "The service answers /v1/regions with the same page again and again.\n"


def test_show_gives_programs_every_field(cloud: Cloud, openstack: Openstack) -> None:
    region = cloud.example("REGION")
    cloud.answer("GET", "/v1/regions/RegionTwo", region)

    assert openstack("region", "show", "RegionTwo", "-f", "json").json == region


def test_a_name_stays_one_segment_of_the_path(cloud: Cloud, openstack: Openstack) -> None:
    openstack("region", "show", "../capacity?x=1")

    assert cloud.calls[-1].path == "/v1/regions/..%2Fcapacity%3Fx%3D1"


def test_create_sends_what_was_given_and_nothing_else(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions", cloud.example("REGION", name="North"))

    outcome = openstack(
        *("region", "create", "North", "--credential", "north-admin", "--label", "country=no", "--disable"),
        *("--region-name", "RegionOne", "--order", "3", "--identity", "own", "-f", "value", "-c", "name"),
    )

    assert outcome.out == "North\n"
    assert cloud.calls[-1].body == {
        "name": "North",
        "credential": "north-admin",
        "region_name": "RegionOne",
        "identity": "own",
        "position": 3,
        "enabled": False,
        "labels": {"country": "no"},
    }


def test_create_needs_a_credential(cloud: Cloud, openstack: Openstack) -> None:
    outcome = openstack("region", "create", "North")

    assert outcome.status == 2
    assert "--credential" in outcome.err
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("options", "change"),
    [
        (["--disable"], {"enabled": False}),
        (["--enable"], {"enabled": True}),
        (
            ["--credential", "other", "--interface", "internal"],
            {"credential": "other", "interface": "internal"},
        ),
        (["--label", "tier=gold"], {"labels": {"country": "no", "city": "Oslo", "tier": "gold"}}),
        (["--remove-label", "city"], {"labels": {"country": "no"}}),
        (["--remove-label", "city", "--label", "country=se"], {"labels": {"country": "se"}}),
        (["--no-label"], {"labels": {}}),
        (["--no-label", "--label", "a=b"], {"labels": {"a": "b"}}),
        (["--maintenance", "new disks"], {"maintenance": {"reason": "new disks"}}),
        (
            ["--maintenance", "new disks", "--maintenance-until", "2026-12-01T07:00+01:00"],
            {"maintenance": {"reason": "new disks", "ends_at": "2026-12-01T06:00:00Z"}},
        ),
        (["--no-maintenance"], {"maintenance": None}),
        (["--position", "0", "--dashboard-url", "https://d"], {"position": 0, "dashboard_url": "https://d"}),
        (["--no-dashboard-url", "--no-sweep-interval"], {"dashboard_url": None, "sweep_interval": None}),
        (["--sweep-interval", "120"], {"sweep_interval": 120}),
    ],
)
def test_set_lays_the_change_over_the_region_it_read(
    cloud: Cloud, openstack: Openstack, options: list[str], change: dict[str, object]
) -> None:
    region = cloud.example("REGION", labels={"country": "no", "city": "Oslo"}, generation=41)
    cloud.answer("GET", "/v1/regions/RegionTwo", region)
    cloud.answer("PATCH", "/v1/regions/RegionTwo", region)

    outcome = openstack("region", "set", "RegionTwo", *options)

    assert (outcome.status, outcome.out, outcome.err) == (0, "", "")
    assert cloud.calls[-1].method == "PATCH"
    assert cloud.calls[-1].body == {**change, "generation": 41}


def test_set_moves_the_end_of_a_present_maintenance(cloud: Cloud, openstack: Openstack) -> None:
    region = cloud.example("REGION", maintenance={"reason": "new disks", "ends_at": None})
    cloud.answer("GET", "/v1/regions/RegionTwo", region)
    cloud.answer("PATCH", "/v1/regions/RegionTwo", region)

    openstack("region", "set", "RegionTwo", "--maintenance-until", "2026-12-01T06:00Z")

    body = cloud.calls[-1].body or {}
    assert body["maintenance"] == {"reason": "new disks", "ends_at": "2026-12-01T06:00:00Z"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ([], "Nothing to set: name at least one option."),
        (["--maintenance-until", "2026-12-01T06:00Z"], "--maintenance-until needs --maintenance <reason>."),
        (
            ["--maintenance-until", "2026-12-01T06:00Z", "--no-maintenance"],
            "--maintenance-until does not go with --no-maintenance.",
        ),
    ],
)
def test_set_writes_nothing_when_there_is_nothing_to_write(
    cloud: Cloud, openstack: Openstack, options: list[str], sentence: str
) -> None:
    cloud.answer("GET", "/v1/regions/RegionTwo", cloud.example("REGION"))

    outcome = openstack("region", "set", "RegionTwo", *options)

    assert (outcome.status, outcome.err) == (1, f"{sentence}\n")
    assert [call.method for call in cloud.calls] == ["GET"]


def test_set_by_a_member_says_who_may(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/regions/RegionTwo", cloud.example("REGION", generation=None, credential=None))

    outcome = openstack("region", "set", "RegionTwo", "--disable")

    assert outcome.status == 1
    assert outcome.err.startswith("You may see this region, but not change it: operators have the role admin")
    assert [call.method for call in cloud.calls] == ["GET"]


@pytest.mark.parametrize("time", ["tomorrow", "2026-12-01T06:00"])
def test_the_end_of_maintenance_is_a_time_with_its_zone(openstack: Openstack, time: str) -> None:
    outcome = openstack("region", "set", "RegionTwo", "--maintenance", "x", "--maintenance-until", time)

    assert outcome.status == 2
    assert "give it like 2026-12-01T06:00Z" in outcome.err


def test_set_does_not_repeat_itself_over_the_change_of_another(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/regions/RegionTwo", cloud.example("REGION"))
    detail = "region 'RegionTwo' was changed since generation 1: read it and try again"
    cloud.refuse("PATCH", "/v1/regions/RegionTwo", 409, "generation-conflict", detail)

    outcome = openstack("region", "set", "RegionTwo", "--disable")

    assert outcome.status == 1
    assert outcome.err == (
        "region 'RegionTwo' was changed since generation 1: read it and try again (generation-conflict).\n"
    )
    assert [call.method for call in cloud.calls] == ["GET", "PATCH"]


def test_delete_goes_on_after_a_failure_and_says_so(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("DELETE", "/v1/regions/A", 404, "not-found", "No region is called 'A'.")
    for name in ("B", "C"):
        cloud.accept("DELETE", f"/v1/regions/{name}")

    outcome = openstack("region", "delete", "A", "B", "C")

    assert [call.path[-1] for call in cloud.calls] == ["A", "B", "C"]
    assert outcome.status == 1
    assert outcome.err.splitlines() == [
        "No region is called 'A' (not-found): `openstack multisite region list` shows the names.",
        "1 of 3 regions were not deleted: A.",
    ]


def test_test_prints_the_checks_and_ends_with_what_is_lacking(cloud: Cloud, openstack: Openstack) -> None:
    checks = [
        {"check": "token", "ok": True, "detail": None, "code": None},
        {"check": "compute", "ok": False, "detail": "403", "code": "forbidden"},
    ]
    lacking = {
        "ok": False,
        "summary": "lab-admin lacks the role admin.",
        "code": "forbidden",
        "checks": checks,
    }
    cloud.answer("POST", "/v1/regions/RegionTwo/test", lacking)

    outcome = openstack("region", "test", "RegionTwo", "-f", "json")

    assert outcome.json == [
        {"Check": "token", "OK": True, "Code": None, "Detail": None},
        {"Check": "compute", "OK": False, "Code": "forbidden", "Detail": "403"},
    ]
    assert (outcome.status, outcome.err) == (1, "lab-admin lacks the role admin.\n")


def test_test_of_a_good_region_ends_with_status_0(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", "/v1/regions/RegionTwo/test", {"ok": True, "summary": "All is well.", "checks": []})

    outcome = openstack("region", "test", "RegionTwo")

    assert (outcome.status, outcome.err) == (0, "All is well.\n")


def test_discover_tells_new_regions_from_known_ones(cloud: Cloud, openstack: Openstack) -> None:
    answer = {"created": [cloud.example("REGION")], "existing": ["RegionOne"], "skipped": [], "dry_run": True}
    cloud.answer("POST", "/v1/regions/discover", answer)

    outcome = openstack(
        *(
            "region",
            "discover",
            "--credential",
            "lab-admin",
            "--region",
            "RegionOne",
            "--region",
            "RegionTwo",
        ),
        *("--prefix", "lab-", "--dry-run", "-f", "value", "-c", "Name", "-c", "Result"),
    )

    assert outcome.out.splitlines() == ["RegionTwo would be created", "RegionOne existing"]
    assert cloud.calls[-1].body == {
        "credential": "lab-admin",
        "regions": ["RegionOne", "RegionTwo"],
        "prefix": "lab-",
        "dry_run": True,
    }


def test_discover_tells_what_it_left_out_and_why(cloud: Cloud, openstack: Openstack) -> None:
    skipped = {"region_name": "a/b", "reason": "the name 'a-b' belongs to the region 'a b' of a catalog"}
    answer = {"created": [], "existing": [], "skipped": [skipped], "dry_run": False}
    cloud.answer("POST", "/v1/regions/discover", answer)

    columns = ("-f", "value", "-c", "Result", "-c", "Region Name")
    outcome = openstack("region", "discover", "--credential", "x", *columns)

    assert outcome.out == "skipped a/b\n"
    assert outcome.err == "a/b was not registered: the name 'a-b' belongs to the region 'a b' of a catalog.\n"


def test_a_region_that_is_none_in_a_filter_is_told(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", "/v1/regions", 404, "not-found", "there is no region called 'Nope'")

    outcome = openstack("region", "list", "--region", "Nope")

    assert (outcome.status, outcome.err) == (
        1,
        "there is no region called 'Nope' (not-found): `openstack multisite region list` shows the names.\n",
    )


def test_discover_of_a_region_that_is_not_there_does_not_advise_the_list(
    cloud: Cloud, openstack: Openstack
) -> None:
    cloud.refuse("POST", "/v1/regions/discover", 404, "not-found", "the catalog of 'x' has no region Mars")

    outcome = openstack("region", "discover", "--credential", "x", "--region", "Mars")

    assert outcome.err == "the catalog of 'x' has no region Mars (not-found).\n"


def test_discover_without_dry_run_writes(cloud: Cloud, openstack: Openstack) -> None:
    answer = {"created": [cloud.example("REGION")], "existing": [], "skipped": [], "dry_run": False}
    cloud.answer("POST", "/v1/regions/discover", answer)

    outcome = openstack("region", "discover", "--credential", "lab-admin")

    assert "| RegionTwo | created | RegionTwo   | public    | home     |" in outcome.out
    assert cloud.calls[-1].body == {"credential": "lab-admin", "dry_run": False}
