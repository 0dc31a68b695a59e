"""What tests share that run a part of multisite over simulated regions, without HTTP in front."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Limits, Transport
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.sim.clouds import clouds, write_clouds
from multisite.sim.listening import Running

T = TypeVar("T")
#: Seconds: what a busy machine may take for a call to a region that is well.
CALL_DEADLINE = 2.5

#: A fault of all services of a region, and a code that some of its services get.
DEADLY: list[tuple[dict[str, Any], str]] = [
    ({"kind": "refuse"}, "connection-refused"),
    ({"kind": "reset"}, "connection-failed"),
    ({"kind": "hang"}, "timeout"),
    ({"kind": "drip", "seconds": 0.2}, "timeout"),
    ({"kind": "truncate"}, "unexpected-answer"),
    ({"kind": "garbage"}, "unexpected-answer"),
    ({"kind": "wrong"}, "unexpected-answer"),
    ({"kind": "status", "status": 500}, "server-error"),
    ({"kind": "status", "status": 429, "retry_after": 60}, "rate-limited"),
    ({"kind": "status", "status": 403}, "forbidden"),
    ({"kind": "expire"}, "token-rejected"),
]


class OverRegions:
    """A database in which all regions of a simulated cloud are registered, and clients for them.

    Every method may be called from a test without a loop.
    """

    def __init__(self, cloud: Running, folder: Path) -> None:
        self.cloud = cloud
        self._folder = folder
        self._runner = asyncio.Runner()
        url = f"sqlite:///{folder}/multisite.sqlite"
        schema.upgrade(url)
        write_clouds(clouds(cloud.simulator.world), folder / "clouds.yaml")
        self.database, self.clock, self.book = Database(url), SystemClock(), HealthBook()
        self.store = RegionStore(self.database)
        self.run(self._register)
        self.regions: Sequence[Region] = self.run(self.store.select)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something on the loop of the part that is tested."""
        return self._runner.run(work())

    def new_clients(self) -> Regions:
        """Clients that know nothing of the regions yet, as after a restart."""
        limits = Limits(call_deadline=CALL_DEADLINE, connect_deadline=CALL_DEADLINE)
        tokens = Tokens(self.clock, deadline=CALL_DEADLINE)
        known = Clouds(self._folder / "clouds.yaml")
        return Regions(known, tokens, Transport(limits), self.book, self.clock)

    def end(self) -> None:
        """Close the database and the loop."""
        self.run(self.database.close)
        self._runner.close()

    async def _register(self) -> None:
        async with self.database.write() as connection:
            own = self.cloud.simulator.plan.own_keystone
            for name in self.cloud.simulator.world.names:
                entry = f"{name}-admin" if own else "sim-admin"
                await self.store.insert(connection, Region(name, name, entry))
