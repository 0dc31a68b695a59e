"""The second arrangement of the lab: every region with a Keystone of its own.

It cannot run beside the first one (the same ports), so these tests are a run of their own. With `--world sim`
they run on the lab's simulated twin.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.cloud import DemoError
from lab import lifecycle, state
from lab.console import Progress
from lab.layout import OWN, root_folder
from lab.populate import populate
from lab.running import RunningLab
from lab.twin import Twin, twin
from tests.lab.service.conftest import Cloud, intervals, new_service

REGIONS = 2


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Parity holds the simulator to real regions: there is nothing to it on the simulator alone."""
    simulated = config.getoption("world") == "sim"
    return True if simulated and collection_path.name == "test_own_parity.py" else None


@pytest.fixture(scope="session")
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab | Twin]:
    real = request.config.getoption("world") == "lab"
    world = _real() if real else twin(tmp_path_factory.mktemp("twin"), OWN, REGIONS)
    with world as made:
        yield made


@contextmanager
def _real() -> Iterator[RunningLab]:
    progress = Progress()
    before = state.load(root_folder())
    if state.is_running(before) and before.layout != OWN:
        lifecycle.down(before, progress)
    lab = state.for_up(root_folder(), OWN, None if state.exists(state.load(root_folder(), OWN)) else REGIONS)
    lifecycle.up(lab, progress)
    populate(lab, progress)
    try:
        yield RunningLab(lab, progress)
    finally:
        lifecycle.down(lab, progress)


@pytest.fixture(scope="session")
def cloud(lab: RunningLab | Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    service = new_service(lab.cloud, tmp_path_factory.mktemp("multisite"), intervals(lab))
    service.start()
    try:
        service.cloud.discover()
        yield Cloud(service)
    except DemoError as error:
        pytest.fail(f"{error}: {service.last_words()}")
    finally:
        service.stop()
