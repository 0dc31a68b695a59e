"""Servers in regions, as the user: from the API to the simulated Nova and back into the listing."""

from tests.integration.actions.conftest import Acting


async def test_a_server_is_stopped_as_the_user_and_the_listing_shows_it(acting: Acting) -> None:
    made = await acting.call("POST", "/v1/inventory/servers", acting.new_server())
    assert made.status == 202, made.text
    server_id = made.json["id"]
    stopped = await acting.call("POST", f"/v1/inventory/servers/north/{server_id}/stop")
    assert stopped.status == 202, stopped.text
    assert acting.region().compute.servers[server_id].status == "SHUTOFF"
    assert stopped.json["item"]["status"] == "SHUTOFF"
    assert stopped.json["region_request_id"].startswith("req-")
    assert stopped.json["request_id"] == stopped.headers["x-openstack-request-id"]
    (row,) = (await acting.call("GET", "/v1/inventory/servers")).json["items"]
    assert (row["id"], row["status"], row["project_name"]) == (server_id, "SHUTOFF", "alpha")
