"""The lab as a fixture: real regions, brought up if they are not, whole again after each test.

With `--world sim` it is the lab's simulated twin: the same tests, in a fraction of the time.

`lab` is one object for the whole session. Whatever a test stops or pauses through it is started and
resumed when that test ends, so that tests do not inherit each other's faults. Set MULTISITE_LAB and
MULTISITE_LAB_PORT to use a lab other than the one of the repository.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.layout import SHARED
from lab.running import RunningLab, bring_up
from lab.twin import Twin, twin

# The first test of a session may have to wait for an installation and three regions.
LAB_TEST_SECONDS = 900


@pytest.fixture(scope="session")
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningLab | Twin]:
    if request.config.getoption("world") == "lab":
        yield bring_up()
        return
    with twin(tmp_path_factory.mktemp("twin"), SHARED) as made:
        yield made


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave the lab whole, whatever the test did to it."""
    yield
    if "lab" in request.fixturenames:
        request.getfixturevalue("lab").mend()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LAB_TEST_SECONDS))
