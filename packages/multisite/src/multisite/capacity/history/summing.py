"""Keeps the totals over all regions, and deletes what is too old; in one process for all.

To add up thousands of regions for each point of a chart would be too late when the chart is asked for. The
regions are swept by many processes, so what each of them has is asked of the database: of those rows that are
newer than what is remembered, since most regions do not change between two sums. Totals begin when each
region was read lately, or had time to be: a sum over half of them would be a dip that nobody had.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from multisite.capacity.history import model
from multisite.capacity.history.kept import Kept, kept_of, next_rows
from multisite.capacity.history.store import HistoryStore, Row
from multisite.clock import Clock
from multisite.regions.model import Region
from multisite.regions.status import Rhythm
from multisite.settings import HistorySettings

#: Seconds after which one that was not asked to do this counts as one that had not to.
SILENCE = 20.0
#: Seconds between two looks for rows that are too old.
THIN_INTERVAL = 60.0


class Totals:
    """The totals of all regions; lives on the region loop. Call `maintain` each second."""

    def __init__(self, store: HistoryStore, settings: HistorySettings, rhythm: Rhythm, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._rhythm = rhythm
        self._clock = clock
        self._rows: dict[int, Row] = {}
        self._kept: Kept | None = None
        self._sum_at = float("-inf")
        self._seen = float("-inf")
        self._since = float("-inf")
        self._thin_at = float("-inf")

    async def maintain(self, regions: Sequence[Region]) -> None:
        """Add up all regions where that is due, and delete a bite of what is too old."""
        now = self._clock.monotonic()
        if now - self._seen > SILENCE:
            self._rows, self._kept, self._since = {}, None, now
        self._seen = now
        if regions and now >= self._sum_at and await self._sum({region.id: region for region in regions}):
            self._sum_at = now + self._rhythm.sweep
        if now >= self._thin_at:
            at, keep = self._clock.now(), self._settings
            changes, hours = timedelta(seconds=keep.keep), timedelta(seconds=keep.keep_hourly)
            if not await self._store.thin(at - changes, at - hours):
                self._thin_at = now + THIN_INTERVAL

    async def _sum(self, regions: Mapping[int, Region]) -> bool:
        """Write the row of now, if there is one; `False` while it cannot be told."""
        now = self._clock.now()
        read_at = await self._follow(regions.keys())
        fresh = {
            region_id
            for region_id, region in regions.items()
            if now - read_at[region_id] <= self._rhythm.patience(region, "compute")
        }
        if len(fresh) < len(regions) and not self._had_time():
            return False
        rows, kept = [], await self._last()
        patience = timedelta(seconds=2 * self._rhythm.sweep + self._rhythm.deadline)
        if kept and now - kept.read_at > patience and kept.resources:
            rows.append(Row(0, kept.read_at + patience, hourly=False, resources={}, regions=len(regions)))
        sums = model.totals(self._rows[each].resources for each in sorted(fresh & self._rows.keys()))
        more, self._kept = next_rows(0, kept, sums, now, len(regions))
        if rows + more:
            await self._store.insert_totals(rows + more)
        return True

    def _had_time(self) -> bool:
        """Whether each region would have been read since we do this, if it could be."""
        return self._clock.monotonic() - self._since > 2 * self._rhythm.sweep + self._rhythm.deadline

    async def _follow(self, region_ids: Collection[int]) -> Mapping[int, datetime]:
        """Remember the last rows of all regions; when each was last read (long ago: never)."""
        newest = await self._store.newest()
        for region_id in self._rows.keys() - newest.keys():
            del self._rows[region_id]
        known = {region_id: row.at for region_id, row in self._rows.items()}
        changed = [region_id for region_id, at in newest.items() if known.get(region_id) != at]
        self._rows |= await self._store.last_rows(changed)
        async with self._store.database.read() as connection:
            read_at = await self._store.read_at(connection, region_ids)
        never = datetime.min.replace(tzinfo=self._clock.now().tzinfo)
        return {region_id: read_at.get(region_id) or never for region_id in region_ids}

    async def _last(self) -> Kept | None:
        """The last totals: as remembered, unless another process wrote some since."""
        last = await self._store.last_totals()
        if last.row is None or (self._kept and self._kept.at == last.row.at):
            return self._kept
        return kept_of(last)
