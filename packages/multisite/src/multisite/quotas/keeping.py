"""Deletes events and history of quotas that are too old, a bite at a time; in one process for all."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from multisite.clock import Clock
from multisite.quotas.delivery.outbox import Outbox
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.regions.model import Region
from multisite.settings import HistorySettings

LOG = logging.getLogger(__name__)

#: Seconds between two looks for what is too old.
INTERVAL = 60.0


class Keeper:
    """Keeps events for so many days, and history as long as that of capacity. Call `maintain` each second."""

    def __init__(
        self,
        history: QuotaHistoryStore,
        outbox: Outbox,
        settings: HistorySettings,
        keep_events: int,
        clock: Clock,
    ) -> None:
        self._history = history
        self._outbox = outbox
        self._settings = settings
        self._keep_events = timedelta(days=keep_events)
        self._clock = clock
        self._at = float("-inf")

    async def maintain(self, regions: Sequence[Region]) -> None:
        """Delete a bite of each, where that is due."""
        del regions  # whatever there is: this is for all of them
        now = self._clock.monotonic()
        if now < self._at:
            return
        at, keep = self._clock.now(), self._settings
        deleted = await self._history.thin(
            at - timedelta(seconds=keep.keep), at - timedelta(seconds=keep.keep_hourly)
        )
        events, lost = await self._outbox.thin(at - self._keep_events)
        if lost:
            LOG.error("%d webhook deliveries are given up: their events are older than keep_events", lost)
        if not deleted + events:
            self._at = now + INTERVAL
