"""What is due is balanced: after its interval, when somebody asks, and when use nears a region's share."""

from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from multisite.db.quota_tables import quota_projects
from multisite.quotas.balancer import Balancer
from multisite.usage.model import resource_usage
from tests.integration.quotas.balanced import CORES, Balanced
from tests.integration.quotas.conftest import Make


async def looked(balancer: Balancer) -> int:
    """One look at what is due, and all that it began; how many rounds there were."""
    before = balancer.status.rounds
    await balancer.look()
    await balancer.idle()
    assert balancer.status.failures == 0
    return balancer.status.rounds - before


def governed(balanced: Make) -> tuple[Balanced, Balancer]:
    """A cloud with a limit, and what balances it."""
    cloud = balanced()
    cloud.set({CORES: 12})
    return cloud, Balancer(cloud.rounds)


def long_ago(cloud: Balanced) -> None:
    """The last round was a while ago."""

    async def work() -> None:
        async with cloud.database.write() as connection:
            then = cloud.clock.now() - timedelta(minutes=10)
            await connection.execute(sa.update(quota_projects).values(balanced_at=then))

    cloud.run(work)


def test_a_new_limit_is_due_at_once_and_then_after_the_interval(balanced: Make) -> None:
    cloud, balancer = governed(balanced)
    assert cloud.run(lambda: looked(balancer)) == 1
    assert list(cloud.limits().values()) == [4, 4, 4]
    assert cloud.run(lambda: looked(balancer)) == 0
    cloud.ask(cloud.names[0])
    assert cloud.run(lambda: looked(balancer)) == 1


def test_use_that_nears_a_share_makes_it_due(balanced: Make) -> None:
    cloud, balancer = governed(balanced)
    cloud.run(lambda: looked(balancer))
    long_ago(cloud)
    for used, rounds in ((2, 0), (4, 1)):
        read = {CORES: resource_usage(used, 4)}
        cloud.run(partial(balancer.noticed, cloud.project.id, read))
        assert cloud.run(partial(looked, balancer)) == rounds


def test_one_that_was_balanced_a_moment_ago_is_left_alone(balanced: Make) -> None:
    cloud, balancer = governed(balanced)
    cloud.run(lambda: looked(balancer))
    cloud.run(lambda: balancer.noticed(cloud.project.id, {CORES: resource_usage(4, 4)}))
    assert cloud.run(lambda: looked(balancer)) == 0


def test_what_another_living_process_holds_is_left_to_it(balanced: Make) -> None:
    cloud, balancer = governed(balanced)
    held = cloud.run(lambda: cloud.rounds.begin(cloud.project.id, None))
    assert held is not None
    other = Balancer(cloud.run(lambda: cloud.another("p2")))
    assert cloud.run(lambda: looked(other)) == 0
    cloud.run(cloud.buried)
    assert cloud.run(lambda: looked(other)) == 1
    del balancer
