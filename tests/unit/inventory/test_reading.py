"""Which calls a read makes, what it finds to have changed, and from where the next one asks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from multisite.inventory import reading as module
from multisite.inventory.kinds import BY_NAME, KINDS
from multisite.inventory.model import Known, Reading, Sync
from multisite.inventory.reading import Reader, malformed_sentence
from multisite.openstack.failures import RegionCallError
from tests.unit.inventory.conftest import FakeRegion

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def read(
    region: FakeRegion, kind: str, known: dict[str, Known] | None = None, sync: Sync | None = None
) -> Reading:
    return await Reader(region, BY_NAME[kind], known or {}, sync or Sync(), NOW, 3600).read()


def stored(reading: Reading) -> dict[str, Known]:
    return {key: Known(item.digest, item.version) for key, item in reading.changed.items()}


async def after_first(region: FakeRegion, kind: str) -> tuple[dict[str, Known], Sync]:
    first = await read(region, kind)
    region.asked.clear()
    return stored(first), Sync(observed_at=NOW, full_at=NOW, since=first.since)


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS if kind.name != "backup"])
async def test_the_first_read_lists_everything_on_all_pages(region: FakeRegion, kind: str) -> None:
    first = await read(region, kind)
    assert first.full
    assert first.malformed == []
    assert sorted(first.changed) == sorted(item["id"] for item in region.items[BY_NAME[kind].key])
    assert len(region.asked) == (2 if kind == "image" else 1)


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("server", ["compute/servers/detail?changes-since=2026-11-22T05:10:57Z"]),
        ("volume", ["volume/volumes/detail"]),
        ("snapshot", ["volume/snapshots/detail"]),
        ("image", ["image/images", "image/images?os_hidden=true"]),
        ("port", ["network/ports?fields=id&fields=revision_number&fields=updated_at"]),
        ("subnet", ["network/subnets?fields=id&fields=revision_number&fields=updated_at"]),
    ],
)
async def test_a_read_without_changes_is_one_call_and_changes_nothing(
    region: FakeRegion, kind: str, calls: list[str]
) -> None:
    if kind == "server":
        region.items["servers"][0]["updated"] = "2026-11-22T05:11:27Z"
    known, sync = await after_first(region, kind)
    again = await read(region, kind, known, sync)
    assert (again.changed, again.gone) == ({}, set())
    assert region.asked == calls


async def test_servers_that_changed_and_that_were_deleted(region: FakeRegion) -> None:
    known, sync = await after_first(region, "server")
    renamed, deleted = region.items["servers"][:2]
    renamed |= {"name": "another", "updated": "2026-11-22T06:00:00Z"}
    deleted |= {"status": "DELETED", "updated": "2026-11-22T06:00:01Z"}
    again = await read(region, "server", known, sync)
    assert [item.name for item in again.changed.values()] == ["another"]
    assert again.gone == {deleted["id"]}
    assert again.since == "2026-11-22T06:00:01+00:00"


async def test_neutron_is_asked_for_what_differs_by_id_only(region: FakeRegion) -> None:
    known, sync = await after_first(region, "port")
    region.items["ports"][0] |= {"revision_number": 99, "name": "moved"}
    gone = region.items["ports"].pop()
    again = await read(region, "port", known, sync)
    assert [item.name for item in again.changed.values()] == ["moved"]
    assert again.gone == {gone["id"]}
    assert region.asked[1:] == [f"network/ports?id={region.items['ports'][0]['id']}"]


async def test_a_subnets_time_alone_is_a_change(region: FakeRegion) -> None:
    known, sync = await after_first(region, "subnet")
    region.items["subnets"][0] |= {"updated_at": "2026-11-22T07:00:00Z", "dns_nameservers": ["9.9.9.9"]}
    again = await read(region, "subnet", known, sync)
    assert [item.attributes["dns_nameservers"] for item in again.changed.values()] == [["9.9.9.9"]]


async def test_a_neutron_without_revisions_is_read_in_full(region: FakeRegion) -> None:
    for port in region.items["ports"]:
        del port["revision_number"]
    known, sync = await after_first(region, "port")
    region.items["ports"][0]["name"] = "moved"
    again = await read(region, "port", known, sync)
    assert again.full
    assert [item.name for item in again.changed.values()] == ["moved"]
    assert again.gone == set()


async def test_many_volumes_are_asked_for_changes_and_ids(
    region: FakeRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 1)
    known, sync = await after_first(region, "volume")
    gone = region.items["volumes"].pop(0)
    region.items["volumes"][0] |= {"name": "grown", "updated_at": "2026-11-22T06:00:00.000000"}
    again = await read(region, "volume", known, sync)
    assert [item.name for item in again.changed.values()] == ["grown"]
    assert again.gone == {gone["id"]}
    assert [call.partition("?")[0] for call in region.asked] == ["volume/volumes/detail", "volume/volumes"]
    assert "updated_at=gte:" in region.asked[0]


async def test_the_deleted_ones_of_many_images_are_looked_for_now_and_then(
    region: FakeRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEW", 1)
    known, sync = await after_first(region, "image")
    gone = region.items["images"].pop()
    assert (await read(region, "image", known, sync)).gone == set()
    old = Sync(full_at=NOW - timedelta(minutes=10), since=sync.since)
    assert (await read(region, "image", known, old)).gone == {gone["id"]}


async def test_after_full_interval_everything_is_read_again(region: FakeRegion) -> None:
    known, sync = await after_first(region, "server")
    old = Sync(full_at=NOW - timedelta(hours=1), since=sync.since)
    region.items["servers"].pop()
    again = await read(region, "server", known, old)
    assert again.full
    assert len(again.gone) == 1
    assert region.asked == ["compute/servers/detail"]


async def test_a_listing_that_fails_on_a_later_page_gives_nothing(region: FakeRegion) -> None:
    region.fails_on_page = 2
    with pytest.raises(RegionCallError):
        await read(region, "server")


async def test_a_time_in_the_far_future_is_no_mark(region: FakeRegion) -> None:
    region.items["servers"][0]["updated"] = "2036-01-01T00:00:00Z"
    first = await read(region, "server")
    assert first.since is not None
    assert first.since.startswith("2026")
    assert len(first.changed) == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 7},
        {"name": "x" * 1025},
        {"name": "a\x00b"},
        {"status": ["ACTIVE"]},
        {"tenant_id": {"id": 1}},
        {"updated": "yesterday"},
        {"flavor": "m1.small"},
        {"metadata": {"a": "\x00"}},
        {"metadata": {"a": "x" * 300_000}},
        {"image": {"no": "id"}},
    ],
)
async def test_a_malformed_row_is_named_and_spoils_no_other(
    region: FakeRegion, wrong: dict[str, Any]
) -> None:
    known, _ = await after_first(region, "server")
    liar = region.items["servers"][1]
    liar |= wrong
    again = await read(region, "server", known)
    assert len(again.malformed) == 1
    assert liar["id"] in again.malformed[0]
    assert again.gone == set(), "a row that is malformed now stays as it was"
    sentence = malformed_sentence(again.malformed)
    assert sentence is not None
    assert sentence.startswith("1 malformed: ")


@pytest.mark.parametrize("identity", [None, 5, "", "a/b", "x" * 256, "a\x00"])
async def test_a_row_without_a_proper_id_is_left_out(region: FakeRegion, identity: object) -> None:
    region.items["servers"][0]["id"] = identity
    first = await read(region, "server")
    assert (len(first.changed), len(first.malformed)) == (3, 1)


async def test_rows_that_are_no_objects_and_rows_that_come_twice(region: FakeRegion) -> None:
    twice = dict(region.items["ports"][0]) | {"name": "newer"}
    region.items["ports"] = [*region.items["ports"], twice]
    first = await read(region, "port")
    assert first.changed[twice["id"]].name == "newer"
    assert len(first.changed) == 4


async def test_a_listing_without_end_is_refused(region: FakeRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ITEMS", 3)
    with pytest.raises(RegionCallError, match="more than 3 items"):
        await read(region, "server")


async def test_others_get_their_turn_while_many_rows_are_read(region: FakeRegion) -> None:
    server = region.items["servers"][0]
    region.items["servers"] = [server | {"id": f"s-{number}"} for number in range(2000)]
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await read(region, "server")
    task.cancel()
    assert turns > 500
