"""A region that fails in the middle of an action: nothing is doubled, and what is not known is told as such.

The simulator does the work first and breaks the answer then, which is the worst moment.
"""

import asyncio
import time
from datetime import timedelta
from typing import cast

import pytest

from multisite.actions.model import Deed
from multisite.actions.performer import Found, Performer
from multisite.db.tables import leases
from multisite.openstack import breaker
from multisite.openstack.tokens import Access
from tests.integration.actions.conftest import Acting

SERVERS = "/v1/inventory/servers"
LOOK = "may have been done: look before you repeat"


def key(text: str) -> dict[str, str]:
    return {"Idempotency-Key": text}


async def claims(acting: Acting) -> list[str]:
    async with acting.service.store.database.read() as connection:
        names = (await connection.execute(leases.select())).mappings().all()
    return [row["name"] for row in names if row["name"].startswith("create:")]


@pytest.mark.parametrize("fault", ["reset", "refuse", "truncate", "garbage", "status"])
async def test_a_server_whose_answer_is_lost_is_found_by_its_mark(acting: Acting, fault: str) -> None:
    acting.cloud.set(fault, region="north", route="POST /servers", calls=1, done=True)
    answer = await acting.call("POST", SERVERS, acting.new_server())
    (server,) = acting.servers("web")
    assert (answer.status, answer.json["id"], answer.json["region_request_id"]) == (202, server.id, None)
    (record,) = await acting.audited()
    assert record["after"]["id"] == server.id


@pytest.mark.parametrize("fault", ["reset", "refuse", "truncate", "garbage"])
async def test_a_volume_whose_answer_is_lost_is_found_by_its_mark(acting: Acting, fault: str) -> None:
    acting.cloud.set(fault, region="north", route="POST /volumes", calls=1, done=True)
    body = {"region": "north", "name": "data-1", "size": 2}
    answer = await acting.call("POST", "/v1/inventory/volumes", body)
    made = [each for each in acting.region().volume.volumes.values() if each.name == "data-1"]
    assert [each.id for each in made] == [answer.json["id"]]


async def test_another_server_of_that_name_is_not_taken_for_the_lost_one(acting: Acting) -> None:
    await acting.call("POST", SERVERS, acting.new_server())
    acting.cloud.set("refuse", region="north", route="POST /servers", calls=1)
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert answer.error["code"] in {"region-answer-lost", "region-failed"}
    assert LOOK in answer.error["detail"]
    assert len(acting.servers("web")) == 1


async def test_a_region_that_hangs_is_told_after_the_deadline(acting: Acting) -> None:
    acting.cloud.set("hang", region="north", service="compute")
    began = time.monotonic()
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert (answer.status, answer.error["code"]) == (504, "region-answer-lost")
    assert LOOK in answer.error["detail"]
    assert "127.0.0.1" not in answer.text
    assert time.monotonic() - began < 6  # the call and the look, two seconds each
    (record,) = await acting.audited()
    assert record["after"]["outcome"] == "region-answer-lost"


@pytest.mark.parametrize(("fault", "done"), [("refuse", False), ("refuse", True), ("reset", None)])
async def test_no_deletion_is_sent_twice(acting: Acting, fault: str, *, done: bool | None) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    path = f"/servers/{made.json['id']}"
    acting.cloud.set(fault, region="north", route="DELETE /servers/{server_id}", calls=1, done=done)
    answer = await acting.call("DELETE", f"/v1/inventory/servers/north{path.removeprefix('/servers')}")
    sent = acting.cloud.simulator.calls.of("north").calls
    assert sum(count for route, count in sent.items() if "DELETE" in route) == 1, sent
    assert answer.status in {202, 504}, answer.text  # 202: it was answered 204, of which nothing can be lost
    if answer.status == 504:
        assert (answer.error["code"], LOOK in answer.error["detail"]) == ("region-answer-lost", True)


async def test_an_error_of_the_region_is_told_with_its_request_id(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    acting.cloud.set("status", region="north", route="POST /servers/{server_id}/action", status=503)
    answer = await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/stop")
    assert (answer.status, answer.error["code"]) == (502, "region-failed")
    assert "HTTP 503" in answer.error["detail"]
    assert LOOK in answer.error["detail"]
    assert "req-" in answer.error["detail"]


async def test_what_users_break_opens_no_breaker(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    acting.cloud.set("status", region="north", route="POST /servers/{server_id}/action", status=500)
    for _ in range(breaker.THRESHOLD + 1):
        answer = await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/stop")
        assert answer.error["code"] == "region-failed"
    acting.cloud.clear()
    assert (await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/start")).status in {202, 409}


async def test_a_breaker_that_is_open_holds_users_back_too(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    acting.cloud.set("hang", region="north", service="compute")
    clients = acting.service.assembly.clients
    (client,) = [each for each in clients._clients.values() if each.target.name == "north"]
    for _ in range(breaker.THRESHOLD):
        client._breaker("compute").failed()
    began = time.monotonic()
    answer = await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/stop")
    assert (answer.status, answer.error["code"]) == (503, "region-unavailable")
    assert "nothing was done" in answer.error["detail"]
    assert time.monotonic() - began < 1.9, "it waited for the deadline of a call"


async def test_a_region_that_is_not_there_is_unavailable(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    path = f"{SERVERS}/north/{made.json['id']}/stop"
    catalog = (await acting.service.assembly.loop.run(_access(acting))).catalog
    urls = cast("dict[str, str]", catalog.regions["north"]["compute"].urls)
    kept = dict(urls)
    urls.update(dict.fromkeys(kept, "http://127.0.0.1:9/v2.1"))
    answer = await acting.call("POST", path)
    assert (answer.status, answer.error["code"]) == (503, "region-unavailable")
    assert "127.0.0.1" not in answer.text
    urls.update(kept)
    assert (await acting.call("POST", path)).status == 202


async def _access(acting: Acting) -> Access:
    (client,) = [
        each for each in acting.service.assembly.clients._clients.values() if each.target.name == "north"
    ]
    return await client.access()


async def test_the_same_key_makes_one_server(acting: Acting) -> None:
    first = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    again = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    assert (first.status, again.status) == (202, 202)
    assert (first.json["id"], first.json["repeated"]) == (again.json["id"], False)
    assert again.json["repeated"] is True
    other = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k2"))
    assert other.json["id"] != first.json["id"]
    assert len(acting.servers("web")) == 2
    assert await claims(acting) == []
    assert [record["action"] for record in await acting.audited()] == ["server:create"] * 2


async def test_a_key_is_of_one_request_and_of_one_project(acting: Acting) -> None:
    await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    changed = await acting.call(
        "POST", SERVERS, acting.new_server(availability_zone="nova"), headers=key("k1")
    )
    assert (changed.status, changed.error["code"]) == (409, "idempotency-key-reused")
    theirs = await acting.call("POST", SERVERS, acting.new_server("beta"), user="beta", headers=key("k1"))
    assert (theirs.status, theirs.json["repeated"]) == (202, False)
    assert await claims(acting) == []


async def test_of_two_at_once_with_one_key_one_is_done(acting: Acting) -> None:
    acting.cloud.set("latency", region="north", service="compute", seconds=0.3)
    both = await asyncio.gather(
        *(acting.call("POST", SERVERS, acting.new_server(), headers=key("k1")) for _ in range(2))
    )
    assert sorted(each.status for each in both) == [202, 409]
    (refused,) = (each for each in both if each.status == 409)
    assert refused.error["code"] == "action-in-progress"
    assert len(acting.servers("web")) == 1


async def test_a_key_waits_for_a_region_that_may_still_be_at_work(acting: Acting) -> None:
    """The answer is lost and the look fails: until the claim ends, nothing is made; then it is found."""
    acting.cloud.set("refuse", region="north", route="POST /servers", calls=1, done=True)
    asker = acting.service.assembly.actions._asker
    object.__setattr__(asker, "performer", _Blind(asker.performer))
    lost = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    assert (lost.status, lost.error["code"]) == (504, "region-answer-lost")
    early = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    assert (early.status, early.error["code"]) == (409, "action-in-progress")
    async with acting.service.store.database.write() as connection:
        await connection.execute(
            leases.update().values(expires_at=acting.service.assembly.clock.now() - timedelta(seconds=1))
        )
    late = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    (server,) = acting.servers("web")
    assert (late.status, late.json["id"], late.json["repeated"]) == (202, server.id, True)
    assert await claims(acting) == []


class _Blind:
    """A performer whose second look does not see what is there."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer
        self._looks = 0

    async def find(self, deed: Deed, key: str) -> Found | None:
        self._looks += 1
        return await self._performer.find(deed, key) if self._looks != 2 else None

    def __getattr__(self, name: str) -> object:
        return getattr(self._performer, name)


async def test_a_refusal_gives_the_key_back(acting: Acting) -> None:
    project = acting.users.known[acting.token("alpha")].project_id
    quotas = acting.region().compute.quotas
    kept, quotas[project] = quotas.get(project), {"instances": 0}
    refused = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    assert (refused.status, await claims(acting)) == (403, [])
    quotas[project] = kept or {}
    done = await acting.call("POST", SERVERS, acting.new_server(), headers=key("k1"))
    assert (done.status, done.json["repeated"]) == (202, False)


async def test_a_key_that_is_none_is_refused(acting: Acting) -> None:
    answer = await acting.call("POST", SERVERS, acting.new_server(), headers=key("a b"))
    assert (answer.status, answer.error["code"]) == (400, "bad-request")
    assert acting.servers("web") == []


async def test_an_item_that_cannot_be_read_back_is_done_all_the_same(acting: Acting) -> None:
    acting.cloud.set("garbage", region="north", route="GET /servers/{server_id}")
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert (answer.status, answer.json["item"]) == (202, None)
    acting.cloud.clear()
    listing = await acting.call("GET", f"{SERVERS}?fresh=true")
    assert answer.json["id"] in [row["id"] for row in listing.json["items"]]


async def test_a_region_that_repeats_the_token_tells_it_nobody(acting: Acting) -> None:
    nova, token = acting.region().compute, acting.token("alpha")
    original = nova.create_server

    def telling(**fields: object) -> object:
        server = original(**fields)
        server.name = f"{server.name} {token}"
        return server

    nova.create_server = telling
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert answer.status == 202
    assert answer.json["item"]["name"] == "web (token)"
