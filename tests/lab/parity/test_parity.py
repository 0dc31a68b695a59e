"""One set of requests, put to the lab and to the simulator: both have to answer the same.

`compare` says what "the same" is, `accepted` in what they may differ. A difference is a bug of the simulator.
"""

import pytest

from tests.lab.parity.accepted import unexpected, unexpected_in
from tests.lab.parity.asking import Case
from tests.lab.parity.compare import said
from tests.lab.parity.confined import CONFINED_STORIES
from tests.lab.parity.errors import ERRORS
from tests.lab.parity.paging import LISTINGS, everything, walk
from tests.lab.parity.quotas import QUOTA_CASES, QUOTA_STORIES
from tests.lab.parity.reads import READS
from tests.lab.parity.resizing import RESIZING_STORIES
from tests.lab.parity.stories import STORIES, Story, tell
from tests.lab.parity.unified import UNIFIED_STORIES
from tests.lab.parity.worlds import World

CASES = [*READS, *ERRORS, *QUOTA_CASES]


@pytest.mark.parametrize("case", CASES, ids=[f"{number:03} {case}" for number, case in enumerate(CASES)])
def test_both_worlds_answer_alike(case: Case, real: World, simulated: World) -> None:
    lab, sim = real.normal(real.ask(case.request)), simulated.normal(simulated.ask(case.request))
    found = unexpected(case, lab, sim)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", QUOTA_CASES, ids=str)
def test_quotas_are_refused_in_the_same_words(case: Case, real: World, simulated: World) -> None:
    lab, sim = real.normal(real.ask(case.request)), simulated.normal(simulated.ask(case.request))
    assert said(lab) == said(sim)


@pytest.mark.parametrize("story", QUOTA_STORIES, ids=lambda story: story.name)
def test_limits_hold_in_the_same_words(story: Story, real: World, simulated: World) -> None:
    found = [
        f"{step}: {said(lab)!r}, simulated {said(sim)!r}"
        for (step, lab), (_, sim) in zip(tell(story, real), tell(story, simulated), strict=True)
        if said(lab) != said(sim)
    ]
    assert not found, "\n".join([story.name, *found])


@pytest.mark.parametrize("story", [*UNIFIED_STORIES, *CONFINED_STORIES], ids=lambda story: story.name)
def test_keystone_says_the_same_of_projects(
    story: Story, real_unified: World, simulated_unified: World
) -> None:
    found = []
    for (step, lab), (_, sim) in zip(tell(story, real_unified), tell(story, simulated_unified), strict=True):
        if said(lab) != said(sim):
            found.append(f"{step}: {said(lab)!r}, simulated {said(sim)!r}")
        found += unexpected(step, lab, sim)
    assert not found, "\n".join([story.name, *found])


@pytest.mark.parametrize("story", [*STORIES, *QUOTA_STORIES], ids=lambda story: story.name)
def test_both_worlds_tell_the_same_story(story: Story, real: World, simulated: World) -> None:
    found = unexpected_in(tell(story, real), tell(story, simulated))
    assert not found, "\n".join([story.name, *found])


@pytest.mark.parametrize("story", RESIZING_STORIES, ids=lambda story: story.name)
def test_servers_are_resized_alike(
    story: Story, real_with_two_hosts: World, simulated_with_two_hosts: World
) -> None:
    found = unexpected_in(tell(story, real_with_two_hosts), tell(story, simulated_with_two_hosts))
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
