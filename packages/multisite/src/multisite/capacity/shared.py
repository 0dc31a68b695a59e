"""One computation for all who ask at about the same time.

A listing over a thousand regions costs more than writing the answer, and many ask for it while the regions
are swept. So it is computed for the first one; those who come while that goes on, or shortly after, share it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from multisite.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    version: Hashable
    value: "asyncio.Task[T]"
    began: float


class Shared(Generic[T]):
    """The value of `compute`, at most `seconds` old, of one event loop."""

    def __init__(self, compute: Callable[[], Awaitable[T]], seconds: float, clock: Clock) -> None:
        self._compute = compute
        self._seconds = seconds
        self._clock = clock
        self._kept: _Kept[T] | None = None

    async def get(self, version: Hashable) -> T:
        """The value; never one that was computed for another `version` of what must not be old."""
        kept, now = self._kept, self._clock.monotonic()
        if (
            kept is None
            or kept.version != version
            or now - kept.began >= self._seconds
            or _failed(kept.value)
        ):
            kept = self._kept = _Kept(version, asyncio.ensure_future(self._run()), now)
        return await asyncio.shield(kept.value)

    def forget(self) -> None:
        """Compute it anew for whoever asks next."""
        self._kept = None

    async def _run(self) -> T:
        return await self._compute()


def _failed(value: "asyncio.Task[T]") -> bool:
    return value.done() and (value.cancelled() or value.exception() is not None)
