"""Requests for more quota over the API: who may, what is refused, and that each is decided once."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db.quota_tables import quota_limits, quota_requests
from multisite.db.tables import audit_records, operations
from multisite.quotas import decisions
from multisite.quotas.bound import Figures
from multisite.quotas.home import Home
from multisite.quotas.model import DryRun, GlobalLimit, Project, Share, Wanted
from multisite.quotas.requests.model import MOST_OPEN
from multisite.quotas.resources import Kind
from multisite.regions.model import Region
from tests.integration.service import ALPHA, BETA, Answer, Service

CORES, RAM, KEYS = "compute/cores", "compute/ram", "compute/key_pairs"
PATH = "/v1/quota-requests"


class NoRegions:
    """Knows every project; what regions have is what is put here."""

    def __init__(self) -> None:
        self.shares: list[Share] = []

    async def identify(self, project_id: str, regions: Sequence[Region]) -> Project | None:
        del regions
        return Project(project_id, "alpha", "default", "Default")

    async def has_domain(self, domain_id: str, regions: Sequence[Region]) -> bool:
        del domain_id, regions
        return True

    async def preview(self, wanted: Wanted, shares: Sequence[Share]) -> DryRun:
        raise AssertionError((wanted, shares))

    async def read(self, wanted: Wanted) -> Sequence[Share]:
        del wanted
        return self.shares

    async def unregistered(self, resources: Collection[str]) -> Sequence[str]:
        raise AssertionError(resources)


@pytest_asyncio.fixture
async def asked(service: Service) -> AsyncIterator[Service]:
    """The service, whose regions are not asked who a project is."""
    await service.add("north", "compute")
    state = service.app.state
    regions = NoRegions()
    home = Home(service.assembly.regions, regions)
    state.quotas = replace(service.assembly.quotas, home=home, reading=regions)
    state.quota_rules = replace(service.assembly.quota_rules, home=home, reading=regions)
    state.quota_requests = replace(service.assembly.quota_requests, quotas=state.quotas)
    yield service


async def create(
    service: Service,
    token: str = "member",  # noqa: S107 - a name of PEOPLE
    **limits: int,
) -> dict[str, Any]:
    body = {"limits": {f"compute/{name}": value for name, value in (limits or {"cores": 40}).items()}}
    answer = await service.call("POST", PATH, token, {**body, "reason": "a launch"})
    assert answer.status == 201, answer.text
    return dict(answer.json)


async def decide(service: Service, request: dict[str, Any], verb: str, body: Any = None) -> Answer:
    return await service.call("POST", f"{PATH}/{request['id']}/{verb}", "operator", body)


async def set_limit(service: Service, clock: FixedClock, limit: int) -> None:
    async with service.assembly.database.write() as connection:
        await decisions.put_project(connection, Project(ALPHA, "alpha"), clock.now())
        await decisions.put_limits(connection, ALPHA, {CORES: GlobalLimit(limit, Kind.HARD)})


async def limits(service: Service) -> dict[str, int]:
    async with service.assembly.database.read() as connection:
        rows = await connection.execute(sa.select(quota_limits).where(quota_limits.c.project_id == ALPHA))
        return {row.resource: row.limit for row in rows}


async def told(service: Service, token: str = "operator") -> list[str]:  # noqa: S107
    return [each["kind"] for each in (await service.call("GET", "/v1/quota-events", token)).json["events"]]


async def count(service: Service, table: sa.Table) -> int:
    async with service.assembly.database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


async def test_a_member_asks_and_an_operator_grants_it(asked: Service) -> None:
    request = await create(asked, cores=40, ram=2048)
    assert request["state"] == "open"
    assert request["limits"] == {CORES: 40, RAM: 2048}
    assert (request["project_id"], request["user_name"], request["reason"]) == (ALPHA, "member", "a launch")

    answer = await decide(asked, request, "approve", {"answer": "good luck"})

    assert answer.status == 202, answer.text
    assert answer.json["kind"] == "quota-write"
    assert await limits(asked) == {CORES: 40, RAM: 2048}
    shown = (await asked.call("GET", f"{PATH}/{request['id']}")).json
    assert shown["state"] == "approved"
    assert shown["granted"] == {CORES: 40, RAM: 2048}
    assert (shown["decided_by"], shown["answer"]) == ("operator", "good luck")
    assert shown["operation_id"] == answer.json["id"]
    assert await told(asked) == ["request-approved", "request-created"]


async def test_what_regions_give_by_themselves_is_never_lowered_by_an_approval(asked: Service) -> None:
    regions = asked.app.state.quota_requests.quotas.reading
    regions.shares = [
        Share(1, "north", "compute", figures={CORES: Figures(30, 2)}),
        Share(2, "south", "compute", figures={CORES: Figures(20, 0)}),
    ]
    request = await create(asked, cores=40)

    refused = await decide(asked, request, "approve", {})
    assert refused.status == 409
    assert refused.error["detail"] == (
        f"{CORES}: the project has no limit over all regions yet, and those of its regions add up to 50, "
        "which is more; to limit it to less, set its quota"
    )
    regions.shares[1].figures[CORES] = Figures(-1, 0)
    assert "add up to unlimited" in (await decide(asked, request, "approve", {})).error["detail"]
    regions.shares[1].figures[CORES] = Figures(None, 0)
    regions.shares[0].figures[KEYS], regions.shares[1].figures[KEYS] = Figures(100, 0), Figures(200, 0)
    of_users = await decide(asked, await create(asked, key_pairs=150), "approve", {})
    assert "and one of its regions has 200, which is more" in of_users.error["detail"]
    unknown = await decide(asked, request, "approve", {})
    assert "what it has in south cannot be read now" in unknown.error["detail"]
    assert await limits(asked) == {}
    assert (await asked.call("GET", f"{PATH}/{request['id']}")).json["state"] == "open"

    regions.shares[1].figures[CORES] = Figures(10, 0)
    assert (await decide(asked, request, "approve", {})).status == 202
    assert await limits(asked) == {CORES: 40}


async def test_an_operator_may_grant_less_and_not_what_nobody_asked_for(asked: Service) -> None:
    request = await create(asked, cores=40, ram=2048)

    other = await decide(asked, request, "approve", {"limits": {"compute/instances": 5}})
    assert (other.status, other.error["code"]) == (400, "bad-request")
    assert (await decide(asked, request, "approve", {"limits": {CORES: 30}})).status == 202

    assert await limits(asked) == {CORES: 30}
    assert (await asked.call("GET", f"{PATH}/{request['id']}")).json["granted"] == {CORES: 30}


async def test_a_refusal_says_why_and_changes_nothing(asked: Service, clock: FixedClock) -> None:
    await set_limit(asked, clock, 10)
    request = await create(asked)

    answer = await decide(asked, request, "refuse", {"reason": "there are none left"})

    assert (answer.status, answer.json["state"]) == (200, "refused")
    assert await limits(asked) == {CORES: 10}
    tenant = (await asked.call("GET", f"{PATH}/{request['id']}", "reader")).json
    assert tenant["answer"] == "there are none left"
    assert tenant["decided_by"] is None
    assert await told(asked, "reader") == ["request-refused", "request-created"]


async def test_a_tenant_does_not_learn_who_decided_nor_the_operation(asked: Service) -> None:
    request = await create(asked)
    await decide(asked, request, "approve", {})

    shown = await asked.call("GET", f"{PATH}/{request['id']}", "reader")

    assert (shown.json["decided_by"], shown.json["operation_id"]) == (None, None)
    assert "operator" not in shown.text


@pytest.mark.parametrize("first", ["approve", "refuse", "cancel"])
@pytest.mark.parametrize("second", ["approve", "refuse", "cancel"])
async def test_what_is_decided_stays_so(asked: Service, first: str, second: str) -> None:
    bodies: dict[str, Any] = {"approve": {}, "refuse": {"reason": "no"}, "cancel": None}
    request = await create(asked)
    assert (await decide(asked, request, first, bodies[first])).status < 300
    before = (await asked.call("GET", f"{PATH}/{request['id']}")).json, await limits(asked)

    answer = await decide(asked, request, second, bodies[second])

    assert (answer.status, answer.error["code"]) == (409, "quota-request-decided")
    assert ((await asked.call("GET", f"{PATH}/{request['id']}")).json, await limits(asked)) == before


async def test_of_operators_that_decide_together_one_does(asked: Service) -> None:
    for _ in range(3):
        request = await create(asked)
        began = await count(asked, operations)
        audited = await count(asked, audit_records)

        answers = await asyncio.gather(
            *(decide(asked, request, "approve", {"limits": {CORES: 30 + each}}) for each in range(4)),
            *(decide(asked, request, "refuse", {"reason": "no"}) for _ in range(2)),
        )

        won = [answer for answer in answers if answer.status < 300]
        assert len(won) == 1, [answer.text for answer in answers]
        assert {answer.status for answer in answers if answer not in won} == {409}
        approved = won[0].status == 202
        assert await count(asked, operations) - began == int(approved)
        assert await count(asked, audit_records) - audited == (2 if approved else 1)
        async with asked.assembly.database.write() as connection:
            await connection.execute(sa.delete(quota_limits))


async def test_what_the_project_has_by_now_is_not_taken_away(asked: Service, clock: FixedClock) -> None:
    request = await create(asked, cores=40)
    await set_limit(asked, clock, 50)

    answer = await decide(asked, request, "approve", {})

    assert (answer.status, answer.error["code"]) == (409, "conflict")
    assert await limits(asked) == {CORES: 50}
    assert (await asked.call("GET", f"{PATH}/{request['id']}")).json["state"] == "open"
    assert await told(asked) == ["request-created"]


async def test_a_cap_that_forbids_it_leaves_the_request_open(asked: Service) -> None:
    cap = {"scope": "domain", "scope_id": "default", "resource": CORES, "limit": 30}
    assert (await asked.call("PUT", "/v1/quota-caps", "operator", cap)).status == 200
    request = await create(asked, cores=40)

    answer = await decide(asked, request, "approve", {})

    assert (answer.status, answer.error["code"]) == (409, "quota-cap-exceeded")
    assert (await asked.call("GET", f"{PATH}/{request['id']}")).json["state"] == "open"
    assert await limits(asked) == {}


async def test_a_project_has_so_many_open_requests_at_most(asked: Service) -> None:
    body = {"limits": {CORES: 40}, "reason": "a launch"}
    answers = await asyncio.gather(*(asked.call("POST", PATH, "member", body) for _ in range(MOST_OPEN + 4)))

    assert sorted(answer.status for answer in answers) == [201] * MOST_OPEN + [409] * 4
    late = next(answer for answer in answers if answer.status == 409)
    assert late.error["code"] == "too-many-quota-requests"
    assert await count(asked, quota_requests) == MOST_OPEN
    await create(asked, "foreigner")
    first = next(answer.json for answer in answers if answer.status == 201)
    assert (await asked.call("POST", f"{PATH}/{first['id']}/cancel", "manager")).json["state"] == "cancelled"
    await create(asked)


async def test_tenants_see_and_touch_their_own_requests_only(asked: Service) -> None:
    mine, other = await create(asked), await create(asked, "foreigner")

    assert [each["id"] for each in (await asked.call("GET", PATH, "reader")).json["requests"]] == [mine["id"]]
    assert (await asked.call("GET", f"{PATH}?project_id={BETA}", "reader")).json["requests"] == []
    found = (await asked.call("GET", PATH, "system-reader")).json["requests"]
    assert {each["id"] for each in found} == {mine["id"], other["id"]}
    none = "00000000-0000-0000-0000-000000000000"
    for method, verb, body in (
        ("GET", "", None),
        ("POST", "/cancel", None),
        ("POST", "/refuse", {"reason": "x"}),
    ):
        foreign = await asked.call(method, f"{PATH}/{other['id']}{verb}", "member", body)
        missing = await asked.call(method, f"{PATH}/{none}{verb}", "member", body)
        assert (foreign.status, missing.status) == (404, 404)
        assert foreign.error["detail"].replace(other["id"], none) == missing.error["detail"]
    marker = await asked.call("GET", f"{PATH}?marker={other['id']}", "reader")
    assert marker.status == 400
    assert await told(asked, "reader") == ["request-created"]


async def test_who_may_what(asked: Service) -> None:
    body = {"limits": {CORES: 40}, "reason": "a launch"}
    for token in ("reader", "roleless"):
        assert (await asked.call("POST", PATH, token, body)).status == 403, token
    assert (await asked.call("POST", PATH, "system-reader", body)).status == 400
    request = await create(asked)
    for verb, sent in (("approve", {}), ("refuse", {"reason": "no"})):
        for token in ("member", "manager", "system-reader"):
            answer = await asked.call("POST", f"{PATH}/{request['id']}/{verb}", token, sent)
            assert answer.status == 403, (verb, token)
    for token in ("reader", "system-reader"):
        assert (await asked.call("POST", f"{PATH}/{request['id']}/cancel", token)).status == 403
    assert (await asked.call("GET", f"{PATH}/{request['id']}", "reader")).json["state"] == "open"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"limits": {}, "reason": "r"}, "limits"),
        ({"limits": {CORES: 40}}, "reason"),
        ({"limits": {CORES: 40}, "reason": "  \n"}, "reason"),
        ({"limits": {CORES: 40}, "reason": "r" * 1001}, "reason"),
        ({"limits": {CORES: 40}, "reason": "nul\x00"}, "reason"),
        ({"limits": {CORES: 40}, "reason": "\x1b[31mred"}, "reason: it holds the invisible character U+001B"),
        ({"limits": {CORES: 40}, "reason": "two\nlines"}, "reason: it holds the invisible character U+000A"),
        (
            {"limits": {CORES: 40}, "reason": "turned\u202e"},
            "reason: it holds the invisible character U+202E",
        ),
        ({"limits": {CORES: True}, "reason": "r"}, CORES),
        ({"limits": {CORES: "40"}, "reason": "r"}, CORES),
        ({"limits": {CORES: -2}, "reason": "r"}, CORES),
        ({"limits": {CORES: 2**31}, "reason": "r"}, CORES),
        ({"limits": {"compute/core": 4}, "reason": "r"}, "compute/core"),
        ({"limits": {CORES: 40}, "reason": "r", "project_id": BETA}, "project_id"),
        ({"limits": {CORES: 10}, "reason": "r"}, "not more than 10"),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(
    asked: Service, clock: FixedClock, body: dict[str, Any], word: str
) -> None:
    await set_limit(asked, clock, 10)

    answer = await asked.call("POST", PATH, "member", body)

    assert answer.status == 400, answer.text
    assert word in answer.error["detail"]
    assert await count(asked, quota_requests) == 0


async def test_the_listing_is_paged_from_the_newest_and_filtered(asked: Service, clock: FixedClock) -> None:
    made = []
    for _ in range(5):
        made.append((await create(asked))["id"])
        clock.advance(timedelta(seconds=1))
    await asked.call("POST", f"{PATH}/{made[0]}/cancel", "member")

    seen: list[str] = []
    url = f"{PATH}?limit=2"
    while url:
        page = (await asked.call("GET", url, "reader")).json
        seen += [each["id"] for each in page["requests"]]
        url = page["links"][0]["href"] if page["links"] else ""

    assert seen == made[::-1]
    cancelled = (await asked.call("GET", f"{PATH}?state=cancelled", "reader")).json["requests"]
    assert [each["id"] for each in cancelled] == [made[0]]
    assert (await asked.call("GET", f"{PATH}?state=open&state=cancelled")).json["requests"][4:]
    assert (await asked.call("GET", f"{PATH}?state=closed")).status == 400
