"""Both worlds, once for all tests of parity, with the same scene in them."""

from collections.abc import Iterator

import pytest

from lab.layout import SHARED
from lab.running import RunningLab
from lab.twin import twin
from multisite.sim.listening import running
from multisite.sim.plan import Plan, password
from tests.lab.parity.accepted import not_met
from tests.lab.parity.resizing import REGION as TWO_HOSTS
from tests.lab.parity.scene import scene
from tests.lab.parity.small import small_scene
from tests.lab.parity.unified import REGION as UNIFIED
from tests.lab.parity.unified import unified_scene
from tests.lab.parity.worlds import World

REGION = "RegionOne"


@pytest.fixture(scope="session", autouse=True)
def _differences_are_needed(request: pytest.FixtureRequest) -> Iterator[None]:
    """When all requests were made and agreed, each difference that is accepted was met."""
    yield
    chosen = request.config.option.keyword or any("::" in word for word in request.config.args)
    if not chosen and not request.session.testsfailed:
        assert not_met() == []


@pytest.fixture(scope="session")
def real(lab: RunningLab) -> Iterator[World]:
    """A region of the lab."""
    world = World("lab", f"{lab.url(REGION, 'keystone')}/v3", "admin-lab", REGION)
    with scene(world):
        yield world


@pytest.fixture(scope="session")
def real_unified(lab: RunningLab) -> Iterator[World]:
    """The region of the lab that takes its limits from Keystone."""
    world = World("lab", f"{lab.url(UNIFIED, 'keystone')}/v3", "admin-lab", UNIFIED)
    with unified_scene(world):
        yield world


@pytest.fixture
def real_with_two_hosts(lab: RunningLab) -> Iterator[World]:
    """The region of the lab that has two hosts; nothing stays in it, for others count what it holds."""
    world = World("lab", f"{lab.url(TWO_HOSTS, 'keystone')}/v3", "admin-lab", TWO_HOSTS)
    with small_scene(world):
        yield world


@pytest.fixture
def simulated_with_two_hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same of its simulated twin."""
    with twin(tmp_path_factory.mktemp("twin"), SHARED) as made:
        world = World("simulator", made.lab.auth_url(made.lab.regions[1]), "admin-lab", TWO_HOSTS)
        with small_scene(world):
            yield world


@pytest.fixture(scope="session")
def simulated_unified(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same of its simulated twin."""
    with twin(tmp_path_factory.mktemp("twin"), SHARED) as made:
        world = World("simulator", made.lab.auth_url(made.lab.regions[2]), "admin-lab", UNIFIED)
        with unified_scene(world):
            yield world


@pytest.fixture(scope="session")
def simulated() -> Iterator[World]:
    """The simulator, with as much in it."""
    plan = Plan(
        regions=2, hosts=1, networks=4, servers=12, names=(REGION, "RegionTwo"), projects=2,
        unified=("compute", "image"), unified_regions="RegionTwo",
    )  # fmt: skip
    with running(plan) as simulator:
        world = World("simulator", simulator.auth_url, password("admin"), REGION)
        with scene(world):
            yield world
