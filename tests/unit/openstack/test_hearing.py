"""What listeners hear of calls: of a service that answers once a second, of one that fails at once."""

from datetime import timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.openstack.client import LATELY, Outcome, RegionClient, Regions, Target
from multisite.openstack.failures import RegionCallError
from multisite.openstack.transport import Answer, Limits, Transport


class Ear:
    """Remembers what it hears: service, and the code of the error."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []

    def heard(self, outcome: Outcome) -> None:
        """A call ended."""
        self.told.append((outcome.service, outcome.error.code if outcome.error else None))


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def client(ear: Ear, clock: FixedClock) -> RegionClient:
    nobody: Any = None  # no call needs a token here
    regions = Regions(nobody, nobody, Transport(Limits()), ear, clock)
    return regions.client(Target("oslo", "oslo", "admin", "public"))


async def well(client: RegionClient, service: str = "compute") -> None:
    async def send() -> Answer:
        return Answer(200, {}, 1.0)

    await client._guarded(service, send)


async def ill(client: RegionClient) -> None:
    async def send() -> Answer:
        raise RegionCallError("timeout", "no answer")

    with pytest.raises(RegionCallError):
        await client._guarded("compute", send)


async def test_a_service_that_answers_is_heard_of_once_a_second(
    client: RegionClient, ear: Ear, clock: FixedClock
) -> None:
    for _ in range(5):
        await well(client)
    await well(client, "network")
    assert ear.told == [("compute", None), ("network", None)]
    clock.advance(timedelta(seconds=LATELY))
    await well(client)
    assert ear.told[2:] == [("compute", None)]


async def test_a_failure_is_heard_of_at_once_and_so_is_the_success_after_it(
    client: RegionClient, ear: Ear
) -> None:
    await well(client)
    await ill(client)
    await ill(client)
    await well(client)
    await well(client)
    assert [code for _, code in ear.told] == [None, "timeout", "timeout", None]
