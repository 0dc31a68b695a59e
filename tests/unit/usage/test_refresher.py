"""Reading projects in regions: a project that was not there may come."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from multisite import settings
from multisite.clock import FixedClock
from multisite.openstack import keystone
from multisite.regions.model import Identity, Region
from multisite.usage.model import resource_usage
from multisite.usage.readers import READERS
from multisite.usage.refresher import Refresher
from multisite.usage.store import TrackedProject, UsageReading

REGION = Region("own", "own", "c", identity=Identity.OWN, id=1)
ALPHA = TrackedProject("p", "alpha", "Default")


@dataclass
class Store:
    """Notes what is written."""

    written: list[dict[str, bool]] = field(default_factory=list)

    async def tracked(self, _since: object) -> list[TrackedProject]:
        return [ALPHA]

    async def forget(self, _before: object) -> None:
        return

    async def write(self, _project: str, _region: int, readings: list[UsageReading], *_: object) -> None:
        self.written.append({reading.service: reading.found for reading in readings})


class Clients:
    """Clients that nobody calls."""

    def client(self, _region: Region) -> Any:
        return None


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[keystone.Project]:
    """The projects that the region's Keystone has; every service tells nothing of them."""
    projects: list[keystone.Project] = []

    async def find(_client: object, **_names: str) -> keystone.Project | None:
        return projects[0] if projects else None

    async def read(_client: object, _project: str) -> Any:
        return {"x/y": resource_usage(1, 2)}

    monkeypatch.setattr("multisite.openstack.keystone.find_project", find)
    monkeypatch.setattr("multisite.usage.refresher.READERS", dict.fromkeys(READERS, read))
    return projects


async def test_a_project_that_comes_later_is_read_in_every_service_at_the_next_read(
    clock: FixedClock, found: list[keystone.Project]
) -> None:
    store = Store()
    refresher = Refresher(Clients(), cast("Any", store), settings.load(files=[]).usage, 600.0, 30.0, clock)

    async def read() -> dict[str, bool]:
        await refresher.periodic([REGION])
        for task in list(refresher._tasks):
            await task
        clock.advance(timedelta(seconds=300))
        return store.written[-1]

    services = ("compute", "volume", "network", "image")
    assert await read() == dict.fromkeys(services, False)
    found.append(keystone.Project("theirs", "alpha", "Default"))
    assert await read() == dict.fromkeys(services, True)
    assert await read() == dict.fromkeys(services[:-1], True), "images keep their own interval"
