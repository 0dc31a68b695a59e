"""How full each region was in the last day, for a wall of sparklines.

In memory, because walls are asked often.

A region has a ring of slots of two minutes, four bytes each: 5,000 regions take 14 MiB. The first question
reads an hourly row per region and hour, and the changes of as many minutes as `MOST_ROWS` allows; later ones
read only what was written since. Between two looks (an interval of the sweep) the answer is the same one.
"""

import asyncio
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from multisite.capacity.history.model import HOUR
from multisite.capacity.history.store import HistoryStore, Share
from multisite.clock import Clock

#: The resource whose trend is drawn.
RESOURCE = "VCPU"
SLOT = timedelta(minutes=2)
SLOTS = 720
#: Changes that the first question reads at most, and rows of one query.
MOST_ROWS = 100_000
PAGE = 500
#: Spans of a trend, the shortest first that holds what is known; and how many values it has at most.
SPANS = (HOUR, 6 * HOUR, 24 * HOUR)
VALUES = 60

_DAY = timedelta(days=1)
_MINUTES_A_DAY = 1440
_UNKNOWN = -1.0
#: Regions that are looked at before others get their turn on the loop.
_TURN = 200


@dataclass(frozen=True, slots=True)
class Trend:
    """How much was in use (percent), the oldest value first, `None` for not known; over the last `span`."""

    span: timedelta
    values: tuple[float | None, ...]


@dataclass(slots=True)
class _Ring:
    """The last `SLOTS` slots, each at its number modulo `SLOTS`; known are those from `first` to `slot`."""

    first: int
    slot: int
    share: float = _UNKNOWN
    slots: "array[float]" = field(default_factory=lambda: array("f", [_UNKNOWN]) * SLOTS)

    def move(self, slot: int) -> None:
        """Hold the last value up to a slot."""
        for number in range(max(self.slot + 1, slot - SLOTS + 1), slot + 1):
            self.slots[number % SLOTS] = self.share
        self.slot = max(self.slot, slot)

    def add(self, slot: int, share: float | None) -> None:
        """A new value; a slot keeps the greatest of those in it."""
        if slot - self.slot > (HOUR + SLOT) / SLOT:
            self.share = _UNKNOWN  # a row an hour is certain while somebody reads the region
        self.move(slot)
        self.share = _UNKNOWN if share is None else share
        self.slots[slot % SLOTS] = max(self.slots[slot % SLOTS], self.share)

    def values(self, slots: int) -> tuple[float | None, ...]:
        """The last slots, in `VALUES` values at most: the greatest of each few."""
        begin = (self.slot + 1) % SLOTS
        line = (self.slots[begin:] + self.slots[:begin])[-slots:]
        step = max(1, slots // VALUES)
        highest = (max(line[place : place + step]) for place in range(0, slots, step))
        return tuple(None if value < 0 else round(value, 1) for value in highest)


class Trends:
    """The rings of all regions; lives on one event loop."""

    def __init__(self, store: HistoryStore, interval: float, clock: Clock) -> None:
        self._store = store
        self._interval = interval
        self._clock = clock
        self._rings: dict[int, _Ring] = {}
        self._after: tuple[datetime, int] | None = None
        self._looked_at = float("-inf")
        self._trends: dict[int, Trend] = {}

    async def of(self, known: Sequence[tuple[int, bool]]) -> dict[int, Trend]:
        """The trends of regions by id; each comes with whether its present figures are known."""
        now = self._clock.monotonic()
        if now - self._looked_at >= self._interval:
            self._looked_at = now
            await self._read(len(known))
            self._trends = await self._now(known)
        return self._trends

    async def _read(self, regions: int) -> None:
        now = self._clock.now()
        if self._after is None:
            minutes = min(_MINUTES_A_DAY, MOST_ROWS // max(1, regions))
            begin = now - timedelta(minutes=minutes)
            await self._take(now - _DAY, hourly=True, until=begin)
            self._after = (begin, 0)
        await self._take(self._after[0], hourly=False)

    async def _take(self, since: datetime, *, hourly: bool, until: datetime | None = None) -> None:
        after = (since, 0) if hourly or self._after is None else self._after
        while True:
            rows = await self._store.shares(RESOURCE, since, hourly=hourly, after=after, limit=PAGE)
            rows = [row for row in rows if until is None or row[1] < until]
            for row in rows:
                self._add(row)
            if rows:
                after = (rows[-1][1], rows[-1][0])
            if len(rows) < PAGE:
                break
        if not hourly:
            self._after = after

    def _add(self, row: Share) -> None:
        region_id, at, share = row
        slot = _slot(at)
        ring = self._rings.get(region_id)
        if ring is None:
            ring = self._rings[region_id] = _Ring(first=slot, slot=slot - 1)
        ring.add(slot, share)

    async def _now(self, known: Sequence[tuple[int, bool]]) -> dict[int, Trend]:
        slot = _slot(self._clock.now())
        rings = {region_id: self._rings[region_id] for region_id, _ in known if region_id in self._rings}
        self._rings = dict(rings)
        age = max((slot - ring.first + 1 for ring in rings.values()), default=0) * SLOT
        span = next((each for each in SPANS if age <= each), SPANS[-1])
        trends = {}
        for number, (region_id, fresh) in enumerate(known):
            if number % _TURN == _TURN - 1:
                await asyncio.sleep(0)
            ring = rings.get(region_id)
            if ring:
                if not fresh:
                    ring.share = _UNKNOWN
                ring.move(slot)
                trends[region_id] = Trend(span, ring.values(int(span / SLOT)))
        return trends


def _slot(at: datetime) -> int:
    return int(at.timestamp() // SLOT.total_seconds())
