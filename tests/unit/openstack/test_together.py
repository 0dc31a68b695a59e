"""Calls at once fail as one call would."""

import asyncio

import pytest

from multisite.openstack.failures import RegionCallError
from multisite.openstack.together import by_deadline, together


async def fail(code: str) -> None:
    raise RegionCallError(code, "why")


async def test_the_first_failure_stands_for_all_and_the_others_are_cancelled() -> None:
    never = asyncio.Event()
    waiting: list[asyncio.Task[object]] = []

    async def both() -> None:
        async with together() as group:
            waiting.append(group.create_task(never.wait()))
            group.create_task(fail("timeout"))

    with pytest.raises(RegionCallError) as caught:
        await both()
    assert caught.value.code == "timeout"
    assert waiting[0].cancelled()


async def test_groups_within_groups_come_out_as_one_error() -> None:
    async def inner() -> None:
        async with together() as group:
            group.create_task(fail("forbidden"))

    with pytest.raises(RegionCallError, match="why"):
        async with together() as group:
            group.create_task(inner())


async def test_results_are_there_afterwards() -> None:
    async with together() as group:
        task = group.create_task(asyncio.sleep(0, "done"))
    assert task.result() == "done"


async def test_what_is_not_done_by_the_deadline_is_ended_and_the_rest_is_there() -> None:
    never = asyncio.Event()
    ended = []

    async def quick(number: int) -> int:
        await asyncio.sleep(0)
        return number

    async def slow() -> int:
        try:
            await never.wait()
        finally:
            ended.append("slow")
        return 0

    assert await by_deadline(0.05, [quick(1), slow(), quick(3)], late=-1) == [1, -1, 3]
    assert ended == ["slow"]
    assert await by_deadline(0.05, [], late=-1) == []


async def test_whoever_gives_up_waiting_ends_all_of_them() -> None:
    never = asyncio.Event()
    ended = []

    async def slow(number: int) -> None:
        try:
            await never.wait()
        finally:
            ended.append(number)

    waiting = asyncio.create_task(by_deadline(60, [slow(1), slow(2)], late=None))
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert sorted(ended) == [1, 2]


async def test_a_failure_is_raised_when_all_have_ended() -> None:
    async def quick() -> None:
        await asyncio.sleep(0)

    with pytest.raises(RegionCallError, match="why"):
        await by_deadline(60, [quick(), fail("timeout")], late=None)
