"""A line in front of the database: what many have to store is stored in few transactions.

A transaction of its own for each region costs more than reading the region does. So whoever has something to
store puts it in the line; while one transaction is under way the line grows, and the next one takes what
fits. One item is in one transaction whatever its weight: a crash leaves it whole or not there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How a line moves.

    `most`: the weight of one transaction, unless a single item has more: others want to write, too.
    `full`: the weight in the line from which on those who come wait, so that they cannot fill the memory.
    `gathering`: seconds for which others may join before a transaction begins.
    """

    most: int
    full: int
    gathering: float


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T, R]):
    item: T
    weight: int
    stored: "asyncio.Future[R]"


class Line(Generic[T, R]):
    """The line; `write` stores a batch in one transaction and gives a result for each item of it.

    Lives on one event loop.
    """

    def __init__(self, write: Callable[[Sequence[T]], Awaitable[Sequence[R]]], bounds: Bounds) -> None:
        self._write = write
        self._bounds = bounds
        self._line: list[_Waiting[T, R]] = []
        self._weight = 0
        self._room = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def put(self, item: T, weight: int = 1) -> "asyncio.Future[R]":
        """Put an item in the line; returns when there is room.

        What it returns gives the item's result when its transaction is committed, or raises what `write` did.
        """
        while self._weight >= self._bounds.full:
            self._room.clear()
            await self._room.wait()
        stored: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._line.append(_Waiting(item, weight, stored))
        self._weight += weight
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._write_all())
        return stored

    async def close(self, patience: float = 5.0) -> None:
        """Wait until the line is empty, so many seconds at most; what is left then is not stored."""
        if self._work is None:
            return
        await asyncio.wait([self._work], timeout=patience)
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)

    async def _write_all(self) -> None:
        try:
            while self._line:
                await asyncio.sleep(self._bounds.gathering)
                await self._write_some(self._next())
        except asyncio.CancelledError:
            for waiting in self._line:
                waiting.stored.cancel()
            raise

    async def _write_some(self, batch: Sequence[_Waiting[T, R]]) -> None:
        try:
            results = await self._write([waiting.item for waiting in batch])
        except asyncio.CancelledError:
            for waiting in batch:
                waiting.stored.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - told to everyone whose item was not stored
            for waiting in _patient(batch):
                waiting.stored.set_exception(error)
        else:
            for waiting, result in zip(batch, results, strict=True):
                if not waiting.stored.done():
                    waiting.stored.set_result(result)
        finally:
            self._weight -= sum(waiting.weight for waiting in batch)
            self._room.set()

    def _next(self) -> list[_Waiting[T, R]]:
        """As many from the line's front as fit into one transaction, and one at least."""
        weight, number = 0, 0
        for number, waiting in enumerate(self._line):
            weight += waiting.weight
            if number and weight > self._bounds.most:
                break
        else:
            number = len(self._line)
        batch, self._line = self._line[:number], self._line[number:]
        return batch


def _patient(batch: Sequence[_Waiting[T, R]]) -> list[_Waiting[T, R]]:
    """Those who still wait: the others were cancelled."""
    return [waiting for waiting in batch if not waiting.stored.done()]
