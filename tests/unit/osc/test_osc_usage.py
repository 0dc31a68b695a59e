"""`openstack multisite usage …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

ALPHA = "a1" * 16
BETA = "b2" * 16


def use(used: int | None, limit: int | None = None, left: int | None = None) -> dict[str, Any]:
    return {"used": used, "reserved": 0, "limit": limit, "left": left}


def keystone_project(name: str, project_id: str) -> dict[str, Any]:
    return {"id": project_id, "name": name, "domain_id": "default", "enabled": True, "links": {}}


def test_show_is_about_the_tokens_project(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"/v1/usage/{ALPHA}", cloud.example("PROJECT"))

    rows = openstack("usage", "show", "-f", "json").json

    assert rows == [
        {
            "Region": "RegionTwo",
            "Resource": "compute/cores",
            "Used": 3,
            "Reserved": 0,
            "Limit": 20,
            "Left": 17,
            "State": "fresh",
            "Age": 1.0,
        }
    ]


def test_totals_are_rows_too(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"/v1/usage/{ALPHA}", cloud.example("PROJECT"))

    lines = openstack("usage", "show", "--total", "-f", "value").out.splitlines()

    assert lines == [
        "RegionTwo compute/cores 3 0 20 17 fresh 1.0",
        "(total) compute/cores 5 0 60 55 complete None",
    ]


def test_unlimited_and_unknown_are_words_for_people_only(cloud: Cloud, openstack: Openstack) -> None:
    project = cloud.example("PROJECT")
    project["regions"][0]["resources"] = {
        "volume/gigabytes": use(2048, -1),
        "compute/key_pairs": use(None, 100),
        "compute/ram": use(1536, 51200, 49664),
    }
    cloud.answer("GET", f"/v1/usage/{ALPHA}", project)

    columns = ["-c", "Resource", "-c", "Used", "-c", "Limit", "-c", "Left"]
    table = openstack("usage", "show", *columns).out
    values = openstack("usage", "show", *columns, "-f", "value").out

    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if "/" in line]
    assert cells == [
        ["compute/key_pairs", "-", "100", "-"],
        ["compute/ram", "1.5 GiB", "50 GiB", "48.5 GiB"],
        ["volume/gigabytes", "2 TiB", "unlimited", "-"],
    ]
    assert values.splitlines() == [
        "compute/key_pairs None 100 None",
        "compute/ram 1536 51200 49664",
        "volume/gigabytes 2048 -1 None",
    ]


def test_each_figure_has_the_state_of_its_own_service(cloud: Cloud, openstack: Openstack) -> None:
    project = cloud.example("PROJECT")
    region = project["regions"][0]
    region |= {"state": "degraded", "resources": {"compute/cores": use(1), "volume/volumes": use(2)}}
    region["services"]["volume"] = {"state": "unreachable", "observed_at": "t", "age": 90.0, "error": None}
    cloud.answer("GET", f"/v1/usage/{ALPHA}", project)

    out = openstack("usage", "show", "-f", "value", "-c", "Resource", "-c", "State", "-c", "Age").out

    assert out.splitlines() == ["compute/cores fresh 1.0", "volume/volumes unreachable 90.0"]


def test_a_region_without_the_project_is_said_to_be(cloud: Cloud, openstack: Openstack) -> None:
    project = cloud.example("PROJECT")
    absent = {"region": "Own", "state": "fresh", "found": False, "services": {}, "resources": {}}
    project["regions"].append(absent)
    project["totals"] |= {
        "complete": False,
        "missing": [{"region": "R3", "service": "volume", "state": "stale"}],
    }
    cloud.answer("GET", f"/v1/usage/{ALPHA}", project)

    outcome = openstack("usage", "show", "-f", "value")

    assert outcome.out.splitlines()[-1] == "Own None None None None None absent None"
    assert outcome.err.splitlines() == [
        "Totals are incomplete; not in them: R3 (volume stale).",
        "The project does not exist in: Own.",
    ]


def test_filters(cloud: Cloud, openstack: Openstack) -> None:
    project = cloud.example("PROJECT")
    project["regions"][0]["resources"] = {
        "compute/cores": use(1),
        "compute/ram": use(2),
        "image/image_count_total": use(3),
    }
    cloud.answer("GET", f"/v1/usage/{BETA}", project)

    outcome = openstack(
        *(
            "usage",
            "show",
            BETA,
            "--region",
            "A",
            "--region",
            "B",
            "--fresh",
            "-f",
            "value",
            "-c",
            "Resource",
        ),
        *("--resource", "image/image_count_total", "--resource", "compute/cores"),
    )

    assert outcome.out.splitlines() == ["compute/cores", "image/image_count_total"]
    assert cloud.calls[-1].query == [("region", "A"), ("region", "B"), ("fresh", "true")]


def test_an_id_goes_to_multisite_without_asking_keystone(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"/v1/usage/{BETA}", cloud.example("PROJECT"))

    assert openstack("usage", "show", BETA).status == 0
    assert not [call for call in cloud.keystone_calls if "projects" in call]


def test_a_member_may_name_the_own_project(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"/v1/usage/{ALPHA}", cloud.example("PROJECT"))

    assert openstack("usage", "show", "alpha").status == 0
    assert openstack("usage", "show", "alpha", "--project-domain", "Default").status == 0
    assert not [call for call in cloud.keystone_calls if "projects" in call]


def test_a_name_is_looked_up_in_keystone(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer(
        "GET", "/v3/projects", {"projects": [keystone_project("beta", BETA)], "links": {"next": None}}
    )
    cloud.answer("GET", f"/v1/usage/{BETA}", cloud.example("PROJECT"))

    outcome = openstack("usage", "show", "beta")

    assert (outcome.status, outcome.err) == (0, "")
    assert cloud.calls[-1].path == f"/v1/usage/{BETA}"


def test_the_own_projects_name_in_another_domain_is_another_project(
    cloud: Cloud, openstack: Openstack
) -> None:
    cloud.answer("GET", "/v3/domains/other", {"domain": {"id": "other", "name": "other", "links": {}}})
    cloud.answer(
        "GET", "/v3/projects", {"projects": [keystone_project("alpha", BETA)], "links": {"next": None}}
    )
    cloud.answer("GET", f"/v1/usage/{BETA}", cloud.example("PROJECT"))

    assert openstack("usage", "show", "alpha", "--project-domain", "other").status == 0
    assert cloud.calls[-1].path == f"/v1/usage/{BETA}"


@pytest.mark.parametrize(
    ("projects", "sentence"),
    [
        ([], "Keystone has no project 'gamma': give its id, or add --project-domain."),
        (
            [keystone_project("gamma", ALPHA), keystone_project("gamma", BETA)],
            "Several projects are called 'gamma': add --project-domain, or give the id.",
        ),
    ],
)
def test_a_name_that_is_not_one_project_is_one_sentence(
    cloud: Cloud, openstack: Openstack, projects: list[dict[str, Any]], sentence: str
) -> None:
    cloud.answer("GET", "/v3/projects", {"projects": projects, "links": {"next": None}})

    outcome = openstack("usage", "show", "gamma")

    assert (outcome.status, outcome.err) == (1, f"{sentence}\n")
    assert cloud.calls == []


def test_a_domain_that_does_not_exist_is_one_sentence(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v3/domains", {"domains": [], "links": {"next": None}})

    outcome = openstack("usage", "show", "gamma", "--project-domain", "Nope")

    assert outcome.err == "Keystone has no project 'gamma' in the domain 'Nope': give its id.\n"


def test_a_name_that_keystone_may_not_tell_is_tried_as_an_id(cloud: Cloud, openstack: Openstack) -> None:
    for path in ("/v3/projects/beta", "/v3/projects"):
        cloud.refuse("GET", path, 403, "x", "You are not authorized")
    cloud.refuse("GET", "/v1/usage/beta", 404, "not-found", "There is no project 'beta'")

    outcome = openstack("usage", "show", "beta")

    assert outcome.err.startswith("There is no project 'beta' (not-found): give a project's id")


def test_without_a_project_in_the_token_one_has_to_be_named(cloud: Cloud, openstack: Openstack) -> None:
    words = ["--os-auth-type", "none", "--os-endpoint", "http://given:8118", "multisite", "usage", "show"]

    outcome = openstack(*words, cloud_entry="", multisite=False)

    assert outcome.err == "Your token belongs to no project: name the project.\n"
    assert cloud.calls == []


def test_list_is_sorted_by_the_service(cloud: Cloud, openstack: Openstack) -> None:
    projects = [
        {
            "project_id": BETA,
            "project_name": "beta",
            "domain_name": "Default",
            "complete": True,
            "resources": {"compute/cores": use(9), "network/port": use(4)},
            "missing": [],
        },
        {
            "project_id": ALPHA,
            "project_name": None,
            "domain_name": None,
            "complete": False,
            "resources": {},
            "missing": [{"region": "R3", "service": "compute", "state": "stale"}],
        },
    ]
    cloud.answer("GET", "/v1/usage", {"projects": projects, "links": []})

    outcome = openstack("usage", "list", "--sort", "network/port", "--region", "A", "-f", "json")

    assert cloud.calls[-1].query == [("sort", "network/port"), ("region", "A")]
    assert [row["Project"] for row in outcome.json] == ["beta", None]
    assert outcome.json[0]["compute/cores"] == 9
    assert outcome.json[0]["network/port"] == 4
    assert outcome.json[1]["Complete"] is False
    assert outcome.err == "Totals are incomplete; not in them: R3 (compute stale).\n"


def test_list_shows_the_resources_one_asks_for(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", "/v1/usage", {"projects": [], "links": []})

    header = openstack("usage", "list", "--resource", "image/image_size_total", "-f", "csv").out.strip()

    assert header == '"Project ID","Project","Domain","image/image_size_total","Complete"'


@pytest.mark.parametrize("command", ["show", "list"])
def test_a_resource_that_is_none_is_told_with_those_that_there_are(
    cloud: Cloud, openstack: Openstack, command: str
) -> None:
    cloud.answer("GET", f"/v1/usage/{ALPHA}", cloud.example("PROJECT"))
    cloud.answer("GET", "/v1/usage", {"projects": [], "links": []})

    outcome = openstack("usage", command, "--resource", "compute/x", "--resource", "compute/cores")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("There is no resource compute/x; there are: compute/cores, ")
    assert outcome.err.count("\n") == 1


def test_a_resource_of_the_contract_may_be_unread(cloud: Cloud, openstack: Openstack) -> None:
    cloud.answer("GET", f"/v1/usage/{ALPHA}", cloud.example("PROJECT"))

    assert openstack("usage", "show", "--resource", "volume/volumes").status == 0


def test_the_resources_are_those_of_the_contract() -> None:
    from multisite.usage import readers
    from osc_multisite import usage

    assert set(usage.RESOURCES) == set(readers.RESOURCES)


def test_the_state_of_a_total_is_that_of_its_own_service(cloud: Cloud, openstack: Openstack) -> None:
    project = cloud.example("PROJECT")
    by_service = {"compute": True, "volume": False, "network": True, "image": True}
    project["totals"] |= {"complete": False, "complete_by_service": by_service}
    project["totals"]["resources"]["volume/volumes"] = use(1)
    cloud.answer("GET", f"/v1/usage/{ALPHA}", project)
    row = {
        "project_id": ALPHA,
        "project_name": "alpha",
        "domain_name": "Default",
        "resources": {},
        "complete": False,
        "complete_by_service": by_service,
        "missing": [],
    }
    cloud.answer("GET", "/v1/usage", {"projects": [row], "links": []})

    shown = openstack("usage", "show", "--total", "-f", "value", "-c", "Resource", "-c", "State").out
    assert shown.splitlines()[-2:] == ["compute/cores complete", "volume/volumes incomplete"]

    def listed(resource: str) -> bool:
        return bool(openstack("usage", "list", "-f", "json", "--resource", resource).json[0]["Complete"])

    assert (listed("compute/cores"), listed("volume/volumes")) == (True, False)
