"""History: what sweeps leave in it, what becomes of it with time, and what the API makes of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from multisite.capacity.history.model import Figures, figures_of, of_document, to_document, totals
from multisite.capacity.history.recorder import Recorder
from multisite.capacity.history.store import BITE, HistoryStore, Row
from multisite.capacity.history.summing import Totals
from multisite.capacity.history.trends import Trends
from multisite.capacity.model import (
    AddressCount,
    Capacity,
    ComputeSummary,
    ImageSummary,
    NetworkSummary,
    PlacementSummary,
    VolumeSummary,
)
from multisite.capacity.store import Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.tables import capacity_history, capacity_history_totals
from multisite.regions.model import Region
from multisite.regions.states import CallError
from multisite.regions.status import Rhythm
from multisite.settings import HistorySettings
from tests.integration.service import Service

MINUTE = timedelta(minutes=1)
TICK = timedelta(seconds=20)
RHYTHM = Rhythm(60, 15, 600, 30)
SETTINGS = HistorySettings(86400, 90 * 86400)


class Sweeping:
    """A process that sweeps regions, and keeps their history and that of the totals."""

    def __init__(self, database: Database, clock: FixedClock, regions: Sequence[Region]) -> None:
        self.store = HistoryStore(database)
        self.recorder = Recorder(self.store, RHYTHM, clock)
        self.totals = Totals(self.store, SETTINGS, RHYTHM, clock)
        self.writer = ObservationWriter(database, self.recorder)
        self.clock, self.regions = clock, list(regions)

    async def sweep(self, used: int | None = 4, after: timedelta = MINUTE, **other: Any) -> None:
        """A sweep of all regions after a while; `None` is a Placement that refuses."""
        for _ in range(int(after / TICK)):
            await self.tick()
            self.clock.advance(TICK)
        await self.tick()
        for region in self.regions:
            await self.writer.write(region.id, [self.placement(used), *other.values()])
        await self.tick()

    async def tick(self) -> None:
        """What the scheduler does each second."""
        await self.recorder.follow(self.regions)
        await self.totals.maintain(self.regions)

    def placement(self, used: int | None) -> Observation:
        """What Placement answered."""
        if used is None:
            return Observation("placement", self.clock.now(), error=CallError("timeout", "late"))
        capacity = Capacity(total=10, usable=40, used=used, free=40 - used)
        return Observation("placement", self.clock.now(), PlacementSummary({"VCPU": capacity}))


async def rows(database: Database, table: sa.Table = capacity_history) -> list[tuple[str, bool, Any]]:
    async with database.read() as connection:
        found = await connection.execute(sa.select(table).order_by(table.c.at))
        return [
            (row.at.strftime("%H:%M:%S"), row.hourly, row.figures.get("VCPU", [None] * 3)[2]) for row in found
        ]


@pytest.fixture
async def region(service: Service) -> Region:
    return await service.add("one", "placement")


@pytest.fixture
def process(service: Service, clock: FixedClock, region: Region) -> Sweeping:
    return Sweeping(service.assembly.database, clock, [region])


async def test_a_row_is_written_when_figures_change_and_with_each_hour(process: Sweeping) -> None:
    for used in (4, 4, 5, 5, *[5] * 56):
        await process.sweep(used)

    assert await rows(process.store.database) == [
        ("12:01:00", True, 4),
        ("12:03:00", False, 5),
        ("13:00:00", True, 5),
    ]


async def test_a_region_that_does_not_answer_leaves_a_gap_and_no_zero(process: Sweeping) -> None:
    for used in (4, None, None, 4):
        await process.sweep(used)

    assert await rows(process.store.database) == [
        ("12:01:00", True, 4),
        ("12:02:00", False, None),
        ("12:04:00", False, 4),
    ]


async def test_an_hour_that_begins_with_a_gap_is_known_by_its_first_answer(process: Sweeping) -> None:
    process.clock.advance(timedelta(minutes=58))
    for used in (4, None, 4, 5):
        await process.sweep(used)

    assert await rows(process.store.database) == [
        ("12:59:00", True, 4),
        ("13:00:00", True, None),
        ("13:01:00", True, 4),
        ("13:02:00", False, 5),
    ]


async def test_time_in_which_nobody_looked_is_a_gap(process: Sweeping, clock: FixedClock) -> None:
    await process.sweep(4)
    await process.sweep(4)
    clock.advance(timedelta(minutes=20))
    another = Sweeping(process.store.database, clock, process.regions)  # a restart
    await another.sweep(4)

    gap = ("12:04:30", False, None)  # two intervals and the deadline after the last read
    assert await rows(process.store.database) == [("12:01:00", True, 4), gap, ("12:23:00", False, 4)]


async def test_a_restart_in_time_leaves_no_gap(process: Sweeping, clock: FixedClock) -> None:
    await process.sweep(4)
    await Sweeping(process.store.database, clock, process.regions).sweep(4)

    assert await rows(process.store.database) == [("12:01:00", True, 4)]


async def test_a_process_that_does_not_sweep_a_region_leaves_no_rows(process: Sweeping) -> None:
    await process.writer.write(process.regions[0].id, [process.placement(4)])
    assert await rows(process.store.database) == []

    await process.sweep(4)
    process.clock.advance(timedelta(seconds=21))  # and nobody called `follow`
    await process.writer.write(process.regions[0].id, [process.placement(5)])
    assert await rows(process.store.database) == [("12:01:00", True, 4)]


async def test_what_was_not_committed_is_written_by_the_next_sweep(
    process: Sweeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("multisite.capacity.writer._store", fail)
        with pytest.raises(RuntimeError):
            await process.sweep(4)
    assert await rows(process.store.database) == []
    await process.sweep(4)

    assert await rows(process.store.database) == [("12:02:00", True, 4)]


async def test_images_are_known_until_their_next_list(process: Sweeping) -> None:
    async def images() -> set[Any]:
        async with process.store.database.read() as connection:
            found = await connection.execute(
                sa.select(capacity_history.c.figures).order_by(capacity_history.c.at.desc())
            )
            return set(next(iter(found)).figures)

    listed = Observation("image", process.clock.now(), ImageSummary(3, 2**60))
    await process.sweep(4, image=listed)
    await process.sweep(5)
    assert await images() == {"VCPU", "images", "image_bytes"}
    await process.sweep(6, image=Observation("image", process.clock.now(), error=CallError("timeout", "")))
    assert await images() == {"VCPU"}


def test_figures_beyond_the_numbers_of_json_are_kept_exactly() -> None:
    count = AddressCount(2**64, 2**64 - 1, 1)
    figures = figures_of(NetworkSummary(external_ipv6=count))
    document = to_document(figures)

    assert document["external_ipv6"] == [str(2**64), str(2**64), str(2**64 - 1), 1]
    assert of_document(document) == figures
    assert totals([figures, figures])["external_ipv6"].used == 2**65 - 2


def test_what_a_service_does_not_tell_is_no_zero() -> None:
    assert figures_of(VolumeSummary(pools=2, pools_unlimited=1, pools_unknown=1))["volume"] == Figures()
    assert figures_of(VolumeSummary())["volume"].total == 0
    assert figures_of(ComputeSummary())["servers"].used is None
    one, other = {"volume": Figures()}, {"volume": Figures(10, 10, 4, 6)}
    assert totals([one, other])["volume"] == Figures(regions=2)


async def test_totals_say_of_how_many_regions_they_are(service: Service, clock: FixedClock) -> None:
    regions = [await service.add(name, "placement") for name in ("one", "two")]
    process = Sweeping(service.assembly.database, clock, regions)
    await process.sweep(4)
    clock.advance(timedelta(seconds=1))
    for region, used in zip(regions, (5, None), strict=True):
        await process.writer.write(region.id, [process.placement(used)])
    for _ in range(4):
        clock.advance(TICK)
        await process.tick()

    async with process.store.database.read() as connection:
        found = await connection.execute(
            sa.select(capacity_history_totals.c.figures, capacity_history_totals.c.regions).order_by(
                capacity_history_totals.c.at
            )
        )
        last = found.all()[-1]
    assert last.regions == 2
    assert last.figures["VCPU"] == [10, 40, 5, 35, 1]


async def test_a_region_that_is_not_swept_any_more_leaves_the_totals(
    service: Service, clock: FixedClock
) -> None:
    regions = [await service.add(name, "placement") for name in ("one", "two")]
    process = Sweeping(service.assembly.database, clock, regions)
    await process.sweep(4)
    for _ in range(4):
        for _ in range(3):
            clock.advance(TICK)
            await process.tick()
        await process.writer.write(regions[0].id, [process.placement(4)])
    clock.advance(TICK)
    await process.tick()

    (*_, last) = await rows(process.store.database, capacity_history_totals)
    assert last[2] == 4, "and not 8"


async def test_old_rows_go_in_small_bites_and_one_an_hour_stays(process: Sweeping, clock: FixedClock) -> None:
    store, now = process.store, clock.now()
    resources = {"VCPU": Figures(1, 2, 1, 1)}
    old = [
        Row(
            process.regions[0].id,
            now - timedelta(days=2, seconds=n),
            hourly=n % 500 == 0,
            resources=resources,
        )
        for n in range(2 * BITE + 500)
    ]
    ancient = Row(process.regions[0].id, now - timedelta(days=91), hourly=True, resources=resources)
    young = Row(process.regions[0].id, now - timedelta(hours=23), hourly=False, resources=resources)
    async with store.database.write() as connection:
        await store.insert(connection, [*old, ancient, young])
    counts = []
    for _ in range(4):
        await process.tick()
        clock.advance(timedelta(seconds=1))
        async with store.database.read() as connection:
            counts.append(await connection.scalar(sa.select(sa.func.count()).select_from(capacity_history)))

    assert counts == [1501, 501, 6, 6]  # five of each 500, and the young one


async def test_trends_hold_values_keep_peaks_and_show_gaps(
    process: Sweeping, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multisite.capacity.history.trends.PAGE", 2)
    trends, region_id = Trends(process.store, 60, clock), process.regions[0].id
    for used in (4, 4, 40, 8, None, None, 8):  # of 40; from 12:01 on
        await process.sweep(used)
    await process.tick()
    trend = (await trends.of([(region_id, True)]))[region_id]
    assert trend.span == timedelta(hours=1)
    assert trend.values[-4:] == (10.0, 100.0, 100.0, 20.0)
    assert set(trend.values[:-4]) == {None}

    await process.sweep(None)
    await process.sweep(None)
    await process.sweep(None)
    trend = (await trends.of([(region_id, False)]))[region_id]
    assert trend.values[-3:] == (20.0, 20.0, None), "what is not fresh now is not held"
    assert (await trends.of([]))[region_id] is trend, "one look an interval is enough"


# -- the API ---------------------------------------------------------------------------


async def ask(service: Service, query: str, token: str = "operator") -> Any:  # noqa: S107 - a name of PEOPLE
    answer = await service.call("GET", f"/v1/capacity/history?{query}", token)
    assert answer.status == 200, answer.text
    return answer.json


def used(answer: Any, resource: str = "VCPU") -> list[tuple[str, Any]]:
    return [
        (point["at"][11:19], point["resources"].get(resource, {}).get("used")) for point in answer["points"]
    ]


async def test_the_history_of_a_region_begins_before_the_range_and_shows_its_gaps(
    service: Service, process: Sweeping
) -> None:
    for value in (4, 5, None, 6):
        await process.sweep(value)
    answer = await ask(service, "region=one&since=2026-11-22T12:01:30Z")

    assert used(answer) == [("12:01:00", 4), ("12:02:00", 5), ("12:03:00", None), ("12:04:00", 6)]
    assert answer["resolution"] == "raw"


async def test_figures_that_nobody_read_again_end_when_they_are_stale(
    service: Service, process: Sweeping
) -> None:
    await process.sweep(4)
    process.clock.advance(timedelta(minutes=10))

    assert used(await ask(service, "region=one")) == [("12:01:00", 4), ("12:03:30", None)]
    assert used(await ask(service, "region=one&until=2026-11-22T12:03:00Z")) == [("12:01:00", 4)]


async def test_hours_without_a_reading_are_gaps(service: Service, process: Sweeping) -> None:
    await process.sweep(4)
    await process.sweep(5)
    await process.sweep(6, after=timedelta(hours=3))

    answer = await ask(service, "region=one&resolution=hour")
    assert used(answer) == [("12:01:00", 4), ("13:00:00", None), ("15:02:00", 6)]


async def test_pages_together_are_the_whole(service: Service, clock: FixedClock) -> None:
    regions = [await service.add(name, "placement") for name in ("one", "two")]
    process = Sweeping(service.assembly.database, clock, regions)
    for value in (4, 5, None, 6):
        await process.sweep(value)
    await process.sweep(6, after=timedelta(hours=5))
    for kind in ("raw", "hour"):
        whole = (await ask(service, f"region=one&region=two&resolution={kind}"))["points"]
        pages, query = [], f"region=one&region=two&resolution={kind}&limit=2"
        while True:
            page = await ask(service, query)
            pages += page["points"]
            if not page["links"]:
                break
            query = page["links"][0]["href"].partition("?")[2]

        assert pages == whole
        assert {point["region"] for point in whole} == {"one", "two"}


async def test_the_totals_are_answered_without_a_region(service: Service, process: Sweeping) -> None:
    await process.sweep(4)
    (point,) = (await ask(service, "resource=VCPU"))["points"]

    assert (point["region"], point["regions"], point["resources"]["VCPU"]["regions"]) == (None, 1, 1)
    unknown = await service.call("GET", "/v1/capacity/history?resource=VGPU&resource=VCPU", "operator")
    assert unknown.status == 400
    assert unknown.error["detail"] == "resource: there is no 'VGPU'; there are: VCPU"
    lacking = await ask(service, "resource=volume")
    assert lacking["points"][0]["resources"] == {}, "what every cloud is asked for may be lacking"


async def test_addresses_are_decimal_text(service: Service, process: Sweeping) -> None:
    network = Observation(
        "network", process.clock.now(), NetworkSummary(tenant_ipv6=AddressCount(2**64, 5, 1))
    )
    await process.sweep(4, network=network)
    (point,) = (await ask(service, "region=one"))["points"]

    assert point["resources"]["tenant_ipv6"] | {"regions": None} == {
        "total": str(2**64), "usable": str(2**64), "used": "5", "free": "1", "regions": None,
    }  # fmt: skip


@pytest.mark.parametrize("token", ["member", "reader", "foreigner", "roleless"])
async def test_only_operators_see_it(service: Service, token: str) -> None:
    answer = await service.call("GET", "/v1/capacity/history", token)
    assert answer.status == 403


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("region=none", 404, "none"),
        ("since=2026-11-22T12:00:00", 400, "time zone"),
        ("since=2026-11-22T13:00:00Z", 400, "is not before"),
        ("since=yesterday", 400, "since"),
        ("resolution=day", 400, "resolution"),
        ("marker=x", 400, "marker"),
        ("marker=" + quote("2026-11-22T12:00:00+00:00/two"), 400, "marker"),
        ("since=0001-01-01T00:00:00%2B14:00", 400, "since"),
    ],
)
async def test_bad_questions_get_a_sentence(
    service: Service, region: Region, query: str, status: int, words: str
) -> None:
    answer = await service.call("GET", f"/v1/capacity/history?{query}")

    assert region.name == "one"
    assert answer.status == status, answer.text
    assert words in answer.error["detail"]


def test_the_clock_of_these_tests(clock: FixedClock) -> None:
    assert clock.now() == datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
