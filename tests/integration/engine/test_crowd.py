"""Three processes, many operations over 30 regions: one dies, one stands still, the database restarts.

MULTISITE_TEST_OPERATIONS says how many operations (1000 for the whole test; a few in every run).
"""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.engine.model import State
from multisite.sim import Plan
from multisite.sim.clouds import clouds, write_clouds
from multisite.sim.listening import Running, running
from multisite.sim.network import items
from tests.integration.engine.conftest import Desk, Nursery
from tests.postgresql import Cluster, cluster

OPERATIONS = int(os.environ.get("MULTISITE_TEST_OPERATIONS", "12"))
REGIONS = 30
BEAT, TTL = 0.5, 2.5
MAKING = "network POST"
PLAN = Plan(regions=REGIONS, hosts=1, servers=1, projects=1)
#: Seconds: a machine of two cores does some thirty parts a second, with all that happens to it.
PATIENCE = 240 + 3 * OPERATIONS

pytestmark = pytest.mark.timeout(2 * PATIENCE)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    for resource in ("security_group", "security_group_rule"):  # a group is made with rules
        monkeypatch.setitem(items.QUOTA, resource, -1)
    with running(PLAN) as made:
        yield made


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


@pytest.fixture
def desk(server: Cluster, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(server.upgraded(), tmp_path / "world")
    yield made
    made.close()


def made_groups(cloud: Running) -> dict[str, int]:
    """How many security groups were made in each region."""
    told = cloud.run(cloud.simulator.calls.as_json)["regions"]
    return {
        region: sum(count for route, count in told[region]["routes"].items() if route.startswith(MAKING))
        for region in cloud.simulator.world.names
        if region in told
    }


def test_whatever_happens_each_write_is_made_once(
    desk: Desk, nursery: Nursery, cloud: Running, server: Cluster, tmp_path: Path
) -> None:
    write_clouds(clouds(cloud.simulator.world), tmp_path / "clouds.yaml")
    names = sorted(cloud.simulator.world.names)
    operations = [desk.begin(names, kind="mark") for _ in range(OPERATIONS)]

    def start(name: str) -> int:
        return nursery.start(
            desk.orders(name, clouds=str(tmp_path / "clouds.yaml"), beat=BEAT, ttl=TTL, at_once=45)
        )

    pids = [start(name) for name in ("one", "two", "three")]
    whole = OPERATIONS * REGIONS

    def done(share: float) -> None:
        desk.until(lambda: sum(made_groups(cloud).values()) >= whole * share, PATIENCE, 0.2)

    done(0.15)
    nursery.kill(pids[0])
    done(0.3)
    nursery.signal(pids[1], signal.SIGSTOP)
    done(0.5)
    server.stop()
    time.sleep(1)
    server.start()
    nursery.signal(pids[1], signal.SIGCONT)
    for operation_id in operations:
        assert desk.wait(operation_id, PATIENCE).state is State.SUCCEEDED, desk.parts(operation_id)
    assert made_groups(cloud) == dict.fromkeys(names, OPERATIONS)
    for pid in pids[1:]:
        nursery.kill(pid)
