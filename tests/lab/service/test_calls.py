"""How many calls one sweep of a region costs: pinned, because 5,000 regions pay for each."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from multisite.capacity.store import CapacityStore
from multisite.clock import SystemClock
from multisite.db import schema
from multisite.db.engine import Database
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds, Credential
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Answer, Limits, Transport
from multisite.regions.health import HealthBook
from multisite.regions.model import Region
from multisite.regions.store import RegionStore
from multisite.settings import SweepSettings
from multisite.sweeps.sweeper import Sweeper
from tests.lab.service.conftest import Cloud

pytestmark = pytest.mark.lab

SETTINGS = SweepSettings(
    interval=60,
    health_interval=15,
    jitter=0,
    deadline=30,
    fresh_deadline=10,
    inventory_age=600,
    image_interval=600,
    lease=20,
    regions_at_once=50,
)


class CountingTransport(Transport):
    """The real transport, which also counts."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.calls: Counter[str] = Counter()

    async def request(
        self,
        method: str,
        url: str,
        *,
        credential: Credential,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        path = urlsplit(url).path
        self.calls[f"{urlsplit(url).port}{path}"] += 1
        return await super().request(method, url, credential=credential, headers=headers, body=body)

    def taken(self) -> dict[str, int]:
        """Calls since the last time, by the last word of the path that is no id."""
        counts: Counter[str] = Counter()
        for place, calls in self.calls.items():
            words = [word for word in place.split("/") if word and "-" not in word[8:9]]
            counts[words[-1] if len(words) > 1 else "version"] += calls
        self.calls.clear()
        return dict(counts)


@pytest.fixture
async def sweeper(fresh: Cloud, tmp_path: Path) -> AsyncIterator[tuple[Sweeper, CountingTransport, Region]]:
    url = f"sqlite:///{tmp_path}/calls.sqlite"
    schema.upgrade(url)
    database = Database(url)
    clock, transport = SystemClock(), CountingTransport()
    clients = Regions(Clouds(fresh.clouds_file), Tokens(clock, deadline=10), transport, HealthBook(), clock)
    store = RegionStore(database)
    async with database.write() as connection:
        await store.insert(connection, Region("RegionTwo", "RegionTwo", "RegionTwo-admin"))
    [region] = await store.select()
    yield Sweeper(clients, store, CapacityStore(database), SETTINGS, clock), transport, region
    await clients.close()
    await database.close()


async def test_the_calls_of_the_first_sweep_and_of_every_other(
    sweeper: tuple[Sweeper, CountingTransport, Region],
) -> None:
    reads, transport, region = sweeper
    await reads.sweep(region)
    first = transport.taken()
    assert first.pop("version") + first.pop("v3", 0) >= 6, "the version of every service, once"
    assert first.pop("images") == 1
    assert first.pop("stores") == 1
    assert first.pop("inventories") == 2, "once per provider"
    await reads.sweep(region)
    second = transport.taken()
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
