"""Several calls at once, failing as one call would.

A `TaskGroup` cancels what is left when one of its tasks fails, which is wanted, and raises a group of
exceptions, which nobody above wants to take apart: the first one stands for all.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose block raises the first exception of its tasks."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise _first(failures) from None


async def by_deadline(deadline: float, works: Iterable[Coroutine[Any, Any, T]], late: T) -> list[T]:
    """What each of these gives, in their order; what is not done after `deadline` seconds is ended: `late`.

    The first exception of one of them is raised when all have ended. One deadline for all costs less than
    one for each, where each is a call.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=deadline)
    finally:
        waiting = [task for task in tasks if task.cancel()]
    await asyncio.gather(*waiting, return_exceptions=True)
    return [late if task.cancelled() else task.result() for task in tasks]


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
