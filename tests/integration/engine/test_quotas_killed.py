"""Quotas balanced by processes that die or stand still: the bound holds, each write is made once."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.engine.model import State
from multisite.quotas import decisions
from multisite.quotas.model import GlobalLimit, Project
from multisite.quotas.resources import Kind
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.sim import Plan
from multisite.sim.clouds import clouds, write_clouds
from multisite.sim.ledger import Record
from multisite.sim.listening import Running, running
from tests.integration.engine.conftest import Desk, Nursery
from tests.postgresql import Cluster, cluster

PROJECTS = 80
CORES = "compute/cores"
LIMIT = 12
FIRST = {"beat": 0.25, "ttl": 2.0}
#: A process that has not beaten for `ttl` sends nothing, so this is well above the beat, as it has to be.
SECOND = {"beat": 0.1, "ttl": 1.0}


@pytest.fixture
def cloud() -> Iterator[Running]:
    with running(Plan(regions=3, servers=0, hosts=1, networks=1, projects=PROJECTS)) as made:
        yield made


@pytest.fixture
def clouds_file(cloud: Running, tmp_path: Path) -> str:
    write_clouds(clouds(cloud.simulator.world), tmp_path / "clouds.yaml")
    return str(tmp_path / "clouds.yaml")


def tenants(cloud: Running) -> list[Project]:
    """The projects of the simulated Keystone that are tenants'."""
    world = cloud.simulator.world
    keystone = world.keystone(world.names[0])
    found = [keystone.find("projects", {"name": name}) for name in world.plan.tenant_names()]
    return [Project(each["id"], each["name"], each["domain_id"], "Default") for each in found if each]


def govern(desk: Desk, cloud: Running, projects: list[Project]) -> None:
    """Register the regions, and give the projects their limits."""

    async def work() -> None:
        database, now = Database(desk.url), SystemClock().now()
        store = RegionStore(database)
        async with database.write() as connection:
            if not await store.read(connection):
                for name in cloud.simulator.world.names:
                    await store.insert(connection, Region(name, name, "sim-admin"))
            for project in projects:
                await decisions.put_project(connection, project, now)
                await decisions.put_limits(connection, project.id, {CORES: GlobalLimit(LIMIT, Kind.HARD)})
        await database.close()

    desk.run(work())


def written(cloud: Running, project: Project) -> list[Record]:
    """The writes of a project's cores, as the simulator saw them."""
    return list(cloud.run(lambda: list(cloud.simulator.world.ledger.chosen(project=project.id))))


def check(cloud: Running, project: Project) -> None:
    """One write in each region, none of which raised the bound, and the limit shared out."""
    records = written(cloud, project)
    assert sorted(each.region for each in records) == sorted(cloud.simulator.world.names)
    assert all(each.after <= max(LIMIT, each.before) for each in records)
    assert records[-1].after == LIMIT


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_balance_that_is_killed_at_any_commit_ends_the_same(
    desk: Desk, nursery: Nursery, cloud: Running, clouds_file: str, when: str
) -> None:
    for number, project in enumerate(tenants(cloud), 1):
        govern(desk, cloud, [project])
        operation_id = desk.begin([project.id], kind="quota-balance")
        first = desk.orders(
            f"first-{number}", operation=operation_id, crash_at=number, when=when, clouds=clouds_file, **FIRST
        )
        if nursery.wait(nursery.start(first)) == 0:
            assert number > 10
            return
        second = desk.orders(f"second-{number}", operation=operation_id, clouds=clouds_file, **SECOND)
        assert nursery.wait(nursery.start(second)) == 0
        assert desk.operation(operation_id).state is State.SUCCEEDED
        check(cloud, project)
    raise AssertionError("the balance did not end")


@pytest.fixture
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


def test_one_dies_and_one_stands_still_among_three(
    server: Cluster, nursery: Nursery, cloud: Running, clouds_file: str, tmp_path: Path
) -> None:
    """On PostgreSQL; the one that goes on writes nothing that others did meanwhile."""
    desk = Desk(server.upgraded(), tmp_path / "world")
    projects = tenants(cloud)[:40]
    govern(desk, cloud, projects)
    operations = [desk.begin([project.id], kind="quota-balance") for project in projects]
    pids = [
        nursery.start(desk.orders(name, clouds=clouds_file, beat=0.5, ttl=2.5, at_once=6))
        for name in ("one", "two", "three")
    ]

    def done(share: float) -> None:
        whole = 3 * len(projects)
        desk.until(lambda: cloud.simulator.world.ledger.last >= whole * share, 120, 0.05)

    done(0.1)
    nursery.kill(pids[0])
    done(0.3)
    nursery.signal(pids[1], signal.SIGSTOP)
    for operation_id in operations:
        assert desk.wait(operation_id, 120).state is State.SUCCEEDED
    nursery.signal(pids[1], signal.SIGCONT)
    desk.until(lambda: len(desk.executors()) >= 2, 60)
    for project in projects:
        check(cloud, project)
    for pid in pids[1:]:
        nursery.kill(pid)
    desk.close()
