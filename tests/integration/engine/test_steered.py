"""What users do with operations that are at work: cancel, try again, wait for their turn."""

import asyncio
import signal
from collections import Counter

import pytest

from multisite.engine.model import Operation, State
from multisite.engine.service import NotCancellable, NotRetryable
from tests.integration.engine.conftest import WHO, Desk, Nursery
from tests.integration.engine.executor import STEPS

MADE = [f"+one-{number}" for number in range(1, STEPS + 1)]


def undone(made: list[str]) -> list[str]:
    """What is done to undo this."""
    return [line.replace("+", "-") for line in reversed(made)]


def test_a_cancel_in_mid_work_undoes_what_was_done(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(("one", "two"), pause=0.1)
    pid = nursery.start(desk.orders("first"))
    desk.until(lambda: len(desk.world.things) >= 6)
    desk.run(desk.service.cancel(WHO, operation_id))
    operation = desk.wait(operation_id)
    assert operation.state is State.CANCELLED
    assert operation.failure is None
    assert desk.world.things == []
    for part in ("one", "two"):
        lines = [line for line in desk.world.log if part in line]
        made = [line for line in lines if line.startswith("+")]
        assert lines == made + undone(made)
        assert len(made) < STEPS
    nursery.kill(pid)


def test_what_has_not_begun_is_cancelled_at_once(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin()
    assert desk.run(desk.service.cancel(WHO, operation_id)).state is State.CANCELLED
    pid = nursery.start(desk.orders("first"))
    another = desk.begin(("two",))
    assert desk.wait(another).state is State.SUCCEEDED
    assert desk.operation(operation_id).state is State.CANCELLED
    assert desk.parts(operation_id)[0].attempts == 0
    nursery.kill(pid)


def test_undoing_cannot_be_cancelled(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(pause=0.1, fails=True)
    pid = nursery.start(desk.orders("first"))
    desk.until(lambda: desk.operation(operation_id).state is State.UNDOING)
    with pytest.raises(NotCancellable, match="being undone already"):
        desk.run(desk.service.cancel(WHO, operation_id))
    assert desk.wait(operation_id).state is State.FAILED
    with pytest.raises(NotCancellable, match="has ended"):
        desk.run(desk.service.cancel(WHO, operation_id))
    nursery.kill(pid)


def test_what_failed_is_tried_again(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(("one", "two"), fails=True)
    with pytest.raises(NotRetryable, match="still at work"):
        desk.run(desk.service.retry(WHO, operation_id))
    pid = nursery.start(desk.orders("first"))
    operation = desk.wait(operation_id)
    assert operation.state is State.FAILED
    assert operation.failure is not None
    assert operation.failure.code == "no-way"
    assert desk.world.things == []
    desk.world.make("luck")
    assert not desk.run(desk.service.retry(WHO, operation_id)).state.ended
    operation = desk.wait(operation_id)
    assert operation.state is State.SUCCEEDED
    assert operation.failure is None
    assert operation.percent == 100
    assert [part.attempts for part in desk.parts(operation_id)] == [2, 2]
    assert len(desk.world.things) == 2 * STEPS + 1
    with pytest.raises(NotRetryable, match="did all that it was asked"):
        desk.run(desk.service.retry(WHO, operation_id))
    nursery.kill(pid)


@pytest.mark.parametrize("killed", [False, True])
def test_an_undo_that_failed_goes_on_when_it_is_tried_again(
    desk: Desk, nursery: Nursery, *, killed: bool
) -> None:
    operation_id = desk.begin(fails=True, stuck=True)
    pid = nursery.start(desk.orders("first"))
    operation = desk.wait(operation_id)
    assert operation.state is State.ROLLBACK_FAILED
    part = desk.parts(operation_id)[0]
    assert part.failure is not None
    assert part.failure.code == "locked"
    assert "the last step cannot be done" in part.failure.detail
    assert desk.world.things == ["one-1", "one-2", "one-3"]
    with pytest.raises(NotCancellable, match="undoing it failed"):
        desk.run(desk.service.cancel(WHO, operation_id))
    if killed:
        nursery.kill(pid)
        pid = nursery.start(desk.orders("second"))
    desk.world.make("key")
    assert not desk.run(desk.service.retry(WHO, operation_id)).state.ended
    assert desk.wait(operation_id).state is State.FAILED
    assert desk.world.things == ["key"]
    assert desk.world.log == [*MADE, *undone(MADE)[:7], "+key", *undone(MADE)[7:]]
    nursery.kill(pid)


def test_a_region_is_done_one_part_at_a_time_and_the_urgent_ones_first(desk: Desk, nursery: Nursery) -> None:
    usual = [desk.begin(("one", "two"), kind="busy", priority=20) for _ in range(10)]
    urgent = desk.begin(("one", "two"), kind="busy", priority=1)
    pid = nursery.start(desk.orders("first"))
    for operation_id in (*usual, urgent):
        assert desk.wait(operation_id).state is State.SUCCEEDED
    inside: Counter[str] = Counter()
    together = 0
    for line in desk.world.log:
        inside[line[1:]] += 1 if line[0] == "(" else -1
        assert max(inside.values()) <= 1, "never two in one region"
        together = max(together, sum(inside.values()))
    assert together == 2, "regions do not wait for each other"
    ends = {operation_id: desk.operation(operation_id).finished_at for operation_id in (*usual, urgent)}
    assert min(ends, key=lambda each: ends[each]) == urgent  # type: ignore[arg-type, return-value]
    nursery.signal(pid, signal.SIGTERM)
    assert nursery.wait(pid) == 0


def test_two_who_try_an_undo_again_at_once_do_it_once(desk: Desk, nursery: Nursery) -> None:
    operation_id = desk.begin(fails=True, stuck=True)
    pid = nursery.start(desk.orders("first"))
    assert desk.wait(operation_id).state is State.ROLLBACK_FAILED
    desk.world.make("key")

    async def both() -> list[object]:
        asked = (desk.service.retry(WHO, operation_id) for _ in range(2))
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = desk.run(both())
    assert all(isinstance(each, Operation | NotRetryable) for each in answers), answers
    desk.until(lambda: desk.operation(operation_id).state is State.FAILED)
    assert desk.world.log == [*MADE, *undone(MADE)[:7], "+key", *undone(MADE)[7:]]
    nursery.kill(pid)
