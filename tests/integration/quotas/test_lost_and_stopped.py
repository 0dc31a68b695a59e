"""Answers that are lost, processes that stop and go on, and processes that die at every single point."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.quota_tables import quota_projects
from multisite.engine.executors import Fence
from multisite.openstack.once import AnswerLost
from multisite.quotas import claims
from multisite.quotas.claims import Held
from multisite.quotas.dispatch import Dispatch
from multisite.quotas.model import Project, State
from multisite.quotas.store import project_of
from multisite.quotas.writing import Sender
from multisite.regions.model import Region
from multisite.settings import QuotaSettings
from multisite.sim.ledger import Record
from tests.integration.quotas.balanced import CORES, Balanced, Killed
from tests.integration.quotas.conftest import Make

SLOW_TO_SETTLE = QuotaSettings(interval=3600, settle=3600.0)


def watched(cloud: Balanced, limit: int) -> list[Record]:
    """The writes of ours that raised O above the limit, as the simulator sees them."""
    found: list[Record] = []

    def look(record: Record) -> None:
        if record.user_agent == "multisite" and record.after > max(limit, record.before) >= 0:
            found.append(record)

    cloud.cloud.simulator.world.ledger.hooks.append(look)
    return found


def uneven(balanced: Make, settings: QuotaSettings) -> Balanced:
    """Twelve cores, four of which are used in the first region, which asks for more."""
    cloud = balanced(settings=settings)
    cloud.set({CORES: 12})
    cloud.balance()
    for _ in range(4):
        cloud.create(cloud.names[0])
    return cloud


def test_room_whose_release_was_not_heard_of_is_not_handed_out(balanced: Make) -> None:
    """The answers to shrinking writes are lost: nothing of it counts until it was read back."""
    cloud = uneven(balanced, SLOW_TO_SETTLE)
    raised = watched(cloud, 12)
    cloud.cloud.set("reset", region=cloud.names[1], route="PUT *", calls=1)
    cloud.balance()
    assert cloud.limits()[cloud.names[1]] == 0  # it was done, and read back in the same round
    assert cloud.limits()[cloud.names[0]] == 12
    assert not raised


def test_a_growth_that_was_not_heard_of_stays_counted(balanced: Make) -> None:
    """The answer to a growing write is lost, and the region cannot be read: it may have all of it."""
    cloud = uneven(balanced, SLOW_TO_SETTLE)
    raised = watched(cloud, 12)
    home, other = cloud.names[:2]
    cloud.cloud.set("reset", region=home, route="PUT *", calls=1)
    cloud.balance()
    cloud.cloud.set("status", region=home, service="compute", status=503)
    cloud.ask(other)
    cloud.balance()
    assert cloud.limits() == {home: 12, other: 0, cloud.names[2]: 0}
    assert cloud.quota().bound == 12
    cloud.cloud.clear()
    cloud.forget()
    cloud.balance()
    assert cloud.limits()[other] > 0
    assert not raised
    assert cloud.quota().state is State.ESTABLISHED


def test_without_counting_what_was_sent_the_bound_breaks(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, where nothing is kept of what was sent."""
    monkeypatch.setattr(Dispatch, "_may_be", lambda *_: None)
    cloud = uneven(balanced, SLOW_TO_SETTLE)
    raised = watched(cloud, 12)
    home, other = cloud.names[:2]
    cloud.cloud.set("reset", region=home, route="PUT *", calls=1)
    cloud.balance()
    cloud.cloud.set("status", region=home, service="compute", status=503)
    cloud.ask(other)
    cloud.balance()
    assert raised


def test_what_was_sent_settles_only_after_its_time(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A growing write was not done, as far as anybody sees; it may still come, so nobody else gets it."""
    cloud = uneven(balanced, SLOW_TO_SETTLE)
    home, other = cloud.names[:2]
    once = Sender._once

    async def lost(self: Sender, region: Region, *words: Any) -> Any:
        if region.name == home:
            raise AnswerLost("nobody knows")
        return await once(self, region, *words)

    monkeypatch.setattr(Sender, "_once", lost)
    cloud.balance()
    (share,) = [share for share in cloud.shares() if share.region == home]
    assert share.sent == {CORES: [12]}
    monkeypatch.setattr(Sender, "_once", once)
    cloud.ask(other)
    cloud.balance()
    assert cloud.limits()[other] == 0
    assert cloud.quota().bound == 12
    cloud.rounds.settings = QuotaSettings(interval=3600, settle=0.0)
    cloud.ask(other)
    cloud.balance()
    assert cloud.limits()[other] > 0


def held_up(cloud: Balanced, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """The first write to the first region waits: events that it was reached, and that it goes on."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    once = Sender._once

    async def waiting(self: Sender, region: Region, *words: Any) -> Any:
        if region.name == cloud.names[0] and not reached.is_set():
            reached.set()
            await go_on.wait()
        return await once(self, region, *words)

    monkeypatch.setattr(Sender, "_once", waiting)
    return reached, go_on


async def stop_and_go_on(cloud: Balanced, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process stops with a growing write in its hand; another takes over, and gives all elsewhere."""
    reached, go_on = held_up(cloud, monkeypatch)
    first = asyncio.create_task(cloud.rounds.balance(cloud.project.id))
    await reached.wait()
    cloud.executors._beaten_at = float("-inf")  # so long stood the process still
    await cloud.buried()
    second = await cloud.another("p2")
    await cloud.asked(cloud.names[1])
    assert await second.balance(cloud.project.id) is not None
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await first


def test_a_process_that_goes_on_sends_nothing(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks whether it lives when the connection stands, and finds that it does not."""
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    raised = watched(cloud, 12)
    cloud.run(lambda: stop_and_go_on(cloud, monkeypatch))
    assert cloud.limits()[cloud.names[1]] == 4  # both asked
    assert cloud.bound() == 12
    assert not raised


def test_without_that_look_the_bound_breaks(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    raised = watched(cloud, 12)
    object.__setattr__(cloud.rounds.sender, "may_send", lambda _: True)
    cloud.run(lambda: stop_and_go_on(cloud, monkeypatch))
    assert raised


def test_dying_at_every_point(balanced: Make) -> None:
    """Before and after every transaction and every request: another goes on, and all ends the same."""
    points = 0
    while True:
        cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
        raised = watched(cloud, 12)
        cloud.kill_at(points)
        try:
            cloud.balance()
        except Killed:
            pass
        else:
            break
        cloud.restart()
        for _ in range(2):
            cloud.balance()
            assert list(cloud.limits().values()) == [12, 0, 0], points
        assert not raised, points
        assert cloud.quota().state is State.ESTABLISHED
        points += 1
    assert points == 18


def lowered_in_mid_round(cloud: Balanced, transactions: int) -> list[Record]:
    """A round in which the limit becomes 6 after so many transactions; what raised O above that then."""
    found: list[list[Record]] = []

    async def lower() -> None:
        found.append(watched(cloud, 6))
        await cloud.decide({CORES: 6})

    cloud.life.decision, cloud.life.undecided = lower, transactions
    cloud.balance()
    assert found, "the round was over before that"
    return found[0]


@pytest.mark.parametrize("transactions", range(6))
def test_a_limit_that_is_lowered_in_mid_round_holds_from_then_on(balanced: Make, transactions: int) -> None:
    """The round begins, reserves, stores, reserves, stores, ends; it was to give all twelve to one region."""
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    assert not lowered_in_mid_round(cloud, transactions)
    cloud.balance()
    assert cloud.bound() == 6
    assert cloud.quota().state is State.ESTABLISHED


def test_without_a_second_look_at_the_limit_it_does_not(
    balanced: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the test above can fail."""

    async def not_asked(*_: object) -> None:
        return None

    monkeypatch.setattr(Dispatch, "_require_what_is_wanted", not_asked)
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    assert lowered_in_mid_round(cloud, 3)


async def claimed_by_all(
    connection: AsyncConnection, project_ids: Sequence[str], *_: object, **__: object
) -> list[tuple[Project, frozenset[str]]]:
    """Everybody may balance at the same time."""
    rows = await connection.execute(
        sa.select(quota_projects).where(quota_projects.c.project_id.in_(project_ids))
    )
    return [(project_of(row), frozenset(row.asked_regions)) for row in rows]


async def held_by_all(connection: AsyncConnection, project_id: str, fence: Fence) -> Held:
    """Nobody asks who holds it."""
    del connection, project_id, fence
    return Held(frozenset(), None)


async def two_at_once(cloud: Balanced, monkeypatch: pytest.MonkeyPatch) -> bool:
    """One has a growing write in its hand when another begins; whether the other one was let in."""
    reached, go_on = held_up(cloud, monkeypatch)
    first = asyncio.create_task(cloud.rounds.balance(cloud.project.id))
    await reached.wait()
    await cloud.asked(cloud.names[1])
    second = await cloud.another("p2")
    let_in = await second.balance(cloud.project.id) is not None
    go_on.set()
    await first
    return let_in


def test_one_balances_at_a_time(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other finds a living holder, and leaves it."""
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    raised = watched(cloud, 12)
    assert not cloud.run(lambda: two_at_once(cloud, monkeypatch))
    assert not raised
    assert cloud.limits()[cloud.names[0]] == 12


def test_two_at_a_time_break_the_bound(balanced: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the test above can fail."""
    monkeypatch.setattr(claims, "claim", claimed_by_all)
    monkeypatch.setattr(claims, "held", held_by_all)
    cloud = uneven(balanced, QuotaSettings(interval=3600, settle=0.0))
    raised = watched(cloud, 12)
    assert cloud.run(lambda: two_at_once(cloud, monkeypatch))
    assert raised
