"""What is old is forgotten, a bite at a time; what somebody may still ask for is not."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db import audit
from multisite.db.tables import audit_records, operations, region_writes
from multisite.engine import forgetting
from multisite.engine.durable import Durable, workflow_id_of
from multisite.engine.forgetting import Forgetting
from multisite.engine.model import State
from multisite.engine.store import OperationStore
from multisite.engine.writes import Author, Journal, RegionWrite
from multisite.errors import DatabaseAway
from multisite.settings import OperationSettings
from tests.integration.engine.conftest import WHO, Desk

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = timedelta(days=1)
#: Operations are kept for ten days, writes for two, the audit trail for five.
SETTINGS = OperationSettings(
    beat=5, ttl=20, at_once=1, keep=10 * 86400, keep_journal=2 * 86400, keep_audit=5 * 86400
)


@pytest.fixture
def forgetful(desk: Desk) -> Forgetting:
    return Forgetting(desk.store, desk._durable, SETTINGS, FixedClock(NOW))


def ended(desk: Desk, at: datetime) -> str:
    """An operation that ended at a moment."""
    operation_id = desk.begin()

    async def work() -> None:
        async with desk.store.database.write() as connection:
            await desk.store.end(connection, operation_id, "one", State.SUCCEEDED, at)

    desk.run(work())
    return operation_id


def written(desk: Desk, what: str, at: datetime, operation_id: str | None = None) -> None:
    """A write to a region."""
    journal = Journal(desk.store.database)
    author = Author("p", "u", "user", "req-1", operation_id)

    async def work() -> None:
        async with journal.database.write() as connection:
            write = RegionWrite("RegionOne", "compute", "POST", ("servers",), what)
            await journal.begin(connection, write, author, at)

    desk.run(work())


def recorded(desk: Desk, target: str, at: datetime) -> None:
    """A record of the audit trail."""

    async def work() -> None:
        async with desk.store.database.write() as connection:
            await audit.record(connection, WHO, at, "region:create", target)

    desk.run(work())


def left(desk: Desk, column: sa.Column[str]) -> list[str]:
    """What there is."""

    async def work() -> list[str]:
        async with desk.store.database.read() as connection:
            return list(await connection.scalars(sa.select(column).order_by(column)))

    return list(desk.run(work()))


def workflows(durable: Durable, desk: Desk, *operation_ids: str) -> set[str]:
    """Which of the parts DBOS knows."""
    ids = [workflow_id_of(each, "one", 1) for each in operation_ids]
    found = desk.run(durable._blocking(lambda client: client.list_workflows(workflow_ids=ids)))
    return {each.workflow_id.partition("/")[0] for each in found}


def test_operations_that_ended_long_ago_are_forgotten_with_their_parts(
    desk: Desk, forgetful: Forgetting
) -> None:
    old, recent, waiting = ended(desk, NOW - 11 * DAY), ended(desk, NOW - 9 * DAY), desk.begin()
    assert workflows(forgetful.durable, desk, old, recent, waiting) == {old, recent, waiting}

    assert desk.run(forgetful.round()) is True

    assert left(desk, operations.c.id) == sorted([recent, waiting])
    assert workflows(forgetful.durable, desk, old, recent, waiting) == {recent, waiting}
    assert desk.run(forgetful.round()) is False, "nothing more"


def test_what_a_crash_cut_off_the_next_round_forgets(
    desk: Desk, forgetful: Forgetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operation goes last: as long as it is there, its workflows are found."""
    old = ended(desk, NOW - 11 * DAY)

    async def away(*_: object) -> None:
        raise DatabaseAway("gone in this moment")

    for holder, name in ((Durable, "delete"), (OperationStore, "delete")):
        with monkeypatch.context() as moment:
            moment.setattr(holder, name, away)
            with pytest.raises(DatabaseAway):
                desk.run(forgetful.round())
        assert left(desk, operations.c.id) == [old], name

    desk.run(forgetful.round())
    assert not left(desk, operations.c.id)
    assert not workflows(forgetful.durable, desk, old)


def test_the_journal_is_forgotten_but_for_operations_that_are_kept(desk: Desk, forgetful: Forgetting) -> None:
    kept, gone = ended(desk, NOW - 9 * DAY), ended(desk, NOW - 11 * DAY)
    written(desk, "of a user, old", NOW - 3 * DAY)
    written(desk, "of a user, recent", NOW - DAY)
    written(desk, "of an operation that is kept", NOW - 9 * DAY, kept)
    written(desk, "of an operation that is forgotten", NOW - 11 * DAY, gone)

    desk.run(forgetful.round())

    assert left(desk, region_writes.c.what) == ["of a user, recent", "of an operation that is kept"]


def test_the_audit_trail_is_forgotten(desk: Desk, forgetful: Forgetting) -> None:
    recorded(desk, "old", NOW - 6 * DAY)
    recorded(desk, "recent", NOW - 4 * DAY)
    desk.run(forgetful.round())
    assert left(desk, audit_records.c.target) == ["recent"]


def test_one_round_takes_a_bite_the_oldest_first(
    desk: Desk, forgetful: Forgetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "ROWS", 2)
    for age in (8, 6, 7):
        recorded(desk, f"{age} days", NOW - age * DAY)
        written(desk, f"{age} days", NOW - age * DAY)
    assert desk.run(forgetful.round()) is True
    assert left(desk, audit_records.c.target) == left(desk, region_writes.c.what) == ["6 days"]
    assert desk.run(forgetful.round()) is False
    assert left(desk, audit_records.c.target) == left(desk, region_writes.c.what) == []
