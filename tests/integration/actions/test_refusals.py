"""What a region, a policy or the request itself does not allow: told in one sentence, and nothing is done."""

import pytest

from multisite.regions.model import Identity, Region
from tests.integration.actions.conftest import Acting

SERVERS = "/v1/inventory/servers"


async def test_over_quota_is_told_in_the_regions_own_words(acting: Acting) -> None:
    project = acting.users.known[acting.token("alpha")].project_id
    acting.region().compute.quotas[project] = {"instances": 0}
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert (answer.status, answer.error["code"]) == (403, "region-refused")
    assert (
        "region 'north' refused to create the server: Quota exceeded for instances" in answer.error["detail"]
    )
    assert "req-" in answer.error["detail"]


async def test_a_conflict_stays_a_conflict(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    answer = await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/confirm-resize")
    assert (answer.status, answer.error["code"]) == (409, "region-refused")
    assert "while it is in vm_state active" in answer.error["detail"]


async def test_another_projects_server_is_not_there(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    path = f"{SERVERS}/north/{made.json['id']}"
    foreign = [await acting.call("POST", f"{path}/stop", user="beta")]
    foreign.append(await acting.call("DELETE", path, user="beta"))
    assert [(each.status, each.error["code"]) for each in foreign] == [(404, "region-refused")] * 2
    assert acting.region().compute.servers[made.json["id"]].status == "ACTIVE"
    assert acting.token("alpha") not in "".join(each.text for each in foreign)
    assert (await acting.call("GET", SERVERS, user="beta")).json["items"] == []


async def test_an_operator_may_what_nova_lets_it(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    answer = await acting.call("POST", f"{SERVERS}/north/{made.json['id']}/stop", user="admin")
    assert answer.status == 202
    assert answer.json["item"]["project_name"] == "alpha"


@pytest.mark.parametrize(
    "hostile",
    [
        "..",
        ".",
        "%2e%2e",
        "..%2fservers",
        "a%2fb",
        "%252f",
        "a%3fb",
        "a%23b",
        "a%00b",
        "a%0d%0aX-Y:%20z",
        "a" * 65,
    ],
)
async def test_a_hostile_id_changes_no_path(acting: Acting, hostile: str) -> None:
    before = acting.cloud.simulator.calls.of("north").calls.total()
    for method, path in (
        ("POST", f"{SERVERS}/north/{hostile}/stop"),
        ("DELETE", f"{SERVERS}/north/{hostile}"),
    ):
        answer = await acting.call(method, path)
        assert answer.status in {400, 404, 405}, (path, answer.text)
    answer = await acting.call("POST", SERVERS, acting.new_server(image_id=hostile))
    assert answer.status == 400
    assert acting.cloud.simulator.calls.of("north").calls.total() == before


async def test_a_reader_may_not_act(acting: Acting) -> None:
    made = await acting.call("POST", SERVERS, acting.new_server())
    reader = acting.token("alpha", "reader")
    for method, path, body in (
        ("POST", f"{SERVERS}/north/{made.json['id']}/stop", None),
        ("DELETE", f"{SERVERS}/north/{made.json['id']}", None),
        ("POST", SERVERS, acting.new_server()),
        ("POST", "/v1/inventory/volumes", {"region": "north", "name": "v", "size": 1}),
    ):
        answer = await acting.service.call(method, path, reader, body)
        assert (answer.status, answer.error["code"]) == (403, "forbidden"), path
    assert acting.region().compute.servers[made.json["id"]].status == "ACTIVE"


async def test_a_region_with_its_own_keystone_gets_the_line_to_paste(acting: Acting) -> None:
    async with acting.service.store.database.write() as connection:
        await acting.service.store.insert(
            connection, Region("own", "west-1", "sim-admin", identity=Identity.OWN)
        )
    answer = await acting.call("POST", f"{SERVERS}/own/a1b2/reboot", {"type": "hard"})
    error = answer.json["errors"][0]
    line = "openstack --os-cloud YOUR-ENTRY-FOR-own --os-region-name west-1 server reboot --hard a1b2"
    assert (answer.status, error["code"], error["hint"]) == (409, "region-own-keystone", line)
    assert line in error["detail"]
    created = await acting.call("POST", SERVERS, acting.new_server(region="own", name="it's; rm -rf /"))
    hint = created.json["errors"][0]["hint"]
    assert hint.endswith(""" 'it'"'"'s; rm -rf /'""")  # a name is one word of the shell, whatever is in it
    offers = await acting.call("GET", "/v1/inventory/offers/own")
    assert (offers.status, offers.json["errors"][0]["code"]) == (409, "region-own-keystone")


async def test_what_multisite_does_not_do_is_told_with_the_line_that_does(acting: Acting) -> None:
    answer = await acting.call("POST", f"{SERVERS}/north/a1b2/shelve")
    error = answer.json["errors"][0]
    assert (answer.status, error["code"]) == (404, "not-offered")
    assert error["hint"] == "openstack --os-region-name north server shelve a1b2"
    network = await acting.call("POST", "/v1/inventory/networks/north/a1b2/delete")
    assert network.json["errors"][0]["hint"] == "openstack --os-region-name north network delete a1b2"
    nonsense = await acting.call("POST", f"{SERVERS}/north/a1b2/explode")
    assert (nonsense.status, nonsense.error["code"]) == (404, "not-found")


async def test_a_disabled_region_is_left_alone(acting: Acting) -> None:
    (view,) = ((await acting.call("GET", "/v1/regions/south", user="admin")).json["generation"],)
    await acting.call("PATCH", "/v1/regions/south", {"generation": view, "enabled": False}, user="admin")
    answer = await acting.call("POST", SERVERS, acting.new_server(region="south"))
    assert (answer.status, answer.error["code"]) == (409, "region-disabled")


async def test_a_token_that_the_region_does_not_take_is_no_401_of_ours(acting: Acting) -> None:
    acting.cloud.set("expire", region="north", service="compute")
    answer = await acting.call("POST", SERVERS, acting.new_server())
    assert (answer.status, answer.error["code"]) == (403, "region-refused")
    assert "does not accept your token" in answer.error["detail"]


async def test_bodies_are_looked_at_before_a_region_is(acting: Acting) -> None:
    for body, word in (
        (acting.new_server(flavour="x"), "flavour"),
        (acting.new_server(network_ids=[]), "network_ids"),
        (acting.new_server(volume_size="12"), "volume_size"),
        ({"region": "north", "name": "web"}, "image_id"),
    ):
        answer = await acting.call("POST", SERVERS, body)
        assert (answer.status, answer.error["code"]) == (400, "bad-request")
        assert word in answer.error["detail"]
    unknown = await acting.call("POST", SERVERS, acting.new_server(region="atlantis"))
    assert unknown.status == 404
    volume = await acting.call("POST", "/v1/inventory/volumes", {"region": "north", "name": "v"})
    assert "size" in volume.error["detail"]
    assert await acting.audited() == []


async def test_a_region_without_the_service_is_told_as_such(acting: Acting) -> None:
    region = Region("bare", "not-in-the-catalog", "sim-admin")
    async with acting.service.store.database.write() as connection:
        await acting.service.store.insert(connection, region)
    answer = await acting.call("POST", SERVERS, acting.new_server(region="bare"))
    assert (answer.status, answer.error["code"]) == (409, "region-lacks-service")
    offers = (await acting.call("GET", "/v1/inventory/offers/bare")).json
    assert offers["flavors"] == []
