"""One read of one kind of one region: ask for what changed, and tell the difference to what is stored.

Nothing is stored here: a listing that fails on its third page raises, and so changes nothing. Only rows
that differ are kept in memory. The mark from which the next read asks is the latest time that the region
itself told of a change, so no clock of ours matters; the next read asks from `OVERLAP` before it, because
a change may become visible a little after its time. Small regions are read in full where that is one call
and asking for changes would be two.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from multisite.inventory import listings
from multisite.inventory.kinds import Changes, Kind
from multisite.inventory.model import UNKNOWN_TIME, Known, Reading, Sync
from multisite.inventory.parsing import Malformed, identity_of, parse, version_of
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

#: How long after its time a change may become visible.
OVERLAP = timedelta(seconds=30)
#: Up to so many items, volumes and images are read in full: one small call tells what is gone, too.
FEW = 100
#: How often the deleted ones of many images are looked for.
GONE_INTERVAL = timedelta(minutes=10)
#: Items that are asked for by their ids in one call: the URL has to stay short.
IDS_AT_ONCE = 50
#: Above this, changed items are not asked for one by one.
MANY_CHANGES = 500
#: Items of one kind in one region that are believed.
MOST_ITEMS = 500_000
#: A time so far ahead of ours is not believed: as a mark it would hide every change until then.
LYING = timedelta(days=1)
#: Rows after which other work gets its turn.
BREATH = 50
#: Malformed rows that are named.
NAMED = 5

_DELETED = frozenset({"DELETED", "SOFT_DELETED"})


@dataclass(slots=True)
class Reader:
    """Reads one kind of one region, of which `known` is stored and `sync` tells how far it was read."""

    client: RegionClient
    kind: Kind
    known: Mapping[str, Known]
    sync: Sync
    now: datetime
    full_interval: float
    _seen: set[str] = field(default_factory=set)
    _latest: datetime = UNKNOWN_TIME

    async def read(self) -> Reading:
        """The difference to what is stored. Raises `RegionCallError`."""
        reading = Reading(self.now, full=self._full_is_due())
        if not reading.full and self.kind.changes is Changes.VERSIONS:
            await self._by_versions(reading)
        elif not reading.full:
            await self._since(reading)
        if reading.full:
            await self._everything(reading)
        latest = self._mark()
        before = None if reading.full else self.sync.since
        reading.since = max(filter(None, (latest, before)), default=None)
        return reading

    def _mark(self) -> str | None:
        """The latest time of a change, but none ahead of ours: a clock that is ahead may be set right."""
        return min(self._latest, self.now).isoformat() if self._latest > UNKNOWN_TIME else None

    def _full_is_due(self) -> bool:
        read_at = self.sync.full_at
        if read_at is None or self.now - read_at >= timedelta(seconds=self.full_interval):
            return True
        changes = self.kind.changes
        if changes is Changes.VERSIONS:
            return False
        if changes is Changes.NONE or self.sync.since is None:
            return True
        if changes is Changes.SINCE_ONLY and self.now - read_at >= GONE_INTERVAL:
            return True
        return changes is not Changes.SINCE and len(self.known) <= FEW

    async def _everything(self, reading: Reading) -> None:
        await self._collect(reading, listings.every(self.client, self.kind))
        reading.gone = self.known.keys() - self._seen

    async def _since(self, reading: Reading) -> None:
        mark = datetime.fromisoformat(self.sync.since or "") - OVERLAP
        since = mark.strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._collect(reading, listings.changed(self.client, self.kind, since))
        if self.kind.changes is Changes.SINCE_AND_IDS:
            there = await self._identities(reading)
            reading.gone |= self.known.keys() - there.keys() - self._seen

    async def _by_versions(self, reading: Reading) -> None:
        versions = await self._identities(reading)
        if not all(versions.values()):
            reading.full = True  # a Neutron without revision numbers
            return
        changed = [
            identity
            for identity, version in versions.items()
            if identity not in self.known or self.known[identity].version != version
        ]
        if len(changed) > MANY_CHANGES:
            reading.full = True
            return
        for start in range(0, len(changed), IDS_AT_ONCE):
            ids = changed[start : start + IDS_AT_ONCE]
            await self._collect(reading, listings.chosen(self.client, self.kind, ids))
        reading.gone = self.known.keys() - versions.keys()

    async def _identities(self, reading: Reading) -> dict[str, str]:
        versions: dict[str, str] = {}
        async for page in listings.identities(self.client, self.kind):
            self._bounded(len(versions) + len(page))
            for raw in page:
                try:
                    versions[identity_of(self.kind, raw)] = version_of(raw)
                except Malformed as error:
                    reading.malformed.append(str(error))
            await asyncio.sleep(0)
        return versions

    async def _collect(self, reading: Reading, pages: listings.Pages) -> None:
        async for page in pages:
            self._bounded(len(self._seen) + len(page))
            for number, raw in enumerate(page):
                if number % BREATH == 0:
                    await asyncio.sleep(0)
                self._take(reading, raw)

    def _take(self, reading: Reading, raw: object) -> None:
        try:
            identity = identity_of(self.kind, raw)
            self._seen.add(identity)
            item = parse(self.kind, raw)
        except Malformed as error:
            reading.malformed.append(str(error))
            return
        if item.updated_at < self.now + LYING:
            self._latest = max(self._latest, item.updated_at)
        reading.changed.pop(identity, None)
        if self.kind.changes is Changes.SINCE and item.status in _DELETED:
            reading.gone |= {identity} & self.known.keys()
            return
        reading.gone.discard(identity)
        known = self.known.get(identity)
        if known is None or known.digest != item.digest:
            reading.changed[identity] = item

    def _bounded(self, count: int) -> None:
        if count > MOST_ITEMS:
            detail = f"the listing of {self.kind.plural} has more than {MOST_ITEMS} items"
            raise RegionCallError("unexpected-answer", detail)


def malformed_sentence(malformed: list[str]) -> str | None:
    """What is wrong with rows of a listing, the first few by name."""
    if not malformed:
        return None
    more = f" and {len(malformed) - NAMED} more" if len(malformed) > NAMED else ""
    return f"{len(malformed)} malformed: {'; '.join(malformed[:NAMED])}{more}"[:1000]
