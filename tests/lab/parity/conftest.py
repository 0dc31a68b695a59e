"""Both worlds, once for all tests of parity, with the same scene in them."""

from collections.abc import Iterator

import pytest

from lab.running import RunningLab
from multisite.sim.listening import running
from multisite.sim.plan import Plan, password
from tests.lab.parity.scene import scene
from tests.lab.parity.worlds import World

REGION = "RegionOne"


@pytest.fixture(scope="session")
def real(lab: RunningLab) -> Iterator[World]:
    """A region of the lab."""
    world = World("lab", f"{lab.url(REGION, 'keystone')}/v3", "admin-lab", REGION)
    with scene(world):
        yield world


@pytest.fixture(scope="session")
def simulated() -> Iterator[World]:
    """The simulator, with as much in it."""
    plan = Plan(regions=2, hosts=1, networks=4, servers=12, names=(REGION, "RegionTwo"), projects=2)
    with running(plan) as simulator:
        world = World("simulator", simulator.auth_url, password("admin"), REGION)
        with scene(world):
            yield world
