"""What steps remember belongs to the attempt, unless the next one goes on undoing what they did."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db.engine import Database
from multisite.engine.model import State
from multisite.engine.store import OperationStore
from tests.integration.engine.conftest import WHO

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(("ending", "undo_from", "times"), [
    (State.CANCELLED, None, 2),
    (State.ROLLBACK_FAILED, 3, 1),
])  # fmt: skip
async def test_a_new_attempt_does_again_what_was_done_once(
    database: Database, ending: State, undo_from: int | None, times: int
) -> None:
    store, done = OperationStore(database), 0

    async def work(_: AsyncConnection) -> int:
        nonlocal done
        done += 1
        return done

    async with database.write() as connection:
        operation_id = await store.insert(connection, WHO, "any", {}, ["one"], NOW, priority=1)
        await store.begin(connection, operation_id, "one", 1, NOW)
        for _ in range(2):
            assert await store.remember(connection, operation_id, "one", "step", work) == 1
        await store.end(connection, operation_id, "one", ending, NOW, undo_from=undo_from)
        assert await store.queue_again(connection, operation_id, "one", 2, NOW)
        await store.begin(connection, operation_id, "one", 2, NOW)
        assert await store.remember(connection, operation_id, "one", "step", work) == times
    assert done == times
