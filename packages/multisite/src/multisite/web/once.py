"""A form that is sent twice is done once.

Who clicks twice sends the same form twice, at almost the same moment. Each form carries a text of its own;
the first request with it does the work, and every other one gets the same outcome, also when it comes while
the work is under way or minutes later, by a reload. It is kept in this process; that nothing is created twice
by several processes is what keys of creations are for.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from multisite.clock import Clock

T = TypeVar("T")

#: How long (seconds) an outcome is kept, and how many at most.
KEPT = 600.0
MOST = 2000


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    task: "asyncio.Task[T]"
    at: float


class Once(Generic[T]):
    """Outcomes by who sent what."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._done: OrderedDict[Hashable, _Done[T]] = OrderedDict()

    async def do(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` answers, or has answered for this key; an error is an outcome, too."""
        self._forget()
        known = self._done.get(key)
        if known is None:
            known = _Done(asyncio.ensure_future(_coroutine(work)), self._clock.monotonic())
            self._done[key] = known
        # A browser that goes away ends its own waiting, and not the work.
        return await asyncio.shield(known.task)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        while self._done:
            oldest = next(iter(self._done.values()))
            if len(self._done) < MOST and now - oldest.at < KEPT:
                return
            self._done.popitem(last=False)


async def _coroutine(work: Callable[[], Awaitable[T]]) -> T:
    return await work()
