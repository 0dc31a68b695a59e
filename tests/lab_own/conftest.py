"""The second arrangement of the lab: every region with a Keystone of its own.

It cannot run beside the first one (the same ports), so these tests are a run of their own.
"""

from collections.abc import Iterator

import pytest

from lab import lifecycle, state
from lab.console import Progress
from lab.demo import discover
from lab.errors import LabError
from lab.layout import OWN, root_folder
from lab.populate import populate
from tests.lab.service.conftest import FAST, Cloud, new_service

REGIONS = 2


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    progress = Progress()
    before = state.load(root_folder())
    if state.is_running(before) and before.layout != OWN:
        lifecycle.down(before, progress)
    lab = state.for_up(root_folder(), OWN, None if state.exists(state.load(root_folder(), OWN)) else REGIONS)
    lifecycle.up(lab, progress)
    populate(lab, progress)
    service = new_service(tmp_path_factory.mktemp("multisite"), FAST)
    service.start()
    try:
        discover(lab, service)
        yield Cloud(service)
    except LabError as error:
        pytest.fail(f"{error}: {service.last_words()}")
    finally:
        service.stop()
        lifecycle.down(lab, progress)
