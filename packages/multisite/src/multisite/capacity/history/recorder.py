"""Writes history while regions are swept; each process that of the regions that it sweeps.

A region's row is written in the transaction of its sweep: when its figures differ from those of its last row,
and with the first sweep of each hour. What a service did not tell is left out of the row, so a region that
does not answer has a row without figures: a gap with a beginning. Where nobody looked at all (the service was
stopped, the region disabled), the gap is written when somebody looks again, from the moment on at which the
figures before it became stale.

`follow` says each second which regions those are; other regions' sweeps, which a request asked of this
process, leave no rows. The totals over all regions are `summing.py`'s.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.history import model
from multisite.capacity.history.kept import Kept, kept_of, next_rows
from multisite.capacity.history.model import Figures
from multisite.capacity.history.store import HistoryStore, Row
from multisite.capacity.store import Observation
from multisite.clock import Clock
from multisite.regions.model import Region
from multisite.regions.status import Rhythm

#: Images are listed less often than the rest is read: their figures hold until the next list.
IMAGES = ("images", "image_bytes")
#: Seconds after which one that was not told which regions it sweeps counts as one that sweeps none.
SILENCE = 20.0


class Recorder:
    """Rows of history from the observations of sweeps; lives on the region loop."""

    def __init__(self, store: HistoryStore, rhythm: Rhythm, clock: Clock) -> None:
        self._store = store
        self._rhythm = rhythm
        self._clock = clock
        self._regions: dict[int, Region] = {}
        self._kept: dict[int, Kept] = {}
        self._seen = float("-inf")

    async def record(
        self, connection: AsyncConnection, sweeps: Sequence[tuple[int, Sequence[Observation]]]
    ) -> None:
        """Write the rows of these sweeps, before their observations are.

        Where the transaction fails, `forget`.
        """
        if self._clock.monotonic() - self._seen > SILENCE:
            return
        unknown = [each for each, _ in sweeps if each in self._regions and each not in self._kept]
        if unknown:
            for region_id, last in (await self._store.last(connection, unknown)).items():
                kept = kept_of(last)
                if kept is not None:
                    self._kept[region_id] = kept
        now = self._clock.now()
        ours = [(region_id, results) for region_id, results in sweeps if region_id in self._regions]
        rows = [row for region_id, results in ours for row in self._rows(region_id, results, now)]
        await self._store.insert(connection, rows)

    def forget(self) -> None:
        """What is remembered may not be what is stored: ask again."""
        self._kept.clear()

    async def follow(self, regions: Sequence[Region]) -> None:
        """Record these regions from now on, and no others."""
        now = self._clock.monotonic()
        if now - self._seen > SILENCE:
            self.forget()
        self._seen = now
        self._regions = {region.id: region for region in regions}
        for region_id in [region_id for region_id in self._kept if region_id not in self._regions]:
            del self._kept[region_id]

    def drop(self, region_id: int) -> Collection["asyncio.Task[None]"]:
        """Record a region no more, and forget it: another process writes its rows from now on."""
        self._regions.pop(region_id, None)
        self._kept.pop(region_id, None)
        return []

    def _rows(self, region_id: int, results: Sequence[Observation], now: datetime) -> Iterable[Row]:
        region, kept = self._regions[region_id], self._kept.get(region_id)
        resources: dict[str, Figures] = {}
        for result in results:
            if result.error is None and result.summary is not None:
                resources |= model.figures_of(result.summary)
        images_at = now if "images" in resources else kept.images_at if kept else None
        if kept and "images" not in resources and not _failed(results, "image"):
            patience = self._rhythm.patience(region, "image")
            if images_at is not None and now - images_at <= patience:
                resources |= {name: kept.resources[name] for name in IMAGES if name in kept.resources}
        patience = self._rhythm.patience(region, "compute")
        if kept and now - kept.read_at > patience and kept.resources:
            yield Row(region_id, kept.read_at + patience, hourly=False, resources={})
            kept.resources = {}
        rows, self._kept[region_id] = next_rows(region_id, kept, resources, now, None)
        self._kept[region_id].images_at = images_at
        yield from rows


def _failed(results: Iterable[Observation], service: str) -> bool:
    return any(result.service == service and result.error is not None for result in results)
