"""Volumes and floating IPs in regions, as the user."""

from typing import Any

import pytest

from tests.integration.actions.conftest import Acting

VOLUMES, FLOATING = "/v1/inventory/volumes", "/v1/inventory/floating-ips"


async def new_volume(acting: Acting, **fields: Any) -> dict[str, Any]:
    body = {"region": "north", "name": "data", "size": 3} | fields
    answer = await acting.call("POST", VOLUMES, body)
    assert answer.status == 202, answer.text
    return dict(answer.json)


async def new_server(acting: Acting) -> str:
    answer = await acting.call("POST", "/v1/inventory/servers", acting.new_server())
    return str(answer.json["id"])


async def test_a_volume_is_made_attached_detached_and_deleted(acting: Acting) -> None:
    server_id = await new_server(acting)
    made = await new_volume(acting)
    assert (made["item"]["status"], made["item"]["attributes"]["size"]) == ("available", 3)
    path = f"{VOLUMES}/north/{made['id']}"
    seen = []
    for action, body in (("attach", {"server_id": server_id}), ("detach", {})):
        answer = await acting.call("POST", f"{path}/{action}", body)
        assert answer.status == 202, answer.text
        seen.append((answer.json["item"]["status"], len(answer.json["item"]["attributes"]["attachments"])))
    assert seen == [("in-use", 1), ("available", 0)]
    gone = await acting.call("DELETE", path)
    assert gone.status == 202, gone.text
    assert made["id"] not in acting.region().volume.volumes


async def test_a_volume_is_made_of_a_volume_and_of_an_image(acting: Acting) -> None:
    source = await new_volume(acting)
    copy = await acting.call(
        "POST", VOLUMES, {"region": "north", "name": "copy", "source_volume_id": source["id"]}
    )
    assert copy.json["item"]["attributes"]["source_volid"] == source["id"]
    image_id = acting.new_server()["image_id"]
    await new_volume(acting, name="root", image_id=image_id)
    both = {"image_id": image_id, "source_volume_id": source["id"], "size": 3}
    refused = await acting.call("POST", VOLUMES, {"region": "north", "name": "x"} | both)
    assert refused.status == 400


async def test_a_volume_that_no_server_has_cannot_be_detached(acting: Acting) -> None:
    made = await new_volume(acting)
    answer = await acting.call("POST", f"{VOLUMES}/north/{made['id']}/detach", {})
    assert (answer.status, answer.error["code"]) == (409, "conflict")
    assert "no server has it" in answer.error["detail"]


async def test_a_volume_over_quota_is_413_as_in_cinder(acting: Acting) -> None:
    project = acting.users.known[acting.token("alpha")].project_id
    acting.region().volume.quotas[project] = {"volumes": 0}
    answer = await acting.call("POST", VOLUMES, {"region": "north", "name": "data", "size": 3})
    assert (answer.status, answer.error["code"]) == (413, "region-refused")
    assert "quota" in answer.error["detail"].lower()


async def test_another_projects_volume_is_not_there(acting: Acting) -> None:
    made = await new_volume(acting)
    server = await acting.call("POST", "/v1/inventory/servers", acting.new_server("beta"), user="beta")
    path = f"{VOLUMES}/north/{made['id']}"
    for method, url, body in (
        ("DELETE", path, None),
        ("POST", f"{path}/attach", {"server_id": server.json["id"]}),
        ("POST", f"{path}/detach", {}),
    ):
        answer = await acting.call(method, url, body, user="beta")
        assert answer.status in {400, 404}, (url, answer.text)
        assert answer.error["code"] == "region-refused"
    assert acting.region().volume.volumes[made["id"]].status == "available"


# -- floating IPs ----------------------------------------------------------------------------------------


async def new_floating_ip(acting: Acting) -> dict[str, Any]:
    network = next(each for each in acting.region().network.visible_networks("") if each.external)
    answer = await acting.call("POST", FLOATING, {"region": "north", "network_id": network.id})
    assert answer.status == 202, answer.text
    return dict(answer.json)


async def test_a_floating_ip_leads_to_a_server_and_away_again(acting: Acting) -> None:
    server_id = await new_server(acting)
    made = await new_floating_ip(acting)
    path = f"{FLOATING}/north/{made['id']}"
    answer = await acting.call("POST", f"{path}/associate", {"server_id": server_id})
    assert answer.status == 202, answer.text
    (port,) = acting.region().network.ports_of(server_id)
    assert answer.json["item"]["attributes"]["port_id"] == port.id
    assert answer.json["item"]["name"] == made["item"]["name"]
    answer = await acting.call("POST", f"{path}/disassociate")
    assert answer.json["item"]["attributes"]["port_id"] is None
    assert (await acting.call("DELETE", path)).json["item"] is None
    assert (await acting.call("GET", FLOATING)).json["items"] == []


async def test_a_floating_ip_is_not_taken_from_the_server_that_has_it(acting: Acting) -> None:
    first, second = await new_server(acting), await new_server(acting)
    made = await new_floating_ip(acting)
    path = f"{FLOATING}/north/{made['id']}"
    await acting.call("POST", f"{path}/associate", {"server_id": first})
    answer = await acting.call("POST", f"{path}/associate", {"server_id": second})
    (port,) = acting.region().network.ports_of(first)
    assert (answer.status, answer.error["code"]) == (409, "conflict")
    assert port.id in answer.error["detail"]
    shown = await acting.call("GET", f"{FLOATING}/north/{made['id']}")
    assert shown.json["attributes"]["port_id"] == port.id
    again = await acting.call("POST", f"{path}/associate", {"server_id": first})
    assert again.status == 202, again.text


async def test_a_server_with_two_ports_wants_to_know_which(acting: Acting) -> None:
    wanted = acting.new_server()
    wanted["network_ids"] *= 2
    server = await acting.call("POST", "/v1/inventory/servers", wanted)
    made = await new_floating_ip(acting)
    path = f"{FLOATING}/north/{made['id']}/associate"
    answer = await acting.call("POST", path, {"server_id": server.json["id"]})
    ports = acting.region().network.ports_of(server.json["id"])
    assert (answer.status, answer.error["code"]) == (409, "conflict")
    assert all(port.id in answer.error["detail"] for port in ports)
    assert (await acting.call("POST", path, {"port_id": ports[1].id})).status == 202


@pytest.mark.parametrize("body", [{}, {"port_id": "a", "server_id": "b"}])
async def test_a_floating_ip_needs_one_end(acting: Acting, body: dict[str, str]) -> None:
    answer = await acting.call("POST", f"{FLOATING}/north/a/associate", body)
    assert (answer.status, "one of them" in answer.error["detail"]) == (400, True)


async def test_floating_ips_take_no_key(acting: Acting) -> None:
    body = {"region": "north", "network_id": "a1"}
    answer = await acting.call("POST", FLOATING, body, headers={"Idempotency-Key": "k"})
    assert answer.status == 400, answer.text
