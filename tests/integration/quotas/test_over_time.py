"""What comes of rounds over time: history, the end of raises, figures for the metrics."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from multisite.db.quota_tables import quota_events, quota_projects, quota_raises
from multisite.quotas import decisions
from multisite.quotas.balancer import Balancer
from multisite.quotas.figures import quota_figures
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.quotas.model import State
from multisite.quotas.raises import end_raises
from multisite.quotas.round import Round
from tests.integration.quotas.balanced import CORES, Balanced
from tests.integration.quotas.conftest import Make


def points(cloud: Balanced) -> list[tuple[int | None, int | None, int | None, bool]]:
    async def work() -> list[tuple[int | None, int | None, int | None, bool]]:
        now = cloud.clock.now()
        store = QuotaHistoryStore(cloud.database)
        found = await store.select(cloud.project.id, now - timedelta(days=1), now, hourly=False)
        totals = [(each.resources[CORES], each.hourly) for each in found]
        return [(each.used, each.limit, each.bound, hourly) for each, hourly in totals]

    return cloud.run(work)


def put_back(cloud: Balanced, by: timedelta) -> None:
    """The last round was so long ago."""

    async def work() -> None:
        async with cloud.database.write() as connection:
            at = cloud.clock.now() - by
            await connection.execute(sa.update(quota_projects).values(balanced_at=at))

    cloud.run(work)


def raised(cloud: Balanced, limit: int, seconds: float) -> None:
    async def work() -> None:
        async with cloud.database.write() as connection:
            ends_at = cloud.clock.now() + timedelta(seconds=seconds)
            await decisions.put_raises(connection, cloud.project.id, {CORES: (limit, ends_at)})

    cloud.run(work)


def over(cloud: Balanced) -> None:
    """The time of every raise is over."""

    async def work() -> None:
        async with cloud.database.write() as connection:
            at = cloud.clock.now() - timedelta(seconds=1)
            await connection.execute(sa.update(quota_raises).values(ends_at=at))

    cloud.run(work)


def test_rounds_write_history_when_totals_change_and_once_an_hour(balanced: Make) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})
    for _ in range(3):
        cloud.balance()
    assert [each[:3] for each in points(cloud)] == [(0, 12, 12)]

    cloud.create(cloud.names[0], 2)
    cloud.balance()
    cloud.balance()
    assert [each[:3] for each in points(cloud)] == [(0, 12, 12), (2, 12, 12)]

    put_back(cloud, timedelta(hours=1))
    cloud.balance()
    cloud.balance()
    assert [each[:3] for each in points(cloud)] == [(0, 12, 12), (2, 12, 12), (2, 12, 12)]
    assert [each[3] for each in points(cloud)] == [True, False, True]


async def stumbling(_: Round) -> None:
    raise RuntimeError


def test_a_round_that_could_not_end_writes_none(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})
    monkeypatch.setattr(Round, "grow", stumbling)
    with pytest.raises(RuntimeError):
        cloud.balance()

    assert points(cloud) == []


def test_a_raise_ends_once_is_told_and_balanced_at_once(balanced: Make) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})
    raised(cloud, 30, 3600)
    cloud.balance()
    assert cloud.bound() == 30
    balancer = Balancer(cloud.rounds)

    async def look() -> None:
        await balancer.look()
        await balancer.idle()

    cloud.run(look)
    assert "raise-ended" not in cloud.events()
    assert cloud.bound() == 30

    over(cloud)
    cloud.run(look)
    cloud.run(look)

    assert cloud.bound() == 12
    assert cloud.events().count("raise-ended") == 1
    assert cloud.quota().raised_until is None

    async def sentence() -> tuple[str, dict[str, int]]:
        async with cloud.database.read() as connection:
            query = sa.select(quota_events.c.sentence, quota_events.c.figures).where(
                quota_events.c.kind == "raise-ended"
            )
            row = (await connection.execute(query)).one()
            return row.sentence, row.figures

    told = f"{CORES}: the temporary raise is over; the limit is 12 again"
    assert cloud.run(sentence) == (told, {"limit": 12})


def test_of_processes_that_see_the_end_of_a_raise_together_one_tells_it(balanced: Make) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})
    raised(cloud, 30, 3600)
    over(cloud)

    async def together() -> list[int]:
        now = cloud.clock.now()
        return list(await asyncio.gather(*(end_raises(cloud.quotas, now) for _ in range(8))))

    assert sorted(cloud.run(together)) == [0] * 7 + [1]
    assert cloud.events() == ["raise-ended"]


def test_a_raise_ends_when_the_round_that_counts_with_it_is_over(balanced: Make) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})
    raised(cloud, 30, 3600)

    async def work() -> tuple[int, int]:
        round_ = await cloud.rounds.begin(cloud.project.id, None)
        assert round_ is not None
        async with cloud.database.write() as connection:
            at = cloud.clock.now() - timedelta(seconds=1)
            await connection.execute(sa.update(quota_raises).values(ends_at=at))
        meanwhile = await end_raises(cloud.quotas, cloud.clock.now())
        await round_.end()
        return meanwhile, await end_raises(cloud.quotas, cloud.clock.now())

    assert cloud.run(work) == (0, 1)
    assert cloud.run(cloud.due) == [cloud.project.id]


def test_the_figures_count_projects_by_state_and_say_how_long_the_oldest_waits(balanced: Make) -> None:
    cloud = balanced()
    cloud.set({CORES: 12})

    async def figures() -> tuple[dict[State, int], float]:
        found = await quota_figures(cloud.database, cloud.clock.now() + timedelta(seconds=90))
        return {state: number for state, number in found.projects.items() if number}, found.oldest_due

    states, waiting = cloud.run(figures)
    assert states == {State.ESTABLISHING: 1}
    assert waiting > 89
    cloud.balance()
    assert cloud.run(figures) == ({State.ESTABLISHED: 1}, 0.0)
