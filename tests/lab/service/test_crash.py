"""What must be seen, 4: kill -9 loses nothing, and what cannot start says why in one sentence."""

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from demo.service import Service
from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually, new_service

pytestmark = pytest.mark.lab


@pytest.fixture
def service(cloud: Cloud, tmp_path: Path) -> Service:
    """A prepared service of its own; the catalog keeps the endpoint of the shared one."""
    own = new_service(cloud.service.cloud, tmp_path, cloud.service.settings)
    cloud.service.run("service", "register", "--credential", "RegionOne-admin", "--url", cloud.service.url)
    return own


def refusal(service: Service) -> str:
    """What `serve` says when it cannot start: one line, and a non-zero exit."""
    done = subprocess.run(
        [sys.executable, "-m", "multisite", "serve", "--config-file", str(service.configuration)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if line.startswith("multisite:")]
    assert len(said) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return said[0]


def test_kill_9_during_sweeps_corrupts_nothing_and_the_figures_are_there_at_once(
    fresh: Cloud, service: Service
) -> None:
    service.start()
    api = Api(service.url, fresh.token("RegionOne-admin"))
    answer = api.request("POST", "/v1/regions/discover", json={"credential": "RegionOne-admin"})
    assert answer.status_code == 200, answer.text
    eventually(lambda: api.get("/v1/capacity"), all_fresh)
    for pause in (0.3, 1.1, 2.3):
        time.sleep(pause)  # somewhere in a sweep, at a different place each time
        service.stop(signal.SIGKILL)
        with sqlite3.connect(service.folder / "multisite.sqlite") as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        service.start()
        capacity = api.get("/v1/capacity")
        assert [region["region"] for region in capacity["regions"]] == sorted(fresh.regions)
        assert all(region["placement"] for region in capacity["regions"]), "the figures of before the crash"
    capacity = eventually(lambda: api.get("/v1/capacity"), all_fresh, seconds=90)
    assert capacity["totals"]["placement"]["providers"] == 4
    assert service.stop() == -signal.SIGTERM  # uvicorn ends tidily, then as the signal asks


def test_a_second_process_on_the_same_file_is_one_sentence(service: Service) -> None:
    service.start()
    try:
        assert "SQLite serves one process" in refusal(service)
    finally:
        service.stop()


def test_a_corrupt_database_is_one_sentence(service: Service) -> None:
    (service.folder / "multisite.sqlite").write_bytes(b"this is no database" * 500)
    assert "multisite.sqlite" in refusal(service)


def test_a_database_that_cannot_be_opened_is_one_sentence(service: Service) -> None:
    database = service.folder / "multisite.sqlite"
    database.unlink()
    assert "multisite db upgrade" in refusal(service)
    database.mkdir()
    assert str(database) in refusal(service)


def test_a_taken_port_is_one_sentence(service: Service) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.port))
        taken.listen()
        assert f"127.0.0.1:{service.port}" in refusal(service)


def test_an_unreachable_keystone_is_a_degraded_start(service: Service) -> None:
    text = service.configuration.read_text()
    auth_url = service.cloud.auth_url
    service.configuration.write_text(text.replace(auth_url, f"http://127.0.0.1:{free()}/v3"))
    service.start()
    try:
        health = Api(service.url, "").request("GET", "/healthcheck")
        assert (health.status_code, health.json()["keystone"]) == (200, "unavailable")
        answer = Api(service.url, "token").request("GET", "/v1/regions")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "keystone-unavailable")
    finally:
        assert service.stop() == -signal.SIGTERM  # uvicorn ends tidily, then as the signal asks


def test_a_missing_or_wrong_entry_of_clouds_yaml_is_one_sentence_and_spoils_only_its_region(
    fresh: Cloud, service: Service
) -> None:
    known = service.cloud.clouds_file.read_text()
    own = service.configuration.parent / "clouds-of-this-test.yaml"
    entries = yaml.safe_load(known)
    entries["clouds"]["passing-entry"] = entries["clouds"]["RegionOne-admin"]
    own.write_text(yaml.safe_dump(entries))
    text = service.configuration.read_text()
    service.configuration.write_text(text.replace(str(service.cloud.clouds_file), str(own)))
    service.start()
    try:
        api = Api(service.url, fresh.token("RegionOne-admin"))
        answer = api.request("POST", "/v1/regions/discover", json={"credential": "no-such-entry"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "credential-unusable")
        assert "no-such-entry" in answer.json()["errors"][0]["detail"]
        refused = api.request("POST", "/v1/regions", json={"name": "x", "credential": "no-such-entry"})
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "bad-request")
        assert "no-such-entry" in refused.json()["errors"][0]["detail"]
        for region, credential in (("RegionOne", "passing-entry"), ("RegionTwo", "RegionTwo-admin")):
            created = api.request("POST", "/v1/regions", json={"name": region, "credential": credential})
            assert created.status_code == 201, created.text
        own.write_text(known)
        capacity = eventually(
            lambda: api.get("/v1/capacity"),
            lambda answer: [region["state"] for region in answer["regions"]] == ["unreachable", "fresh"],
        )
        codes = {item["error"]["code"] for item in capacity["regions"][0]["services"].values()}
        assert codes == {"credential-unusable"}
        test = api.request("POST", "/v1/regions/RegionOne/test").json()
        assert test["ok"] is False
        assert "passing-entry" in test["summary"]
    finally:
        service.stop()


def test_a_credential_that_lacks_a_role_is_said_in_one_line(fresh: Cloud, service: Service) -> None:
    service.start()
    try:
        api = Api(service.url, fresh.token("RegionOne-admin"))
        api.request("POST", "/v1/regions", json={"name": "RegionTwo", "credential": "RegionTwo-alpha"})
        test = api.request("POST", "/v1/regions/RegionTwo/test").json()
        assert test["ok"] is False
        assert "\n" not in test["summary"]
        assert "placement" in test["summary"]
        assert "compute" in test["summary"]
    finally:
        service.stop()


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
