"""Operations with the real command: begun, watched, cancelled, tried again, over regions that are away."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.service import Service
from tests.lab.service.conftest import Api, Cloud, eventually, new_service

pytestmark = pytest.mark.lab

ADMIN = "RegionOne-admin"
#: One part after the other, so that what waits behind a region that hangs can be cancelled.
ONE_BY_ONE: dict[str, dict[str, object]] = {"operations": {"at_once": 1, "beat": 0.5, "ttl": 2}}
NAMED = re.compile(r"^Operation ([0-9a-f-]{36}): ", re.MULTILINE)


@dataclass
class Outcome:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Work:
    """A service of its own, and the command."""

    cloud: Cloud
    service: Service
    api: Api

    def words(self, entry: str, *words: str) -> list[str]:
        openstack = str(Path(sys.executable).parent / "openstack")
        endpoint = ["--os-multisite-endpoint-override", self.service.url]
        return [openstack, "--os-cloud", entry, *endpoint, "multisite", *words]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "OS_CLIENT_CONFIG_FILE": str(self.cloud.clouds_file),
            "PATH": "/usr/bin:/bin",
            "HOME": "/nonexistent",
        }

    def run(self, *words: str, entry: str = ADMIN) -> Outcome:
        """Run the command to its end."""
        done = subprocess.run(
            self.words(entry, *words), env=self.environment, capture_output=True, text=True, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str, entry: str = ADMIN) -> subprocess.Popen[str]:
        """Start the command."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.words(entry, *words), env=self.environment, stdout=pipe, stderr=pipe, text=True
        )

    def show(self, operation: str) -> Any:
        """An operation with its parts by name."""
        found = self.run("operation", "show", operation, "-f", "json")
        assert found.status == 0, found.err
        return found.json | {"regions": {part["name"]: part for part in found.json["regions"]}}

    def states(self, operation: str) -> dict[str, str]:
        """The states of the parts; of the API, which is quicker than a part that fails."""
        shown = self.api.get(f"/v1/operations/{operation}")
        return {part["name"]: part["state"] for part in shown["regions"]}

    def test_all(self) -> str:
        """Begin to test all regions; the operation's id."""
        begun = self.run("region", "test", "--all", "-f", "json")
        assert begun.status == 0, begun.err
        [row] = begun.json
        return str(row["ID"])

    def credential(self, region: str, entry: str) -> None:
        """Give a region another credential."""
        changed = self.run("region", "set", region, "--credential", entry)
        assert changed.status == 0, changed.err


@pytest.fixture
def work(cloud: Cloud, tmp_path: Path) -> Iterator[Work]:
    service = new_service(cloud.service.cloud, tmp_path, cloud.service.settings | ONE_BY_ONE)
    cloud.service.run("service", "register", "--credential", ADMIN, "--url", cloud.service.url)
    service.start()
    made = Work(cloud, service, Api(service.url, cloud.token(ADMIN)))
    try:
        discovered = made.run("region", "discover", "--credential", ADMIN)
        assert discovered.status == 0, discovered.err
        yield made
    finally:
        service.stop()


def test_regions_are_tested_though_one_is_away_and_one_credential_lacks_a_role(work: Work, lab: Any) -> None:
    work.credential("RegionTwo", "RegionTwo-alpha")
    lab.stop("RegionThree")

    tested = work.run("region", "test", "--all", "--wait", "-f", "json")

    assert tested.status == 1
    told = {row["Region"]: (row["OK"], row["Detail"]) for row in tested.json}
    assert told["RegionOne"][0] is True
    assert told["RegionTwo"][0] is False
    assert "lacks: roles" in told["RegionTwo"][1]
    assert told["RegionThree"][0] is False
    assert "RegionOne: succeeded" in tested.err.splitlines()
    assert "Not succeeded: RegionThree, RegionTwo." in tested.err
    found = NAMED.search(tested.err)
    assert found

    lab.start("RegionThree")
    work.credential("RegionTwo", ADMIN)
    eventually(lambda: work.run("region", "test", "RegionThree").status, lambda status: status == 0)
    retried = work.run("operation", "retry", "--wait", found[1])

    assert (retried.status, retried.out) == (0, ""), retried.err
    shown = work.show(found[1])
    assert (shown["state"], shown["percent"]) == ("succeeded", 100)
    attempts = {name: part["attempts"] for name, part in shown["regions"].items()}
    assert attempts == {"RegionOne": 1, "RegionTwo": 2, "RegionThree": 2}
    refused = work.run("operation", "retry", found[1])
    assert refused.status == 1
    assert "nothing is to be tried (operation-not-retryable)" in refused.err


def test_the_catalogs_of_several_credentials_are_discovered_and_no_region_comes_twice(work: Work) -> None:
    for name in work.cloud.regions:
        assert work.run("region", "delete", name).status == 0
    credentials = [word for name in ("RegionOne", "RegionTwo") for word in ("--credential", f"{name}-admin")]

    planned = work.run("region", "discover", *credentials, "--dry-run", "--wait", "-f", "json")
    nothing = work.run("region", "list", "-f", "json")
    made = work.run("region", "discover", *credentials, "--wait", "-f", "json")
    listed = work.run("region", "list", "-f", "json")
    unknown = work.run("region", "discover", *credentials, "--credential", "none-such")

    assert planned.status == 0, planned.err
    assert {row["Result"] for row in planned.json} == {"would be created"}
    assert nothing.json == []
    assert made.status == 0, made.err
    created = [row["Name"] for row in made.json if row["Result"] == "created"]
    assert sorted(created) == sorted(work.cloud.regions)
    assert sorted(row["Name"] for row in listed.json) == sorted(work.cloud.regions)
    assert unknown.status == 1
    assert "none-such" in unknown.err


def test_a_cancel_ends_what_waits_and_a_retry_does_it_after_all(work: Work, lab: Any) -> None:
    for name in work.cloud.regions:
        lab.pause(name)
    operation = work.test_all()
    eventually(lambda: sorted(work.states(operation).values()), lambda states: "running" in states)

    cancelled = work.run("operation", "cancel", operation)
    after = work.states(operation)
    for name in work.cloud.regions:
        lab.resume(name)
    waited = work.run("operation", "wait", operation)
    again = work.run("operation", "cancel", operation)

    assert cancelled.status == 0, cancelled.err
    assert "cancelled" in after.values()
    assert "queued" not in after.values()
    assert waited.status == 1
    assert again.status == 1
    assert "it has ended (operation-not-cancellable)" in again.err
    for name in work.cloud.regions:
        eventually(lambda name=name: work.run("region", "test", name).status, lambda status: status == 0)  # type: ignore[misc]
    retried = work.run("operation", "retry", "--wait", operation)
    assert retried.status == 0, retried.err


def test_waiting_survives_a_crash_of_the_service_and_so_does_the_operation(work: Work, lab: Any) -> None:
    for name in work.cloud.regions:
        lab.pause(name)
    operation = work.test_all()
    short = work.run("operation", "wait", "--timeout", "1", operation)
    waiting = work.begin("operation", "wait", operation)
    eventually(lambda: sorted(work.states(operation).values()), lambda states: "running" in states)

    work.service.stop(signal.SIGKILL)
    for name in work.cloud.regions:
        lab.resume(name)
    work.service.start()
    out, err = waiting.communicate(timeout=120)
    shown = work.show(operation)

    assert short.status == 1
    assert f"Operation {operation} did not end in 1 s; it goes on." in short.err
    assert shown["state"] in {"succeeded", "failed"}, "a region that hung may have failed before the crash"
    assert (waiting.returncode == 0) is (shown["state"] == "succeeded"), err
    assert out == ""
    assert "Trying again." in err


def test_tenants_have_no_part_in_it(work: Work) -> None:
    operation = work.test_all()
    assert work.run("operation", "wait", operation).status == 0

    listed = work.run("operation", "list", "-f", "json", entry="RegionOne-alpha")
    shown = work.run("operation", "show", operation, entry="RegionOne-alpha")
    begun = work.run("region", "test", "--all", entry="RegionOne-alpha")
    everything = work.run("operation", "list", "--kind", "region-test", "--state", "succeeded", "-f", "json")
    writes = work.run("operation", "write", "list", operation, "-f", "json")

    assert listed.json == []
    assert shown.status == 1
    assert "(not-found)" in shown.err
    assert begun.status == 1
    assert "(forbidden)" in begun.err
    assert operation in [row["ID"] for row in everything.json]
    assert writes.json == []
