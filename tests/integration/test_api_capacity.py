"""Capacity over HTTP: from what sweeps stored, honestly, in a few statements."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from multisite.capacity.details import ComputeDetail, Flavor, Host, NetworkDetail, PlacementDetail
from multisite.capacity.documents import summary_of, to_text
from multisite.capacity.model import (
    AddressCount,
    ComputeSummary,
    ImageSummary,
    Inventory,
    NetworkSummary,
    Provider,
    VolumeSummary,
    placement_summary,
)
from multisite.capacity.store import Observation
from multisite.capacity.writer import ObservationWriter
from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.tables import observations, regions, services
from multisite.regions.discovery import target_of
from multisite.regions.health import HealthRecord
from multisite.regions.states import CallError, Last
from tests.integration.service import Service

READ = ("compute", "placement", "volume", "network", "image")
HOST = Provider(
    "h1",
    "h1",
    "h1",
    3,
    "nova",
    inventories={"VCPU": Inventory(64, 0, 8.0), "MEMORY_MB": Inventory(1000)},
    usages={"VCPU": 500, "MEMORY_MB": 10},
)
ADDRESSES = AddressCount(2**64, 2**64 + 3, 0)


def sweep(clock: FixedClock) -> list[Observation]:
    """What one sweep of one region stores."""
    at = clock.now()
    compute = ComputeDetail(
        hosts=(Host("h1", "nova-compute", "nova", "enabled", "up"),),
        flavors=(Flavor("f", "tiny", 4, 10, 0, {"VCPU": 4, "MEMORY_MB": 10}),),
    )
    return [
        Observation("placement", at, placement_summary([HOST]), PlacementDetail((HOST,))),
        Observation("compute", at, ComputeSummary(1, 0, 0, 1, 1, 125), compute),
        Observation("volume", at, VolumeSummary(total=100, free=50, pools=1)),
        Observation("network", at, NetworkSummary(external_ipv6=ADDRESSES, networks=1), NetworkDetail()),
        Observation("image", at, ImageSummary(1, 10, {"file": 10})),
    ]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that run meanwhile."""
    seen: list[str] = []

    def saw(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        seen.append(statement)

    engine = database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", saw)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", saw)


async def listing(service: Service, query: str = "") -> Any:
    answer = await service.call("GET", f"/v1/capacity{query}")
    assert answer.status == 200
    return answer.json


async def test_what_a_sweep_stored_is_answered_with_its_age(service: Service, clock: FixedClock) -> None:
    region = await service.add("RegionTwo", *READ)
    await ObservationWriter(service.assembly.database).write(region.id, sweep(clock))
    clock.advance(timedelta(seconds=12))

    found = await listing(service)
    (capacity,) = found["regions"]

    assert capacity["state"] == "fresh"
    assert capacity["services"]["placement"] == {
        "state": "fresh",
        "observed_at": "2026-11-22T12:00:00Z",
        "age": 12.0,
        "error": None,
    }
    assert capacity["placement"]["resources"]["VCPU"] == {
        "total": 64,
        "reserved": 0,
        "usable": 512,
        "used": 500,
        "free": 12,
    }
    assert capacity["placement"]["zones"]["nova"] == capacity["placement"]["resources"]
    assert capacity["network"]["external_ipv6"] == {"total": str(2**64), "used": str(2**64 + 3), "free": "0"}
    assert capacity["warnings"] == [{"resource": "VCPU", "percent_free": 2.3, "threshold": 10.0}]
    assert found["totals"]["complete"] is True
    assert found["totals"]["placement"]["resources"]["VCPU"]["free"] == 12


async def test_figures_grow_stale_by_themselves_and_leave_the_total(
    service: Service, clock: FixedClock
) -> None:
    for name in ("a", "b"):
        region = await service.add(name, *READ)
        await ObservationWriter(service.assembly.database).write(region.id, sweep(clock))
        clock.advance(timedelta(seconds=100))

    found = await listing(service)

    assert [item["state"] for item in found["regions"]] == ["stale", "fresh"]
    assert found["regions"][0]["placement"]["resources"]["VCPU"]["total"] == 64
    assert found["totals"]["placement"]["resources"]["VCPU"]["total"] == 64
    assert {item["service"] for item in found["totals"]["missing"]} == {
        "compute",
        "placement",
        "volume",
        "network",
    }
    assert found["totals"]["image"]["images"] == 2


async def test_one_service_that_fails_costs_its_own_figures_only(service: Service, clock: FixedClock) -> None:
    region = await service.add("RegionTwo", *READ)
    writer = ObservationWriter(service.assembly.database)
    await writer.write(region.id, sweep(clock))
    clock.advance(timedelta(seconds=60))
    failure = Observation("volume", clock.now(), error=CallError("timeout", "no answer"))
    await writer.write(region.id, [*(item for item in sweep(clock) if item.service != "volume"), failure])

    found = await listing(service)
    (capacity,) = found["regions"]

    assert capacity["state"] == "degraded"
    assert capacity["services"]["volume"]["error"] == {"code": "timeout", "detail": "no answer"}
    assert capacity["volume"]["total"] == 100
    assert found["totals"]["volume"]["total"] == 0
    assert found["totals"]["missing"] == [
        {"region": "RegionTwo", "service": "volume", "state": "unreachable"}
    ]
    assert found["totals"]["placement"]["providers"] == 1


async def test_a_disabled_region_is_neither_counted_nor_missed(service: Service, clock: FixedClock) -> None:
    region = await service.add("RegionTwo", *READ, enabled=False)
    await ObservationWriter(service.assembly.database).write(region.id, sweep(clock))

    found = await listing(service)

    assert found["regions"][0]["state"] == "disabled"
    assert found["totals"]["complete"] is True
    assert found["totals"]["placement"]["resources"] == {}


async def test_one_region_in_detail_with_what_fits(service: Service, clock: FixedClock) -> None:
    region = await service.add("RegionTwo", *READ)
    await ObservationWriter(service.assembly.database).write(region.id, sweep(clock))

    found = (await service.call("GET", "/v1/capacity/RegionTwo")).json

    assert found["flavors"] == [{"id": "f", "name": "tiny", "vcpus": 4, "ram": 10, "disk": 0, "fits": 3}]
    assert found["hosts"][0]["host"] == "h1"
    assert found["providers"][0]["inventories"]["VCPU"]["allocation_ratio"] == 8.0
    assert (found["pools"], found["networks"], found["stores"]) == ([], [], [])


async def test_the_filter_narrows_regions_and_totals(service: Service, clock: FixedClock) -> None:
    for name in ("a", "b"):
        region = await service.add(name, *READ)
        await ObservationWriter(service.assembly.database).write(region.id, sweep(clock))
    found = await listing(service, "?region=b")
    assert [item["region"] for item in found["regions"]] == ["b"]
    assert found["totals"]["placement"]["resources"]["VCPU"]["total"] == 64


async def fill(service: Service, clock: FixedClock, count: int) -> None:
    """`count` regions with everything, in three statements."""
    made = range(1, count + 1)
    fields = {"credential": "c", "interface": "public", "identity": "home", "enabled": True, "labels": {}}
    documents = [(item.service, json.loads(to_text(item.summary))) for item in sweep(clock) if item.summary]
    async with service.assembly.database.write() as connection:
        await connection.execute(
            sa.insert(regions),
            [
                {
                    "id": n,
                    "name": f"r{n:04}",
                    "region_name": f"r{n}",
                    "position": 0,
                    "generation": 1,
                    **fields,
                }
                for n in made
            ],
        )
        await connection.execute(
            sa.insert(services),
            [
                {"region_id": n, "type": kind, "catalog_type": kind, "url": "http://x"}
                for n in made
                for kind in READ
            ],
        )
        await connection.execute(
            sa.insert(observations),
            [
                {"region_id": n, "service": kind, "observed_at": clock.now(), "summary": document}
                for n in made
                for kind, document in documents
            ],
        )


async def test_listings_of_a_thousand_regions_cost_a_few_statements(
    service: Service, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    await fill(service, clock, 1000)
    for path in ("/v1/capacity", "/v1/regions", "/v1/health"):
        with statements(service.assembly.database) as seen:
            started = time.process_time()
            answer = await service.call("GET", path)
            took = time.process_time() - started
        with capsys.disabled():
            print(f"\n{path} over 1,000 regions: {took:.2f} s of CPU, {len(seen)} statements")  # noqa: T201

        assert answer.status == 200
        assert len(answer.json.get("regions") or answer.json.get("services")) == 1000
        most = 5 if path == "/v1/capacity" else 4  # one asks whether an operator changed a region
        assert 1 <= len(seen) <= most
        if path == "/v1/capacity":
            assert answer.json["totals"]["complete"] is True
            assert answer.json["totals"]["placement"]["resources"]["VCPU"]["total"] == 64_000


def queries(seen: Sequence[str]) -> int:
    return sum(statement.lstrip().startswith(("SELECT", "WITH")) for statement in seen)


async def test_the_number_of_statements_does_not_grow_with_the_regions(service: Service) -> None:
    await service.add("first", *READ)
    with statements(service.assembly.database) as few:
        await listing(service)
    await service.add("one-more", *READ)
    with statements(service.assembly.database) as more:
        await listing(service)
    assert queries(few) == queries(more)


async def test_under_a_root_path_links_and_the_version_keep_it(service: Service) -> None:
    for name in "ab":
        await service.add(name)
    service.root_path = "/multisite"

    answer = await service.call("GET", "/v1/regions?limit=1")
    assert answer.json["links"] == [{"rel": "next", "href": "/multisite/v1/regions?limit=1&marker=a"}]
    assert answer.headers["openstack-api-version"] == "multisite 1.0"
    version = (await service.call("GET", "/v1", None)).json["version"]
    assert version["links"][0]["href"] == "http://multisite.example:8118/multisite/v1"


@pytest.mark.parametrize(
    "changes", [{"credential": "other"}, {"region_name": "elsewhere"}, {"interface": "internal"}], ids=str
)
async def test_after_a_change_of_the_way_to_a_region_old_figures_are_gone(
    service: Service, clock: FixedClock, changes: dict[str, str]
) -> None:
    region = await service.add("RegionTwo", *READ)
    writer = ObservationWriter(service.assembly.database)
    await writer.write(region.id, sweep(clock))
    failing = HealthRecord("RegionTwo", "compute", Last(None, clock.now()), CallError("forbidden", "role"))
    await service.store.write_health([failing])

    async def patch(**fields: Any) -> Any:
        return (await service.call("PATCH", "/v1/regions/RegionTwo", "operator", fields)).json

    assert (await patch(generation=1, labels={"a": "b"}))["state"] == "degraded"
    changed = await patch(generation=2, **changes)
    assert changed["state"] == "stale"
    assert {changed["services"][name]["state"] for name in READ} == {"stale"}
    assert (await listing(service))["totals"]["placement"]["resources"] == {}

    await writer.write(region.id, sweep(clock), target_of(region))
    assert (await listing(service))["regions"][0]["state"] == "stale", "a sweep that began before the change"
    (present,) = await service.store.select()
    await writer.write(region.id, sweep(clock), target_of(present))
    assert (await listing(service))["regions"][0]["state"] == "fresh"


async def test_a_summary_is_parsed_once_per_sweep(
    service: Service, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def counted(kind: str, document: Any) -> Any:
        parsed.append(kind)
        return summary_of(kind, document)

    monkeypatch.setattr("multisite.capacity.store.summary_of", counted)
    database = service.assembly.database
    for name in ("a", "b"):
        region = await service.add(name, *READ)
        await ObservationWriter(database).write(region.id, sweep(clock))
    first = await listing(service)
    assert len(parsed) == 10
    assert await listing(service) == first
    assert len(parsed) == 10

    clock.advance(timedelta(seconds=1))
    await ObservationWriter(database).write(
        region.id, [Observation("image", clock.now(), ImageSummary(7, 70))]
    )
    assert (await listing(service))["totals"]["image"]["images"] == 8
    assert len(parsed) == 11

    await service.call("DELETE", "/v1/regions/b")
    await listing(service)
    assert len(service.assembly.capacity._store._parsed) == 5
