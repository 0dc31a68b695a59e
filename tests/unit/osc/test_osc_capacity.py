"""`openstack multisite capacity …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]


def amounts(total: float, used: float) -> dict[str, Any]:
    return {"total": total, "reserved": 0, "usable": total * 4, "used": used, "free": total * 4 - used}


def fresh(**ages: float) -> dict[str, Any]:
    return {
        name: {"state": "fresh", "observed_at": "t", "age": age, "error": None} for name, age in ages.items()
    }


NEVER_READ = {"placement": None, "compute": None, "volume": None, "network": None, "image": None}


@pytest.fixture
def two_regions(cloud: Cloud) -> dict[str, Any]:
    """RegionOne with a storage cluster that its hosts share, RegionTwo that was never read."""
    services = fresh(placement=12.0, compute=40.5, image=280.0, identity=999.0)
    one = cloud.example("CAPACITY", region="RegionOne", services=services)
    one["placement"] = {
        "resources": {"VCPU": amounts(128, 3), "MEMORY_MB": amounts(1024, 512), "DISK_GB": amounts(10, 1)},
        "zones": {"az2": {"VCPU": amounts(28, 1)}, "az1": {"VCPU": amounts(100, 2)}},
        "shared": {"DISK_GB": amounts(1000, 7)},
        "providers": 3,
    }
    stale = {"compute": {"state": "stale", "observed_at": None, "age": None, "error": None}}
    two = cloud.example(
        "CAPACITY", region="RegionTwo", state="stale", services=stale, warnings=[], **NEVER_READ
    )
    totals = {key: one[key] for key in NEVER_READ} | {"complete": True, "missing": []}
    answer = {"regions": [one, two], "totals": totals, "links": []}
    cloud.answer("GET", "/v1/capacity", answer)
    return answer


def test_list_gives_programs_numbers_and_null(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    one, two = openstack("capacity", "list", "-f", "json").json

    assert one == {
        "Region": "RegionOne",
        "State": "fresh",
        "Age": 40.5,
        "VCPU Used": 3,
        "VCPU Usable": 512,
        "Memory Used": 512,
        "Memory Usable": 4096,
        "Disk Used": 8,
        "Disk Usable": 4040,
        "Servers": 3,
    }
    assert {two[column] for column in two if column not in {"Region", "State"}} == {None}


def test_list_gives_people_units(two_regions: dict[str, Any], openstack: Openstack) -> None:  # noqa: ARG001
    table = openstack("capacity", "list", "-c", "Age", "-c", "Memory Usable", "-c", "Disk Usable").out

    assert (
        "| 41 s | 4 GiB         | 3.9 TiB     |" in table or "| 40 s | 4 GiB         | 3.9 TiB     |" in table
    )
    assert "|    - |     -         |       -     |" in table


def test_the_age_is_that_of_the_oldest_figure_in_the_row(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    assert openstack("capacity", "list", "-f", "value", "-c", "Age").out.split() == ["40.5", "None"]
    assert openstack("capacity", "list", "--long", "-f", "value", "-c", "Age").out.split() == [
        "280.0",
        "None",
    ]


def test_csv_has_bare_numbers_and_empty_cells(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    lines = openstack("capacity", "list", "--total", "-f", "csv").out.splitlines()

    assert lines[1:] == [
        '"RegionOne","fresh",40.5,3,512,512,4096,8,4040,3',
        '"RegionTwo","stale","","","","","","","",""',
        '"(total)","complete","",3,512,512,4096,8,4040,3',
    ]


def test_numbers_sort_as_numbers_and_unknown_last(
    cloud: Cloud, two_regions: dict[str, Any], openstack: Openstack
) -> None:
    small = cloud.example("CAPACITY", region="Small")
    small["placement"]["resources"] = {"VCPU": amounts(9, 20)}
    two_regions["regions"].insert(0, small)
    cloud.answer("GET", "/v1/capacity", two_regions)

    for formatter in ("value", "table"):
        out = openstack("capacity", "list", "--sort-column", "VCPU Used", "-c", "Region", "-f", formatter).out
        names = [word for word in out.split() if word in {"RegionOne", "RegionTwo", "Small"}]
        assert names == ["RegionOne", "Small", "RegionTwo"]


def test_incomplete_totals_are_named_on_stderr_only(
    cloud: Cloud, two_regions: dict[str, Any], openstack: Openstack
) -> None:
    two_regions["totals"] |= {
        "complete": False,
        "missing": [
            {"region": "RegionTwo", "service": "compute", "state": "unreachable"},
            {"region": "RegionTwo", "service": "image", "state": "unreachable"},
            {"region": "RegionTwo", "service": "volume", "state": "stale"},
            {"region": "RegionThree", "service": "compute", "state": "stale"},
        ],
    }
    cloud.answer("GET", "/v1/capacity", two_regions)

    outcome = openstack("capacity", "list", "--total", "-f", "json")

    assert outcome.err == (
        "Totals are incomplete; not in them: RegionTwo (compute, image unreachable; volume stale), "
        "RegionThree (compute stale).\n"
    )
    assert outcome.status == 0
    assert outcome.json[-1]["State"] == "incomplete"


def test_very_many_missing_regions_are_counted(
    cloud: Cloud, two_regions: dict[str, Any], openstack: Openstack
) -> None:
    missing = [{"region": f"R{n}", "service": "compute", "state": "stale"} for n in range(5000)]
    cloud.answer("GET", "/v1/capacity", two_regions | {"totals": {"complete": False, "missing": missing}})

    note = openstack("capacity", "list").err

    assert note.endswith("R9 (compute stale), and 4990 more regions.\n")
    assert len(note.splitlines()) == 1


def test_complete_totals_need_no_note(two_regions: dict[str, Any], openstack: Openstack) -> None:  # noqa: ARG001
    assert openstack("capacity", "list").err == ""


def test_filters_reach_the_service(cloud: Cloud, two_regions: dict[str, Any], openstack: Openstack) -> None:  # noqa: ARG001
    openstack("capacity", "list", "--region", "A", "--region", "B", "--fresh")

    assert cloud.calls[-1].query == [("region", "A"), ("region", "B"), ("fresh", "true")]


def test_rows_of_a_resource_class_keep_shared_providers_apart(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    out = openstack("capacity", "list", "--resource", "DISK_GB", "--total", "-f", "value").out

    assert out.splitlines() == [
        "RegionOne fresh 12.0 DISK_GB region 10 0 40 1 39",
        "RegionOne fresh 12.0 DISK_GB shared 1000 0 4000 7 3993",
        "RegionTwo stale None DISK_GB region None None None None None",
        "(total) complete None DISK_GB region 10 0 40 1 39",
        "(total) complete None DISK_GB shared 1000 0 4000 7 3993",
    ]


def test_rows_of_zones_are_not_counted_twice(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    rows = openstack("capacity", "list", "--zones", "--resource", "VCPU", "-f", "json").json

    assert [(row["Region"], row["Zone"], row["Total"]) for row in rows] == [
        ("RegionOne", "az1", 100),
        ("RegionOne", "az2", 28),
        ("RegionTwo", None, None),
    ]


def test_show_lists_every_service_in_one_shape(cloud: Cloud, openstack: Openstack) -> None:
    region = cloud.example("CAPACITY", services=fresh(placement=1, compute=2, volume=3, network=4, image=5))
    region["network"]["external_ipv6"] = {"total": str(2**64), "used": "1", "free": str(2**64 - 1)}
    cloud.answer("GET", "/v1/capacity/RegionTwo", {"region": region})

    rows = openstack("capacity", "show", "RegionTwo", "-f", "json").json

    by_resource = {row["Resource"]: row for row in rows}
    assert by_resource["VCPU"] == {
        "Service": "placement",
        "Resource": "VCPU",
        "Scope": "region",
        "Total": 128,
        "Reserved": 0,
        "Usable": 512,
        "Used": 3,
        "Free": 509,
        "State": "fresh",
        "Age": 1,
    }
    assert by_resource["servers"]["Used"] == 3
    assert by_resource["hosts"]["Usable"] == 2
    assert by_resource["storage"]["Free"] == 9990.5
    assert by_resource["provisioned"]["Usable"] == 200000
    assert by_resource["external_ipv4"]["Free"] == 251
    assert by_resource["external_ipv6"]["Total"] == 2**64
    assert by_resource["data"]["Used"] == 1048576
    assert by_resource["data"]["Age"] == 5


def test_show_names_services_that_were_never_read(cloud: Cloud, openstack: Openstack) -> None:
    services = {"volume": {"state": "absent", "age": None}, "compute": {"state": "unreachable", "age": None}}
    region = cloud.example("CAPACITY", services=services, **NEVER_READ)
    cloud.answer("GET", "/v1/capacity/RegionTwo", {"region": region})

    out = openstack("capacity", "show", "RegionTwo", "-f", "value", "-c", "Service", "-c", "State").out

    assert out.splitlines() == ["compute unreachable", "volume absent"]


DETAIL = {
    "flavors": [{"id": "1", "name": "m1.tiny", "vcpus": 1, "ram": 512, "disk": 1, "fits": 509}],
    "pools": [
        {
            "name": "h@lvm#lvm",
            "backend": "lvm",
            "total": "infinite",
            "free": "unknown",
            "provisioned": 12,
            "over_subscription": 20.0,
            "thin": True,
        }
    ],
    "networks": [
        {
            "id": "n1",
            "name": "public",
            "project_id": "p",
            "external": True,
            "subnets": [
                {
                    "id": "s1",
                    "name": "v4",
                    "cidr": "203.0.113.0/24",
                    "ip_version": 4,
                    "total": "253",
                    "used": "2",
                    "free": "251",
                }
            ],
        },
        {"id": "n2", "name": "bare", "project_id": "p", "external": False, "subnets": []},
    ],
    "hosts": [
        {
            "host": "h1",
            "binary": "nova-compute",
            "zone": "nova",
            "status": "disabled",
            "state": "up",
            "disabled_reason": "repair",
            "updated_at": "2026-11-22T00:00:00Z",
        }
    ],
    "providers": [
        {
            "uuid": "u1",
            "name": "h1",
            "root": "u1",
            "generation": 3,
            "zone": None,
            "available": True,
            "shared": False,
            "inventories": {
                "VCPU": {"total": 64, "reserved": 0, "allocation_ratio": 4.0},
                "DISK_GB": {"total": 500, "reserved": 10, "allocation_ratio": 1.0},
            },
            "usages": {"VCPU": 3},
        }
    ],
    "stores": [{"id": "file", "images": 3, "bytes": 1048576}],
}


@pytest.mark.parametrize(
    ("section", "lines"),
    [
        ("--flavors", ["m1.tiny 1 1 512 1 509"]),
        ("--pools", ["h@lvm#lvm lvm infinite unknown 12 20.0 True"]),
        (
            "--networks",
            ["public n1 p True v4 203.0.113.0/24 253 2 251", "bare n2 p False None None None None None"],
        ),
        ("--hosts", ["h1 nova-compute nova disabled up repair 2026-11-22T00:00:00Z"]),
        (
            "--providers",
            ["h1 u1 None True False DISK_GB 500 10 1.0 0", "h1 u1 None True False VCPU 64 0 4.0 3"],
        ),
        ("--stores", ["file 3 1048576"]),
    ],
)
def test_sections_of_a_region(cloud: Cloud, openstack: Openstack, section: str, lines: list[str]) -> None:
    cloud.answer("GET", "/v1/capacity/RegionTwo", {"region": cloud.example("CAPACITY"), **DETAIL})

    assert openstack("capacity", "show", "RegionTwo", section, "-f", "value").out.splitlines() == lines


def test_only_one_section_at_a_time(cloud: Cloud, openstack: Openstack) -> None:
    outcome = openstack("capacity", "show", "RegionTwo", "--flavors", "--pools")

    assert outcome.status == 2
    assert cloud.calls == []


def test_a_resource_class_that_no_region_has_is_told_with_those_that_there_are(
    two_regions: dict[str, Any],  # noqa: ARG001
    openstack: Openstack,
) -> None:
    outcome = openstack("capacity", "list", "--resource", "VCPU", "--resource", "NOPE")

    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        "No region that is listed has the resource class NOPE; they have: DISK_GB, MEMORY_MB, VCPU.\n"
    )


def test_where_nothing_was_read_yet_no_resource_class_is_called_wrong(
    two_regions: dict[str, Any], cloud: Cloud, openstack: Openstack
) -> None:
    answer = two_regions | {"regions": two_regions["regions"][1:]}
    cloud.answer("GET", "/v1/capacity", answer)

    assert openstack("capacity", "list", "--resource", "VGPU").status == 0


def test_the_state_of_a_total_is_that_of_the_figures_in_its_row(
    two_regions: dict[str, Any], cloud: Cloud, openstack: Openstack
) -> None:
    missing = [{"region": "RegionTwo", "service": "volume", "state": "stale"}]
    services = {"compute": True, "placement": True, "volume": False, "network": True, "image": True}
    totals = two_regions["totals"] | {
        "complete": False,
        "missing": missing,
        "complete_by_service": services,
    }
    cloud.answer("GET", "/v1/capacity", two_regions | {"totals": totals})

    def state(*options: str) -> str:
        return str(openstack("capacity", "list", "--total", "-f", "json", *options).json[-1]["State"])

    assert state() == "complete"
    assert state("--resource", "VCPU") == "complete"
    assert state("--long") == "incomplete"
