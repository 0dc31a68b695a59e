"""The simulator against a real region with a Keystone of its own: what that answers, and all reads."""

from collections.abc import Iterator

import pytest

from lab.layout import OWN
from lab.running import RunningLab
from lab.twin import twin
from tests.lab.parity.accepted import unexpected, unexpected_in
from tests.lab.parity.asking import Case
from tests.lab.parity.errors import ERRORS
from tests.lab.parity.reads import READS
from tests.lab.parity.scene import scene
from tests.lab.parity.stories import STORIES, Story, tell
from tests.lab.parity.worlds import World

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

#: The region whose Keystone is not the one of multisite.
REGION = "RegionTwo"
IDENTITY = "identity"
CASES = [*READS, *(case for case in ERRORS if case.request.to == IDENTITY)]
OF_IDENTITY = [story for story in STORIES if any(step.request.to == IDENTITY for step in story.steps)]


@pytest.fixture(scope="module")
def real(lab: RunningLab) -> Iterator[World]:
    world = World("lab", f"{lab.url(REGION, 'keystone')}/v3", "admin-lab", REGION)
    with scene(world):
        yield world


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with twin(tmp_path_factory.mktemp("twin"), OWN, 2) as made:
        world = World("simulator", made.lab.auth_url(made.lab.regions[1]), "admin-lab", REGION)
        with scene(world):
            yield world


@pytest.mark.parametrize("case", CASES, ids=[f"{number:03} {case}" for number, case in enumerate(CASES)])
def test_a_region_with_its_own_keystone_answers_alike(case: Case, real: World, simulated: World) -> None:
    lab, sim = real.normal(real.ask(case.request)), simulated.normal(simulated.ask(case.request))
    found = unexpected(case, lab, sim)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("story", OF_IDENTITY, ids=lambda story: story.name)
def test_its_keystone_tells_the_same_story(story: Story, real: World, simulated: World) -> None:
    found = unexpected_in(tell(story, real), tell(story, simulated))
    assert not found, "\n".join([story.name, *found])
