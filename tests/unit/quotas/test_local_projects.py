"""Which project a region's own Keystone means: the one that has the name now, asked again after a while."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.openstack import keystone, limits
from multisite.openstack.keystone import Project as KeystoneProject
from multisite.quotas.model import Project
from multisite.quotas.reading import CONFINED_FOR, QuotaReader
from multisite.regions.model import Identity, Region

PROJECT = Project("home-id", "voice", "default", "Default")
NORTH = Region("north", "RegionOne", "north-admin", identity=Identity.OWN)


class Clients:
    """Of regions that all have one Keystone of their own."""

    def client(self, region: Region) -> Any:
        return region

    def keystone(self, region: Region) -> str:
        return f"http://{region.name}/v3"


async def test_a_project_that_was_made_anew_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the limits of one that is gone would be kept, and the one that is there had none."""
    there: list[KeystoneProject | None] = [KeystoneProject("first", "voice", "default")]
    asked: list[tuple[str, str]] = []

    async def find_project(_: Any, *, name: str, domain_name: str) -> KeystoneProject | None:
        asked.append((name, domain_name))
        return there[-1]

    async def anywhere(*_: Any) -> None:
        return None

    monkeypatch.setattr(keystone, "find_project", find_project)
    monkeypatch.setattr(limits, "allowed_regions", anywhere)
    clock = FixedClock(datetime(2026, 11, 23, tzinfo=UTC))
    reader = QuotaReader(Clients(), clock, 5.0)

    async def local_id() -> str | None:
        return (await reader.facts(PROJECT, [NORTH], {}, unified=False))["north"].local_id

    assert [await local_id(), await local_id()] == ["first", "first"]
    assert asked == [("voice", "Default")]
    there.append(KeystoneProject("second", "voice", "default"))
    clock.advance(timedelta(seconds=CONFINED_FOR - 1))
    assert await local_id() == "first"
    clock.advance(timedelta(seconds=1))
    assert await local_id() == "second"
    there.append(None)
    clock.advance(timedelta(seconds=CONFINED_FOR))
    assert await local_id() is None
    there.append(KeystoneProject("third", "voice", "default"))
    assert await local_id() == "third"  # what is not there is looked for each time


async def test_a_project_that_was_renamed_is_still_the_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its limits stayed in force there, and nobody counted them; new processes know it, too."""
    renamed = KeystoneProject("first", "voice-old", "default")
    there: dict[str, KeystoneProject] = {"first": renamed}

    async def find_project(_: Any, *, name: str, domain_name: str) -> KeystoneProject | None:
        assert domain_name == "Default"
        return next((each for each in there.values() if each.name == name), None)

    async def get_project(_: Any, project_id: str) -> KeystoneProject | None:
        return there.get(project_id)

    async def anywhere(*_: Any) -> None:
        return None

    monkeypatch.setattr(keystone, "find_project", find_project)
    monkeypatch.setattr(keystone, "get_project", get_project)
    monkeypatch.setattr(limits, "allowed_regions", anywhere)

    async def local_id(known: dict[str, str]) -> str | None:
        reader = QuotaReader(Clients(), FixedClock(datetime(2026, 11, 23, tzinfo=UTC)), 5.0)
        return (await reader.facts(PROJECT, [NORTH], known, unified=False))["north"].local_id

    assert await local_id({}) is None  # never seen: nobody of that name is there
    assert await local_id({"north": "first"}) == "first"
    there["second"] = KeystoneProject("second", "voice", "default")
    assert await local_id({"north": "first"}) == "second"
    there.clear()
    assert await local_id({"north": "first"}) is None
