"""One set of requests, put to the lab and to the simulator: both have to answer the same.

`compare` says what "the same" is, `accepted` in what they may differ. A difference is a bug of the simulator.
"""

import pytest

from tests.lab.parity.accepted import accepted
from tests.lab.parity.asking import Case
from tests.lab.parity.compare import differences
from tests.lab.parity.errors import ERRORS
from tests.lab.parity.paging import LISTINGS, everything, walk
from tests.lab.parity.reads import READS
from tests.lab.parity.stories import STORIES, Story, tell
from tests.lab.parity.worlds import World

CASES = [*READS, *ERRORS]


@pytest.mark.parametrize("case", CASES, ids=[f"{number:03} {case}" for number, case in enumerate(CASES)])
def test_both_worlds_answer_alike(case: Case, real: World, simulated: World) -> None:
    lab, sim = real.normal(real.ask(case.request)), simulated.normal(simulated.ask(case.request))
    found = [
        f"{place}: {difference}"
        for place, difference in differences(lab, sim, exact=case.exact)
        if not accepted(str(case), place)
    ]
    assert not found, "\n".join([str(case), *found])


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_both_worlds_tell_the_same_story(story: Story, real: World, simulated: World) -> None:
    found = [
        f"{step}: {place}: {difference}"
        for (step, lab), (_, sim) in zip(tell(story, real), tell(story, simulated), strict=True)
        for place, difference in differences(lab, sim, exact=step.exact)
        if not accepted(str(step), place)
    ]
    assert not found, "\n".join([story.name, *found])


@pytest.mark.parametrize("listing", LISTINGS, ids=lambda listing: f"{listing[0]} {listing[1]}")
def test_pages_hold_everything_exactly_once(
    listing: tuple[str, str, str, str], real: World, simulated: World
) -> None:
    endings = []
    for world in (real, simulated):
        pages = list(walk(world, listing, 1))
        seen = [identity for page in pages for identity in page]
        assert len(seen) == len(set(seen)), world.name
        assert set(seen) == everything(world, listing), world.name
        endings.append(pages[-1] == [])
    assert endings[0] == endings[1], "one of them ends with an empty page"
