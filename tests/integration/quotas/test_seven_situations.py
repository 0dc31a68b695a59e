"""What Kingbird 1.3.0 got wrong, seven situations of a project with 10 servers over three regions."""

import time

from multisite.quotas.model import State
from tests.integration.quotas.balanced import Balanced, soft
from tests.integration.quotas.conftest import Make

SERVERS = "compute/instances"


def used(balanced: Make, *counts: int, limit: int = 10, hard: bool = True) -> Balanced:
    """A cloud in which the project has so many servers in each region, and then gets its limit."""
    cloud = balanced()
    for name, count in zip(cloud.names, counts, strict=True):
        for _ in range(count):
            cloud.create(name)
    cloud.set({SERVERS: limit if hard else soft(limit, burst=0)})
    cloud.balance()
    return cloud


def limits(cloud: Balanced) -> list[int]:
    """Nova's limits of servers in force."""
    return list(cloud.limits(SERVERS).values())


def test_idle(balanced: Make) -> None:
    """Kingbird: 10 in each region, so 30 before its next sync. Here: 10 in all."""
    cloud = used(balanced, 0, 0, 0)
    assert limits(cloud) == [4, 3, 3]


def test_partly_used(balanced: Make) -> None:
    """Kingbird: 10, 6, 6. Here the six that are left are shared out."""
    assert limits(used(balanced, 4, 0, 0)) == [6, 2, 2]


def test_partly_used_softly(balanced: Make) -> None:
    """Soft without burst hands out what is left, once."""
    cloud = used(balanced, 4, 0, 0, hard=False)
    assert limits(cloud) == [6, 2, 2]
    assert cloud.quota(SERVERS).overshoot == 0


def test_exhausted(balanced: Make) -> None:
    """Kingbird does not write the empty regions at all, which keep their old limits. Here they get 0."""
    for hard in (True, False):
        cloud = used(balanced, 10, 0, 0, hard=hard)
        assert limits(cloud) == [10, 0, 0]
        assert cloud.quota(SERVERS).state is State.ESTABLISHED
        assert "exhausted" in cloud.events()


def test_over(balanced: Make) -> None:
    """Kingbird: 12, 1, and the third keeps its old limit. Here nothing can grow anywhere, and it is told."""
    for hard in (True, False):
        cloud = used(balanced, 12, 1, 0, hard=hard)
        assert limits(cloud) == [12, 1, 0]
        assert cloud.quota(SERVERS).state is State.OVER
        assert cloud.quota(SERVERS).left == -3
        assert "over" in cloud.events()


def test_a_region_answers_503_and_comes_back(balanced: Make) -> None:
    """Kingbird writes nothing anywhere. Here the others are balanced, and the one counts as last known."""
    cloud = used(balanced, 2, 1, 0)
    before = limits(cloud)
    fault = cloud.cloud.set("status", region=cloud.names[2], service="compute", status=503)
    for _ in range(before[0] - 2):
        cloud.create(cloud.names[0])
    cloud.balance()
    after = limits(cloud)
    assert after[0] > before[0]
    assert after[2] == before[2]
    assert sum(after) == 10
    assert "region-away" in cloud.events()
    (away,) = [each for each in cloud.quota(SERVERS).regions if each.note]
    assert away.region == cloud.names[2]
    cloud.cloud.clear(fault)
    cloud.forget()
    cloud.balance()
    assert "region-back" in cloud.events()
    assert cloud.quota(SERVERS).establishing == []


def test_a_region_that_was_never_read_stops_growth(balanced: Make) -> None:
    """What it may have is not known, so nobody else gets more; the quota names it. Shrinking goes on."""
    cloud = balanced()
    cloud.hand(cloud.names[0], instances=2)
    fault = cloud.cloud.set("status", region=cloud.names[2], service="compute", status=503)
    cloud.set({SERVERS: 10})
    cloud.balance()
    assert limits(cloud)[0] == 2
    quota = cloud.quota(SERVERS)
    assert quota.state is State.ESTABLISHING
    assert quota.establishing == [cloud.names[2]]
    cloud.cloud.clear(fault)
    cloud.forget()
    cloud.balance()
    assert sum(limits(cloud)) == 10
    assert cloud.quota(SERVERS).state is State.ESTABLISHED


def test_a_region_hangs(balanced: Make) -> None:
    """Kingbird's sync never returns. Here it ends within its deadline."""
    cloud = used(balanced, 2, 1, 0)
    cloud.cloud.set("hang", region=cloud.names[2], service="compute")
    began = time.monotonic()
    cloud.balance()
    assert time.monotonic() - began < 15
    assert sum(limits(cloud)) == 10


def test_unlimited(balanced: Make) -> None:
    """Kingbird freezes the project at its use. Here unlimited is unlimited."""
    cloud = used(balanced, 2, 1, 0, limit=-1)
    assert limits(cloud) == [-1, -1, -1]
    assert cloud.quota(SERVERS).state is State.UNLIMITED


def test_none(balanced: Make) -> None:
    """Kingbird's API refuses 0. Here it is none."""
    assert limits(used(balanced, 0, 0, 0, limit=0)) == [0, 0, 0]
