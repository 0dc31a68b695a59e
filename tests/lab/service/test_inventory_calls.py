"""How many calls one read of a region's items costs: pinned, because 1,000 regions pay for each."""

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.inventory.kinds import KINDS
from multisite.inventory.projects import Projects, ProjectStore
from multisite.inventory.refresher import InventoryRefresher
from multisite.inventory.store import InventoryStore
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import InventorySettings
from multisite.sweeps.reading import RegionClients
from tests.lab.service.conftest import Cloud
from tests.recording import RecordingTransport

pytestmark = pytest.mark.lab

#: One call per kind, and one for who sees what of whose networks.
STEADY = {
    "images": 2,
    "networks": 1,
    "subnets": 1,
    "ports": 1,
    "routers": 1,
    "floatingips": 1,
    "security-groups": 1,
    "rbac-policies": 1,
    "servers/detail": 1,
    "volumes/detail": 1,
    "snapshots/detail": 1,
    "backups/detail": 1,
}


def counted(transport: RecordingTransport) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for url, _ in transport.asked:
        words = urlsplit(url).path.strip("/").split("/")
        counts["/".join(words[-2:]) if words[-1] == "detail" else words[-1]] += 1
    transport.asked.clear()
    return dict(counts)


async def test_the_calls_of_the_first_read_and_of_every_other(fresh: Cloud, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.sqlite"
    schema.upgrade(url)
    database, clock, transport = Database(url), SystemClock(), RecordingTransport()
    clients = Regions(Clouds(fresh.clouds_file), Tokens(clock, deadline=10), transport, HealthBook(), clock)
    store = RegionStore(database)
    async with database.write() as connection:
        await store.insert(connection, Region("RegionTwo", "RegionTwo", "RegionTwo-admin"))
    regions = await store.select()
    refresher = InventoryRefresher(
        RegionClients(clients),
        InventoryStore(database),
        Projects(ProjectStore(database), clock),
        InventorySettings(enabled=True, interval=60, full_interval=3600),
        50,
        30,
        clock,
    )
    try:
        await refresher.read_now(regions, KINDS, 60)
        assert counted(transport) == STEADY | {"domains": 1, "projects": 1}
        changed = refresher.status.changed_items
        await refresher.read_now(regions, KINDS, 60)
        assert counted(transport) == STEADY
        assert refresher.status.changed_items == changed, "nothing changed, so nothing is written"
        assert refresher.status.failures == 0
    finally:
        await refresher.stop()
        await clients.close()
        await database.close()
