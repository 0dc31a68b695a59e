"""How many calls one sweep of a region costs: pinned, because 5,000 regions pay for each."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from multisite.capacity.writer import ObservationWriter
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.tokens import Tokens
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.sweeper import Sweeper
from tests.lab.service.conftest import Cloud
from tests.recording import RecordingTransport

pytestmark = pytest.mark.lab

SETTINGS = SweepSettings(
    interval=60,
    health_interval=15,
    jitter=0,
    deadline=30,
    fresh_deadline=10,
    inventory_age=600,
    image_interval=600,
    regions_at_once=50,
)


#: The last words of addresses under which services tell their versions, in the lab and in its twin.
ROOTS = {"", "identity", "compute", "placement", "volume", "network", "image"}


def counted(transport: RecordingTransport) -> dict[str, int]:
    """The calls since the last time, by the last word of the path; those for a version apart."""
    counts: Counter[str] = Counter()
    for url, _ in transport.asked:
        words = urlsplit(url).path.strip("/").split("/")
        counts["version" if words[-1] in ROOTS else words[-1]] += 1
    transport.asked.clear()
    return dict(counts)


@pytest.fixture
async def sweeper(fresh: Cloud, tmp_path: Path) -> AsyncIterator[tuple[Sweeper, RecordingTransport, Region]]:
    url = f"sqlite:///{tmp_path}/calls.sqlite"
    schema.upgrade(url)
    database = Database(url)
    clock, transport = SystemClock(), RecordingTransport()
    clients = Regions(Clouds(fresh.clouds_file), Tokens(clock, deadline=10), transport, HealthBook(), clock)
    store = RegionStore(database)
    async with database.write() as connection:
        await store.insert(connection, Region("RegionTwo", "RegionTwo", "RegionTwo-admin"))
    [region] = await store.select()
    yield Sweeper(clients, store, ObservationWriter(database), SETTINGS, clock), transport, region
    await clients.close()
    await database.close()


async def test_the_calls_of_the_first_sweep_and_of_every_other(
    sweeper: tuple[Sweeper, RecordingTransport, Region],
) -> None:
    reads, transport, region = sweeper
    await reads.sweep(region)
    first = counted(transport)
    assert first.pop("version") + first.pop("v3", 0) >= 6, "the version of every service, once"
    assert first.pop("images") == 1
    assert first.pop("stores") == 1
    assert first.pop("inventories") == 2, "once per provider"
    assert first.pop("subnetpools") == 1, "with the images, as they change seldom"
    assert first.pop("subnets", 0) <= 1, "and only where there are pools"
    await reads.sweep(region)
    second = counted(transport)
    assert first == second
    assert second == {
        "resource_providers": 2,  # all, and the sharing ones
        "usages": 2,  # once per provider
        "os-services": 2,  # Nova's and Cinder's
        "detail": 2,  # hypervisors, flavors
        "os-aggregates": 1,
        "get_pools": 1,
        "network-ip-availabilities": 1,
        "networks": 1,
    }
