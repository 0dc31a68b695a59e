"""Two credentials of one Keystone see the same regions; two operations register them at the same moment.

The parts of one operation take turns, and so do all writers on SQLite: two operations on PostgreSQL meet.
"""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.db import engine
from multisite.engine.model import ENDED
from multisite.regions.examination import Examiner
from multisite.regions.model import Endpoint, Identity, Interface, Region
from multisite.regions.store import RegionStore
from tests.integration.service import Service

NAMES = ("north", "south")
Catalog = list[tuple[Region, list[Endpoint]]]


@pytest.fixture
def database_kind(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(engine, "STANDSTILL", 60.0)  # who waits for the other is not taken for dead
    return "postgresql"


class Meeting:
    """Holds the first two writers at their first insert, when both have read that nothing is there."""

    def __init__(self) -> None:
        self.refused: list[IntegrityError] = []
        self._barrier = asyncio.Barrier(2)
        self._came = 0
        self._insert = RegionStore.insert

    async def insert(self, store: RegionStore, connection: AsyncConnection, region: Region) -> int:
        """In the place of `RegionStore.insert`."""
        self._came += 1
        if self._came <= 2:
            await self._barrier.wait()
        try:
            return await self._insert(store, connection, region)
        except IntegrityError as error:
            self.refused.append(error)
            raise


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Meeting:
    made = Meeting()

    async def insert(store: RegionStore, connection: AsyncConnection, region: Region) -> int:
        return await made.insert(store, connection, region)

    async def catalog(_: Examiner, credential: str, *_more: object) -> Catalog:
        return [
            (
                Region(name, name, credential, Interface.PUBLIC, Identity.OWN),
                [Endpoint("compute", "compute", "http://10.9.8.7")],
            )
            for name in NAMES
        ]

    monkeypatch.setattr(RegionStore, "insert", insert)
    monkeypatch.setattr(Examiner, "regions_of_catalog", catalog)
    return made


async def test_who_comes_second_finds_what_the_first_registered(service: Service, meeting: Meeting) -> None:
    await service.assembly.loop.run(service.assembly.engine.start())
    asked = [{"credentials": [each]} for each in ("lab", "other")]
    begun = [await service.call("POST", "/v1/regions/discover/all", body=body) for body in asked]
    async with asyncio.timeout(60):
        found = [await ended(service, each.json["id"]) for each in begun]

    assert [each["operation"]["state"] for each in found] == ["succeeded", "succeeded"], found
    assert len(meeting.refused) == 1, "the two met"
    results = [each["regions"][0]["result"] for each in found]
    assert sorted(each["created"] for each in results) == [[], list(NAMES)]
    assert sorted(each["existing"] for each in results) == [[], list(NAMES)]
    listed = await service.call("GET", "/v1/regions")
    assert [each["name"] for each in listed.json["regions"]] == list(NAMES)


async def ended(service: Service, operation: str) -> Any:
    """An operation with its parts, when it has ended."""
    while True:
        found = (await service.call("GET", f"/v1/operations/{operation}")).json
        if found["operation"]["state"] in ENDED:
            return found
        await asyncio.sleep(0.1)
