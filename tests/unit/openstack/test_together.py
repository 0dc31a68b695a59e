"""Calls at once fail as one call would."""

import asyncio

import pytest

from multisite.openstack.failures import RegionCallError
from multisite.openstack.together import together


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
