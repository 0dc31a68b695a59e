"""What a dry run prints is what is then written: on clouds in which nothing else happens, to the letter."""

import random
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from multisite.engine.executors import Fence
from multisite.engine.writes import RegionWrite
from multisite.openstack.users import Reply
from multisite.quotas import share_store
from multisite.quotas.model import LimitChange, RegionBounds
from multisite.quotas.resources import Kind
from multisite.quotas.writing import Sender
from multisite.regions.model import Region
from multisite.settings import QuotaSettings
from tests.integration.quotas.balanced import CORES, Balanced
from tests.integration.quotas.conftest import Make

INSTANCES = "compute/instances"
SETTINGS = QuotaSettings(interval=60, settle=0.0)
Told = tuple[str, str, str, Any]


def told(write: RegionWrite) -> Told:
    """What a write does."""
    return (write.region, write.service, write.method, write.after)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    """The writes that are made."""
    found: list[Told] = []
    once = Sender._once

    async def noted(
        self: Sender, region: Region, token: str, write: RegionWrite, request_id: str, fence: Fence
    ) -> Reply:
        found.append(told(write))
        return await once(self, region, token, write, request_id, fence)

    monkeypatch.setattr(Sender, "_once", noted)
    return found


def planned(cloud: Balanced) -> list[Told]:
    """What a dry run says now."""

    async def work() -> list[Told]:
        async with cloud.database.read() as connection:
            wanted = await cloud.quotas.wanted_of(connection, cloud.project.id, cloud.clock.now())
            shares = await share_store.shares(connection, cloud.project.id)
        return [told(write) for write in (await cloud.rounds.preview(wanted, shares)).writes]

    return cloud.run(work)


def changed(cloud: Balanced, dice: random.Random) -> Mapping[str, Any]:
    """Something is decided, or used, or asked for; what that was."""
    kind, what = dice.choice([Kind.HARD, Kind.SOFT]), dice.choice(["limit", "bounds", "use", "ask", "unset"])
    region = dice.choice(cloud.names)
    if what == "bounds":
        least = dice.randint(0, 8)
        bounds = RegionBounds(least, dice.choice([None, least, least + 5]), dice.choice([1, 3]))
        cloud.set({CORES: LimitChange(dice.randint(20, 60), kind)}, {(region, CORES): bounds})
    elif what == "use":
        for _ in range(dice.randint(1, 3)):
            limit, used = cloud.standing()[region]
            servers = cloud.standing(INSTANCES)[region]
            if used + 2 <= limit and servers[1] < servers[0]:
                cloud.create(region, 2)
    elif what == "ask":
        cloud.ask(region)
    elif what == "unset":
        cloud.set({INSTANCES: None})
    else:
        cloud.set({CORES: LimitChange(dice.randint(10, 60), kind), INSTANCES: dice.randint(10, 40)})
    return {"what": what, "kind": kind.value, "region": region}


@pytest.mark.parametrize("seed", range(6))
def test_what_is_planned_is_written_once(balanced: Make, sent: list[Told], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - it only has to be the same each time
    cloud = balanced(4, SETTINGS)
    cloud.set({CORES: 30, INSTANCES: 20})
    story: list[Mapping[str, Any]] = []
    for _ in range(12):
        plan = planned(cloud)
        sent.clear()
        assert cloud.run(partial(cloud.rounds.balance, cloud.project.id)) is not None
        assert sent == plan, story
        places = [(region, name) for region, _, _, after in sent for name in after]
        assert len(set(places)) == len(places), f"given and taken back: {sent}, {story}"
        story.append(changed(cloud, dice))
