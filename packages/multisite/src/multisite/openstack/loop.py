"""An event loop of its own for everything that talks to regions.

Answering a user must not wait behind the parsing of a thousand regions' answers, so reading regions
happens on another loop in another thread. `run` carries a coroutine there and its result back.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class RegionLoop:
    """A thread with an event loop; `start` it once, `stop` it once."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="regions", daemon=True)

    def start(self) -> None:
        """Start the thread; returns at once."""
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        """Run `work` on the loop; the future may be waited for from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def call(self, function: Callable[[], object]) -> None:
        """Call `function` on the loop soon; nothing waits for it."""
        self._loop.call_soon_threadsafe(function)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the loop and wait for its result from another loop.

        Cancelling the waiter cancels the work.
        """
        return await asyncio.wrap_future(self.submit(work))

    def stop(self, deadline: float = 5.0) -> None:
        """Cancel what still runs, wait up to `deadline` seconds for it, end the thread."""
        if not self._thread.is_alive():
            self._loop.close()
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(deadline)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._cancel_all()
        finally:
            self._loop.close()

    def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=3))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
