"""What is due is balanced: after its interval, when somebody asks, and when use nears a region's share."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_projects
from multisite.engine.writes import Author
from multisite.errors import DatabaseAway
from multisite.quotas import claims, decisions
from multisite.quotas.balancer import MOST_HELD, Balancer
from multisite.quotas.model import GlobalLimit, Project
from multisite.quotas.resources import Kind
from multisite.quotas.round import Round
from multisite.usage.model import resource_usage
from tests.integration.quotas.balanced import CORES, Balanced
from tests.integration.quotas.conftest import Make

VOLUMES = "volume/volumes"


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


def others(cloud: Balanced, count: int) -> list[str]:
    """Projects beside the one that is governed, each due now; their ids."""
    ids = [f"{number:032x}" for number in range(1, count + 1)]

    async def work() -> None:
        async with cloud.database.write() as connection:
            for project_id in ids:
                project = Project(project_id, f"project-{project_id[-2:]}", "default", "Default")
                await decisions.put_project(connection, project, cloud.clock.now())
                await decisions.put_limits(connection, project_id, {CORES: GlobalLimit(12, Kind.HARD)})

    cloud.run(work)
    return ids


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


def test_more_than_fit_at_once_are_balanced_without_another_wait(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room that a round leaves is taken at once, or a thousand projects are never balanced in time."""
    cloud, balancer = governed(balanced)
    count = 3 * cloud.settings.at_once
    others(cloud, count)
    monkeypatch.setattr("multisite.quotas.balancer.LOOK", 3600.0)

    async def work() -> None:
        running = asyncio.create_task(balancer.run())
        async with asyncio.timeout(60):
            while balancer.status.rounds < count + 1:  # noqa: ASYNC110 - nothing tells of rounds
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait([running])
        await balancer.stop()

    cloud.run(work)
    assert balancer.status.failures == 0
    assert cloud.run(cloud.due) == []


def test_slow_rounds_leave_the_rest_of_the_room_to_others(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of four hang: one after another uses the fourth place."""
    cloud, balancer = governed(balanced)
    ids = others(cloud, 6)
    slow = {cloud.project.id, *ids[:2]}
    read = Round.read
    monkeypatch.setattr("multisite.quotas.balancer.LOOK", 0.05)

    async def slowly(round_: Round) -> None:
        if round_.project.id in slow:
            await asyncio.sleep(3600)
        await read(round_)

    monkeypatch.setattr(Round, "read", slowly)

    async def work() -> None:
        running = asyncio.create_task(balancer.run())
        async with asyncio.timeout(60):
            while balancer.status.rounds < len(ids) - 2:  # noqa: ASYNC110 - nothing tells of rounds
                await asyncio.sleep(0.05)
        running.cancel()
        await asyncio.wait([running])
        await balancer.stop()

    cloud.run(work)


def test_as_many_begin_together_as_a_second_is_enough_for(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that have begun wait for their turn: no more than ever are at work."""
    cloud, balancer = governed(balanced)
    others(cloud, 40)
    begun: list[int] = []
    working: set[str] = set()
    most_at_work = 0
    claim, read = claims.claim, Round.read

    async def counted(connection: AsyncConnection, ids: Sequence[str], *words: Any, **more: Any) -> Any:
        begun.append(len(ids))
        return await claim(connection, ids, *words, **more)

    async def noted(round_: Round) -> None:
        nonlocal most_at_work
        working.add(round_.project.id)
        most_at_work = max(most_at_work, len(working))
        await read(round_)
        working.discard(round_.project.id)

    monkeypatch.setattr(claims, "claim", counted)
    monkeypatch.setattr(Round, "read", noted)
    monkeypatch.setattr("multisite.quotas.balancer.LOOK", 60.0)

    async def work() -> None:
        await balancer.catch_up()
        await balancer.idle()

    cloud.run(work)
    assert balancer.status.rounds == 41
    assert begun[0] == cloud.settings.at_once < max(begun) <= MOST_HELD
    assert most_at_work == cloud.settings.at_once


def test_those_that_wait_for_their_turn_are_let_go_of_at_the_end(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud, balancer = governed(balanced)
    others(cloud, 12)
    monkeypatch.setattr(Balancer, "_most", lambda _: 10)

    async def for_ever(_: Round) -> None:
        await asyncio.sleep(3600)

    monkeypatch.setattr(Round, "read", for_ever)

    async def work() -> tuple[int, int]:
        await balancer.look()
        await asyncio.sleep(0)
        async with cloud.database.read() as connection:
            held = sa.select(sa.func.count()).where(quota_projects.c.holder.is_not(None))
            before = await connection.scalar(held)
        await balancer.stop()
        async with cloud.database.read() as connection:
            return before or 0, await connection.scalar(held) or 0

    assert cloud.run(work) == (10, 0)


def test_what_is_balanced_on_demand_is_not_begun_twice(balanced: Make) -> None:
    """A round that somebody asked for is under way when it is due, too."""
    cloud, balancer = governed(balanced)

    async def work() -> int:
        asked = asyncio.create_task(cloud.rounds.balance(cloud.project.id))
        await asyncio.sleep(0)  # it has the project's lock, and has not claimed it yet
        await balancer.look()
        await balancer.idle()
        assert await asked is not None
        return balancer.status.rounds

    assert cloud.run(work) == 0


def test_what_cannot_begin_is_let_go_of(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away while rounds begin: the next look finds them free."""
    cloud, balancer = governed(balanced)

    async def away(*_: object, **__: object) -> None:
        raise DatabaseAway("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(claims, "claim", away)
        with pytest.raises(DatabaseAway):
            cloud.run(balancer.look)
    assert cloud.run(lambda: looked(balancer)) == 1


def test_what_is_decided_is_the_same_for_many_projects_as_for_each(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Classes, own limits, raises, bounds: of each project its own, in slices of any size."""
    cloud = balanced()
    ids = others(cloud, 5)

    async def work() -> None:
        now = cloud.clock.now()
        async with cloud.database.write() as connection:
            await decisions.put_class(connection, "default", {VOLUMES: GlobalLimit(7, Kind.SOFT)})
            await decisions.put_class(connection, "gold", {VOLUMES: GlobalLimit(70, Kind.SOFT)})
            await decisions.set_class(connection, ids[1], "gold")
            later = now + timedelta(hours=1)
            await decisions.put_raises(connection, ids[2], {CORES: (20, later)})
        for most in (1, 2, 500):
            monkeypatch.setattr("multisite.quotas.store.MOST_AT_ONCE", most)
            async with cloud.database.read() as connection:
                projects = await cloud.quotas.projects_in(connection)
                together = await cloud.quotas.wanted_all(connection, projects, now)
        assert {each: together[each].limits[VOLUMES].limit for each in ids} == {
            **dict.fromkeys(ids, 7),
            ids[1]: 70,
        }
        assert {each: together[each].limits[CORES].limit for each in ids} == {
            **dict.fromkeys(ids, 12),
            ids[2]: 20,
        }

    cloud.run(work)


def test_what_an_operation_is_to_do_is_left_to_it(balanced: Make) -> None:
    """Even where use nears a share: who begins an operation is told what was written for it."""
    cloud, balancer = governed(balanced)
    cloud.run(lambda: looked(balancer))
    long_ago(cloud)
    author = Author("project", "user", "alice", "req-1", operation_id="operation", step="grow")

    async def hand_over(seconds: float) -> None:
        now = cloud.clock.now()
        async with cloud.database.write() as connection:
            await claims.ask(connection, cloud.project.id, now, (), now + timedelta(seconds=seconds))

    cloud.run(lambda: hand_over(30))
    cloud.run(lambda: balancer.noticed(cloud.project.id, {CORES: resource_usage(4, 4)}))
    assert cloud.run(lambda: looked(balancer)) == 0
    assert cloud.run(partial(cloud.rounds.balance, cloud.project.id, author)) is not None
    long_ago(cloud)
    cloud.run(lambda: balancer.noticed(cloud.project.id, {CORES: resource_usage(4, 4)}))
    assert cloud.run(lambda: looked(balancer)) == 1, "it was handed back"
    cloud.run(lambda: hand_over(-1))
    assert cloud.run(lambda: looked(balancer)) == 1, "an operation that never came"


def test_what_is_not_due_any_more_when_it_is_claimed_is_left_alone(balanced: Make) -> None:
    """Another process was faster, or an operation is to do it now."""
    cloud, balancer = governed(balanced)
    cloud.run(lambda: looked(balancer))
    assert cloud.run(lambda: cloud.rounds.set_out([cloud.project.id], asyncio.Semaphore())) == {}
