"""Operations over HTTP: begin, list, watch, cancel, try again; and who sees what of them."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.engine.model import ENDED, Failure, State
from multisite.engine.store import OperationStore
from multisite.engine.writes import Author, Journal, Outcome, RegionWrite
from tests.integration.service import PEOPLE, Answer, Service

#: A kind that tenants may see, though nothing here can run it.
KIND = "quota-set"
SECRET = "GET http://10.9.8.7/compute: refused by internal-host"

#: All kinds of operations.
KINDS = "quota-balance, quota-write, region-discover, region-test"


class Work:
    """Operations as they would be after a while, put in through the store."""

    def __init__(self, service: Service, clock: FixedClock) -> None:
        self.store = OperationStore(service.assembly.database)
        self.clock = clock

    async def add(self, who: str = "member", *parts: str, kind: str = KIND) -> str:
        """A new operation of somebody; a second later than the one before."""
        self.clock.advance(timedelta(seconds=1))
        async with self.store.database.write() as connection:
            return await self.store.insert(
                connection, PEOPLE[who], kind, {}, parts or ("RegionTwo",), self.clock.now(), priority=10
            )

    async def begin(self, operation: str, part: str = "RegionTwo") -> None:
        """A part is at work."""
        async with self.store.database.write() as connection:
            assert await self.store.begin(connection, operation, part, 1, self.clock.now())

    async def undo(self, operation: str, part: str = "RegionTwo") -> None:
        """A part is being undone."""
        await self.begin(operation, part)
        async with self.store.database.write() as connection:
            await self.store.undoing(connection, operation, part, self.clock.now())

    async def end(self, operation: str, state: State, part: str = "RegionTwo", **more: Any) -> None:
        """A part ended."""
        async with self.store.database.write() as connection:
            await self.store.end(connection, operation, part, state, self.clock.now(), **more)

    async def fail(self, operation: str, part: str = "RegionTwo", **more: Any) -> None:
        """A part failed for a reason that names internal addresses."""
        failure = Failure("region-refused", SECRET, "req-region-7")
        await self.end(operation, State.FAILED, part, failure=failure, **more)


@pytest.fixture
def work(service: Service, clock: FixedClock) -> Work:
    return Work(service, clock)


def ids(answer: Answer) -> list[str]:
    return [each["id"] for each in answer.json["operations"]]


async def shown(service: Service, operation: str) -> Any:
    answer = await service.call("GET", f"/v1/operations/{operation}")
    assert answer.status == 200, answer.text
    return answer.json


async def ended(service: Service, operation: str) -> Any:
    """An operation that is run, when it has ended; as a user looks, again and again."""
    async with asyncio.timeout(60):
        while (found := await shown(service, operation))["operation"]["state"] not in ENDED:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    return found


async def test_testing_all_regions_begins_an_operation_with_a_part_for_each(service: Service) -> None:
    await service.add("RegionOne")
    await service.add("RegionTwo")

    begun = await service.call("POST", "/v1/regions/test", body={})

    assert begun.status == 202
    operation = begun.json
    assert (operation["kind"], operation["state"], operation["percent"]) == ("region-test", "queued", 0)
    assert operation["parts"] == {"queued": 2}
    assert (operation["user_name"], operation["failure"]) == ("operator", None)
    assert operation["request_id"] == begun.headers["x-openstack-request-id"]
    found = await shown(service, operation["id"])
    assert found["operation"] == operation
    assert [(part["name"], part["state"], part["attempts"]) for part in found["regions"]] == [
        ("RegionOne", "queued", 0),
        ("RegionTwo", "queued", 0),
    ]


async def test_only_the_regions_that_are_named_are_tested(service: Service) -> None:
    await service.add("RegionOne")
    await service.add("RegionTwo")

    begun = await service.call("POST", "/v1/regions/test", body={"regions": ["RegionTwo"]})
    unknown = await service.call("POST", "/v1/regions/test", body={"regions": ["Atlantis"]})

    found = await shown(service, begun.json["id"])
    assert [part["name"] for part in found["regions"]] == ["RegionTwo"]
    assert (unknown.status, unknown.error["code"]) == (404, "not-found")


async def test_what_was_asked_for_is_in_the_arguments(service: Service) -> None:
    for name in ("RegionOne", "RegionTwo"):
        await service.add(name)

    named = await service.call("POST", "/v1/regions/test", body={"regions": ["RegionTwo", "RegionOne"]})
    every = await service.call("POST", "/v1/regions/test", body={})

    assert named.json["arguments"] == {"regions": ["RegionOne", "RegionTwo"]}
    assert every.json["arguments"] == {"regions": []}


async def test_a_region_that_is_none_is_no_filter(service: Service, work: Work) -> None:
    await service.add("RegionOne")
    await work.add("member", "Forgotten")

    nothing = await service.call("GET", "/v1/operations?region=RegionOne", "reader")
    forgotten = await service.call("GET", "/v1/operations?region=Forgotten&state=failed")
    unknown = await service.call("GET", "/v1/operations?region=nope")
    foreign = await service.call("GET", "/v1/operations?region=Forgotten", "foreigner")

    assert (nothing.status, ids(nothing)) == (200, [])
    assert (forgotten.status, ids(forgotten)) == (200, []), "operations tell of it still"
    assert (unknown.status, unknown.error["code"]) == (404, "not-found")
    assert unknown.error["detail"] == "there is no region called 'nope'"
    assert (foreign.status, foreign.error["code"]) == (404, "not-found"), "not to those of other projects"
    for query in ("state=perhaps", "kind=dance"):
        assert (await service.call("GET", f"/v1/operations?{query}")).status == 400


async def test_discovering_with_no_credential_is_one_sentence(service: Service) -> None:
    refused = await service.call("POST", "/v1/regions/discover/all", body={"credentials": []})
    assert (refused.status, refused.error["detail"]) == (400, "credentials: it must not be empty")


async def test_an_operation_over_nothing_has_succeeded(service: Service) -> None:
    begun = await service.call("POST", "/v1/regions/test", body={})
    assert (begun.status, begun.json["state"], begun.json["percent"]) == (202, "succeeded", 100)


async def test_discovering_with_many_credentials_has_a_part_for_each(service: Service) -> None:
    body = {"credentials": ["lab", "other", "lab"], "prefix": "x-", "dry_run": True}

    begun = await service.call("POST", "/v1/regions/discover/all", body=body)
    found = await shown(service, begun.json["id"])
    refused = await service.call("POST", "/v1/regions/discover/all", body={"credentials": ["lab", "none"]})

    assert begun.status == 202
    assert [part["name"] for part in found["regions"]] == ["lab", "other"]
    assert found["operation"]["arguments"] == {
        "interface": "public",
        "identity": None,
        "prefix": "x-",
        "dry_run": True,
    }
    assert (refused.status, refused.error["code"]) == (400, "bad-request")
    assert "'none'" in refused.error["detail"]


async def test_the_list_is_filtered(service: Service, work: Work) -> None:
    test = await work.add("operator", "RegionOne", kind="region-test")
    discover = await work.add("operator", "lab", kind="region-discover")
    failed = await work.add("member", "RegionOne", "RegionTwo")
    await work.begin(failed)
    await work.fail(failed)
    await work.end(failed, State.SUCCEEDED, "RegionOne")

    async def listed(query: str) -> list[str]:
        answer = await service.call("GET", f"/v1/operations?{query}")
        assert answer.status == 200, answer.text
        return ids(answer)

    assert await listed("") == [failed, discover, test]
    assert await listed("kind=region-test") == [test]
    assert await listed("kind=region-test&kind=region-discover") == [discover, test]
    assert await listed("state=failed") == [failed]
    assert await listed("state=failed&state=queued&region=RegionOne") == [failed, test]
    assert await listed("region=RegionTwo") == [failed]
    assert await listed("user=id-operator") == [discover, test]
    assert await listed("state=running") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "kind=atlantis",
            f"there is no kind 'atlantis'; there are: {KINDS}",
        ),
        ("state=asleep", "state"),
        ("marker=nothing", "there is no operation 'nothing' to continue after"),
        ("limit=0", "limit"),
        ("colour=red", "there is no parameter 'colour'"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(service: Service, query: str, said: str) -> None:
    answer = await service.call("GET", f"/v1/operations?{query}")
    assert (answer.status, answer.error["code"]) == (400, "bad-request")
    assert said in answer.error["detail"]


async def test_pages_follow_each_other_though_new_ones_are_begun(service: Service, work: Work) -> None:
    made = [await work.add("operator") for _ in range(5)]

    first = await service.call("GET", "/v1/operations?limit=2")
    await work.add("operator")
    [link] = first.json["links"]
    second = await service.call("GET", link["href"])
    third = await service.call("GET", second.json["links"][0]["href"])

    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert third.json["links"] == []


async def test_a_tenant_sees_its_own_projects_only(service: Service, work: Work) -> None:
    mine, theirs = await work.add("member"), await work.add("foreigner")

    assert ids(await service.call("GET", "/v1/operations", "reader")) == [mine]
    assert ids(await service.call("GET", "/v1/operations", "foreigner")) == [theirs]
    assert ids(await service.call("GET", "/v1/operations", "system-reader")) == [theirs, mine]
    for method, path in (
        ("GET", ""),
        ("GET", "/events"),
        ("GET", "/writes"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
    ):
        foreign = await service.call(method, f"/v1/operations/{mine}{path}", "foreigner")
        nobody = await service.call(method, f"/v1/operations/{'0' * 36}{path}", "foreigner")
        assert (foreign.status, nobody.status) == (404, 404)
        assert foreign.error["detail"].replace(mine, "") == nobody.error["detail"].replace("0" * 36, "")
    marker = await service.call("GET", f"/v1/operations?marker={mine}", "foreigner")
    assert marker.status == 400


@pytest.mark.parametrize("kind", ["region-test", "region-discover"])
async def test_what_operators_find_out_about_regions_is_not_for_their_projects_tenants(
    service: Service, work: Work, kind: str
) -> None:
    hidden, plain = await work.add("member", kind=kind), await work.add("member")

    assert ids(await service.call("GET", "/v1/operations", "reader")) == [plain]
    assert ids(await service.call("GET", f"/v1/operations?kind={kind}", "reader")) == []
    for path in ("", "/writes", "/events"):
        assert (await service.call("GET", f"/v1/operations/{hidden}{path}", "reader")).status == 404
    assert (await service.call("POST", f"/v1/operations/{hidden}/cancel", "manager")).status == 404
    assert (await service.call("GET", f"/v1/operations?marker={hidden}", "reader")).status == 400


async def test_a_tenant_is_told_codes_and_request_ids_but_no_details(service: Service, work: Work) -> None:
    operation = await work.add("member")
    await work.begin(operation)
    await work.fail(operation)

    told = await service.call("GET", f"/v1/operations/{operation}", "reader")
    listed = await service.call("GET", "/v1/operations", "reader")

    [part] = told.json["regions"]
    assert part["failure"] == {"code": "region-refused", "detail": "", "request_id": "req-region-7"}
    assert told.json["operation"]["failure"] == part["failure"]
    assert "internal-host" not in told.text + listed.text
    assert (await shown(service, operation))["regions"][0]["failure"]["detail"] == SECRET


async def test_a_reader_may_not_steer_and_a_member_may(service: Service, work: Work) -> None:
    operation = await work.add("member")

    for token in ("reader", "system-reader"):
        refused = await service.call("POST", f"/v1/operations/{operation}/cancel", token)
        assert (refused.status, refused.error["code"]) == (403, "forbidden")
    cancelled = await service.call("POST", f"/v1/operations/{operation}/cancel", "member")

    assert (cancelled.status, cancelled.json["state"]) == (202, "cancelled")
    assert cancelled.json["cancel_requested_at"] is not None


async def test_a_cancel_ends_what_waits_and_asks_what_is_at_work(service: Service, work: Work) -> None:
    operation = await work.add("operator", "RegionOne", "RegionTwo")
    await work.begin(operation)

    cancelled = await service.call("POST", f"/v1/operations/{operation}/cancel")

    assert cancelled.json["state"] == "running"
    assert cancelled.json["parts"] == {"cancelled": 1, "running": 1}
    again = await service.call("POST", f"/v1/operations/{operation}/cancel")
    assert again.status == 202, "who asks twice is not told that it was wrong"


async def test_what_is_being_undone_cannot_be_cancelled(service: Service, work: Work) -> None:
    operation = await work.add("operator")
    await work.undo(operation)

    refused = await service.call("POST", f"/v1/operations/{operation}/cancel")

    assert (refused.status, refused.error["code"]) == (409, "operation-not-cancellable")
    assert refused.error["detail"] == (
        f"operation {operation} cannot be cancelled: it is being undone already; "
        "what is half undone helps nobody, so that goes to its end"
    )
    assert (await shown(service, operation))["operation"]["cancel_requested_at"] is None


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.SUCCEEDED, "it has ended"),
        (State.FAILED, "it has ended"),
        (State.ROLLBACK_FAILED, "undoing it failed; try it again with retry"),
    ],
)
async def test_what_ended_cannot_be_cancelled(service: Service, work: Work, state: State, said: str) -> None:
    operation = await work.add("operator")
    await work.begin(operation)
    await work.end(operation, state)

    refused = await service.call("POST", f"/v1/operations/{operation}/cancel")

    assert (refused.status, refused.error["code"]) == (409, "operation-not-cancellable")
    assert said in refused.error["detail"]


async def test_a_retry_queues_what_failed_and_leaves_the_rest(service: Service, work: Work) -> None:
    operation = await work.add("operator", "RegionOne", "RegionTwo")
    for part in ("RegionOne", "RegionTwo"):
        await work.begin(operation, part)
    await work.fail(operation)
    early = await service.call("POST", f"/v1/operations/{operation}/retry")
    await work.end(operation, State.SUCCEEDED, "RegionOne", result={"made": 1})

    retried = await service.call("POST", f"/v1/operations/{operation}/retry")

    assert (early.status, early.error["code"]) == (409, "operation-not-retryable")
    assert "still at work" in early.error["detail"]
    assert (retried.status, retried.json["failure"]) == (202, None)
    assert retried.json["parts"] == {"queued": 1, "succeeded": 1}
    one, two = (await shown(service, operation))["regions"]
    assert (one["state"], one["result"]) == ("succeeded", {"made": 1})
    assert (two["state"], two["attempts"], two["failure"]) == ("queued", 1, None)


async def test_where_all_succeeded_nothing_is_tried_again(service: Service, work: Work) -> None:
    operation = await work.add("operator")
    await work.begin(operation)
    await work.end(operation, State.SUCCEEDED)

    refused = await service.call("POST", f"/v1/operations/{operation}/retry")

    assert (refused.status, refused.error["code"]) == (409, "operation-not-retryable")
    assert "nothing is to be tried" in refused.error["detail"]


async def test_what_was_written_is_listed_in_order_and_page_by_page(
    service: Service, work: Work, clock: FixedClock
) -> None:
    operation = await work.add("member")
    author = Author(PEOPLE["member"].project_id, "id-member", "member", "req-1", operation, "set quota")
    journal = Journal(service.assembly.database)
    async with service.assembly.database.write() as connection:
        for number in range(3):
            write = RegionWrite(
                "RegionTwo", "compute", "PUT", ("os-quota-sets", "p"), f"write {number}", {"cores": 1}
            )
            row = await journal.begin(connection, write, author, clock.now())
            if number == 1:
                outcome = Outcome("refused", 403, "req-region-7", SECRET)
                await journal.conclude(connection, row, outcome, clock.now() + timedelta(seconds=1))

    first = await service.call("GET", f"/v1/operations/{operation}/writes?limit=2", "reader")
    second = await service.call("GET", first.json["links"][0]["href"], "reader")
    whole = await service.call("GET", f"/v1/operations/{operation}/writes")
    wrong = await service.call("GET", f"/v1/operations/{operation}/writes?marker=x")

    told = [*first.json["writes"], *second.json["writes"]]
    assert [each["what"] for each in told] == ["write 0", "write 1", "write 2"]
    assert [each["outcome"] for each in told] == ["begun", "refused", "begun"]
    assert (told[1]["status"], told[1]["region_request_id"], told[1]["detail"]) == (403, "req-region-7", None)
    assert (told[0]["path"], told[0]["before"]) == ("/os-quota-sets/p", {"cores": 1})
    assert whole.json["writes"][1]["detail"] == SECRET
    assert (wrong.status, wrong.error["code"]) == (400, "bad-request")


def events(answer: Answer) -> list[Any]:
    """What the events of a stream say."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
              for block in answer.text.replace("\r\n", "\n").split("\n\n") if "data: " in block]  # fmt: skip
    assert {block["event"] for block in blocks} <= {"operation"}
    return [json.loads(block["data"]) for block in blocks]


async def test_a_stream_tells_each_change_until_the_end_whoever_made_it(service: Service, work: Work) -> None:
    operation = await work.add("member")
    path = f"/v1/operations/{operation}/events"

    async with asyncio.timeout(30):
        stream = asyncio.create_task(service.call("GET", path, "reader"))
        await asyncio.sleep(1.5)
        await work.begin(operation)  # as another process would
        await asyncio.sleep(1.5)
        await work.fail(operation)
        told = events(await stream)

    assert [each["operation"]["state"] for each in told] == ["queued", "running", "failed"]
    assert [each["regions"][0]["state"] for each in told] == ["queued", "running", "failed"]
    assert told[-1]["operation"]["failure"]["detail"] == ""


async def test_a_stream_of_what_has_ended_says_so_and_ends(service: Service) -> None:
    begun = await service.call("POST", "/v1/regions/test", body={})
    async with asyncio.timeout(10):
        told = events(await service.call("GET", f"/v1/operations/{begun.json['id']}/events"))
    assert [each["operation"]["state"] for each in told] == ["succeeded"]


async def test_operations_are_run_fail_and_are_tried_again(service: Service) -> None:
    await service.add("RegionOne")
    await service.add("RegionTwo")
    assembly = service.assembly
    await assembly.loop.run(assembly.engine.start())

    begun = await service.call("POST", "/v1/regions/test", body={})
    found = await ended(service, begun.json["id"])

    assert (found["operation"]["state"], found["operation"]["percent"]) == ("failed", 0)
    assert [part["attempts"] for part in found["regions"]] == [1, 1]
    codes = {part["failure"]["code"] for part in found["regions"]}
    assert codes == {"keystone-unreachable"}, "nothing listens at the Keystone of these regions"

    retried = await service.call("POST", f"/v1/operations/{begun.json['id']}/retry")
    again = await ended(service, begun.json["id"])

    assert retried.status == 202
    assert [part["attempts"] for part in again["regions"]] == [2, 2]
    assert again["operation"]["generation"] > found["operation"]["generation"]
