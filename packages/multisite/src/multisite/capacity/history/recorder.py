"""Writes history while regions are swept; only in the process that sweeps.

A region's row is written in the transaction of its sweep: when its figures differ from those of its last row,
and with the first sweep of each hour. What a service did not tell is left out of the row, so a region that
does not answer has a row without figures: a gap with a beginning. Where nobody looked at all (the service was
stopped, the region disabled), the gap is written when somebody looks again, from the moment on at which the
figures before it became stale.

`maintain` is called each second while the sweep's lease is held. It keeps the totals over all regions (to
add up thousands of regions for each point of a chart would be too late when the chart is asked for), and
deletes what is too old, a bite at a time. Without that call nothing is recorded: sweeps that a request asks
of another process leave no rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.capacity.history import model
from multisite.capacity.history.model import Figures, hour_of
from multisite.capacity.history.store import HistoryStore, LastRow, Row
from multisite.capacity.store import Observation
from multisite.clock import Clock
from multisite.regions.model import Region
from multisite.regions.status import Rhythm
from multisite.settings import HistorySettings

#: Images are listed less often than the rest is read: their figures hold until the next list.
IMAGES = ("images", "image_bytes")
#: Seconds after which a holder that was not heard from counts as one that lost the lease.
SILENCE = 20.0
#: Seconds between two looks for rows that are too old.
THIN_INTERVAL = 60.0


@dataclass(slots=True)
class _Kept:
    """What is remembered of the last row; losing it costs one query."""

    at: datetime
    read_at: datetime
    resources: Mapping[str, Figures]
    known_this_hour: frozenset[str]
    images_at: datetime | None = None


class Recorder:
    """Rows of history from the observations of sweeps; lives on the region loop."""

    def __init__(self, store: HistoryStore, settings: HistorySettings, rhythm: Rhythm, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._rhythm = rhythm
        self._clock = clock
        self._regions: Mapping[int, Region] = {}
        self._kept: dict[int, _Kept] = {}
        self._totals: _Kept | None = None
        self._totals_at = float("-inf")
        self._seen = float("-inf")
        self._holds_since = float("-inf")
        self._thin_at = float("-inf")

    async def record(
        self, connection: AsyncConnection, sweeps: Sequence[tuple[int, Sequence[Observation]]]
    ) -> None:
        """Write the rows of these sweeps, before their observations are.

        Where the transaction fails, `forget`.
        """
        if self._clock.monotonic() - self._seen > SILENCE:
            return
        sweeps = [(region_id, results) for region_id, results in sweeps if region_id in self._regions]
        unknown = [region_id for region_id, _ in sweeps if region_id not in self._kept]
        if unknown:
            for region_id, last in (await self._store.last(connection, unknown)).items():
                if last.row is not None:
                    self._kept[region_id] = _kept(last, last.row)
        now = self._clock.now()
        rows = [row for region_id, results in sweeps for row in self._rows(region_id, results, now)]
        await self._store.insert(connection, rows)

    def forget(self) -> None:
        """What is remembered may not be what is stored: ask again."""
        self._kept.clear()
        self._totals = None

    async def maintain(self, regions: Sequence[Region]) -> None:
        """Follow the regions, keep the totals, delete a bite of what is too old."""
        now = self._clock.monotonic()
        if now - self._seen > SILENCE:
            self.forget()
            self._holds_since = now
        self._seen = now
        self._regions = {region.id: region for region in regions}
        for region_id in [region_id for region_id in self._kept if region_id not in self._regions]:
            del self._kept[region_id]
        if regions and now >= self._totals_at and self._complete(now):
            await self._keep_totals(len(regions))
            self._totals_at = now + self._rhythm.sweep
        if now >= self._thin_at:
            at, keep = self._clock.now(), self._settings
            changes, hours = timedelta(seconds=keep.keep), timedelta(seconds=keep.keep_hourly)
            if not await self._store.thin(at - changes, at - hours):
                self._thin_at = now + THIN_INTERVAL

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
        rows, self._kept[region_id] = _next(region_id, kept, resources, now, None)
        self._kept[region_id].images_at = images_at
        yield from rows

    def _complete(self, now: float) -> bool:
        """Whether the totals can be told: each region was swept since we hold the lease, or had time to."""
        known = all(region_id in self._kept for region_id in self._regions)
        return known or now - self._holds_since > 2 * self._rhythm.sweep + self._rhythm.deadline

    async def _keep_totals(self, regions: int) -> None:
        now = self._clock.now()
        rows = []
        if self._totals is None:
            last = await self._store.last_totals()
            self._totals = _kept(last, last.row) if last.row else None
        kept = self._totals
        patience = timedelta(seconds=2 * self._rhythm.sweep + self._rhythm.deadline)
        if kept and now - kept.read_at > patience and kept.resources:
            rows.append(Row(0, kept.read_at + patience, hourly=False, resources={}, regions=regions))
        fresh = (
            each.resources
            for region_id, each in self._kept.items()
            if now - each.read_at <= self._rhythm.patience(self._regions[region_id], "compute")
        )
        more, self._totals = _next(0, kept, model.totals(fresh), now, regions)
        rows += more
        if rows:
            await self._store.insert_totals(rows)


def _failed(results: Iterable[Observation], service: str) -> bool:
    return any(result.service == service and result.error is not None for result in results)


def _kept(last: LastRow, row: Row) -> _Kept:
    return _Kept(row.at, max(last.read_at or row.at, row.at), row.resources, frozenset(row.resources))


def _next(
    region_id: int, kept: _Kept | None, resources: Mapping[str, Figures], now: datetime, regions: int | None
) -> tuple[list[Row], _Kept]:
    """The row to write, if any, and what to remember.

    One row an hour at least; hourly ones are the first, and those with a resource that was a gap before.
    """
    first = kept is None or hour_of(kept.at) != hour_of(now)
    known = frozenset() if kept is None or first else kept.known_this_hour
    hourly = first or not known.issuperset(resources)
    if kept is not None and not first and resources == kept.resources:
        kept.read_at = now
        return [], kept
    row = Row(region_id, now, hourly, resources, regions)
    return [row], _Kept(now, now, resources, known | resources.keys())
