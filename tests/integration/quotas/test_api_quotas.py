"""Quotas over HTTP: who sees what, who may, and what is stored."""

from datetime import timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.quotas.bound import Figures
from multisite.quotas.events import Event
from tests.integration.quotas.governed import CORES, DETAIL, GAMMA, KEYS, RAM, Governed, away, govern
from tests.integration.service import ALPHA, BETA, Service

QUOTA = f"/v1/quotas/{ALPHA}"
#: Every route that decides something, with a body that is well formed.
DECIDING: tuple[tuple[str, str, Any], ...] = (
    ("PATCH", QUOTA, {"limits": {CORES: 1}}),
    ("POST", f"{QUOTA}/plan", {"limits": {CORES: 1}}),
    ("DELETE", QUOTA, None),
    ("POST", "/v1/quotas/import", {"project_id": ALPHA}),
    ("PATCH", "/v1/quota-classes/gold", {"limits": {CORES: 1}}),
    ("DELETE", "/v1/quota-classes/gold", None),
    ("PUT", "/v1/quota-caps", {"scope": "domain", "scope_id": "d1", "resource": CORES, "limit": 1}),
    ("PUT", "/v1/quota-backends/north/compute", {"backend": "classic"}),
)
FOR_OPERATORS = ("/v1/quota-classes", "/v1/quota-caps", "/v1/quota-backends")


@pytest.fixture
async def governed(service: Service) -> Governed:
    await service.add("north", "compute")
    await service.add("south", "compute")
    return govern(service)


async def test_a_limit_is_stored_and_begins_an_operation(governed: Governed) -> None:
    answer = await governed.change(
        {"limits": {CORES: 12, KEYS: {"limit": 5}, RAM: {"limit": 9, "kind": "soft"}}}
    )

    assert answer.status == 202
    operation = answer.json
    assert (operation["kind"], operation["state"]) == ("quota-write", "queued")
    assert operation["arguments"] == {"project_id": ALPHA}
    found = await governed.quota()
    assert {name: (each["limit"], each["kind"]) for name, each in found.items()} == {
        CORES: (12, "hard"),
        KEYS: (5, "copied"),
        RAM: (9, "soft"),
    }
    assert (await governed.call("GET", QUOTA)).json["generation"] == 1
    assert await governed.audited() == ["quota:set"]


async def test_what_is_left_out_stays(governed: Governed) -> None:
    await governed.change({"limits": {CORES: {"limit": 12, "kind": "soft", "burst": 3}, RAM: 100}})
    await governed.limit(14)
    found = await governed.quota()
    assert (found[CORES]["limit"], found[CORES]["kind"], found[CORES]["burst"]) == (14, "soft", 3)
    assert found[RAM]["limit"] == 100


@pytest.mark.parametrize("token", ["reader", "member", "manager", "roleless", "foreigner", "system-reader"])
async def test_only_operators_decide(governed: Governed, token: str) -> None:
    await governed.limit(12)
    for method, path, body in DECIDING:
        answer = await governed.call(method, path, token, body)
        assert (answer.status, answer.error["code"]) == (403, "forbidden"), (method, path)
    assert await governed.limits() == {CORES: 12}
    assert await governed.audited() == ["quota:set"]


async def test_who_sees_a_quota(governed: Governed) -> None:
    await governed.limit(12)
    seen = {
        token: (await governed.call("GET", QUOTA, token)).status
        for token in ("operator", "system-reader", "reader", "member", "manager", "foreigner", "roleless")
    }
    assert seen == {
        **dict.fromkeys(("operator", "system-reader", "reader", "member", "manager"), 200),
        **dict.fromkeys(("foreigner", "roleless"), 404),
    }


async def test_anothers_quota_and_none_look_the_same(governed: Governed) -> None:
    await governed.limit(12, BETA)
    for method, rest, body in (("GET", "", None), ("POST", "/balance", {})):
        other = await governed.call(method, f"/v1/quotas/{BETA}{rest}", "member", body)
        none = await governed.call(method, f"/v1/quotas/{'f' * 32}{rest}", "member", body)
        assert (other.status, none.status) == (404, 404)
        assert other.error["detail"].replace(BETA, "") == none.error["detail"].replace("f" * 32, "")


async def test_a_list_has_ones_own_and_for_operators_all(governed: Governed) -> None:
    for project in (ALPHA, BETA):
        await governed.limit(12, project)

    async def listed(token: str) -> list[str]:
        return [
            each["project_id"] for each in (await governed.call("GET", "/v1/quotas", token)).json["quotas"]
        ]

    assert await listed("operator") == await listed("system-reader") == [ALPHA, BETA]
    assert await listed("reader") == [ALPHA]
    assert await listed("foreigner") == [BETA]
    assert (await governed.call("GET", "/v1/quotas", "roleless")).status == 403


async def test_a_list_is_in_order_of_pressure_and_paged(governed: Governed) -> None:
    from multisite.db.quota_tables import quota_projects

    pressures = {ALPHA: (0.2, 0.9), BETA: (0.9, 0.1), GAMMA: (0.5, 0.3)}
    for project, (cores, ram) in pressures.items():
        await governed.limit(12, project)
        stands = {CORES: {"pressure": cores}, RAM: {"pressure": ram}}
        async with governed.store.database.write() as connection:
            row = quota_projects.update().where(quota_projects.c.project_id == project)
            await connection.execute(row.values(pressure=max(cores, ram), standing=stands))

    async def listed(query: str) -> list[str]:
        found = (await governed.call("GET", f"/v1/quotas?{query}")).json
        ids = [each["project_id"] for each in found["quotas"]]
        for link in found["links"]:
            ids += await listed(link["href"].partition("?")[2])
        return ids

    assert await listed(f"sort={CORES}") == [BETA, GAMMA, ALPHA]
    assert await listed(f"sort={RAM}&limit=1") == [ALPHA, GAMMA, BETA]
    assert (await listed("limit=2"))[2] == GAMMA
    wrong = await governed.call("GET", "/v1/quotas?sort=compute/nothing")
    assert wrong.status == 400
    assert wrong.error["detail"].startswith(
        "there is no resource 'compute/nothing'; there are: compute/cores, "
    )


async def test_operators_and_members_balance_and_readers_do_not(governed: Governed) -> None:
    await governed.limit(12)
    statuses = {
        token: (await governed.call("POST", f"{QUOTA}/balance", token, {"regions": ["north"]})).status
        for token in ("operator", "reader", "system-reader", "member")
    }
    assert statuses == {"operator": 202, "member": 202, "reader": 403, "system-reader": 403}
    assert await governed.audited() == ["quota:set", "quota:balance", "quota:balance"]


async def test_a_tenant_balances_once_in_a_while_and_an_operator_at_will(
    governed: Governed, clock: FixedClock
) -> None:
    await governed.limit(12)

    async def balance(token: str) -> int:
        return (await governed.call("POST", f"{QUOTA}/balance", token, {})).status

    assert [await balance("member"), await balance("manager"), await balance("operator")] == [202, 429, 202]
    refused = await governed.call("POST", f"{QUOTA}/balance", "member", {})
    assert refused.error["code"] == "too-many-requests"
    assert refused.error["detail"] == "this quota was balanced a moment ago; ask again in 10 s"
    assert refused.headers["retry-after"] == "10"
    clock.advance(timedelta(seconds=10))
    assert await balance("member") == 202


async def test_a_tenant_sees_the_operation_that_it_began_with_the_regions_that_ask(
    governed: Governed,
) -> None:
    await governed.limit(12)
    begun = await governed.call("POST", f"{QUOTA}/balance", "member", {"regions": ["south", "north"]})
    assert begun.json["arguments"] == {"project_id": ALPHA, "regions": ["north", "south"]}
    assert (await governed.call("GET", f"/v1/operations/{begun.json['id']}", "reader")).status == 200
    assert (await governed.call("GET", f"/v1/operations/{begun.json['id']}", "foreigner")).status == 404


async def test_regions_that_are_none_cannot_be_asked_for(governed: Governed) -> None:
    await governed.limit(12)
    answer = await governed.call("POST", f"{QUOTA}/balance", "member", {"regions": ["north", "Atlantis"]})
    assert (answer.status, answer.error["detail"]) == (404, "there is no region called 'Atlantis'")
    assert (await governed.call("POST", f"{QUOTA}/balance", "member", {})).status == 202  # it did not count


async def test_no_address_reaches_a_tenant(governed: Governed, clock: FixedClock) -> None:
    north = (await governed.service.store.select(["north"]))[0]
    await governed.limit(12)
    now = clock.now()
    figures = {CORES: Figures(4, 3)}
    await governed.known_of(ALPHA, north, figures, observed_at=now, failed_at=now, error=away())
    await governed.tell(ALPHA, now, Event("refused", f"limits of compute in north: {DETAIL}", region="north"))

    for path in (QUOTA, "/v1/quotas", "/v1/quota-events"):
        answer = await governed.call("GET", path, "reader")
        assert answer.status == 200
        assert [each for each in ("10.9.8.7", "internal-host") if each in answer.text] == [], path
    [region] = (await governed.quota())[CORES]["regions"]
    assert region["note"] == "cannot be read (connection-refused); it counts with what was last known"
    assert DETAIL in (await governed.call("GET", "/v1/quota-events")).text  # operators do get it
    [event] = (await governed.call("GET", "/v1/quota-events", "reader")).json["events"]
    assert event["sentence"] == "a region refused a limit, or kept another one"


async def test_why_a_region_refuses(governed: Governed, clock: FixedClock) -> None:
    await governed.limit(12)
    north, south = await governed.service.store.select(["north", "south"])
    now = clock.now()
    await governed.known_of(ALPHA, north, {CORES: Figures(4, 4)}, observed_at=now)
    await governed.known_of(ALPHA, south, {CORES: Figures(8, 2)}, observed_at=now)

    found = (await governed.quota())[CORES]

    assert (found["state"], found["used"], found["left"], found["bound"]) == ("established", 6, 6, 12)
    assert [each["refuses"] for each in found["regions"]] == ["region-share", None]
    await governed.known_of(ALPHA, south, {CORES: Figures(8, 8)}, observed_at=now)
    found = (await governed.quota())[CORES]
    assert [each["refuses"] for each in found["regions"]] == ["global-limit", "global-limit"]


async def test_a_region_at_its_maximum_does_not_say_that_balancing_helps(
    governed: Governed, clock: FixedClock
) -> None:
    await governed.change({"limits": {CORES: 12}, "regions": {"north": {CORES: {"maximum": 4}}}})
    [north] = await governed.service.store.select(["north"])
    await governed.known_of(ALPHA, north, {CORES: Figures(4, 4)}, observed_at=clock.now())
    assert [each["refuses"] for each in (await governed.quota())[CORES]["regions"]] == ["region-maximum"]


async def test_events_are_paged_filtered_and_ones_own(governed: Governed, clock: FixedClock) -> None:
    now = clock.now()
    kinds = ("warning", "critical", "exhausted", "warning", "relieved")
    await governed.tell(ALPHA, now, *(Event(kind, f"cores {kind}", CORES) for kind in kinds))
    await governed.tell(BETA, now, Event("drift", "somebody of beta", CORES, "north"))

    async def told(query: str, token: str = "operator") -> list[str]:  # noqa: S107 - a name of PEOPLE
        found = (await governed.call("GET", f"/v1/quota-events?{query}", token)).json
        events = [each["kind"] for each in found["events"]]
        for link in found["links"]:
            events += await told(link["href"].partition("?")[2], token)
        return events

    assert await told("") == ["drift", "relieved", "warning", "exhausted", "critical", "warning"]
    assert await told("limit=2") == await told("")
    assert await told("kind=warning&kind=drift&limit=1") == ["drift", "warning", "warning"]
    assert await told("", "reader") == ["relieved", "warning", "exhausted", "critical", "warning"]
    assert await told("", "foreigner") == ["drift"]
    assert await told(f"project_id={BETA}") == ["drift"]
    assert await told(f"project_id={ALPHA}&kind=relieved") == ["relieved"]
    assert await told(f"project_id={BETA}", "reader") == []
    assert await told(f"project_id={ALPHA}", "reader") == await told("", "reader")
    assert (await governed.call("GET", "/v1/quota-events", "roleless")).status == 403


@pytest.mark.parametrize("marker", ["x", "-1", "0", str(2**63), "1.5", "%00"])
async def test_a_marker_of_events_is_the_id_of_one(governed: Governed, marker: str) -> None:
    answer = await governed.call("GET", f"/v1/quota-events?marker={marker}")
    assert (answer.status, answer.error["code"]) == (400, "bad-request")
    assert answer.error["detail"].startswith("marker: write a ")


async def test_a_kind_of_event_that_is_none_is_named(governed: Governed) -> None:
    answer = await governed.call("GET", "/v1/quota-events?kind=warning&kind=warnings", "reader")
    assert answer.status == 400
    assert answer.error["detail"].startswith(
        "kind: there is no kind 'warnings'; there are: critical, drift, "
    )


async def test_what_operators_decide_for_all_is_not_for_tenants(governed: Governed) -> None:
    for path in FOR_OPERATORS:
        seen = {
            token: (await governed.call("GET", path, token)).status
            for token in ("operator", "system-reader", "manager", "foreigner", "roleless")
        }
        assert list(seen.values()) == [200, 200, 403, 403, 403], path


async def test_before_the_first_round_nothing_is_known_of_use(governed: Governed) -> None:
    await governed.limit(12)
    quota = (await governed.quota())[CORES]
    assert (quota["state"], quota["limit"], quota["regions"]) == ("establishing", 12, [])
    assert [quota[name] for name in ("used", "left", "bound", "pressure")] == [None] * 4
