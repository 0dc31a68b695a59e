"""One computation per view for all who watch it.

A `Feed` computes the snapshot of one view (a wall under one filter, a project) every few seconds, as
long as somebody watches, and wakes its viewers; a viewer compares marks, which costs next to nothing.
Viewers are not queues that can run full: one that was slow compares what it has with the newest.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager

from multisite.errors import MultisiteError
from multisite.web.snapshots import Fragment, Snapshot

LOG = logging.getLogger(__name__)

Compute = Callable[[], Awaitable[Snapshot]]


class Feed:
    """The newest snapshot of one view, and a bell that rings at every tick."""

    def __init__(self, first: Snapshot, trouble: Callable[[str], Fragment]) -> None:
        self.snapshot = first
        self.compute: Compute | None = None
        self.viewers = 0
        self._trouble = trouble
        self._bell = asyncio.Event()

    async def tick(self) -> None:
        """Wait until the snapshot was computed anew, changed or not."""
        await self._bell.wait()

    def ring(self) -> None:
        """Wake all viewers."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    async def refresh(self) -> None:
        """Compute the snapshot; where that fails, keep the last one and say so in it."""
        assert self.compute is not None  # noqa: S101 - set by whoever subscribes
        try:
            self.snapshot = await self.compute()
        except MultisiteError as error:
            LOG.warning("A live view could not be computed: %s: %s", error.code, error.detail)
            self.snapshot = self.snapshot.with_part(self._trouble(error.title))
        except Exception:
            # Whatever it was, the stream goes on: the view may be well again at the next tick.
            LOG.exception("A live view could not be computed")
            self.snapshot = self.snapshot.with_part(self._trouble("Something went wrong here."))
        self.ring()


class Feeds:
    """The feeds that somebody watches."""

    def __init__(self, interval: float, trouble: Callable[[str], Fragment]) -> None:
        self._interval = interval
        self._trouble = trouble
        self._feeds: dict[Hashable, Feed] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._streams_done = asyncio.Event()
        self._streams_done.set()
        self.closing = False

    @asynccontextmanager
    async def watch(self, key: Hashable, first: Snapshot, compute: Compute) -> AsyncIterator[Feed]:
        """The feed of a view; `compute` is the viewer's own and serves all from now on."""
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = Feed(first, self._trouble)
            self._tasks[key] = asyncio.create_task(self._run(feed))
        feed.compute = compute
        feed.viewers += 1
        self._streams_done.clear()
        try:
            yield feed
        finally:
            feed.viewers -= 1
            if not feed.viewers:
                del self._feeds[key]
                self._tasks.pop(key).cancel()
            if not self._feeds:
                self._streams_done.set()

    async def close(self, patience: float) -> None:
        """Let every stream end, and wait for them `patience` seconds at most."""
        self.closing = True
        for feed in self._feeds.values():
            feed.ring()
        try:
            await asyncio.wait_for(self._streams_done.wait(), patience)
        except TimeoutError:
            LOG.warning("Some live views did not end in %s s", patience)

    async def _run(self, feed: Feed) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await feed.refresh()
