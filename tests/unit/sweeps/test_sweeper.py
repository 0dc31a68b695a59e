"""One sweep: what goes wrong with a service stays with it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from multisite import settings
from multisite.capacity.details import ComputeDetail, Host, Hypervisor, ImageDetail, PlacementDetail
from multisite.capacity.model import ImageSummary, Inventory, PlacementSummary, Provider
from multisite.capacity.readers import image
from multisite.capacity.readers.placement import InventoryMemory
from multisite.capacity.readers.subnet_pools import PoolMemory
from multisite.capacity.store import Observation
from multisite.clock import FixedClock
from multisite.openstack.breaker import Breaker
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.regions.discovery import target_of
from multisite.regions.model import READ_SERVICES, Region
from multisite.regions.states import CallError
from multisite.sweeps.sweeper import Sweeper, _Memory, _tell

REGION = Region("one", "one", "c", id=1)
IMAGES = ImageDetail(2, 30)


@dataclass
class Client:
    """Only its breaker is asked."""

    state: Breaker = Breaker.CLOSED

    def breaker(self, _service: str) -> Breaker:
        return self.state


class Slow(Sweeper):
    """A sweeper whose sweeps wait for an event."""

    started = 0
    gate: asyncio.Event
    failure: Exception | None = None

    async def _sweep(self, region: Region, *, images: bool) -> None:
        assert region is REGION
        assert images in {True, False}
        self.started += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure


@pytest.fixture
def sweeper(clock: FixedClock) -> Slow:
    nothing = cast("Any", None)
    made = Slow(nothing, nothing, nothing, settings.load(files=[]).sweep, clock)
    made.gate = asyncio.Event()
    return made


async def observe(sweeper: Sweeper, failure: Exception | None, state: Breaker = Breaker.CLOSED) -> Any:
    async def read() -> ImageDetail:
        if failure:
            raise failure
        return IMAGES

    client = cast("RegionClient", Client(state))
    return await sweeper._observe(client, "image", read, image.summarize)


async def test_an_answer_becomes_an_observation(sweeper: Slow, clock: FixedClock) -> None:
    found = await observe(sweeper, None)
    assert found == Observation("image", clock.now(), ImageSummary(2, 30), IMAGES)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (RegionCallError("forbidden", "no role"), "forbidden"),
        (RegionCallError("keystone-unreachable", "away"), "keystone-unreachable"),
        (TimeoutError(), "timeout"),
        (KeyError("images"), "unexpected-answer"),
        (IndexError("list"), "unexpected-answer"),
        (TypeError("None"), "unexpected-answer"),
        (ValueError("x" * 100_000), "unexpected-answer"),
        (AttributeError("get"), "unexpected-answer"),
        (OverflowError("inf"), "unexpected-answer"),
        (ZeroDivisionError("ratio"), "unexpected-answer"),
    ],
)
async def test_every_failure_becomes_an_error_of_that_service(
    sweeper: Slow, clock: FixedClock, failure: Exception, code: str
) -> None:
    found = await observe(sweeper, failure)

    assert isinstance(found.error, CallError)
    assert (found.error.code, found.at, found.summary) == (code, clock.now(), None)
    assert len(found.error.detail or "") <= 300


@pytest.mark.parametrize("code", ["no-endpoint", "breaker-open"])
async def test_a_service_of_which_nothing_was_learned_gives_no_observation(sweeper: Slow, code: str) -> None:
    assert await observe(sweeper, RegionCallError(code, "x")) is None


@pytest.mark.parametrize("state", [Breaker.OPEN, Breaker.HALF_OPEN])
async def test_behind_an_open_breaker_one_trial_call_decides(
    sweeper: Slow, monkeypatch: pytest.MonkeyPatch, state: Breaker
) -> None:
    answers = iter([False, True])

    async def probe(_client: object, _service: str) -> bool:
        return next(answers)

    monkeypatch.setattr("multisite.sweeps.sweeper.probe", probe)
    assert await observe(sweeper, None, state) is None
    assert (await observe(sweeper, None, state)).detail == IMAGES


async def test_a_bug_of_ours_is_not_taken_for_the_services_fault(sweeper: Slow) -> None:
    with pytest.raises(RuntimeError):
        await observe(sweeper, RuntimeError("a bug"))


async def test_callers_at_the_same_time_share_one_sweep(sweeper: Slow) -> None:
    callers = [asyncio.create_task(sweeper.sweep(REGION)) for _ in range(5)]
    await asyncio.sleep(0)
    sweeper.gate.set()
    await asyncio.gather(*callers)
    assert sweeper.started == 1

    await sweeper.sweep(REGION)
    assert sweeper.started == 2


async def test_a_caller_that_gives_up_does_not_end_the_sweep_of_the_others(sweeper: Slow) -> None:
    impatient, patient = (asyncio.create_task(sweeper.sweep(REGION)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    sweeper.gate.set()
    await patient
    assert impatient.cancelled()
    assert sweeper.started == 1


async def test_reading_now_returns_at_its_deadline_and_the_sweep_goes_on(sweeper: Slow) -> None:
    await sweeper.sweep_now([REGION], 0.0)
    assert sweeper.started in {0, 1}
    running = asyncio.create_task(sweeper.sweep(REGION))
    sweeper.gate.set()
    await running
    assert sweeper.started == 1


async def test_reading_now_sees_what_was_true_when_it_was_asked(sweeper: Slow) -> None:
    before = asyncio.create_task(sweeper.sweep(REGION))
    await asyncio.sleep(0)
    asking = [asyncio.create_task(sweeper.sweep_now([REGION], 5.0)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert sweeper.started == 1, "two sweeps of a region at once would double its load"

    sweeper.gate.set()
    await asyncio.gather(before, *asking)
    assert sweeper.started == 2, "those who waited share the second sweep"


async def test_a_sweep_that_fails_before_ends_no_reading_after_it(sweeper: Slow) -> None:
    sweeper.failure = RuntimeError("surprise")
    before = asyncio.create_task(sweeper.sweep(REGION))
    await asyncio.sleep(0)
    asking = asyncio.create_task(sweeper.sweep_now([REGION], 5.0))
    await asyncio.sleep(0)
    sweeper.gate.set()
    with pytest.raises(RuntimeError, match="surprise"):
        await before
    await asking
    assert sweeper.started == 2


async def test_what_is_remembered_of_another_credential_is_not_used(sweeper: Slow) -> None:
    memory = sweeper._memory(REGION)
    assert sweeper._memory(replace(REGION, labels={"a": "b"})) is memory
    assert sweeper._memory(replace(REGION, credential="other")) is not memory


async def test_reading_no_region_now_is_nothing(sweeper: Slow) -> None:
    await sweeper.sweep_now([], 10.0)


def test_before_discovery_the_services_are_those_that_are_read(sweeper: Slow) -> None:
    assert sweeper.services(REGION) == list(READ_SERVICES)


@pytest.fixture
def memory(clock: FixedClock) -> _Memory:
    return _Memory(target_of(REGION), InventoryMemory(clock, 600), PoolMemory(clock, 600))


def placement(clock: FixedClock) -> Observation:
    provider = Provider("h1", "h1", "h1", 1, inventories={"VCPU": Inventory(8)})
    return Observation("placement", clock.now(), None, PlacementDetail((provider,)))


def compute(clock: FixedClock, *, up: bool = True) -> Observation:
    detail = ComputeDetail(
        (Host("host", "nova-compute", "az1", "enabled", "up"),), (Hypervisor("h1", "h1", "host", up),)
    )
    return Observation("compute", clock.now(), None, detail)


def placed(sweeper: Sweeper, memory: _Memory, *results: Observation) -> PlacementSummary:
    found = {result.service: result for result in sweeper._placed(list(results), memory)}
    summary = found["placement"].summary
    assert isinstance(summary, PlacementSummary)
    return summary


def test_zones_come_from_nova_in_the_same_sweep_or_from_the_last_one(
    sweeper: Slow, memory: _Memory, clock: FixedClock
) -> None:
    assert placed(sweeper, memory, placement(clock)).zones == {}
    assert set(placed(sweeper, memory, placement(clock), compute(clock)).zones) == {"az1"}
    failure = Observation("compute", clock.now(), error=CallError("timeout"))
    assert set(placed(sweeper, memory, failure, placement(clock)).zones) == {"az1"}


def test_a_host_that_went_down_is_not_free_any_more(
    sweeper: Slow, memory: _Memory, clock: FixedClock
) -> None:
    found = placed(sweeper, memory, placement(clock), compute(clock, up=False)).resources["VCPU"]
    assert (found.total, found.free) == (8, 0)


async def test_what_cannot_be_is_told_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    nothing = cast("Any", None)
    memory = _Memory(target_of(REGION), InventoryMemory(nothing, 0), PoolMemory(nothing, 0))
    lie = Observation("image", nothing, error=CallError("unexpected-answer", "the answer has size -7"))
    silence = Observation("image", nothing, error=CallError("timeout", "no answer"))
    caplog.set_level("INFO")
    for found in (lie, lie, silence, lie, Observation("image", nothing), Observation("image", nothing)):
        _tell(REGION, memory, [found])
    assert [record.getMessage() for record in caplog.records] == [
        "region one: image: the answer has size -7",
        "region one: image answers as it should again",
    ]
    assert not any(record.exc_info for record in caplog.records)
