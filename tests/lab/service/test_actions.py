"""What must be seen of actions: done as the user in every region, told as it was, gone again at the end.

Everything is made as the user beta under names that begin with `act-`, by the real command.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keystoneauth1.exceptions
import openstack
import pytest
import requests

from tests.lab.service.conftest import Api, Cloud, eventually

pytestmark = pytest.mark.lab
REGION = "RegionTwo"
BETA = f"{REGION}-beta"


@pytest.fixture
def beta(fresh: Cloud) -> Iterator[Api]:
    """The API as beta; whatever a test leaves is taken away by the regions' own APIs."""
    yield fresh.api(BETA)
    clear(fresh.connection(BETA))


def clear(connection: openstack.connection.Connection) -> None:
    for server in connection.compute.servers():
        if server.name.startswith("act-"):
            connection.compute.delete_server(server)
            connection.compute.wait_for_delete(server, wait=60)
    for volume in connection.block_storage.volumes():
        if volume.name.startswith("act-"):
            connection.block_storage.delete_volume(volume)
            connection.block_storage.wait_for_delete(volume, wait=60)


def name() -> str:
    return f"act-{time.time_ns()}"


def command(cloud: Cloud, *words: str, fails: bool = False) -> str:
    """What `openstack multisite …` says on stdout, or on stderr where it has to fail."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "openstack"), "--os-cloud", BETA, "multisite", *words],
        env={
            "OS_CLIENT_CONFIG_FILE": str(cloud.clouds_file),
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) is fails, done.stderr
    return done.stderr if fails else done.stdout


def create(cloud: Cloud, called: str, *more: str) -> str:
    words = ("--image", "lab-linux", "--flavor", "m1.tiny", "--network", "beta-net")
    told = command(
        cloud,
        "server",
        "create",
        "--region",
        REGION,
        *words,
        *more,
        "--wait",
        called,
        "-f",
        "value",
        "-c",
        "id",
    )
    return told.strip()


def status(cloud: Cloud, server_id: str) -> str:
    """What Nova itself says."""
    return str(cloud.connection(BETA).compute.get_server(server_id).status)


def wait_for(cloud: Cloud, server_id: str, wanted: str) -> None:
    eventually(lambda: status(cloud, server_id), lambda found: found == wanted)


def test_a_server_lives_and_dies_by_the_command(fresh: Cloud, beta: Api) -> None:
    called = name()
    server_id = create(fresh, called)
    server = fresh.connection(BETA).compute.get_server(server_id)
    assert (server.status, server.name) == ("ACTIVE", called)
    assert server.project_id == fresh.connection(BETA).current_project_id
    assert server.user_id == fresh.connection(BETA).current_user_id
    (row,) = beta.get("/v1/inventory/servers", name=called)["items"]
    assert row["id"] == server_id
    for words, wanted in (
        (("stop",), "SHUTOFF"),
        (("start",), "ACTIVE"),
        (("reboot", "--hard"), "ACTIVE"),
        (("resize", "--flavor", "m1.small"), "VERIFY_RESIZE"),
        (("resize", "revert"), "ACTIVE"),
        (("resize", "--flavor", "m1.small"), "VERIFY_RESIZE"),
        (("resize", "confirm"), "ACTIVE"),
    ):
        assert command(fresh, "server", *words, "--wait", called) == ""
        assert status(fresh, server_id) == wanted, words
    assert fresh.connection(BETA).compute.get_server(server_id).flavor["original_name"] == "m1.small"
    command(fresh, "server", "delete", "--wait", called)
    assert fresh.connection(BETA).compute.find_server(server_id) is None
    assert beta.get("/v1/inventory/servers", name=called)["items"] == []


def test_a_volume_and_a_floating_ip_come_and_go(fresh: Cloud, beta: Api) -> None:
    server, volume = name(), name()
    server_id = create(fresh, server)
    command(fresh, "volume", "create", "--region", REGION, "--size", "1", "--wait", volume)
    command(fresh, "volume", "attach", "--server", server, "--wait", volume)
    connection = fresh.connection(BETA)
    found = connection.block_storage.find_volume(volume)
    assert [each["server_id"] for each in found.attachments] == [server_id]
    command(fresh, "volume", "detach", "--wait", volume)
    command(fresh, "volume", "delete", "--wait", volume)
    assert connection.block_storage.find_volume(volume) is None
    address = floating_ip(fresh)
    try:
        command(fresh, "floating", "ip", "associate", "--server", server, address)
        eventually(  # Neutron tells Nova a moment later
            lambda: str(connection.compute.get_server(server_id).addresses),
            lambda addresses: address in addresses,
        )
        (row,) = beta.get("/v1/inventory/servers", name=server, fresh="true")["items"]
        assert address in row["addresses"]
        command(fresh, "floating", "ip", "disassociate", address)
        assert next(connection.network.ips(floating_ip_address=address)).port_id is None
    finally:
        command(fresh, "floating", "ip", "delete", address)
    assert list(connection.network.ips(floating_ip_address=address)) == []


def floating_ip(cloud: Cloud) -> str:
    external = next(cloud.connection(BETA).network.networks(**{"router:external": True})).name
    words = ("create", "--region", REGION, external, "-f", "value", "-c", "name")
    return command(cloud, "floating", "ip", *words).strip()


def offered(beta: Api, kind: str, called: str) -> str:
    """The id of what a region offers; one that was away a moment ago is left alone for a while."""
    found = eventually(
        lambda: [each for each in beta.get(f"/v1/inventory/offers/{REGION}")[kind] if each["name"] == called],
        bool,
    )
    (only,) = found
    return str(only["id"])


def body(beta: Api, called: str) -> dict[str, Any]:
    return {
        "region": REGION,
        "name": called,
        "image_id": offered(beta, "images", "lab-linux"),
        "flavor_id": offered(beta, "flavors", "m1.tiny"),
        "network_ids": [offered(beta, "networks", "beta-net")],
    }


def test_the_same_key_makes_one_server(fresh: Cloud, beta: Api) -> None:
    called, headers = name(), {"X-Auth-Token": beta.token, "Idempotency-Key": "act-key"}
    wanted = body(beta, called)
    answers = [post(fresh, headers, wanted) for _ in range(2)]
    assert [each["repeated"] for each in answers] == [False, True]
    assert answers[0]["id"] == answers[1]["id"]
    assert len(list(fresh.connection(BETA).compute.servers(name=f"^{called}$"))) == 1


def post(cloud: Cloud, headers: dict[str, str], wanted: dict[str, Any]) -> Any:
    answer = requests.post(
        f"{cloud.service.url}/v1/inventory/servers", headers=headers, json=wanted, timeout=60
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_a_server_boots_from_a_volume(fresh: Cloud, beta: Api) -> None:
    called = name()
    answer = beta.request("POST", "/v1/inventory/servers", json=body(beta, called) | {"volume_size": 1})
    assert answer.status_code == 202, answer.text
    server_id = answer.json()["id"]
    wait_for(fresh, server_id, "ACTIVE")
    beta.request("DELETE", f"/v1/inventory/servers/{REGION}/{server_id}")
    eventually(
        lambda: beta.request("GET", f"/v1/inventory/servers/{REGION}/{server_id}?fresh=true").status_code,
        lambda code: code == 404,
    )
    for volume in fresh.connection(BETA).block_storage.volumes():
        if not volume.name and not volume.attachments:
            fresh.connection(BETA).block_storage.delete_volume(volume)


def test_a_quota_is_told_in_the_regions_words(fresh: Cloud, beta: Api) -> None:
    admin = fresh.connection(f"{REGION}-admin")
    project = fresh.connection(BETA).current_project_id
    used = admin.compute.get_quota_set(project, usage=True).usage["instances"]
    admin.compute.update_quota_set(project, instances=used)
    try:
        answer = beta.request("POST", "/v1/inventory/servers", json=body(beta, name()))
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["code"]) == (403, "region-refused"), answer.text
        assert "Quota exceeded for instances" in error["detail"]
        flavors = beta.get(f"/v1/inventory/offers/{REGION}")["flavors"]
        assert all(isinstance(each["fits"], int) for each in flavors)
    finally:
        admin.compute.revert_quota_set(project)


def test_another_projects_items_are_not_there(fresh: Cloud, beta: Api) -> None:
    alpha = fresh.connection(f"{REGION}-alpha")
    server = next(alpha.compute.servers(name="^alpha-"))
    for method, path in (
        ("POST", f"servers/{REGION}/{server.id}/stop"),
        ("DELETE", f"servers/{REGION}/{server.id}"),
        ("DELETE", f"volumes/{REGION}/{next(alpha.block_storage.volumes()).id}"),
    ):
        answer = beta.request(method, f"/v1/inventory/{path}")
        error = answer.json()["errors"][0]
        assert (answer.status_code, error["code"]) == (404, "region-refused"), answer.text
    assert alpha.compute.get_server(server.id).status == server.status


def test_a_region_that_is_down_is_told_and_nothing_is_doubled(fresh: Cloud, beta: Api, lab: Any) -> None:
    """The lab's port is closed, so nothing is sent; the twin cuts the connection, and does nothing."""
    wanted = body(beta, name())
    lab.stop(f"{REGION}:nova-api")
    try:
        answer = beta.request("POST", "/v1/inventory/servers", json=wanted)
    finally:
        lab.start(f"{REGION}:nova-api")
    told: tuple[int, str] = (answer.status_code, answer.json()["errors"][0]["code"])
    assert told in {(503, "region-unavailable"), (504, "region-answer-lost")}, answer.text
    made = eventually(lambda: servers_called(fresh, wanted["name"]), lambda found: found is not None)
    assert len(made or []) <= (told[0] == 504)


def servers_called(cloud: Cloud, called: str) -> list[Any] | None:
    """The servers of a name; `None` while Nova does not answer yet."""
    try:
        return list(cloud.connection(BETA).compute.servers(name=f"^{called}$"))
    except (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException):
        return None


def test_no_token_is_in_log_or_database(fresh: Cloud, beta: Api) -> None:
    create(fresh, name())
    assert beta.token not in fresh.service.log.read_text()
    for file in fresh.service.folder.glob("multisite.sqlite*"):
        assert beta.token.encode() not in file.read_bytes()
