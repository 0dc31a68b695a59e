"""Servers in regions, as the user: from the API to the simulated Nova and back into the listing."""

from typing import Any

import pytest

from tests.integration.actions.conftest import Acting


async def made_server(acting: Acting, **fields: Any) -> str:
    answer = await acting.call("POST", "/v1/inventory/servers", acting.new_server(**fields))
    assert answer.status == 202, answer.text
    return str(answer.json["id"])


async def test_a_server_is_stopped_as_the_user_and_the_listing_shows_it(acting: Acting) -> None:
    server_id = await made_server(acting)
    stopped = await acting.call("POST", f"/v1/inventory/servers/north/{server_id}/stop")
    assert stopped.status == 202, stopped.text
    assert acting.region().compute.servers[server_id].status == "SHUTOFF"
    assert stopped.json["item"]["status"] == "SHUTOFF"
    assert stopped.json["region_request_id"].startswith("req-")
    assert stopped.json["request_id"] == stopped.headers["x-openstack-request-id"]
    (row,) = (await acting.call("GET", "/v1/inventory/servers")).json["items"]
    assert (row["id"], row["status"], row["project_name"]) == (server_id, "SHUTOFF", "alpha")


async def test_a_server_is_what_was_asked_for_and_belongs_to_the_user(acting: Acting) -> None:
    keypair = {"name": "workstation"}
    wanted = acting.new_server(availability_zone="nova", key_name=keypair["name"])
    answer = await acting.call("POST", "/v1/inventory/servers", wanted)
    server = acting.region().compute.servers.get(answer.json.get("id")) if answer.status == 202 else None
    assert server is not None, answer.text
    requester = acting.users.known[acting.token("alpha")]
    assert (server.project_id, server.user_id) == (requester.project_id, requester.user_id)
    assert (server.image_id, server.flavor.id) == (wanted["image_id"], wanted["flavor_id"])
    assert (server.key_name, server.host.zone) == ("workstation", "nova")
    (port,) = acting.region().network.ports_of(server.id)
    assert port.network_id == wanted["network_ids"][0]
    assert set(server.metadata) == {"multisite-key"}
    assert answer.json["item"]["attributes"]["flavor"] == "m1.tiny"


@pytest.mark.parametrize("name", [" web", "web ", "   "])
async def test_a_name_that_nova_refuses_is_not_sent(acting: Acting, name: str) -> None:
    answer = await acting.call("POST", "/v1/inventory/servers", acting.new_server(name=name))
    assert answer.status == 400
    assert "name: it begins or ends with white space" in answer.error["detail"]
    assert not acting.servers(name)


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("reboot", {"type": "hard"}, "ACTIVE"),
        ("reboot", {}, "ACTIVE"),
        ("reboot", None, "ACTIVE"),
        ("stop", None, "SHUTOFF"),
    ],
)
async def test_actions_of_a_running_server(acting: Acting, action: str, body: object, status: str) -> None:
    server_id = await made_server(acting)
    answer = await acting.call("POST", f"/v1/inventory/servers/north/{server_id}/{action}", body)
    assert (answer.status, answer.json["item"]["status"]) == (202, status)
    assert answer.json["action"] == f"server:{action}"


async def test_a_server_is_resized_confirmed_resized_and_reverted(acting: Acting) -> None:
    server_id = await made_server(acting)
    flavors = {each.name: each.id for each in acting.region().compute.flavors.values()}
    path = f"/v1/inventory/servers/north/{server_id}"
    seen = []
    for action, body in (
        ("resize", {"flavor_id": flavors["m1.small"]}),
        ("confirm-resize", None),
        ("resize", {"flavor_id": flavors["m1.medium"]}),
        ("revert-resize", None),
    ):
        answer = await acting.call("POST", f"{path}/{action}", body)
        assert answer.status == 202, answer.text
        seen.append((answer.json["item"]["status"], answer.json["item"]["attributes"]["flavor"]))
    assert seen == [
        ("VERIFY_RESIZE", "m1.small"),
        ("ACTIVE", "m1.small"),
        ("VERIFY_RESIZE", "m1.medium"),
        ("ACTIVE", "m1.small"),
    ]


async def test_a_deleted_server_leaves_the_listing_at_once(acting: Acting) -> None:
    server_id = await made_server(acting)
    answer = await acting.call("DELETE", f"/v1/inventory/servers/north/{server_id}")
    assert (answer.status, answer.json["item"]) == (202, None)
    assert server_id not in acting.region().compute.servers
    assert (await acting.call("GET", "/v1/inventory/servers")).json["items"] == []


async def test_what_operators_see_of_an_item_outlives_its_owners_action(acting: Acting) -> None:
    server_id = await made_server(acting)
    shown = await acting.call("GET", f"/v1/inventory/servers/north/{server_id}?fresh=true", user="admin")
    host = shown.json["attributes"]["host"]
    assert host
    await acting.call("POST", f"/v1/inventory/servers/north/{server_id}/stop")
    path = f"/v1/inventory/servers/north/{server_id}"
    shown = await acting.call("GET", path, user="admin")
    assert (shown.json["attributes"]["host"], shown.json["status"]) == (host, "SHUTOFF")
    refreshed = await acting.call("GET", f"{path}?fresh=true", user="admin")
    assert refreshed.json["attributes"] == shown.json["attributes"]


async def test_every_action_is_in_the_audit_with_its_outcome(acting: Acting) -> None:
    server_id = await made_server(acting)
    await acting.call("POST", f"/v1/inventory/servers/north/{server_id}/start")  # it runs: refused
    created, refused = await acting.audited()
    assert (created["action"], created["target"]) == ("server:create", "north/servers/web")
    assert created["user_name"] == "alpha"
    assert created["before"]["flavor_id"]
    assert created["after"]["outcome"] == "done"
    assert created["after"]["id"] == server_id
    assert created["after"]["region_request_id"].startswith("req-")
    assert (refused["action"], refused["after"]["outcome"]) == ("server:start", "region-refused")
    assert refused["request_id"].startswith("req-")


async def test_a_server_boots_from_a_volume_where_a_size_is_given(acting: Acting) -> None:
    server_id = await made_server(acting, volume_size=12)
    assert acting.region().compute.servers[server_id].image_id == ""  # it is in the block device mapping
