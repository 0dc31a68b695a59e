"""One process sweeps: two holders, one row."""

import asyncio
from datetime import timedelta

import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.lease import Lease
from multisite.db.tables import leases

SECONDS = 20


def lease(database: Database, clock: FixedClock, holder: str) -> Lease:
    return Lease(database, clock, name="sweep", holder=holder, seconds=SECONDS)


def wait(clock: FixedClock, seconds: float) -> None:
    clock.advance(timedelta(seconds=seconds))


async def test_the_first_to_come_holds_it_and_the_second_does_not(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    one, other = lease(database, clock, "one"), lease(second_database, clock, "other")

    assert await one.hold()
    assert not await other.hold()
    assert await one.hold()


async def test_the_holder_that_renews_keeps_it_for_ever(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    one, other = lease(database, clock, "one"), lease(second_database, clock, "other")
    for _ in range(30):
        assert await one.hold()
        assert not await other.hold()
        wait(clock, SECONDS / 4)


async def test_a_dead_holders_lease_is_taken_over_when_it_ends_and_not_before(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    one, other = lease(database, clock, "one"), lease(second_database, clock, "other")
    assert await one.hold()

    wait(clock, SECONDS - 0.001)
    assert not await other.hold()
    wait(clock, 0.001)
    assert await other.hold()


async def test_a_holder_that_slept_through_its_end_finds_that_out(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    one, other = lease(database, clock, "one"), lease(second_database, clock, "other")
    assert await one.hold()
    wait(clock, SECONDS)
    assert await other.hold()

    assert not await one.hold()


async def test_a_lease_that_was_given_up_is_free_at_once(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    one, other = lease(database, clock, "one"), lease(second_database, clock, "other")
    assert await one.hold()
    await other.release()
    assert not await other.hold()

    await one.release()

    assert await other.hold()
    assert not await one.hold()


async def test_of_several_that_come_at_once_one_gets_it(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    for round_ in range(5):
        holders = [
            lease(db, clock, f"{round_}-{index}") for index, db in enumerate([database, second_database] * 3)
        ]
        held = await asyncio.gather(*(holder.hold() for holder in holders))

        assert held.count(True) == 1
        await holders[held.index(True)].release()


async def test_an_expired_lease_is_taken_by_one_of_several(
    database: Database, second_database: Database, clock: FixedClock
) -> None:
    assert await lease(database, clock, "dead").hold()
    wait(clock, SECONDS)
    holders = [lease(db, clock, str(index)) for index, db in enumerate([database, second_database] * 3)]

    assert (await asyncio.gather(*(holder.hold() for holder in holders))).count(True) == 1


async def test_the_holder_asks_the_database_only_in_the_last_two_thirds(
    database: Database, clock: FixedClock
) -> None:
    one = lease(database, clock, "one")
    assert await one.hold()
    async with database.write() as connection:
        await connection.execute(sa.delete(leases))

    wait(clock, SECONDS / 3 - 0.1)
    assert await one.hold()
    async with database.read() as connection:
        assert (await connection.execute(sa.select(leases))).all() == []
    wait(clock, 0.2)
    assert await one.hold()
    async with database.read() as connection:
        assert [row.holder for row in await connection.execute(sa.select(leases))] == ["one"]
