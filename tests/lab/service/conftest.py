"""multisite over the real regions: one service for all tests of a run, with short intervals."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import openstack
import pytest
import requests

from demo.cloud import Cloud as Regions
from demo.service import Service
from lab.running import RunningLab
from lab.twin import Twin

T = TypeVar("T")

#: Short, so that tests need not wait for minutes; deadlines stay far above what a busy machine needs.
FAST: dict[str, dict[str, object]] = {
    "sweep": {"interval": 5, "health_interval": 3, "image_interval": 5, "jitter": 0, "fresh_deadline": 10},
    "regions": {"call_deadline": 5, "connect_deadline": 2},
    "usage": {"interval": 5},
    "inventory": {"interval": 5},
    "keystone_authtoken": {"token_cache_time": 5},
    "quotas": {"interval": 3600, "settle": 5, "ask_interval": 1},
}
#: The twin answers at once, so that nothing speaks against reading it more often still.
FASTER: dict[str, dict[str, object]] = FAST | {
    "sweep": FAST["sweep"] | {"interval": 2, "health_interval": 2, "image_interval": 2},
    "usage": {"interval": 2},
    "inventory": {"interval": 2},
}


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(get: Callable[[], T], wanted: Callable[[T], bool], seconds: float = 60) -> T:
    """The first value that is as wanted; fails with the last one seen."""
    deadline = time.monotonic() + seconds
    while True:
        value = get()
        if wanted(value):
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds:g} s still: {json.dumps(value, default=str)[:2000]}")
        time.sleep(0.5)


class Api:
    """The API as one user; `get` fails on anything but 200."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token

    def request(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {"X-Auth-Token": self.token}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **arguments)

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.request("GET", path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()


class Cloud:
    """The lab's regions and multisite over them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.clouds_file = service.cloud.clouds_file
        self.regions = list(service.cloud.regions)

    def connection(self, entry: str) -> openstack.connection.Connection:
        """A real connection with an entry of the lab's clouds.yaml."""
        config = openstack.config.OpenStackConfig(config_files=[str(self.clouds_file)], load_envvars=False)
        return openstack.connection.Connection(config=config.get_one(cloud=entry))

    def token(self, entry: str) -> str:
        """A new token."""
        return str(self.connection(entry).authorize())

    def api(self, entry: str) -> Api:
        """The API as the user of an entry."""
        return Api(self.service.url, self.token(entry))

    def openstack(self, entry: str, *words: str) -> Any:
        """What the real `openstack` prints as JSON."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "openstack"), "--os-cloud", entry, *words, "--format", "json"],
            env={
                "OS_CLIENT_CONFIG_FILE": str(self.clouds_file),
                "PATH": "/usr/bin:/bin",
                "HOME": "/nonexistent",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


def intervals(lab: RunningLab | Twin) -> dict[str, dict[str, object]]:
    """The settings of a service over these regions."""
    return FASTER if isinstance(lab, Twin) else FAST


def new_service(regions: Regions, folder: Path, settings: dict[str, dict[str, object]]) -> Service:
    """A prepared service of its own, not yet started."""
    service = Service(regions, folder, port=free_port(), metrics_port=free_port(), settings=settings)
    service.prepare()
    return service


@pytest.fixture(scope="session")
def cloud(lab: RunningLab | Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("multisite")
    service = new_service(lab.cloud, folder, intervals(lab))
    service.start()
    try:
        service.cloud.discover()
        cloud = Cloud(service)
        api = cloud.api(f"{cloud.regions[0]}-admin")
        eventually(lambda: api.get("/v1/capacity"), all_fresh)
        yield cloud
    finally:
        service.stop()
        shutil.copy(service.log, _logs(lab) / "multisite-tests.log")


def _logs(lab: RunningLab | Twin) -> Path:
    lab.lab.logs.mkdir(parents=True, exist_ok=True)
    return lab.lab.logs


@pytest.fixture
def admin(cloud: Cloud) -> Api:
    return cloud.api(f"{cloud.regions[0]}-admin")


@pytest.fixture
def fresh(cloud: Cloud, admin: Api) -> Cloud:
    """The cloud, once every region is fresh again after what the test before did to it."""
    eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)
    return cloud


def all_fresh(capacity: Any) -> bool:
    """Whether every region is fresh and has been read."""
    return bool(capacity["regions"]) and all(region["state"] == "fresh" for region in capacity["regions"])
