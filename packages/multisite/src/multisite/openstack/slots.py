"""How many calls go on at once.

anyio's semaphore hands a slot that becomes free to the one who waits longest; asyncio's looks through all
who wait each time one is let in. Where a slot is free, which is the usual case, it is taken without the
way through the event loop's bookkeeping.
"""

from types import TracebackType

from anyio import Semaphore


class Slots:
    """So many at once: `async with` waits for one of them. For one event loop."""

    __slots__ = ("_free",)

    def __init__(self, count: int) -> None:
        self._free = Semaphore(count, fast_acquire=True)

    async def __aenter__(self) -> None:
        if self._free.value:
            self._free.acquire_nowait()
        else:
            await self._free.acquire()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._free.release()
