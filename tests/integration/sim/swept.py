"""Simulated regions, and multisite's sweep over them, without HTTP in front: for tests of what regions do."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from multisite.capacity.model import CapacityTotals, RegionCapacity
from multisite.capacity.service import CapacityListing, CapacityService
from multisite.capacity.store import CapacityStore
from multisite.capacity.writer import ObservationWriter
from multisite.regions.service import RegionService
from multisite.regions.status import Rhythm
from multisite.settings import SweepSettings
from multisite.sim.listening import Running
from multisite.sweeps.sweeper import Sweeper
from tests.integration.sim.over_regions import OverRegions

SETTINGS = SweepSettings(
    interval=60, health_interval=15, jitter=0, deadline=8, fresh_deadline=10, inventory_age=0,
    image_interval=0, regions_at_once=50,
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What a simulated region has, counted in its own state."""

    total: dict[str, int]
    used: dict[str, int]
    servers: int


def truth(cloud: Running, region: str) -> Truth:
    """Count."""

    def count() -> Truth:
        compute = cloud.simulator.world.region(region).compute
        total: dict[str, int] = {}
        used: dict[str, int] = {}
        for host in compute.hosts.values():
            for kind, (size, _, _) in host.inventory.items():
                total[kind] = total.get(kind, 0) + size
                used[kind] = used.get(kind, 0) + host.used[kind]
        return Truth(total, used, sum(host.servers for host in compute.hosts.values()))

    found: Truth = cloud.run(count)
    return found


class Swept(OverRegions):
    """The sweep, and what users would be told; every method may be called from a test without a loop."""

    def __init__(self, cloud: Running, folder: Path) -> None:
        super().__init__(cloud, folder)
        self._clients = self.new_clients()
        self._sweeper = Sweeper(
            self._clients, self.store, ObservationWriter(self.database), SETTINGS, self.clock
        )
        rhythm = Rhythm(60, 15, 600, 30)
        regions = RegionService(self.store, None, None, None, rhythm, self.clock)  # type: ignore[arg-type]
        stored = CapacityStore(self.database)
        self._capacity = CapacityService(stored, regions, None, None, {}, self.clock)  # type: ignore[arg-type]

    def sweep(self) -> None:
        """Read all regions once, and store what calls taught."""
        self.run(self._sweep)

    def listing(self) -> CapacityListing:
        """What `GET /v1/capacity` would answer."""
        return self.run(self._capacity.listing)

    def of(self, region: str) -> RegionCapacity:
        """One region's row."""
        return next(item for item in self.listing().regions if item.region == region)

    def skews(self, region: str) -> dict[str, float]:
        """By how many seconds the clock of each service is ahead, where that is known."""

        async def read() -> dict[str, float]:
            (rows,) = (await self.store.services([region])).values()
            return {row.service: row.clock_skew for row in rows if row.clock_skew is not None}

        return {service: skew for service, skew in self.run(read).items() if service != "identity"}

    def forget(self) -> None:
        """Begin anew with each region, as after a restart: its breakers do not wait."""
        for region in self.regions:
            self._sweeper.forget(region.id, region.name)

    @property
    def totals(self) -> CapacityTotals:
        """The totals."""
        return self.listing().totals

    def close(self) -> None:
        """End it."""
        self.run(self._close)
        self.end()

    async def _sweep(self) -> None:
        await asyncio.gather(*(self._sweeper.sweep(region, images=True) for region in self.regions))
        await self.store.write_health(self.book.take_changes())

    async def _close(self) -> None:
        await self._sweeper.stop()
        await self._clients.close()
