"""The lab keeps its promises: seen from outside, over HTTP and with openstacksdk.

The tests of processes, names and installation at the end need no region; they are here because they
are about the lab.
"""

import dataclasses
import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openstack
import pytest
import yaml

from lab import clouds, install, limits, services, state, units
from lab.errors import LabError
from lab.layout import ALL_REGIONS, OWN, REPOSITORY, SHARED, Lab
from lab.populate import contents_of
from lab.populate.storage import image_bytes
from lab.proc import read_stat
from lab.processes import PAUSED, RUNNING, STOPPED, Command, Processes
from lab.running import RunningLab
from lab.schemas import with_fresh_identifiers

# openstacksdk warns of what it does itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]
lab_only = pytest.mark.lab
ANSWERS, REFUSES, HANGS = "answers", "refuses", "hangs"


def behaviour(url: str, seconds: float = 3.0) -> str:
    """What a client meets at an address."""
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=seconds)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except ConnectionRefusedError:
        return REFUSES
    except TimeoutError:
        return HANGS
    finally:
        connection.close()
    return ANSWERS


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab", *words]
    return subprocess.run(command, cwd=REPOSITORY, text=True, capture_output=True, check=False)


Connect = Callable[[str], Any]


@pytest.fixture
def connect(lab: RunningLab) -> Iterator[Connect]:
    """Opens clouds of the lab by their names, and closes them."""
    config = openstack.config.OpenStackConfig(config_files=[str(lab.clouds_file)])
    opened = []

    def open_cloud(name: str) -> Any:
        cloud = openstack.connection.Connection(config=config.get_one(name))
        opened.append(cloud)
        return cloud

    yield open_cloud
    for cloud in opened:
        cloud.close()


def eventually(check: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.5)


def accepted(act: Callable[[], Any]) -> bool:
    """Do something; say whether the service let us."""
    try:
        act()
    except (openstack.exceptions.BadRequestException, openstack.exceptions.ConflictException):
        return False
    return True


# up, env, status


def everything_counted(connect: Connect, lab: RunningLab) -> dict[str, Any]:
    home = connect("RegionOne-admin")
    counts: dict[str, Any] = {
        "endpoints": len(list(home.identity.endpoints())),
        "users": len(list(home.identity.users())),
        "types": len(list(home.block_storage.types())),
    }
    for region in lab.regions:
        admin = connect(f"{region}-admin")
        counts[region] = {
            "servers": len(list(admin.compute.servers(all_projects=True))),
            "volumes": len(list(admin.block_storage.volumes(all_projects=True))),
            "floating IPs": len(list(admin.network.ips())),
            "images": len(list(admin.image.images())),
            "rules": len(list(admin.network.security_group_rules())),
        }
    return counts


@lab_only
def test_a_second_up_changes_nothing(lab: RunningLab, connect: Connect) -> None:
    ids, counts = lab.process_ids(), everything_counted(connect, lab)
    result = run("up", "--populate")
    assert result.returncode == 0, result.stderr
    assert lab.process_ids() == ids
    assert everything_counted(connect, lab) == counts


@lab_only
def test_the_other_layout_asks_for_down_first(lab: RunningLab) -> None:
    ids = lab.process_ids()
    result = run("up", "--keystone-per-region")
    assert result.returncode == 1
    assert result.stderr == "lab: the lab runs in the layout `shared`: `down` is needed first\n"
    assert lab.process_ids() == ids


@lab_only
def test_fewer_regions_are_refused(lab: RunningLab) -> None:
    result = run("up", "--regions", "1")
    assert result.returncode == 1
    assert result.stderr.startswith(f"lab: the lab has {len(lab.regions)} regions; to get 1, run `destroy`")


@lab_only
def test_status_tells_the_truth_about_a_paused_api(lab: RunningLab) -> None:
    assert run("status").returncode == 0
    lab.pause("RegionThree:glance-api")
    result = run("status")
    assert result.returncode == 1
    (line,) = [
        line for line in result.stdout.splitlines() if line.split()[:2] == ["RegionThree", "glance-api"]
    ]
    assert "paused" in line
    assert line.endswith("does not answer")


@lab_only
def test_logs_name_the_process_of_each_line(lab: RunningLab) -> None:
    assert "RegionTwo" in lab.regions
    lines = run("logs", "RegionTwo:nova", "-n", "3").stdout.splitlines()
    names = {line.partition(": ")[0] for line in lines}
    assert names == {
        "RegionTwo-nova-api",
        "RegionTwo-nova-compute1",
        "RegionTwo-nova-compute2",
        "RegionTwo-nova-conductor",
        "RegionTwo-nova-scheduler",
    }


@lab_only
@pytest.mark.parametrize("user", ["admin", "alpha", "beta"])
def test_entries_work_with_openstacksdk(lab: RunningLab, connect: Connect, user: str) -> None:
    printed = yaml.safe_load(run("env").stdout)
    assert printed == yaml.safe_load(lab.clouds_file.read_text())
    for region in lab.regions:
        name = f"{region}-{user}"
        assert printed["clouds"][name]["region_name"] == region
        cloud = connect(name)
        project = cloud.identity.get(f"/projects/{cloud.current_project_id}").json()["project"]
        assert project["name"] == user
        assert [zone.name for zone in cloud.compute.availability_zones()]
        assert cloud.compute.get_endpoint().startswith(lab.url(region, "nova"))


@lab_only
def test_an_unknown_unit_is_one_sentence(lab: RunningLab) -> None:
    with pytest.raises(LabError, match="there is no unit 'RegionNine' in this lab; the units are"):
        lab.stop("RegionNine")


# stop, start, pause, resume


@dataclasses.dataclass(frozen=True)
class Case:
    """A unit, the APIs that go with it and some that must not."""

    unit: str
    hit: tuple[tuple[str, str], ...]
    spared: tuple[tuple[str, str], ...]


CASES = (
    Case(
        "RegionThree:nova-api",
        hit=(("RegionThree", "nova"),),
        spared=(("RegionThree", "placement"), ("RegionThree", "cinder"), ("RegionTwo", "nova")),
    ),
    Case(
        "RegionThree:cinder",
        hit=(("RegionThree", "cinder"),),
        spared=(("RegionThree", "nova"), ("RegionOne", "cinder")),
    ),
    Case(
        "RegionThree",
        hit=tuple(("RegionThree", name) for name in ("nova", "cinder", "neutron", "glance", "placement")),
        spared=(("RegionOne", "nova"), ("RegionTwo", "neutron"), ("RegionOne", "keystone")),
    ),
    Case(
        "keystone",
        hit=(("RegionOne", "keystone"), ("RegionThree", "keystone")),
        spared=(("RegionOne", "nova"), ("RegionTwo", "glance")),
    ),
)
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.unit)


def behaviours(lab: RunningLab, case: Case) -> tuple[set[str], set[str]]:
    hit = {behaviour(lab.url(*each)) for each in case.hit}
    spared = {behaviour(lab.url(*each)) for each in case.spared}
    return hit, spared


@lab_only
@each_case
def test_what_is_stopped_refuses(lab: RunningLab, case: Case) -> None:
    assert behaviours(lab, case) == ({ANSWERS}, {ANSWERS})
    lab.stop(case.unit)
    assert behaviours(lab, case) == ({REFUSES}, {ANSWERS})
    lab.start(case.unit)
    assert behaviours(lab, case) == ({ANSWERS}, {ANSWERS})


@lab_only
@each_case
def test_what_is_paused_hangs(lab: RunningLab, case: Case) -> None:
    before = lab.process_ids()
    lab.pause(case.unit)
    assert behaviours(lab, case) == ({HANGS}, {ANSWERS})
    lab.resume(case.unit)
    assert behaviours(lab, case) == ({ANSWERS}, {ANSWERS})
    assert lab.process_ids() == before


@lab_only
def test_what_is_paused_can_be_stopped(lab: RunningLab) -> None:
    lab.pause("RegionThree:glance")
    lab.stop("RegionThree:glance")
    assert behaviour(lab.url("RegionThree", "glance")) == REFUSES


@lab_only
def test_start_wakes_what_is_paused(lab: RunningLab) -> None:
    lab.pause("RegionThree:placement")
    lab.start("RegionThree:placement")
    assert behaviour(lab.url("RegionThree", "placement")) == ANSWERS


@lab_only
def test_a_started_region_serves_its_users(lab: RunningLab, connect: Connect) -> None:
    lab.stop("RegionThree")
    lab.start("RegionThree")
    cloud = connect("RegionThree-alpha")
    assert [server.status for server in cloud.compute.servers()] == ["ACTIVE"]
    assert [volume.status for volume in cloud.block_storage.volumes()] == ["available"]
    admin = connect("RegionThree-admin")
    assert {service.state for service in admin.compute.services()} == {"up"}
    assert {service.state for service in admin.block_storage.services()} == {"up"}


# What is in the regions


@lab_only
def test_each_region_holds_what_it_should(lab: RunningLab, connect: Connect) -> None:
    for region in lab.lab.regions:
        for tenant in contents_of(region).tenants:
            cloud = connect(f"{region.name}-{tenant.project}")
            # Other tests may have put more into it meanwhile.
            servers = {server.name: server.status for server in cloud.compute.servers()}
            assert servers.items() >= {server.name: "ACTIVE" for server in tenant.servers}.items()
            volumes = {volume.name: volume.size for volume in cloud.block_storage.volumes()}
            assert volumes.items() >= {volume.name: volume.size_gb for volume in tenant.volumes}.items()
            snapshots = {snapshot.name for snapshot in cloud.block_storage.snapshots()}
            assert snapshots >= {volume.snapshot for volume in tenant.volumes if volume.snapshot}
            addresses = list(cloud.network.ips(project_id=cloud.current_project_id))
            used = sum(server.floating_ip for server in tenant.servers)
            assert len(addresses) >= used + tenant.spare_floating_ips
            assert sum(address.port_id is not None for address in addresses) >= used
            subnets = cloud.network.subnets(project_id=cloud.current_project_id)
            assert {subnet.ip_version for subnet in subnets} == {4, 6}
            keypairs = [keypair.name for keypair in cloud.compute.keypairs()]
            assert keypairs == ([tenant.keypair] if tenant.keypair else [])


def sizes(admin: Any, provider: str) -> list[int]:
    """What a compute has of processors, memory and disk, as Placement knows it."""
    inventories = admin.placement.get(f"/resource_providers/{provider}/inventories").json()["inventories"]
    return [inventories[name]["total"] for name in ("VCPU", "MEMORY_MB", "DISK_GB")]


@lab_only
def test_regions_differ(lab: RunningLab, connect: Connect) -> None:
    capacities = []
    for region in lab.regions:
        admin = connect(f"{region}-admin")
        pools = list(admin.block_storage.backend_pools())
        subnet = admin.network.find_subnet("public-v4", ignore_missing=False)
        capacities.append(
            (
                sorted(sizes(admin, provider.id) for provider in admin.placement.resource_providers()),
                sum(pool.capabilities["total_capacity_gb"] for pool in pools),
                subnet.cidr,
            )
        )
    assert capacities == [
        ([[32, 131072, 2000]], 1000, "172.24.1.0/24"),
        ([[24, 98304, 1500], [48, 196608, 3000]], 2000, "172.24.2.0/25"),
        ([[16, 65536, 1000]], 500, "172.24.3.0/26"),
    ]


def test_no_two_regions_hold_the_same_numbers_of_anything() -> None:
    for number in (
        lambda tenants: sum(len(tenant.servers) for tenant in tenants),
        lambda tenants: sum(volume.size_gb for tenant in tenants for volume in tenant.volumes),
    ):
        figures = [number(contents_of(region).tenants) for region in ALL_REGIONS[:3]]
        assert len(set(figures)) == 3


@lab_only
@lab_only
def test_one_region_takes_its_limits_from_keystone_and_the_others_have_their_own(
    lab: RunningLab, connect: Connect
) -> None:
    for region in lab.regions:
        cloud = connect(f"{region}-admin")
        unified = next(each for each in ALL_REGIONS if each.name == region).unified_limits
        listed = cloud.identity.get(f"/registered_limits?region_id={region}").json()["registered_limits"]
        found = {item["resource_name"]: item["default_limit"] for item in listed}
        assert found == ({**limits.COMPUTE, **limits.IMAGE} if unified else {})
        usage = cloud.image.get("/info/usage").json()["usage"]
        assert {name: item["limit"] for name, item in usage.items()} == (limits.IMAGE if unified else {})
        # Nova takes what it is told, or answers 200 all the same and drops it.
        project = cloud.current_project_id
        told = cloud.compute.put(f"/os-quota-sets/{project}", json={"quota_set": {"key_pairs": 77}}).json()
        cloud.compute.delete(f"/os-quota-sets/{project}")
        assert told["quota_set"]["key_pairs"] == (100 if unified else 77)


def test_a_zone_of_its_own_for_the_second_compute(connect: Connect) -> None:
    admin = connect("RegionTwo-admin")
    zones = {zone.name: zone.hosts for zone in admin.compute.availability_zones(details=True)}
    assert set(zones["az2"]) == {"regiontwo-compute2"}
    assert set(zones["nova"]) == {"regiontwo-compute1"}
    hosts = {server.name: server.compute_host for server in admin.compute.servers(all_projects=True)}
    assert {name for name, host in hosts.items() if host == "regiontwo-compute2"} == {
        "alpha-db-2",
        "beta-ci-2",
    }


@lab_only
def test_one_image_is_alike_in_two_regions_and_not_in_the_third(lab: RunningLab, connect: Connect) -> None:
    digests = []
    for region in lab.regions:
        image = connect(f"{region}-alpha").image.find_image("lab-linux", ignore_missing=False)
        assert image.status == "active"
        digests.append(image.hash_value)
    expected = hashlib.sha512(image_bytes(contents_of(lab.lab.regions[0]).images[0])).hexdigest()
    assert digests[0] == digests[1] == expected
    assert digests[2] != expected


# Our drivers


@lab_only
def test_guests_outlive_a_restart_of_their_compute(lab: RunningLab, connect: Connect) -> None:
    cloud = connect("RegionThree-alpha")
    server = cloud.compute.find_server("alpha-edge-1", ignore_missing=False)
    lab.stop("RegionThree:nova-compute")
    lab.start("RegionThree:nova-compute")
    assert cloud.compute.get_server(server.id).status == "ACTIVE"
    for act, wanted in ((cloud.compute.stop_server, "SHUTOFF"), (cloud.compute.start_server, "ACTIVE")):
        act(server.id)
        eventually(lambda wanted=wanted: cloud.compute.get_server(server.id).status == wanted)  # type: ignore[misc]


@lab_only
def test_an_image_of_a_server_has_bytes(connect: Connect) -> None:
    cloud = connect("RegionOne-alpha")
    server = cloud.compute.find_server("alpha-web-1", ignore_missing=False)
    made = cloud.compute.create_server_image(server.id, name=f"test-{uuid.uuid4()}")
    image_id = getattr(made, "id", made)
    try:
        eventually(lambda: cloud.image.get_image(image_id).status == "active")
        assert cloud.image.get_image(image_id).size == 4 * 1024 * 1024
    finally:
        cloud.image.delete_image(image_id)


@lab_only
def test_bytes_survive_volume_snapshot_backup_and_restore(lab: RunningLab, connect: Connect) -> None:
    cloud = connect("RegionOne-admin")
    storage = cloud.block_storage
    image = cloud.image.find_image("lab-linux", ignore_missing=False)
    name = f"test-{uuid.uuid4()}"
    cleanups: list[Callable[[], Any]] = []

    def settled(get: Callable[[Any], Any], thing: Any) -> Any:
        eventually(lambda: get(thing.id).status in {"available", "active"}, seconds=120)
        return thing

    try:
        volume = storage.create_volume(name=name, size=1, image_id=image.id)
        cleanups.append(lambda: storage.delete_volume(volume.id))
        settled(storage.get_volume, volume)
        snapshot = storage.create_snapshot(name=name, volume_id=volume.id)
        cleanups.append(lambda: storage.delete_snapshot(snapshot.id))
        settled(storage.get_snapshot, snapshot)
        backup = storage.create_backup(name=name, volume_id=volume.id, snapshot_id=snapshot.id)
        cleanups.append(lambda: storage.delete_backup(backup.id))
        settled(storage.get_backup, backup)
        restored = storage.get_volume(storage.restore_backup(backup.id, name=name).volume_id)
        cleanups.append(lambda: storage.delete_volume(restored.id))
        settled(storage.get_volume, restored)
        uploaded = storage.upload_volume_to_image(
            restored.id, name, disk_format="raw", container_format="bare"
        )["image_id"]
        cleanups.append(lambda: cloud.image.delete_image(uploaded))
        eventually(lambda: cloud.image.get_image(uploaded).status == "active", seconds=120)
        original = image_bytes(contents_of(lab.lab.regions[0]).images[0])
        content = cloud.image.download_image(uploaded).content
        assert content[: len(original)] == original
        assert not content[len(original) :].strip(b"\0")
    finally:
        for clean in reversed(cleanups):
            eventually(lambda clean=clean: accepted(clean))  # type: ignore[misc]
        eventually(lambda: not [item for item in storage.volumes() if item.name == name])


# Processes: only our own


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    found = Processes(tmp_path / "run", tmp_path / "logs")
    yield found
    found.stop(found.names(), grace=1)


@pytest.fixture
def foreign() -> Iterator[subprocess.Popen[bytes]]:
    """A process that somebody else started, in a session of its own."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def start(processes: Processes, script: str, name: str = "it") -> int:
    assert processes.start(Command(name, ("/bin/sh", "-c", script), dict(os.environ)))
    record = processes.record(name)
    assert record
    return record.pid


def claim(tmp_path: Path, name: str, **changes: Any) -> None:
    """Change what is on record about a process."""
    path = tmp_path / "run" / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_our_own_process_is_ended(processes: Processes) -> None:
    pid = start(processes, "exec sleep 600")
    assert processes.state("it") == RUNNING
    processes.stop(["it"])
    assert processes.state("it") == STOPPED
    assert read_stat(pid) is None


def test_of_several_threads_one_starts_a_process(processes: Processes) -> None:
    command = Command("it", ("/bin/sleep", "600"), dict(os.environ))
    with ThreadPoolExecutor(8) as threads:
        started = list(threads.map(processes.start, [command] * 8))
    assert sum(started) == 1


def test_a_process_that_got_a_recorded_id_is_left_alone(
    processes: Processes, foreign: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    stat = read_stat(foreign.pid)
    assert stat
    start(processes, "exec sleep 600")
    processes.stop(["it"])
    claim(tmp_path, "it", pid=foreign.pid, started=stat.started - 1)
    assert processes.state("it") == STOPPED
    processes.signal(["it"], signal.SIGSTOP)
    processes.stop(["it"])
    after = read_stat(foreign.pid)
    assert after
    assert after.state == "S"
    assert foreign.poll() is None


def test_a_record_of_an_earlier_boot_means_nobody(
    processes: Processes, foreign: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    stat = read_stat(foreign.pid)
    assert stat
    start(processes, "exec sleep 600")
    processes.stop(["it"])
    claim(tmp_path, "it", pid=foreign.pid, started=stat.started, boot="another")
    processes.stop(["it"])
    assert processes.state("it") == STOPPED
    assert foreign.poll() is None


def test_children_are_paused_and_ended_with_their_parent(processes: Processes) -> None:
    start(processes, "sleep 600 & sleep 600 & wait")
    eventually(lambda: len(processes.members("it")) == 3)
    children = [stat.pid for stat in processes.members("it")]
    processes.signal(["it"], signal.SIGSTOP)
    eventually(lambda: all((stat := read_stat(pid)) and stat.state == "T" for pid in children))
    assert processes.state("it") == PAUSED
    processes.stop(["it"])
    assert not processes.members("it")
    eventually(lambda: all(not (stat := read_stat(pid)) or not stat.alive for pid in children))


def test_children_that_outlive_their_parent_are_ours(processes: Processes) -> None:
    leader = start(processes, "sleep 600 & wait")
    eventually(lambda: len(processes.members("it")) == 2)
    (child,) = [stat.pid for stat in processes.members("it") if stat.pid != leader]
    os.kill(leader, signal.SIGKILL)
    eventually(lambda: processes.state("it") == STOPPED)
    assert [stat.pid for stat in processes.members("it")] == [child]
    processes.stop(["it"])
    assert not processes.members("it")


def test_without_our_mark_they_are_not(processes: Processes, tmp_path: Path) -> None:
    leader = start(processes, "sleep 600 & wait")
    eventually(lambda: len(processes.members("it")) == 2)
    (child,) = [stat for stat in processes.members("it") if stat.pid != leader]
    os.kill(leader, signal.SIGKILL)
    eventually(lambda: processes.state("it") == STOPPED)
    claim(tmp_path, "it", mark="somebody else's")
    processes.stop(["it"])
    assert read_stat(child.pid) == child
    os.kill(child.pid, signal.SIGKILL)


FIRST_THREAD_ENDS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(600,)).start()
ctypes.CDLL(None).pthread_exit(None)
"""


def test_a_process_lives_as_long_as_one_of_its_threads(processes: Processes) -> None:
    python = (sys.executable, "-c", FIRST_THREAD_ENDS)
    assert processes.start(Command("it", python, dict(os.environ)))
    record = processes.record("it")
    assert record
    eventually(lambda: (stat := read_stat(record.pid)) is not None and stat.state == "Z")
    assert processes.state("it") == RUNNING
    assert [stat.pid for stat in processes.members("it")] == [record.pid]
    processes.stop(["it"])
    assert processes.state("it") == STOPPED
    assert not processes.members("it")


def test_a_death_is_reported_at_once_with_the_end_of_the_log(processes: Processes) -> None:
    start(processes, "echo the disk is on fire; exit 3")
    began = time.monotonic()
    with pytest.raises(LabError, match="it ended while we waited for it") as caught:
        processes.wait_until(lambda: False, "starting it", ["it"], timeout=60)
    assert "the disk is on fire" in str(caught.value)
    assert time.monotonic() - began < 5


def test_force_follows_a_request_that_is_ignored(processes: Processes) -> None:
    start(processes, "trap '' TERM; echo ready; while true; do sleep 1; done")
    eventually(lambda: "ready" in processes.log("it").read_text())
    processes.stop(["it"], grace=1)
    assert processes.state("it") == STOPPED


# Names, installation, dumps


def test_a_unit_means_its_processes(tmp_path: Path) -> None:
    shared, own = Lab(tmp_path, SHARED), Lab(tmp_path, OWN)
    assert units.process_names(shared, "keystone") == ["keystone"]
    assert units.process_names(own, "RegionTwo:keystone") == ["RegionTwo-keystone"]
    assert units.process_names(own, "RegionTwo:nova-compute") == [
        "RegionTwo-nova-compute1",
        "RegionTwo-nova-compute2",
    ]
    assert len(units.process_names(own, "RegionTwo")) == len(units.process_names(shared, "RegionTwo")) + 1
    assert units.process_names(shared, "mariadb") == ["mariadb"]
    for lab, unit in ((own, "keystone"), (shared, "RegionTwo:keystone"), (shared, "RegionTwo:swift")):
        with pytest.raises(LabError, match="there is no unit"):
            units.process_names(lab, unit)


@pytest.mark.parametrize("layout", [SHARED, OWN])
def test_every_process_has_a_name_and_a_port_of_its_own(tmp_path: Path, layout: str) -> None:
    listed = [service for _, service in services.everything(Lab(tmp_path, layout, len(ALL_REGIONS)))]
    names = [service.process for service in listed]
    ports = [service.port for service in listed if service.port]
    assert len(names) == len(set(names))
    assert len(ports) == len(set(ports))


@pytest.mark.parametrize("text", ["80", "nine", "40000"])
def test_a_port_that_will_not_do_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("MULTISITE_LAB_PORT", text)
    with pytest.raises(LabError, match="must be a port from 1024 to 32000"):
        state.load(tmp_path)


def test_debian_may_start_nothing_while_we_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(install, "POLICY", policy)
    with install._no_daemons([]):
        assert subprocess.run([str(policy), "mariadb", "start"], check=False).returncode == 101
    assert not policy.exists()


def test_a_policy_of_the_machine_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    monkeypatch.setattr(install, "POLICY", policy)
    with install._no_daemons([]):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"


def test_a_failed_installation_says_what_was_run_and_how_it_ended() -> None:
    with pytest.raises(LabError, match=r"(?s)`sh -c echo no such package; exit 3` failed:\nno such package"):
        install._must_run(["sh", "-c", "echo no such package; exit 3"])


def test_a_copied_keystone_gets_identifiers_of_its_own() -> None:
    project, user = uuid.uuid4().hex, uuid.uuid4().hex
    dump = f"('{project}','admin'),('{user}','{project}'),('default','$2b$04$abc')"
    first, second = with_fresh_identifiers(dump), with_fresh_identifiers(dump)
    assert first != second
    assert project not in first
    assert user not in first
    copied = first.split("'")
    assert copied[1] == copied[7] != copied[5]
    assert first.endswith("('default','$2b$04$abc')")


def test_passwords_and_hosts_of_the_lab_stay_on_this_machine(tmp_path: Path) -> None:
    for layout in (SHARED, OWN):
        for entry in clouds.entries(Lab(tmp_path, layout)).values():
            assert urllib.parse.urlsplit(entry["auth"]["auth_url"]).hostname == "127.0.0.1"
