"""Every write of a user to a region is in the journal, with what came of it."""

from tests.integration.actions.conftest import Acting

SERVERS = "/v1/inventory/servers"


async def test_a_write_is_in_the_journal_with_who_what_and_the_regions_request_id(acting: Acting) -> None:
    answer = await acting.call("POST", SERVERS, acting.new_server())
    (row,) = await acting.written()
    assert (row["region"], row["service"], row["method"], row["path"]) == (
        "north", "compute", "POST", "/servers",
    )  # fmt: skip
    assert (row["outcome"], row["status"]) == ("done", 202)
    assert row["region_request_id"] == answer.json["region_request_id"]
    assert row["request_id"] == answer.json["request_id"]
    assert row["user_name"]
    assert row["after"]["name"] == "web"
    assert row["finished_at"] >= row["at"]
    assert row["operation_id"] is None


async def test_what_a_region_refused_or_never_got_is_in_the_journal_as_such(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    path = f"{SERVERS}/north/{made.json['id']}"
    await acting.call("POST", f"{path}/start")
    acting.cloud.set("hang", region="north", service="compute")
    answer = await acting.call("DELETE", path)
    assert answer.status == 504
    _, refused, lost = await acting.written()
    assert (refused["outcome"], refused["status"]) == ("refused", 409)
    assert "instance" in refused["detail"].lower()
    assert (lost["method"], lost["outcome"]) == ("DELETE", "unknown")


async def test_reading_leaves_nothing_in_the_journal(acting: Acting) -> None:
    await acting.call("GET", "/v1/inventory/offers/north")
    assert await acting.written() == []
