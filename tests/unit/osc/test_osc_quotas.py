"""`openstack multisite quota …`: what is asked of the service, and what a user sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.osc.conftest import ALPHA, Answer

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

ID = "9f1c6a52-3c1f-4d0e-8f6a-5f0b6e0f7a11"
QUOTA = f"/v1/quotas/{ALPHA}"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, _openstack_libraries_may_warn: None) -> None:
    monkeypatch.setattr("osc_multisite.following.sleep", lambda _seconds: None)


def operation(cloud: Cloud, state: str = "queued") -> dict[str, Any]:
    """The operation that balances alpha."""
    return cloud.example("OPERATION", id=ID, kind="quota-balance", state=state, parts={state: 1})


def ends(cloud: Cloud, state: str = "succeeded") -> None:
    """The operation has ended so when it is looked at."""
    parts = [cloud.example("PART", name=ALPHA, state=state, attempts=1, failure=None)]
    cloud.answer("GET", f"/v1/operations/{ID}", {"operation": operation(cloud, state), "regions": parts})


def row(cloud: Cloud, project: str, **resources: Any) -> dict[str, Any]:
    """A project in the listing."""
    return cloud.example("QUOTAROW", project_id=project, project_name=f"name-{project}", **resources)


def test_list_has_a_row_for_each_project_and_resource(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer(
        *("GET", "/v1/quotas"),
        {"quotas": [row(cloud, "p1")], "links": [{"rel": "next", "href": "/v1/quotas?marker=p1"}]},
        {"quotas": [row(cloud, "p2")], "links": []},
    )

    rows = openstack("quota", "list", "--sort", "compute/cores", "--long", "-f", "json").json

    assert cloud.calls[0].query == [("sort", "compute/cores")]
    assert [(each["Project"], each["Project ID"]) for each in rows] == [("name-p1", "p1"), ("name-p2", "p2")]
    assert rows[0] | {"Balanced At": None} == {
        "Project": "name-p1", "Resource": "compute/cores", "Limit": 12, "Kind": "hard",
        "State": "establishing", "Used": 6, "Left": 6, "Bound": 14, "Overshoot": None, "Pressure": 0.5,
        "Establishing": ["RegionTwo"], "Project ID": "p1", "Domain Name": "Default", "Class Name": None,
        "Balanced At": None,
    }  # fmt: skip


def test_list_shows_only_the_resources_that_are_named(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/quotas", {"quotas": [row(cloud, "p1")], "links": []})
    assert openstack("quota", "list", "--resource", "compute/ram", "-f", "value").out.strip() == ""
    assert "50 %" in openstack("quota", "list", "--resource", "compute/cores").out


def test_show_is_ones_own_project_region_by_region(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", QUOTA, cloud.example("QUOTA"))

    table = openstack("quota", "show").out
    programs = openstack("quota", "show", "alpha", "-f", "json").json

    assert "Resource       Limit  Kind  State         Used  Left  Bound  Overshoot  Pressure  Source" in table
    assert (
        "compute/cores  12     hard  establishing  6     6     14     -          50 %      project" in table
    )
    assert "compute/cores  RegionOne  6      2     6      -        3 s" in table
    assert "compute/cores  RegionTwo  8      4     6      -        41 s  cannot be read" in table
    assert programs == cloud.example("QUOTA")
    assert cloud.keystone_calls.count("POST /v3/auth/tokens") == 2  # and nobody was looked up


def test_amounts_are_in_the_unit_of_the_resource(cloud: Cloud, openstack: Openstack) -> None:
    [cores] = cloud.example("QUOTA")["resources"]
    ram = cores | {"resource": "compute/ram", "limit": 2048, "bound": -1, "used": 512}
    ssd = cores | {"resource": "volume/gigabytes_ssd", "limit": -1, "used": 2048, "regions": []}
    cloud.answer("GET", QUOTA, cloud.example("QUOTA", resources=[ram, ssd]))

    lines = openstack("quota", "show").out.splitlines()

    assert "2 GiB" in next(line for line in lines if "compute/ram" in line)
    assert "512 MiB  6 MiB  unlimited" in next(line for line in lines if "compute/ram" in line)
    assert "unlimited  hard  establishing  2 TiB" in next(line for line in lines if "gigabytes_ssd" in line)


def test_a_quota_that_is_not_there_says_where_they_are(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("GET", QUOTA, 404, "not-found", f"there is no quota of project '{ALPHA}'")
    assert (
        "`openstack multisite quota list` shows the projects whose limits" in openstack("quota", "show").err
    )


def test_set_sends_what_was_given_and_nothing_else(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("PATCH", QUOTA, Answer(operation(cloud), 202))

    outcome = openstack(
        *("quota", "set", "alpha", "--limit", "compute/cores=12", "--limit", "volume/gigabytes=-1", "--soft"),
        *("--burst", "compute/cores=3", "--class", "gold"),
        *(
            "--minimum",
            "oslo:compute/cores=4",
            "--maximum",
            "oslo:compute/cores=9",
            "--weight",
            "bergen:compute/ram=2",
        ),
        *("--maximum", "bergen:compute/ram=-1", "--no-bounds", "lyon:compute/cores"),
        *("--raise", "compute/cores=20", "--until", "2026-12-01T07:00+01:00", "--no-raise", "compute/ram"),
        *("-f", "value", "-c", "ID", "-c", "Kind"),
    )

    assert outcome.out.split() == [ID, "quota-balance"]
    assert cloud.calls[-1].body == {
        "limits": {
            "compute/cores": {"limit": 12, "kind": "soft", "burst": 3},
            "volume/gigabytes": {"limit": -1, "kind": "soft"},
        },
        "raises": {"compute/cores": {"limit": 20, "ends_at": "2026-12-01T06:00:00Z"}, "compute/ram": None},
        "regions": {
            "oslo": {"compute/cores": {"minimum": 4, "maximum": 9}},
            "bergen": {"compute/ram": {"weight": 2, "maximum": None}},
            "lyon": {"compute/cores": None},
        },
        "class_name": "gold",
    }


def test_following_no_class_is_something(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("PATCH", QUOTA, Answer(operation(cloud), 202))
    assert openstack("quota", "set", "alpha", "--no-class").status == 0
    assert cloud.calls[-1].body == {"class_name": None}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Nothing to set: name at least one option.\n"),
        (["--soft"], "--soft says how --limit is kept: give --limit with it.\n"),
        (
            ["--burst", "compute/cores=1"],
            "--burst compute/cores needs --limit compute/cores=<number> with it.\n",
        ),
        (["--raise", "compute/cores=1"], "--raise <resource=number> and --until <time> go together.\n"),
        (["--until", "2026-12-01T06:00Z"], "--raise <resource=number> and --until <time> go together.\n"),
        (
            ["--maximum", "oslo:compute/cores=-2"],
            "--maximum oslo:compute/cores: write 0 or more, or -1 for no maximum.\n",
        ),
        (
            ["--limit", "compute/cores=1", "--dry-run", "--wait"],
            "--dry-run writes nothing: there is nothing to --wait for.\n",
        ),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_asked(
    cloud: Cloud, openstack: Openstack, words: list[str], said: str
) -> None:
    outcome = openstack("quota", "set", "alpha", *words)
    assert (outcome.status, outcome.err) == (1, said)
    assert cloud.calls == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit", "cores=12"], "'cores=12' is no limit of a resource: give it like compute/cores=12"),
        (["--limit", "compute/cores"], "'compute/cores' is no limit of a resource"),
        (["--limit", "compute/cores=many"], "'many' is no whole number: give it like compute/cores=12"),
        (["--limit", "compute/cores=1.5"], "'1.5' is no whole number"),
        (["--minimum", "compute/cores=4"], "'compute/cores' names no resource of a region"),
        (["--minimum", "oslo:cores=4"], "'oslo:cores' names no resource of a region"),
        (["--minimum", "oslo:compute/cores"], "gives no number to a resource of a region"),
        (["--soft", "--hard"], "not allowed with argument"),
        (["--class", "a", "--no-class"], "not allowed with argument"),
    ],
)
def test_options_that_cannot_be_read_are_named(openstack: Openstack, words: list[str], said: str) -> None:
    outcome = openstack("quota", "set", "alpha", *words)
    assert outcome.status == 2
    assert said in outcome.err


def test_two_limits_of_one_resource_are_none(cloud: Cloud, openstack: Openstack) -> None:
    words = ("--limit", "compute/cores=5", "--limit", "compute/cores=6")
    outcome = openstack("quota", "set", "alpha", *words)
    assert (outcome.status, cloud.calls) == (1, [])
    assert "--limit compute/cores: it is there twice; name one limit of it." in outcome.err


def test_a_dry_run_shows_the_exact_writes_and_changes_nothing(cloud: Cloud, openstack: Openstack) -> None:
    missing = {"region": "RegionOne", "service": "compute", "code": "timeout"}
    cloud.answer("POST", f"{QUOTA}/plan", {"writes": [cloud.example("PLANNED")], "missing": [missing]})

    words = ("quota", "set", "alpha", "--limit", "compute/cores=6", "--dry-run")
    assert "compute of region RegionOne could not be read" in openstack(*words).err
    table, [programs] = openstack(*words).out, openstack(*words, "-f", "json").json

    assert "| RegionTwo | compute | PUT    | /os-quota-sets/a8e8… | cores=20 | cores=6 |" in table
    assert (programs["Before"], programs["After"]) == ({"cores": 20}, {"cores": 6})
    assert {call.path for call in cloud.calls} == {f"{QUOTA}/plan"}
    assert cloud.calls[-1].body == {"limits": {"compute/cores": {"limit": 6}}}


def test_the_end_of_limits_is_tried_out(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", f"{QUOTA}/plan", {"writes": [cloud.example("PLANNED")], "missing": []})
    assert "cores=20 | cores=6" in openstack("quota", "unset", "alpha", "--dry-run").out
    assert cloud.calls[-1].body == {"unset": True}
    openstack("quota", "unset", "alpha", "--resource", "compute/cores", "--dry-run")
    assert cloud.calls[-1].body == {"limits": {"compute/cores": None}}
    assert {call.path for call in cloud.calls} == {f"{QUOTA}/plan"}


def test_a_change_of_a_class_is_tried_out(cloud: Cloud, openstack: Openstack) -> None:
    missing = {"region": "RegionOne", "service": "compute", "code": "timeout"}
    plan = {"writes": [cloud.example("PLANNED")], "missing": [missing]}
    plans = [
        {"project_id": ALPHA, "project_name": "alpha", **plan},
        {"project_id": "0" * 32, "project_name": None, **plan},
    ]
    cloud.answer("POST", "/v1/quota-classes/gold/plan", {"plans": plans, "left_out": 7})
    words = ("quota", "class", "set", "gold", "--limit", "compute/cores=6", "--remove", "compute/ram")

    outcome = openstack(*words, "--dry-run")

    assert outcome.status == 0
    assert outcome.err.count("compute of region RegionOne could not be read") == 1
    assert "followed by 7 projects more, for which this was not found out" in outcome.err
    rows = openstack(*words, "--dry-run", "-f", "json").json
    assert [row["Project"] for row in rows] == ["alpha", "0" * 32]
    assert rows[0]["After"] == {"cores": 6}
    assert cloud.calls[-1].body == {"limits": {"compute/cores": {"limit": 6}, "compute/ram": None}}
    assert {call.path for call in cloud.calls} == {"/v1/quota-classes/gold/plan"}


def test_waiting_shows_how_it_stands_and_what_is_not_yet_as_it_should_be(
    cloud: Cloud, openstack: Openstack
) -> None:
    cloud.answer("PATCH", QUOTA, Answer(operation(cloud), 202))
    ends(cloud)
    cloud.answer("GET", QUOTA, cloud.example("QUOTA"))

    outcome = openstack("quota", "set", "alpha", "--limit", "compute/cores=12", "--wait", "-f", "value")

    assert outcome.status == 0
    assert outcome.out.startswith("compute/cores 12 hard establishing 6 6 14 ")
    assert f"{ALPHA}: succeeded" in outcome.err
    assert "compute/cores is not yet as it should be in: RegionTwo." in outcome.err


def test_waiting_for_what_fails_has_status_1(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("POST", f"{QUOTA}/balance", Answer(operation(cloud), 202))
    ends(cloud, "failed")
    cloud.answer("GET", QUOTA, cloud.example("QUOTA"))

    outcome = openstack("quota", "balance", "--region", "oslo", "--region", "bergen", "--wait")

    assert outcome.status == 1
    assert f"Operation {ID}: failed" in outcome.err
    [balanced] = [call for call in cloud.calls if call.method == "POST"]
    assert balanced.body == {"regions": ["oslo", "bergen"]}


def test_unset_gives_everything_back_and_the_quota_is_gone(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("DELETE", QUOTA, Answer(operation(cloud), 202))
    ends(cloud)
    cloud.refuse("GET", QUOTA, 404, "not-found", f"there is no quota of project '{ALPHA}'")

    outcome = openstack("quota", "unset", "alpha", "--wait", "-f", "value")

    assert (outcome.status, outcome.out.strip()) == (0, "")


def test_unset_of_one_resource_leaves_the_others(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("PATCH", QUOTA, Answer(operation(cloud), 202))
    ends(cloud)
    [cores] = cloud.example("QUOTA")["resources"]
    releasing = cores | {"state": "releasing", "establishing": []}
    cloud.answer("GET", QUOTA, cloud.example("QUOTA", resources=[releasing]))

    outcome = openstack("quota", "unset", "alpha", "--resource", "compute/cores", "--wait")

    assert next(call for call in cloud.calls if call.method == "PATCH").body == {
        "limits": {"compute/cores": None}
    }
    assert "What the regions had of compute/cores before is still being written back." in outcome.err


def proposal(cloud: Cloud, resource: str, **changes: Any) -> dict[str, Any]:
    return cloud.example("PROPOSAL", resource=resource, **changes)


def test_import_shows_proposals_and_sets_nothing(cloud: Cloud, openstack: Openstack) -> None:
    nowhere = proposal(cloud, "image/image_count_total", limit=None, regions={}, missing=[])
    found = {"project_id": ALPHA, "proposals": [proposal(cloud, "compute/cores"), nowhere]}
    cloud.answer("POST", "/v1/quotas/import", found)

    [row] = openstack("quota", "import", "alpha", "--resource", "compute/cores", "--soft", "-f", "json").json

    assert cloud.calls[-1].body == {"project_id": ALPHA, "resources": ["compute/cores"], "kind": "soft"}
    assert row == {
        "Resource": "compute/cores", "Kind": "hard", "Limit": 40, "Used": 6,
        "Regions": {"RegionOne": 20, "RegionTwo": 20}, "Missing": [],
    }  # fmt: skip
    assert len(cloud.calls) == 1


def test_import_sets_only_what_is_known_of_all_regions(cloud: Cloud, openstack: Openstack) -> None:
    half = proposal(cloud, "compute/ram", missing=["RegionThree"])
    proposals = [proposal(cloud, "compute/cores"), half]
    cloud.answer("POST", "/v1/quotas/import", {"project_id": ALPHA, "proposals": proposals})
    cloud.answer("PATCH", QUOTA, Answer(operation(cloud), 202))

    outcome = openstack("quota", "import", "alpha", "--apply")

    assert cloud.calls[-1].body == {"limits": {"compute/cores": {"limit": 40, "kind": "hard"}}}
    assert outcome.status == 1
    assert f"Operation {ID} sets 1 limits." in outcome.err
    assert "Not set, because not every region's limit is known: compute/ram." in outcome.err
    assert "compute/ram" in outcome.out


def test_classes_are_shown_changed_and_forgotten(cloud: Cloud, openstack: Openstack) -> None:
    limits = {"compute/ram": {"limit": 2048, "kind": "soft", "burst": 5}}
    cloud.answer("GET", "/v1/quota-classes", {"classes": {"gold": limits, "default": {}}})
    cloud.answer("PATCH", "/v1/quota-classes/gold", {"classes": {"gold": limits}})
    cloud.accept("DELETE", "/v1/quota-classes/gold")

    expected = [{"Class": "gold", "Resource": "compute/ram", "Limit": 2048, "Kind": "soft", "Burst": 5}]
    assert openstack("quota", "class", "list", "-f", "json").json == expected
    assert openstack("quota", "class", "show", "gold", "-f", "json").json == expected
    changed = openstack(
        *(
            "quota",
            "class",
            "set",
            "gold",
            "--limit",
            "compute/ram=2048",
            "--soft",
            "--burst",
            "compute/ram=5",
        ),
        *("--remove", "compute/cores", "-f", "json"),
    )
    assert changed.json == expected
    assert cloud.calls[-1].body == {"limits": {**limits, "compute/cores": None}}
    outcome = openstack("quota", "class", "delete", "gold")
    assert (outcome.status, outcome.out) == (0, "")
    assert cloud.calls[-1].method == "DELETE"


def test_a_class_that_there_is_not_is_named(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/quota-classes", {"classes": {"gold": {}}})
    outcome = openstack("quota", "class", "show", "silver")
    assert (outcome.status, outcome.err) == (1, "There is no quota class 'silver'; there are: gold.\n")
    assert openstack("quota", "class", "set", "gold").err == "Nothing to set: give --limit or --remove.\n"


def test_caps_of_a_domain_and_of_a_tree(cloud: Cloud, openstack: Openstack) -> None:
    domain = {"id": "d7", "name": "telco", "enabled": True}
    cloud.answer("GET", "/v3/domains/telco", Answer({"domain": domain}))
    held = [
        {"scope": "domain", "scope_id": "d7", "resource": "compute/cores", "limit": 100},
        {"scope": "tree", "scope_id": ALPHA, "resource": "compute/ram", "limit": 2048},
    ]
    cloud.answer("GET", "/v1/quota-caps", {"caps": held})
    cloud.answer("PUT", "/v1/quota-caps", {"caps": held})

    assert openstack("quota", "cap", "list", "-f", "json").json == [
        {"Scope": "domain", "Scope ID": "d7", "Resource": "compute/cores", "Limit": 100},
        {"Scope": "tree", "Scope ID": ALPHA, "Resource": "compute/ram", "Limit": 2048},
    ]
    words = ("--limit", "compute/cores=100", "--limit", "compute/ram=-1")
    assert openstack("quota", "cap", "set", "--domain", "telco", *words).status == 0
    assert [call.body for call in cloud.calls[-2:]] == [
        {"scope": "domain", "scope_id": "d7", "resource": "compute/cores", "limit": 100},
        {"scope": "domain", "scope_id": "d7", "resource": "compute/ram", "limit": -1},
    ]
    assert openstack("quota", "cap", "unset", "--tree", "alpha").status == 0
    assert cloud.calls[-1].body == {
        "scope": "tree", "scope_id": ALPHA, "resource": "compute/ram", "limit": -1,
    }  # fmt: skip
    neither = openstack("quota", "cap", "set", "--limit", "compute/cores=1")
    assert (neither.status, "--domain --tree" in neither.err) == (2, True)


def test_the_cap_of_a_domain_that_is_gone_is_taken_away(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v3/domains", Answer({"domains": []}))
    held = [{"scope": "domain", "scope_id": "gone", "resource": "compute/cores", "limit": 100}]
    cloud.answer("GET", "/v1/quota-caps", {"caps": held})
    cloud.answer("PUT", "/v1/quota-caps", {"caps": []})

    assert openstack("quota", "cap", "unset", "--domain", "gone").status == 0
    assert cloud.calls[-1].body == {**held[0], "limit": -1}
    assert openstack("quota", "cap", "unset", "--domain", "other").err == "Keystone has no domain 'other'.\n"


def test_a_domain_that_there_is_not(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v3/domains", Answer({"domains": []}))
    outcome = openstack("quota", "cap", "set", "--domain", "telko", "--limit", "compute/cores=1")
    assert (outcome.status, outcome.err) == (1, "Keystone has no domain 'telko'.\n")
    assert cloud.calls == []


def test_back_ends_are_pinned_and_found_out_again(cloud: Cloud, openstack: Openstack) -> None:
    pinned = {"backends": [{"region": "oslo", "service": "compute", "backend": "unified"}]}
    cloud.answer("GET", "/v1/quota-backends", pinned)
    cloud.answer("PUT", "/v1/quota-backends/oslo/compute", pinned)

    assert openstack("quota", "backend", "list", "-f", "value").out == "oslo compute unified\n"
    assert openstack("quota", "backend", "set", "oslo", "compute", "unified").status == 0
    assert cloud.calls[-1].body == {"backend": "unified"}
    assert openstack("quota", "backend", "unset", "oslo", "compute").status == 0
    assert cloud.calls[-1].body == {"backend": None}
    assert openstack("quota", "backend", "set", "oslo", "compute", "keystone").status == 2


def test_events_are_asked_for_by_kind(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/quota-events", {"events": [cloud.example("EVENT")], "links": []})

    words = ("quota", "event", "list", "--kind", "drift", "--kind", "over", "--limit", "5", "--long")
    [event] = openstack(*words, "-f", "json").json

    assert cloud.calls[-1].query == [("kind", "drift"), ("kind", "over"), ("limit", "5")]
    assert (event["ID"], event["Kind"], event["Region"]) == (7, "drift", "RegionTwo")
    assert event["Figures"] == {"before": 4, "after": 20}


def test_a_cap_that_is_exceeded_says_where_caps_are(cloud: Cloud, openstack: Openstack) -> None:
    cloud.refuse("PATCH", QUOTA, 409, "quota-cap-exceeded", "so 9 is too much")
    outcome = openstack("quota", "set", "alpha", "--limit", "compute/cores=9")
    assert outcome.err == (
        "so 9 is too much (quota-cap-exceeded): `openstack multisite quota cap list` shows the caps.\n"
    )
