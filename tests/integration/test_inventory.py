"""The inventory over a real database: what is stored, who sees it, pages, search, CSV, faults."""

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from multisite.clock import FixedClock
from multisite.db.tables import inventory_items, inventory_read_backs
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.listing import InventoryQueries
from multisite.inventory.model import MOST_NAMED, Grant, Reading
from multisite.inventory.parsing import parse
from multisite.inventory.projects import Projects, ProjectStore
from multisite.inventory.queries import Direction, Filters, Order, Sort
from multisite.inventory.store import InventoryStore
from multisite.regions.model import Identity, Region
from multisite.regions.states import CallError
from tests.integration.service import ALPHA, BETA, Service

AT = "2026-11-22T10:00:00Z"


def server(identity: str, name: str, project: str = ALPHA, **fields: Any) -> dict[str, Any]:
    raw = {
        "id": identity,
        "name": name,
        "tenant_id": project,
        "status": "ACTIVE",
        "created": AT,
        "updated": AT,
    }
    return raw | {"OS-EXT-SRV-ATTR:host": "secret-host"} | fields


def port(identity: str, address: str, device: str, project: str = ALPHA) -> dict[str, Any]:
    return {
        "id": identity,
        "name": "",
        "project_id": project,
        "device_id": device,
        "mac_address": "fa:16:3e:00:00:01",
        "fixed_ips": [{"ip_address": address}],
    }


class World:
    """Puts items into the database as a refresh would."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.store = InventoryStore(service.assembly.database)
        self.queries = InventoryQueries(service.assembly.database)

    async def put(self, region: Region, kind: str, *raws: dict[str, Any], **fields: Any) -> None:
        """These items, and none else, of one kind."""
        known = await self.store.known(region.id, kind)
        changed = {item.id: item for item in (parse(BY_NAME[kind], raw) for raw in raws)}
        reading = Reading(self.service.assembly.clock.now(), full=True, changed=changed, **fields)
        reading.gone = known.keys() - changed.keys()
        await self.store.write(region, kind, reading, {ALPHA: "member", BETA: "foreigner"})

    async def ids(self, path: str, token: str = "operator") -> list[str]:  # noqa: S107 - a name of PEOPLE
        """The ids of a listing."""
        answer = await self.service.call("GET", f"/v1/inventory/{path}", token)
        assert answer.status == 200, answer.text
        return [item["id"] for item in answer.json["items"]]


@pytest.fixture
def world(service: Service) -> World:
    return World(service)


async def test_a_row_has_all_that_is_known_of_an_item(world: World) -> None:
    region = await world.service.add("North", "compute", "network", dashboard_url="https://north.example/")
    await world.put(region, "server", server("s1", "Web"))
    await world.put(region, "port", port("p1", "10.1.2.3", "s1"))
    floating = {"id": "f1", "floating_ip_address": "172.24.1.9", "port_id": "p1", "project_id": ALPHA}
    await world.put(region, "floating_ip", floating)
    answer = await world.service.call("GET", "/v1/inventory/servers")
    assert (answer.json["complete"], answer.json["missing"], answer.json["links"]) == (True, [], [])
    (row,) = answer.json["items"]
    assert row["addresses"] == ["10.1.2.3", "172.24.1.9"]
    assert (row["region"], row["kind"], row["name"], row["status"]) == ("North", "server", "Web", "ACTIVE")
    assert (row["project_id"], row["project_name"], row["state"]) == (ALPHA, "member", "fresh")
    assert (row["created_at"], row["dashboard_url"]) == (AT, "https://north.example/")
    assert row["attributes"]["host"] == "secret-host"
    one = await world.service.call("GET", "/v1/inventory/servers/North/s1")
    assert one.json == row


async def test_a_tenant_sees_its_own_and_no_host_of_an_operator(world: World) -> None:
    region = await world.service.add("North", "compute")
    await world.put(region, "server", server("mine", "a"), server("theirs", "b", BETA))
    assert await world.ids("servers") == ["mine", "theirs"]
    assert await world.ids("servers", "system-reader") == ["mine", "theirs"]
    for token in ("member", "reader", "manager"):
        assert await world.ids("servers", token) == ["mine"]
        assert await world.ids("servers?visible=true", token) == ["mine"]
    assert await world.ids("servers", "foreigner") == ["theirs"]
    assert await world.ids(f"servers?project_id={BETA}", "member") == []
    answer = await world.service.call("GET", "/v1/inventory/servers", "member")
    assert "secret-host" not in answer.text
    foreign = await world.service.call("GET", "/v1/inventory/servers/North/theirs", "member")
    nobody = await world.service.call("GET", "/v1/inventory/servers/North/nobody", "member")
    assert (foreign.status, nobody.status) == (404, 404)
    assert foreign.error["detail"].replace("theirs", "nobody") == nobody.error["detail"]
    assert (await world.service.call("GET", "/v1/inventory/servers", "roleless")).status == 403
    found = await world.service.call("GET", "/v1/inventory/search?q=theirs", "member")
    assert found.json["found"] == []


async def test_what_others_show_is_listed_on_request_only(world: World) -> None:
    region = await world.service.add("North", "image", "network")
    images = [
        {"id": "public", "name": "1", "owner": BETA, "visibility": "public"},
        {"id": "community", "name": "2", "owner": BETA, "visibility": "community"},
        {"id": "to-alpha", "name": "3", "owner": BETA, "visibility": "shared"},
        {"id": "to-others", "name": "4", "owner": BETA, "visibility": "shared"},
        {"id": "private", "name": "5", "owner": BETA, "visibility": "private"},
        {"id": "own", "name": "6", "owner": ALPHA, "visibility": "private"},
    ]
    shown = frozenset({Grant("image", "to-alpha", ALPHA), Grant("image", "to-others", "x" * 32)})
    await world.put(region, "image", *images, grants=shown, granted_kinds=("image",))
    networks = [
        {"id": name, "name": name, "project_id": BETA, "shared": True} for name in ("all", "some", "none")
    ]
    grants = frozenset({Grant("network", "all", "*"), Grant("network", "some", ALPHA)})
    await world.put(region, "network", *networks, grants=grants, granted_kinds=("network", "security_group"))
    subnets = [
        {"id": f"of-{name}", "name": name, "project_id": BETA, "network_id": name} for name in ("all", "none")
    ]
    await world.put(region, "subnet", *subnets)
    assert await world.ids("images", "member") == ["own"]
    assert await world.ids("images?visible=true", "member") == ["public", "community", "to-alpha", "own"]
    assert await world.ids("networks?visible=true", "member") == ["all", "some"], (
        "Neutron's flag is not asked"
    )
    assert await world.ids("subnets?visible=true", "member") == ["of-all"]
    assert await world.ids("networks", "member") == []
    await world.put(
        region, "network", *networks, grants=frozenset(), granted_kinds=("network", "security_group")
    )
    assert await world.ids("networks?visible=true", "member") == []
    assert len(await world.ids("images?visible=true", "member")) == 4, "grants of other kinds stay"


async def test_a_project_is_found_by_name_in_a_region_with_its_own_keystone(world: World) -> None:
    home = await world.service.add("Home", "compute")
    own = await world.service.add("Own", "compute", identity=Identity.OWN)
    store = ProjectStore(world.service.assembly.database)
    await store.place(home.id, "http://home/v3")
    await store.place(own.id, "http://own/v3")
    await store.replace("http://home/v3", {}, {ALPHA: ("member", "Default")})
    there = {"local": ("member", "Default"), "other": ("member", "Elsewhere"), ALPHA: ("stranger", "Default")}
    await store.replace("http://own/v3", {}, there)
    await world.put(home, "server", server("at-home", "a"), server("local-at-home", "b", "local"))
    await world.put(
        own,
        "server",
        server("there", "c", "local"),
        server("other-domain", "d", "other"),
        server("same-id", "e", ALPHA),
    )
    assert await world.ids("servers", "member") == ["at-home", "there"], (
        "ids are not compared across Keystones"
    )
    assert await world.ids(f"servers?project_id={ALPHA}") == ["at-home", "there", "same-id"]
    assert (await world.service.call("GET", "/v1/inventory/servers/Own/same-id", "member")).status == 404
    found = await world.service.call("GET", "/v1/inventory/search?q=same-id", "member")
    assert found.json["found"] == []


async def test_names_of_projects_follow_keystone(world: World) -> None:
    region = await world.service.add("North", "compute")
    store = ProjectStore(world.service.assembly.database)
    await store.place(region.id, "http://k/v3")
    await world.put(region, "server", server("s1", "a"))
    await store.replace("http://k/v3", {ALPHA: ("member", "Default")}, {ALPHA: ("renamed", "Default")})
    answer = await world.service.call("GET", "/v1/inventory/servers")
    assert answer.json["items"][0]["project_name"] == "renamed"


FILTERS = [
    ("status=ERROR", ["s2"]),
    ("name=WEB", ["s1", "s2"]),
    ("name=%25", ["s3"]),
    ("name=b_1", ["s2"]),
    ("name=%C3%84", ["s4"]),
    ("region=North", ["s1", "s2"]),
    ("region=North&region=South", ["s1", "s2", "s3", "s4"]),
    ("address=10.1.2.3", ["s1"]),
    ("address=10.1.2.", ["s1", "s2"]),
    ("address=10.1.2.0/28", ["s1"]),
    ("address=FA:16:3E:00:00:01", ["s1", "s2"]),
    (f"project_id={BETA}", ["s3"]),
    ("sort=created_at&direction=desc", ["s4", "s3", "s2", "s1"]),
    ("sort=status", ["s1", "s3", "s4", "s2"]),
    ("sort=region&direction=desc", ["s4", "s3", "s2", "s1"]),
    ("sort=project", ["s3", "s1", "s2", "s4"]),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
async def test_filters_and_orders(world: World, query: str, found: list[str]) -> None:
    north, south = [await world.service.add(name, "compute") for name in ("North", "South")]
    await world.put(
        north,
        "server",
        server("s1", "web-a", created="2026-01-01T00:00:00Z"),
        server("s2", "web_1b_1", status="ERROR", created="2026-01-02T00:00:00Z"),
    )
    await world.put(
        south,
        "server",
        server("s3", "x%y", BETA, created="2026-01-03T00:00:00Z"),
        server("s4", "ÄRGER", created="2026-01-04T00:00:00Z"),
    )
    await world.put(north, "port", port("p1", "10.1.2.3", "s1"), port("p2", "10.1.2.33", "s2"))
    got = await world.ids(f"servers?{query}")
    assert got == found if "sort" in query else sorted(got) == sorted(found)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort=colour", 400),
        ("limit=0", 400),
        ("limit=1001", 400),
        ("marker=x", 400),
        ("address=nothing", 400),
        ("name=%00", 400),
        ("name=a%0Ab", 400),
        ("status=%1B", 400),
        ("region=Nowhere", 404),
        ("colour=red", 400),
        ("format=xml", 400),
    ],
)
async def test_what_is_wrong_with_a_question_is_told(world: World, query: str, status: int) -> None:
    answer = await world.service.call("GET", f"/v1/inventory/servers?{query}")
    assert (answer.status, bool(answer.error)) == (status, True)


async def test_a_name_with_a_line_break_is_refused_in_one_sentence(world: World) -> None:
    for path, field in (("servers?name=a%0Ab", "name"), ("search?q=a%0Ab", "q")):
        answer = await world.service.call("GET", f"/v1/inventory/{path}")
        assert answer.status == 400
        sentence = (
            f"{field}: it holds a line break or another control character; write plain text in one line"
        )
        assert answer.error["detail"] == sentence


async def test_an_unknown_kind_names_those_that_there_are(world: World) -> None:
    answer = await world.service.call("GET", "/v1/inventory/flavors")
    assert answer.status == 404
    assert "floating-ips" in answer.error["detail"]


async def test_a_region_away_keeps_its_rows_and_is_named(world: World) -> None:
    region = await world.service.add("North", "compute")
    await world.put(region, "server", server("s1", "a"))
    clock = world.service.assembly.clock
    assert isinstance(clock, FixedClock)
    for kind in ("port", "floating_ip"):
        await world.put(region, kind)
    clock.advance(timedelta(seconds=10))
    error = CallError("timeout", "http://10.9.8.7 did not answer")
    await world.store.write_failure(region, ["server"], clock.now(), error)
    operator = await world.service.call("GET", "/v1/inventory/servers")
    assert [row["state"] for row in operator.json["items"]] == ["unreachable"]
    assert operator.json["complete"] is False
    (missing,) = operator.json["missing"]
    assert missing == {
        "region": "North",
        "service": "compute",
        "state": "unreachable",
        "code": "timeout",
        "detail": error.detail,
    }
    tenant = await world.service.call("GET", "/v1/inventory/servers", "member")
    assert tenant.json["missing"] == [missing | {"detail": None}]
    assert "10.9.8.7" not in tenant.text
    await world.put(region, "server", server("s1", "a"))
    assert (await world.service.call("GET", "/v1/inventory/servers")).json["complete"] is True
    clock.advance(timedelta(minutes=10))
    stale = await world.service.call("GET", "/v1/inventory/servers")
    assert {each["state"] for each in stale.json["missing"]} == {"stale"}
    assert [row["state"] for row in stale.json["items"]] == ["stale"]


async def test_of_many_regions_away_the_first_are_named_and_all_are_counted(world: World) -> None:
    error = CallError("timeout", "it did not answer")
    for number in range(MOST_NAMED + 3):
        region = await world.service.add(f"R{number:02}", "volume")
        await world.store.write_failure(region, ["volume"], world.service.assembly.clock.now(), error)
    listed = (await world.service.call("GET", "/v1/inventory/volumes")).json
    found = (await world.service.call("GET", "/v1/inventory/search?q=web")).json
    for answer in (listed, found):
        assert (answer["complete"], answer["missing_regions"]) == (False, MOST_NAMED + 3)
        assert len({each["region"] for each in answer["missing"]}) == MOST_NAMED
    whole = await world.service.call("GET", "/v1/inventory/volumes?format=csv")
    assert whole.headers["x-multisite-complete"] == "false"


async def test_a_row_that_was_read_by_itself_tells_its_own_time(world: World) -> None:
    region = await world.service.add("North", "volume")
    clock = world.service.assembly.clock
    assert isinstance(clock, FixedClock)
    swept = clock.now()
    raws = [{"id": each, "name": each, "status": "available"} for each in ("v1", "v2")]
    await world.put(region, "volume", *raws)
    clock.advance(timedelta(minutes=20))  # long after the sweep's figures are stale
    item = parse(BY_NAME["volume"], raws[0] | {"status": "in-use"})
    await world.store.put(region, "volume", item, {}, clock.now())

    async def rows() -> list[tuple[str, str, str]]:
        answer = await world.service.call("GET", "/v1/inventory/volumes")
        return [(row["id"], row["state"], row["observed_at"]) for row in answer.json["items"]]

    own, of_sweep = _text(clock.now()), _text(swept)
    assert await rows() == [("v1", "fresh", own), ("v2", "stale", of_sweep)]
    await world.store.write_failure(
        region, ["volume"], clock.now(), CallError("timeout", "it did not answer")
    )
    clock.advance(timedelta(seconds=10))
    await world.store.write_failure(
        region, ["volume"], clock.now(), CallError("timeout", "it did not answer")
    )
    assert [state for _, state, _ in await rows()] == ["unreachable", "unreachable"]
    clock.advance(timedelta(seconds=10))
    await world.put(region, "volume", *raws)
    assert await rows() == [(each, "fresh", _text(clock.now())) for each in ("v1", "v2")]


@pytest.mark.parametrize("full", [True, False])
async def test_a_read_that_began_before_an_action_does_not_undo_what_it_saw(
    world: World, *, full: bool
) -> None:
    region = await world.service.add("North", "compute")
    clock = world.service.assembly.clock
    assert isinstance(clock, FixedClock)
    await world.put(region, "server", server("s1", "stopped"), server("s2", "deleted"), since=AT)
    old = Reading(clock.now() + timedelta(seconds=1), full=full, since="2026-11-22T11:59:00Z")
    for each in (
        server("s1", "stopped", metadata={"a": "b"}),
        server("s2", "deleted"),
        server("s3", "other"),
    ):
        item = parse(BY_NAME["server"], each)
        old.changed[item.id] = item
    new = replace(old, at=clock.now() + timedelta(seconds=3), since="2026-11-22T11:59:59Z")

    at = clock.now() + timedelta(seconds=2)
    stopped = parse(BY_NAME["server"], server("s1", "stopped", status="SHUTOFF"))
    await world.store.put(region, "server", stopped, {}, at)
    await world.store.remove(region, "server", "s2", at)
    old.gone = {"s1"}
    await world.store.write(region, "server", old, {})

    async def statuses() -> dict[str, str]:
        answer = await world.service.call("GET", "/v1/inventory/servers")
        return {row["id"]: row["status"] for row in answer.json["items"]}

    async def since() -> str | None:
        return (await world.store.stored(region.id, ["server"])).syncs["server"].since

    assert await statuses() == {"s1": "SHUTOFF", "s3": "ACTIVE"}
    assert await since() == AT  # the next read asks for all that this one passed over

    for _ in range(2):  # a read that began later tells what is; nothing of the action is left
        await world.store.write(region, "server", new, {})
        assert await statuses() == {"s1": "ACTIVE", "s2": "ACTIVE", "s3": "ACTIVE"}
        assert await since() == "2026-11-22T11:59:59Z"
    async with world.store.database.read() as connection:
        assert not (await connection.execute(sa.select(inventory_read_backs))).all()


def _text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


async def test_malformed_rows_make_a_listing_incomplete(world: World) -> None:
    region = await world.service.add("North", "volume")
    await world.put(region, "volume", malformed=["volume v1: name is no text"])
    answer = await world.service.call("GET", "/v1/inventory/volumes")
    (missing,) = answer.json["missing"]
    assert (missing["state"], missing["code"]) == ("fresh", "unexpected-answer")
    assert "v1: name is no text" in missing["detail"]


async def test_a_region_that_is_disabled_or_deleted_is_not_listed(world: World) -> None:
    region = await world.service.add("North", "compute")
    await world.put(region, "server", server("s1", "a"))
    body = {"generation": region.generation, "enabled": False}
    assert (await world.service.call("PATCH", "/v1/regions/North", body=body)).status == 200
    answer = await world.service.call("GET", "/v1/inventory/servers")
    assert (answer.json["items"], answer.json["missing"]) == ([], [])
    assert (await world.service.call("GET", "/v1/inventory/search?q=s1a")).json["found"] == []
    assert (await world.service.call("DELETE", "/v1/regions/North")).status == 204
    async with world.service.assembly.database.read() as connection:
        assert (await connection.execute(inventory_items.select())).all() == []
    await world.put(region, "server", server("s2", "late"))
    assert await world.ids("servers") == [], "what comes late from a region that is gone is dropped"


async def test_only_what_differs_is_written_and_grants_go_with_their_items(world: World) -> None:
    region = await world.service.add("North", "image")
    image = {"id": "i1", "name": "x", "owner": BETA, "visibility": "shared"}
    grant = frozenset({Grant("image", "i1", ALPHA)})
    await world.put(region, "image", image, grants=grant, granted_kinds=("image",))
    assert await world.ids("images?visible=true", "member") == ["i1"]
    await world.put(region, "image", grants=frozenset(), granted_kinds=("image",), granted_ids=frozenset())
    await world.put(region, "image", image)
    assert await world.ids("images?visible=true", "member") == []


async def test_a_csv_has_all_rows_and_no_formula(world: World) -> None:
    region = await world.service.add("North", "compute")
    rows = [server(f"s{number:04}", f"n{number}") for number in range(1100)]
    await world.put(region, "server", *rows, server("evil", "=HYPERLINK()"))
    for kind in ("port", "floating_ip"):
        await world.put(region, kind)
    answer = await world.service.call("GET", "/v1/inventory/servers", headers={"accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-multisite-complete"] == "true"
    table = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(table) == 1101
    assert len({row["id"] for row in table}) == 1101
    assert next(row["name"] for row in table if row["id"] == "evil") == "'=HYPERLINK()"
    tenant = await world.service.call("GET", "/v1/inventory/servers?format=csv", "foreigner")
    assert len(tenant.text.splitlines()) == 1
    assert "host" not in tenant.text.split(",")
    for paging in ("limit=5", "marker=zz"):
        refused = await world.service.call("GET", f"/v1/inventory/servers?format=csv&{paging}")
        assert refused.status == 400
        assert "a CSV has no pages" in refused.error["detail"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0123", [("id", False, "server")]),
        ("01234567-aaaa", [("id", True, "server")]),
        ("WEB", [("name", True, "server"), ("name", False, "volume")]),
        ("10.1.2.3", [("address", True, "server"), ("address", True, "port")]),
        ("10.1.", [("address", False, "server"), ("address", False, "port")]),
        ("10.1.0.0/16", [("address", False, "server"), ("address", False, "port")]),
        ("FA-16-3E-00-00-01", [("address", True, "server"), ("address", True, "port")]),
        ("%", []),
        ("nothing", []),
    ],
)
async def test_where_is_this(world: World, text: str, found: list[tuple[str, bool, str]]) -> None:
    region = await world.service.add("North", "compute")
    await world.put(region, "server", server("01234567-aaaa", "web"))
    volume = {"id": "v1", "name": "of-web-1", "os-vol-tenant-attr:tenant_id": ALPHA}
    await world.put(region, "volume", volume)
    await world.put(region, "port", port("p1", "10.1.2.3", "01234567-aaaa"))
    for token in ("operator", "member"):
        path = f"/v1/inventory/search?q={text.replace('%', '%25')}"
        answer = await world.service.call("GET", path, token)
        assert [
            (each["match"], each["exact"], each["item"]["kind"]) for each in answer.json["found"]
        ] == found


async def test_a_search_is_bounded_and_says_so(world: World) -> None:
    region = await world.service.add("North", "compute")
    await world.put(region, "server", *(server(f"s{number}", "web") for number in range(9)))
    answer = await world.service.call("GET", "/v1/inventory/search?q=web&limit=5")
    assert (len(answer.json["found"]), answer.json["more"]) == (5, True)
    assert (await world.service.call("GET", "/v1/inventory/search?q=")).status == 400


async def test_two_writers_of_names_wait_for_each_other(world: World, clock: FixedClock) -> None:
    """`Projects` asks a Keystone once however many of its regions are read at the same time."""
    regions = [await world.service.add(f"R{number}", "compute") for number in range(4)]
    asked = []

    class Keystone:
        async def get(self, _service: str, path: str, *_: Any, **__: Any) -> dict[str, Any]:
            asked.append(path)
            await asyncio.sleep(0)
            projects = [{"id": ALPHA, "name": "member", "domain_id": "d"}]
            return {"domains": [{"id": "d", "name": "Default"}], "projects": projects}

    projects = Projects(ProjectStore(world.service.assembly.database), clock)
    client: Any = Keystone()
    names = await asyncio.gather(*(projects.of(region.id, "http://k/v3", client) for region in regions))
    assert names == [{ALPHA: "member"}] * 4
    assert asked == ["/domains", "/projects"]


@pytest.mark.parametrize("sort", list(Sort))
@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_pages_lose_no_row_and_show_none_twice_while_others_change(
    world: World, sort: Sort, data: st.DataObject
) -> None:
    regions = await world.service.store.select() or [
        await world.service.add(name, "compute") for name in ("A", "b", "C")
    ]
    names = st.sampled_from(["", "a", "A", "b", "ä", "Z", "\U0010ffff", "%"])
    stays = {
        region.id: [
            server(f"s{number}", data.draw(names), status=data.draw(st.sampled_from(["ACTIVE", "ERROR", ""])))
            for number in range(data.draw(st.integers(0, 5)))
        ]
        for region in regions
    }
    for region in regions:
        await world.put(region, "server", *stays[region.id], server("gone", "k"))
    order = Order(sort, data.draw(st.sampled_from(list(Direction))))
    filters = Filters(BY_NAME["server"])
    seen: list[tuple[int, str]] = []
    after, limit = None, data.draw(st.integers(1, 4))
    while page := await world.queries.page(filters, order, after, limit):
        seen += [(item.region_id, item.id) for item in page]
        after = order.place(order.marker(page[-1].place(sort)))
        for region in regions:  # a row goes, another comes: those that stay keep their places
            await world.put(region, "server", *stays[region.id], server("new", data.draw(names)))
        if len(seen) > 100:
            pytest.fail("the pages do not end")
    kept = {(region.id, raw["id"]) for region in regions for raw in stays[region.id]}
    assert kept <= set(seen)
    assert len([key for key in seen if key in kept]) == len(kept)
    assert json.dumps(sorted(kept))
