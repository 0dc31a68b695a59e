"""What the API of quotas refuses, each with one sentence; and what decisions lead to."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.quotas import limits, rules
from multisite.quotas.bound import Figures
from multisite.quotas.model import MissingService, Share
from multisite.quotas.service import HANDOVER
from tests.integration.quotas.governed import CORES, GAMMA, KEYS, RAM, Governed, away, govern
from tests.integration.service import ALPHA, BETA, Service

NUMBER = "write a whole number (-1 is unlimited), or an object with limit, kind and burst"
RANGE = "write a whole number from 0 to 2147483647, or -1 for unlimited"


@pytest.fixture
async def governed(service: Service) -> Governed:
    await service.add("north", "compute")
    await service.add("south", "compute")
    return govern(service)


async def nothing_is_governed(governed: Governed) -> bool:
    return not (await governed.call("GET", "/v1/quotas")).json["quotas"] and not await governed.audited()


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"compute/kores": 1}, "there is no resource 'compute/kores'; there are: compute/cores, "),
        ({"cores": 1}, "'cores' is no resource; write it as service/name, such as compute/cores"),
        (
            {"shared-file-system/shares": {"limit": 1, "kind": "hard"}},
            "shared-file-system/shares: its use cannot be read",
        ),
        ({KEYS: {"limit": 1, "kind": "soft"}}, f"{KEYS} is a limit per user or per item: it is copied"),
        (
            {CORES: {"limit": 1, "kind": "copied"}},
            f"{CORES} is summed over regions: its limit is hard or soft",
        ),
        (
            {CORES: {"limit": 1, "kind": "firm"}},
            f"limits.{CORES}.kind: write 'hard', 'soft' or 'copied'",
        ),
        ({CORES: -2}, f"limits: {CORES}: {RANGE}"),
        ({CORES: 2**31}, f"limits: {CORES}: {RANGE}"),
        ({CORES: 10**30}, f"limits: {CORES}: {RANGE}"),
        ({CORES: True}, f"limits.{CORES}: {NUMBER}"),
        ({CORES: 1.5}, f"limits.{CORES}: {NUMBER}"),
        ({CORES: "12"}, f"limits.{CORES}: {NUMBER}"),
        ({CORES: []}, f"limits.{CORES}: {NUMBER}"),
        ({CORES: {"limit": True}}, "write a whole number, without quotes"),
        ({CORES: {"limit": 1.5}}, "write a whole number"),
        ({CORES: {}}, "this field is required"),
        ({CORES: {"limit": 1, "soft": True}}, "there is no such field; there are: burst, kind, limit"),
        ({CORES: {"limit": 9, "burst": 2}}, f"limits: {CORES}: only a soft limit has a burst"),
        (
            {CORES: {"limit": 9, "kind": "hard", "burst": 2}},
            f"limits: {CORES}: only a soft limit has a burst",
        ),
        (
            {CORES: {"limit": 9, "kind": "soft", "burst": -1}},
            f"limits: {CORES}: burst: write a whole number from 0 to 2147483647",
        ),
        ({"compute/cores\0": 1}, "it holds the character U+0000; write plain text"),
        ({"compute/\ud800": 1}, "plain text"),
        ({"x" * 301: 1}, "it has more than 300 characters"),
        ([], "limits: write an object, in braces"),
    ],
)
async def test_a_limit_that_cannot_be(governed: Governed, limits: Any, said: str) -> None:
    sentence = await governed.refused(400, {"limits": limits})
    assert said in sentence
    assert "\n" not in sentence
    assert "; limits" not in sentence  # one sentence, not one for each form that a limit may have
    assert await nothing_is_governed(governed)


@pytest.mark.parametrize(
    "body", [{}, {"limits": {}}, {"raises": {}, "regions": {"north": {}}}, {"generation": 1}]
)
async def test_a_change_of_nothing(governed: Governed, body: Any) -> None:
    assert await governed.refused(400, body) == (
        "there is nothing to change: give limits, raises, regions or class_name"
    )


async def test_a_region_a_class_and_a_project_that_are_none(governed: Governed) -> None:
    regions = {"regions": {"Atlantis": {CORES: {"minimum": 1}}}, "limits": {CORES: 2}}
    assert await governed.refused(404, regions) == "there is no region called 'Atlantis'"
    assert await governed.refused(404, {"class_name": "gold", "limits": {CORES: 2}}) == (
        "there is no quota class 'gold'; there are: none yet"
    )
    nobody = "e" * 32
    assert await governed.refused(404, {"limits": {CORES: 2}}, nobody) == f"there is no project '{nobody}'"
    imported = await governed.call("POST", "/v1/quotas/import", body={"project_id": nobody})
    assert (imported.status, imported.error["detail"]) == (404, f"there is no project '{nobody}'")
    unnamed = await governed.call("POST", "/v1/quotas/import", body={"project_id": ""})
    assert (unnamed.status, unnamed.error["code"]) == (400, "bad-request")
    assert await nothing_is_governed(governed)


async def test_without_a_region_of_the_home_keystone_nobody_knows_projects(governed: Governed) -> None:
    for region in (await governed.call("GET", "/v1/regions")).json["regions"]:
        off = {"enabled": False, "generation": region["generation"]}
        gone = await governed.call("PATCH", f"/v1/regions/{region['name']}", body=off)
        assert gone.status == 200, gone.text
    said = "no enabled region shares the home Keystone, which knows projects and domains"
    assert await governed.refused(409, {"limits": {CORES: 2}}) == said
    imported = await governed.call("POST", "/v1/quotas/import", body={"project_id": ALPHA})
    assert (imported.status, imported.error["detail"]) == (409, said)


async def test_a_generation_that_is_stale(governed: Governed) -> None:
    assert await governed.refused(404, {"generation": 1, "limits": {CORES: 2}}) == (
        f"there is no quota of project '{ALPHA}' yet; leave the generation out"
    )
    await governed.limit(12)
    assert (await governed.change({"generation": 1, "limits": {CORES: 13}})).status == 202
    stale = await governed.refused(409, {"generation": 1, "limits": {CORES: 14}})
    assert stale == (
        f"the quota of project '{ALPHA}' was changed since generation 1; it is 2 now: read it and try again"
    )
    assert await governed.limits() == {CORES: 13}


@pytest.mark.parametrize("generation", [0, -1, 2**31, 2**63, True, "1"])
async def test_a_generation_that_is_none(governed: Governed, generation: Any) -> None:
    said = await governed.refused(400, {"generation": generation, "limits": {CORES: 2}})
    assert said.startswith("generation: write a ")


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"minimum": -1}, f"regions: north: {CORES}: minimum: write a whole number from 0 to 2147483647"),
        ({"maximum": 2**31}, f"regions: north: {CORES}: maximum: write a whole number from 0 to 2147483647"),
        ({"weight": -1}, f"regions: north: {CORES}: weight: write a whole number from 0 to 1000000"),
        ({"weight": 1_000_001}, f"regions: north: {CORES}: weight: write a whole number from 0 to 1000000"),
        ({"minimum": 3, "maximum": 2}, f"regions: north: {CORES}: the maximum is less than the minimum"),
        ({"minimum": True}, "write a whole number, without quotes"),
        ({"least": 1}, "there is no such field; there are: maximum, minimum, weight"),
        ({"minimum": 13}, f"{CORES}: regions are promised 13 together, and the limit is 12"),
    ],
)
async def test_bounds_of_a_region_that_cannot_be(governed: Governed, bounds: Any, said: str) -> None:
    body = {"limits": {CORES: 12}, "regions": {"north": {CORES: bounds}}}
    assert said in await governed.refused(400, body)
    assert await nothing_is_governed(governed)


async def test_minima_are_summed_and_a_limit_may_not_sink_below_them(governed: Governed) -> None:
    body = {"limits": {CORES: 12}, "regions": {each: {CORES: {"minimum": 6}} for each in ("north", "south")}}
    assert (await governed.change(body)).status == 202
    assert await governed.refused(400, {"limits": {CORES: 11}}) == (
        f"{CORES}: regions are promised 12 together, and the limit is 11"
    )
    assert (await governed.change({"limits": {CORES: 11}, "regions": {"north": {CORES: None}}})).status == 202


async def test_bounds_of_what_is_the_same_everywhere(governed: Governed) -> None:
    body = {"limits": {KEYS: 5}, "regions": {"north": {KEYS: {"maximum": 4}}}}
    assert await governed.refused(400, body) == f"regions: north: {KEYS} is the same in every region"


async def test_of_bounds_what_is_left_out_stays(governed: Governed, clock: FixedClock) -> None:
    north = (await governed.service.store.select(["north"]))[0]

    async def bounds(**asked: Any) -> tuple[int, int | None, int]:
        assert (await governed.change({"regions": {"north": {CORES: asked}}})).status == 202
        [region] = (await governed.quota())[CORES]["regions"]
        return region["minimum"], region["maximum"], region["weight"]

    await governed.limit(12)
    await governed.known_of(ALPHA, north, {CORES: Figures(4, 0)}, observed_at=clock.now())
    assert await bounds(minimum=2, maximum=8) == (2, 8, 1)
    assert await bounds(weight=3) == (2, 8, 3)
    assert await bounds(maximum=None) == (2, None, 3)
    assert await bounds(minimum=0) == (0, None, 3)


def until(clock: FixedClock, **later: float) -> str:
    return (clock.now() + timedelta(**later)).isoformat()


async def test_a_raise_holds_until_its_end(governed: Governed, clock: FixedClock) -> None:
    await governed.limit(12)
    body = {"raises": {CORES: {"limit": 20, "ends_at": until(clock, hours=1)}}}
    assert (await governed.change(body)).status == 202
    found = (await governed.quota())[CORES]
    assert (found["limit"], found["raised_until"]) == (20, "2026-11-22T13:00:00Z")
    clock.advance(timedelta(hours=1))
    found = (await governed.quota())[CORES]
    assert (found["limit"], found["raised_until"]) == (12, None)


async def test_a_raise_is_ended_early(governed: Governed, clock: FixedClock) -> None:
    body = {"limits": {CORES: 12}, "raises": {CORES: {"limit": 20, "ends_at": until(clock, hours=1)}}}
    assert (await governed.change(body)).status == 202
    assert (await governed.change({"raises": {CORES: None}})).status == 202
    assert await governed.limits() == {CORES: 12}


async def test_raises_that_cannot_be(governed: Governed, clock: FixedClock) -> None:
    def raised(limit: Any, ends_at: Any = None, resource: str = CORES) -> dict[str, Any]:
        return {"raises": {resource: {"limit": limit, "ends_at": ends_at or until(clock, hours=1)}}}

    assert (
        await governed.refused(400, raised(20)) == f"raises: {CORES} has no global limit that could be raised"
    )
    await governed.limit(12)
    assert await governed.refused(400, raised(20, until(clock, seconds=0))) == (
        f"raises: {CORES}: ends_at is over; write a moment to come"
    )
    assert await governed.refused(400, raised(20, "2026-12-01T06:00:00")) == (
        f"raises.{CORES}.ends_at: write a moment with its time zone, such as 2026-12-01T06:00:00Z"
    )
    assert await governed.refused(400, raised(-2)) == f"raises: {CORES}: {RANGE}"
    for limit in (12, 3):
        assert await governed.refused(400, raised(limit)) == (
            f"raises: {CORES}: a raise to {limit} is none where the limit is 12; "
            "raise it further, or end the raise"
        )
    assert (await governed.change(raised(20))).status == 202
    assert (await governed.refused(400, {"limits": {CORES: 30}})).startswith(
        f"raises: {CORES}: a raise to 20 is none where the limit is 30"
    )
    assert (await governed.change({"limits": {CORES: 30}, "raises": {CORES: None}})).status == 202


async def test_the_balancer_leaves_an_operation_its_work_for_a_while(
    governed: Governed, clock: FixedClock
) -> None:
    later = clock.now() + timedelta(seconds=HANDOVER)
    await governed.limit(12)
    assert not await governed.due(clock.now())
    assert await governed.due(later) == [ALPHA]
    assert (await governed.call("POST", f"/v1/quotas/{ALPHA}/balance", body={})).status == 202
    assert not await governed.due(clock.now())
    assert await governed.due(later) == [ALPHA]


async def test_a_dry_run_stores_nothing_and_tells_the_writes(governed: Governed) -> None:
    await governed.limit(12)
    body = {"limits": {CORES: 7}, "regions": {"north": {CORES: {"minimum": 3}}}}
    planned = await governed.call("POST", f"/v1/quotas/{ALPHA}/plan", body=body)
    assert planned.status == 200, planned.text
    [write] = planned.json["writes"]
    assert write == {
        "region": "north",
        "service": "compute",
        "method": "PUT",
        "path": f"/os-quota-sets/{ALPHA}",
        "what": "limits",
        "before": {"cores": 20},
        "after": {"cores": 7},
        "body": {"quota_set": {"cores": 7}},
    }
    [wanted] = governed.keystone.previewed
    assert wanted.bounds_of(CORES, "north").minimum == 3
    assert await governed.limits() == {CORES: 12}
    assert (await governed.call("GET", f"/v1/quotas/{ALPHA}")).json["generation"] == 1
    assert await governed.audited() == ["quota:set"]
    assert planned.json["missing"] == []
    governed.keystone.missing = [MissingService("south", "compute", "timeout")]
    other = await governed.call("POST", f"/v1/quotas/{BETA}/plan", body=body)
    assert other.status == 200
    assert other.json["missing"] == [{"region": "south", "service": "compute", "code": "timeout"}]
    assert (await governed.call("GET", f"/v1/quotas/{BETA}")).status == 404


async def test_unset_releases_everything_and_follows_no_class(governed: Governed, clock: FixedClock) -> None:
    assert (await governed.call("PATCH", "/v1/quota-classes/gold", body={"limits": {RAM: 5}})).status == 200
    raised = {CORES: {"limit": 20, "ends_at": until(clock, hours=1)}}
    await governed.change({"class_name": "gold", "limits": {CORES: 12}, "raises": raised})

    answer = await governed.call("DELETE", f"/v1/quotas/{ALPHA}")

    assert (answer.status, answer.json["kind"]) == (202, "quota-write")
    states = {name: each["state"] for name, each in (await governed.quota()).items()}
    assert states == {CORES: "releasing", RAM: "releasing"}
    assert (await governed.call("GET", f"/v1/quotas/{ALPHA}")).json["class_name"] is None


async def test_the_end_is_tried_out(governed: Governed) -> None:
    await governed.limit(12)
    path, body = f"/v1/quotas/{ALPHA}/plan", {"unset": True}
    answer = await governed.call("POST", path, body=body)
    assert (answer.status, answer.json["writes"][0]["after"]) == (200, {"cores": 20})
    [wanted] = governed.keystone.previewed
    assert not wanted.limits
    assert wanted.releasing == {CORES}
    assert await governed.limits() == {CORES: 12}
    mixed = await governed.call("POST", path, body=body | {"limits": {CORES: 3}})
    assert (mixed.status, mixed.error["detail"]) == (
        400,
        "unset: the end of all limits is tried out by itself, without other changes",
    )
    assert (await governed.call("POST", f"/v1/quotas/{BETA}/plan", body=body)).status == 404
    assert (await governed.call("POST", path, "member", body=body)).status == 403


async def test_unset_works_for_a_project_that_keystone_has_no_more(governed: Governed) -> None:
    await governed.limit(12)
    del governed.keystone.known[ALPHA]
    assert (await governed.call("DELETE", f"/v1/quotas/{ALPHA}")).status == 202
    gone = await governed.call("DELETE", f"/v1/quotas/{BETA}")
    assert (gone.status, gone.error["detail"]) == (404, f"there is no quota of project '{BETA}'")


async def test_one_limit_is_unset_and_others_stay(governed: Governed) -> None:
    await governed.change({"limits": {CORES: 12, RAM: 5}})
    assert (await governed.change({"limits": {RAM: None}})).status == 202
    found = await governed.quota()
    assert (found[CORES]["limit"], found[RAM]["state"]) == (12, "releasing")


# -- classes -----------------------------------------------------------------------------------------


async def class_set(governed: Governed, name: str, limits: Any) -> Any:
    answer = await governed.call("PATCH", f"/v1/quota-classes/{name}", body={"limits": limits})
    assert answer.status == 200, answer.text
    return answer.json["classes"]


async def test_a_class_holds_for_those_that_follow_it(governed: Governed) -> None:
    assert await class_set(governed, "gold", {CORES: 40, RAM: {"limit": 9, "kind": "soft", "burst": 1}}) == {
        "gold": {
            CORES: {"limit": 40, "kind": "hard", "burst": None, "source": "class gold", "raised_until": None},
            RAM: {"limit": 9, "kind": "soft", "burst": 1, "source": "class gold", "raised_until": None},
        }
    }
    await governed.change({"class_name": "gold"})
    await governed.limit(5, BETA)
    assert await governed.limits() == {CORES: 40, RAM: 9}
    await governed.limit(50)  # one's own goes before
    await class_set(governed, "gold", {CORES: 60, RAM: None, "compute/instances": 3})
    found = await governed.quota()
    assert (found[CORES]["limit"], found[CORES]["source"]) == (50, "project")
    assert (found["compute/instances"]["limit"], found["compute/instances"]["source"]) == (3, "class gold")
    assert found[RAM]["state"] == "releasing"
    assert await governed.limits(BETA) == {CORES: 5}


async def test_a_change_of_a_class_is_tried_out_for_all_that_follow(governed: Governed) -> None:
    await class_set(governed, "gold", {CORES: 40, RAM: 9})
    await governed.change({"class_name": "gold"})
    await governed.change({"class_name": "gold"}, BETA)
    await governed.limit(5, GAMMA)
    governed.keystone.missing = [MissingService("south", "compute", "timeout")]
    governed.keystone.previewed.clear()
    path, body = "/v1/quota-classes/gold/plan", {"limits": {CORES: 30, RAM: None}}

    answer = await governed.call("POST", path, body=body)

    assert answer.status == 200, answer.text
    assert answer.json["left_out"] == 0
    assert [(each["project_id"], each["project_name"]) for each in answer.json["plans"]] == [
        (ALPHA, "alpha"),
        (BETA, "beta-name"),
    ]
    for plan in answer.json["plans"]:
        assert [write["after"] for write in plan["writes"]] == [{"cores": 30}]
        assert plan["missing"] == [{"region": "south", "service": "compute", "code": "timeout"}]
    for wanted in governed.keystone.previewed:
        assert wanted.limits[CORES].limit == 30
        assert wanted.releasing == {RAM}
    assert await governed.limits() == {CORES: 40, RAM: 9}
    gold = (await governed.call("GET", "/v1/quota-classes")).json["classes"]["gold"]
    assert {name: each["limit"] for name, each in gold.items()} == {CORES: 40, RAM: 9}
    assert (await governed.call("POST", path, "member", body=body)).status == 403


async def test_a_class_that_many_follow_is_tried_out_for_some(
    governed: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_PLANNED", 1)
    await class_set(governed, "gold", {CORES: 40})
    for project in (BETA, ALPHA):
        await governed.change({"class_name": "gold"}, project)
    answer = await governed.call("POST", "/v1/quota-classes/gold/plan", body={"limits": {CORES: 30}})
    assert [each["project_name"] for each in answer.json["plans"]] == ["alpha"]
    assert answer.json["left_out"] == 1


async def test_a_change_of_a_class_that_is_refused_is_no_dry_run(governed: Governed) -> None:
    await class_set(governed, "gold", {CORES: 40})
    await governed.change({"class_name": "gold"})
    cap = {"scope": "domain", "scope_id": "d1", "resource": CORES, "limit": 50}
    assert (await governed.call("PUT", "/v1/quota-caps", body=cap)).status == 200
    body = {"limits": {CORES: 60}}
    planned = await governed.call("POST", "/v1/quota-classes/gold/plan", body=body)
    refused = await governed.call("PATCH", "/v1/quota-classes/gold", body=body)
    assert (planned.status, refused.status) == (409, 409)
    assert planned.error["detail"] == refused.error["detail"]


async def test_all_governed_projects_follow_the_default_class_under_their_own(governed: Governed) -> None:
    await governed.limit(5, BETA)
    await class_set(governed, "gold", {CORES: 40})
    await governed.change({"class_name": "gold"})
    await class_set(governed, "default", {CORES: 10, RAM: 7})
    assert await governed.limits() == {CORES: 40, RAM: 7}
    assert await governed.limits(BETA) == {CORES: 5, RAM: 7}


async def test_a_resource_that_no_region_knows_is_a_typing_error(governed: Governed) -> None:
    said = "no region has a registered limit of comptue/cores; the services that multisite knows are "
    body: dict[str, Any] = {"limits": {"comptue/cores": 5}}
    assert (await governed.refused(400, body)).startswith(said)
    cap = {"scope": "domain", "scope_id": "d1", "resource": "comptue/cores", "limit": 5}
    asked = {"project_id": ALPHA, "resources": ["comptue/cores"]}
    for method, path, sent in (
        ("PATCH", "/v1/quota-classes/gold", body),
        ("POST", "/v1/quota-classes/gold/plan", body),
        ("PUT", "/v1/quota-caps", cap),
        ("POST", "/v1/quotas/import", asked),
    ):
        answer = await governed.call(method, path, body=sent)
        assert answer.status == 400, (path, answer.text)
        assert answer.error["detail"].startswith(said), path
    governed.keystone.registered.add("comptue/cores")
    assert (await governed.change(body)).status == 202
    governed.keystone.registered.clear()
    assert (await governed.change({"limits": {"comptue/cores": None}})).status == 202, (
        "what is gone is let go"
    )


async def test_a_class_that_is_followed_is_not_deleted(governed: Governed) -> None:
    await class_set(governed, "gold", {CORES: 40})
    await governed.change({"class_name": "gold"})
    refused = await governed.call("DELETE", "/v1/quota-classes/gold")
    assert (refused.status, refused.error["code"]) == (409, "conflict")
    assert refused.error["detail"] == (
        f"quota class 'gold' is followed by project {ALPHA}; have them follow another one, or none, before"
    )
    await governed.change({"class_name": None})
    deleted = await governed.call("DELETE", "/v1/quota-classes/gold")
    assert (deleted.status, deleted.text) == (204, ""), "a body would be taken for the next answer"
    assert (await governed.call("GET", "/v1/quota-classes")).json == {"classes": {}}
    gone = await governed.call("DELETE", "/v1/quota-classes/gold")
    assert (gone.status, gone.error["detail"]) == (404, "there is no quota class 'gold'; there are: none yet")


async def test_the_default_class_is_deleted_and_its_limits_given_back(governed: Governed) -> None:
    await class_set(governed, "default", {RAM: 7})
    await governed.limit(5)
    assert (await governed.call("DELETE", "/v1/quota-classes/default")).status == 204
    found = await governed.quota()
    assert (found[CORES]["limit"], found[RAM]["state"]) == (5, "releasing")
    assert (await governed.call("DELETE", "/v1/quota-classes/default")).status == 404


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "limits: this field is required"),
        ({"limits": {}}, "limits: "),
        ({"limits": {CORES: True}}, NUMBER),
        ({"limits": {"compute/x": 1}}, "there is no resource 'compute/x'"),
        ({"limits": {CORES: {"limit": 1, "burst": 1}}}, "only a soft limit has a burst"),
    ],
)
async def test_a_class_that_cannot_be(governed: Governed, body: Any, said: str) -> None:
    answer = await governed.call("PATCH", "/v1/quota-classes/gold", body=body)
    assert answer.status == 400, answer.text
    assert said in answer.error["detail"]
    assert (await governed.call("GET", "/v1/quota-classes")).json == {"classes": {}}


@pytest.mark.parametrize("name", ["-gold", "a%20b", "x" * 65, "%00"])
async def test_a_name_that_no_class_has(governed: Governed, name: str) -> None:
    answer = await governed.call("PATCH", f"/v1/quota-classes/{name}", body={"limits": {CORES: 1}})
    assert (answer.status, answer.error["code"]) == (400, "bad-request")


# -- caps --------------------------------------------------------------------------------------------


async def cap(governed: Governed, limit: int, scope: str = "domain", scope_id: str = "d1") -> None:
    body = {"scope": scope, "scope_id": scope_id, "resource": CORES, "limit": limit}
    answer = await governed.call("PUT", "/v1/quota-caps", body=body)
    assert answer.status == 200, answer.text


async def test_a_second_project_of_a_domain_passes_its_cap(governed: Governed) -> None:
    await cap(governed, 20)
    await governed.limit(12)
    assert await governed.refused(409, {"limits": {CORES: 9}}, BETA) == (
        f"{CORES}: domain d1 may have 20 in all; its other projects have 12, so 9 is too much"
    )
    assert await governed.refused(409, {"limits": {CORES: -1}}, BETA) == (
        f"{CORES}: domain d1 may have 20 in all; its other projects have 12, so unlimited is too much"
    )
    await governed.limit(8, BETA)


async def test_a_cap_of_a_tree_counts_what_is_below(governed: Governed) -> None:
    await cap(governed, 20, "tree", ALPHA)
    await governed.limit(12)
    await governed.limit(1000, BETA)  # not below alpha
    answer = await governed.change({"limits": {CORES: 9}}, GAMMA)
    assert (answer.status, answer.error["code"]) == (409, "quota-cap-exceeded")


async def test_what_shrinks_passes_a_cap_that_came_later(governed: Governed) -> None:
    await governed.limit(12)
    await governed.limit(12, BETA)
    await cap(governed, 10)
    await governed.limit(11)  # less than it was, and still too much
    assert (await governed.change({"limits": {RAM: 5}})).status == 202  # of something else
    assert (await governed.change({"limits": {CORES: 12}})).status == 409


async def test_a_raise_and_a_class_are_held_by_a_cap(governed: Governed, clock: FixedClock) -> None:
    await class_set(governed, "gold", {CORES: 8})
    await governed.change({"class_name": "gold"})
    await governed.limit(12, BETA)
    await cap(governed, 20)
    raised = {"raises": {CORES: {"limit": 13, "ends_at": until(clock, hours=1)}}}
    assert "so 13 is too much" in await governed.refused(409, raised, BETA)
    answer = await governed.call("PATCH", "/v1/quota-classes/gold", body={"limits": {CORES: 9}})
    assert (answer.status, answer.error["code"]) == (409, "quota-cap-exceeded")
    assert (await governed.call("GET", "/v1/quota-classes")).json["classes"]["gold"][CORES]["limit"] == 8


async def test_a_class_that_comes_with_the_first_limit_is_held_by_a_cap(governed: Governed) -> None:
    """What is governed for the first time gets what the class `default` says, of all resources."""
    await cap(governed, 20)
    await class_set(governed, "default", {CORES: 21})
    assert await governed.refused(409, {"limits": {RAM: 5}}) == (
        f"{CORES}: domain d1 may have 20 in all; its other projects have 0, so 21 is too much"
    )
    assert (await governed.call("GET", f"/v1/quotas/{ALPHA}")).status == 404
    await class_set(governed, "default", {CORES: 20})
    await governed.limit(5, resource=RAM)


async def test_two_at_once_do_not_pass_a_cap_together(
    governed: Governed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would fit, if it did not see the other; both have decided before either commits."""
    await cap(governed, 20)
    fits = limits.require_caps

    async def slowly(*arguments: Any) -> None:
        await fits(*arguments)
        await asyncio.sleep(0.3)

    monkeypatch.setattr("multisite.quotas.service.require_caps", slowly)
    changes = (governed.change({"limits": {CORES: 12}}, project) for project in (ALPHA, BETA))
    assert sorted(answer.status for answer in await asyncio.gather(*changes)) == [202, 409]


async def test_caps_are_listed_and_taken_away(governed: Governed) -> None:
    await cap(governed, 20)
    await cap(governed, 30)
    found = (await governed.call("GET", "/v1/quota-caps")).json["caps"]
    assert found == [{"scope": "domain", "scope_id": "d1", "resource": CORES, "limit": 30}]
    await cap(governed, -1)
    assert (await governed.call("GET", "/v1/quota-caps")).json == {"caps": []}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"scope": "region"}, 400, "scope: "),
        ({"scope_id": ""}, 400, "scope_id: it must not be empty"),
        ({"scope_id": "a\0"}, 400, "scope_id: it holds the"),
        ({"resource": "compute/x"}, 400, "there is no resource 'compute/x'"),
        ({"resource": KEYS}, 400, f"{KEYS} is a limit per user or per item: there is no sum to cap"),
        ({"limit": -2}, 400, "limit: write a number of -1 or more"),
        ({"limit": 2**31}, 400, "limit: write a number of 2147483647 or less"),
        ({"limit": True}, 400, "limit: write a whole number, without quotes"),
        ({"scope_id": "d2"}, 404, "there is no domain 'd2'"),
        ({"scope": "tree", "scope_id": "e" * 32}, 404, f"there is no project '{'e' * 32}'"),
    ],
)
async def test_a_cap_that_cannot_be(governed: Governed, changed: Any, status: int, said: str) -> None:
    body = {"scope": "domain", "scope_id": "d1", "resource": CORES, "limit": 5, **changed}
    answer = await governed.call("PUT", "/v1/quota-caps", body=body)
    assert answer.status == status, answer.text
    assert answer.error["detail"].startswith(said)
    assert (await governed.call("GET", "/v1/quota-caps")).json == {"caps": []}


# -- back ends, taking over --------------------------------------------------------------------------


async def test_a_back_end_is_pinned_and_found_out_again(governed: Governed) -> None:
    path = "/v1/quota-backends/north/compute"
    pinned = await governed.call("PUT", path, body={"backend": "unified"})
    assert pinned.json == {"backends": [{"region": "north", "service": "compute", "backend": "unified"}]}
    assert (await governed.call("GET", "/v1/quota-backends")).json == pinned.json
    assert (await governed.call("PUT", path, body={"backend": None})).json == {"backends": []}


@pytest.mark.parametrize(
    ("where", "backend", "status", "said"),
    [
        ("Atlantis/compute", "classic", 404, "there is no region called 'Atlantis'"),
        (
            "north/nova",
            "classic",
            404,
            "there is no service 'nova' here; there are: compute, volume, network, image",
        ),
        ("north/volume", "unified", 400, "backend: volume has only classic; compute has classic and unified"),
        ("north/image", "classic", 400, "backend: image has only unified; compute has classic and unified"),
        ("north/compute", "keystone", 400, "backend: write 'classic' or 'unified'"),
    ],
)
async def test_a_back_end_that_cannot_be(
    governed: Governed, where: str, backend: str, status: int, said: str
) -> None:
    answer = await governed.call("PUT", f"/v1/quota-backends/{where}", body={"backend": backend})
    assert (answer.status, answer.error["detail"]) == (status, said)
    assert (await governed.call("GET", "/v1/quota-backends")).json == {"backends": []}


async def test_proposals_are_what_regions_add_up_to(governed: Governed, clock: FixedClock) -> None:
    now = clock.now()
    governed.keystone.shares = [
        Share(1, "north", "compute", {CORES: Figures(20, 3), RAM: Figures(100, 0), KEYS: Figures(5)}),
        Share(2, "south", "compute", {CORES: Figures(10, 4), RAM: Figures(-1, 9), KEYS: Figures(7)}),
        Share(3, "west", "compute", found=False),
    ]

    async def proposed(**body: Any) -> dict[str, Any]:
        answer = await governed.call("POST", "/v1/quotas/import", body={"project_id": ALPHA, **body})
        assert answer.status == 200, answer.text
        return {each["resource"]: each for each in answer.json["proposals"]}

    found = await proposed(kind="soft")
    told = {
        name: (each["kind"], each["limit"], each["used"], each["missing"]) for name, each in found.items()
    }
    assert told == {
        CORES: ("soft", 30, 7, []),
        RAM: ("soft", -1, 9, []),
        KEYS: ("copied", 7, 0, []),
    }
    assert found[CORES]["regions"] == {"north": 20, "south": 10}
    governed.keystone.shares.append(Share(4, "east", "compute", failed_at=now, error=away()))
    [found] = (await proposed(resources=[CORES])).values()
    assert (found["kind"], found["limit"], found["missing"]) == ("hard", 30, ["east"])
    assert await nothing_is_governed(governed)


async def test_an_import_of_what_is_none(governed: Governed) -> None:
    body = {"project_id": ALPHA, "resources": ["compute/x"]}
    answer = await governed.call("POST", "/v1/quotas/import", body=body)
    assert answer.status == 400
    assert answer.error["detail"].startswith("there is no resource 'compute/x'")
