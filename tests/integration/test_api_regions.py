"""Regions over HTTP: register, list, change, forget; every write in the audit trail."""

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from multisite.clock import FixedClock
from multisite.db.tables import audit_records
from tests.integration.service import PEOPLE, Service


async def audit(service: Service) -> list[Any]:
    async with service.assembly.database.read() as connection:
        return list((await connection.execute(sa.select(audit_records).order_by(audit_records.c.id))).all())


async def patch(service: Service, generation: int, **changes: Any) -> Any:
    return await service.call(
        "PATCH", "/v1/regions/RegionTwo", "operator", {"generation": generation, **changes}
    )


async def test_a_region_is_registered_with_its_defaults(service: Service) -> None:
    made = await service.call("POST", "/v1/regions", "operator", {"name": "RegionTwo", "credential": "lab"})

    assert made.status == 201
    expected = {
        "name": "RegionTwo",
        "region_name": "RegionTwo",
        "credential": "lab",
        "interface": "public",
        "identity": "home",
        "enabled": True,
        "maintenance": None,
        "labels": {},
        "position": 0,
        "dashboard_url": None,
        "sweep_interval": None,
        "generation": 1,
        "state": "stale",
    }
    assert {name: made.json[name] for name in expected} == expected
    assert (await service.call("GET", "/v1/regions/RegionTwo")).json == made.json


async def test_a_name_that_is_taken_is_409_and_leaves_everything_as_it_was(service: Service) -> None:
    body = {"name": "RegionTwo", "credential": "lab"}
    await service.call("POST", "/v1/regions", "operator", body)
    again = await service.call("POST", "/v1/regions", "operator", {**body, "credential": "other"})

    assert (again.status, again.error["code"]) == (409, "already-exists")
    assert (await service.call("GET", "/v1/regions/RegionTwo")).json["credential"] == "lab"
    assert len(await audit(service)) == 1


async def test_a_stale_generation_is_409_and_names_the_present_one(service: Service) -> None:
    await service.add("RegionTwo")
    assert (await patch(service, 1, position=5)).json["generation"] == 2
    late = await patch(service, 1, position=6)

    assert (late.status, late.error["code"]) == (409, "generation-conflict")
    assert "it is 2 now" in late.error["detail"]
    assert (await service.call("GET", "/v1/regions/RegionTwo")).json["position"] == 5


async def test_of_two_that_change_at_once_one_gets_409(service: Service) -> None:
    await service.add("RegionTwo")
    answers = await asyncio.gather(*(patch(service, 1, position=position) for position in range(6)))

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert len(await audit(service)) == 1


async def test_null_empties_what_may_be_empty_and_is_refused_elsewhere(service: Service) -> None:
    await service.add("RegionTwo", sweep_interval=30, dashboard_url="https://h/")

    emptied = await patch(service, 1, sweep_interval=None, dashboard_url=None, maintenance=None)
    assert [emptied.json[name] for name in ("sweep_interval", "dashboard_url", "maintenance")] == [None] * 3
    refused = await patch(service, 2, enabled=None)
    assert (refused.status, refused.error["detail"][:27]) == (400, "enabled: null is no value; ")


async def test_the_generation_is_required(service: Service) -> None:
    await service.add("RegionTwo")
    answer = await service.call("PATCH", "/v1/regions/RegionTwo", "operator", {"enabled": False})
    assert (answer.status, "generation" in answer.error["detail"]) == (400, True)


async def test_disabling_shows_in_every_state(service: Service) -> None:
    await service.add("RegionTwo", "compute")
    changed = (await patch(service, 1, enabled=False)).json

    assert changed["state"] == "disabled"
    assert {item["state"] for item in changed["services"].values()} == {"disabled"}


async def test_maintenance_is_shown_with_reason_and_end_and_goes_away(
    service: Service, clock: FixedClock
) -> None:
    await service.add("RegionTwo")
    ends_at = (clock.now() + timedelta(hours=2)).isoformat()

    begun = await patch(service, 1, maintenance={"reason": "new disks", "ends_at": ends_at})
    assert begun.json["maintenance"] == {"reason": "new disks", "ends_at": "2026-11-22T14:00:00Z"}
    assert (await patch(service, 2, maintenance=None)).json["maintenance"] is None


async def test_another_credential_forgets_the_endpoints_that_the_old_one_saw(service: Service) -> None:
    region = await service.add("RegionTwo", "compute")
    assert (await patch(service, 1, labels={"a": "b"})).status == 200
    assert (await service.store.services())[region.id]

    await patch(service, 2, credential="other")

    assert not (await service.store.services()).get(region.id)


async def test_a_region_that_is_deleted_is_gone(service: Service) -> None:
    await service.add("RegionTwo", "compute")
    gone = await service.call("DELETE", "/v1/regions/RegionTwo")

    assert (gone.status, gone.text) == (204, "")
    assert (await service.call("GET", "/v1/regions/RegionTwo")).status == 404
    assert (await service.call("GET", "/v1/regions")).json == {"regions": [], "links": []}


async def test_every_write_is_audited_with_who_when_what_and_request_id(
    service: Service, clock: FixedClock
) -> None:
    made = await service.call("POST", "/v1/regions", "operator", {"name": "RegionTwo", "credential": "lab"})
    await patch(service, 1, position=5, labels={"a": "b"})
    await service.call("DELETE", "/v1/regions/RegionTwo")

    created, updated, deleted = await audit(service)
    assert [row.action for row in (created, updated, deleted)] == [
        "region:create",
        "region:update",
        "region:delete",
    ]
    assert {row.target for row in (created, updated, deleted)} == {"RegionTwo"}
    assert {row.user_id for row in (created, updated, deleted)} == {PEOPLE["operator"].user_id}
    assert created.at == clock.now()
    assert created.request_id == made.headers["x-openstack-request-id"]
    assert (created.before, created.after["credential"]) == (None, "lab")
    assert updated.before == {"position": 0, "labels": {}}
    assert updated.after == {"position": 5, "labels": {"a": "b"}}
    assert (deleted.before["position"], deleted.after) == (5, None)


async def test_a_write_that_cannot_be_audited_does_not_happen(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.add("RegionTwo")

    async def fail(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr("multisite.db.audit.record", fail)
    for method, path, body in (
        ("POST", "/v1/regions", {"name": "new", "credential": "lab"}),
        ("PATCH", "/v1/regions/RegionTwo", {"generation": 1, "position": 5}),
        ("DELETE", "/v1/regions/RegionTwo", None),
    ):
        assert (await service.call(method, path, "operator", body)).status == 500

    (region,) = await service.store.select()
    assert (region.name, region.position, region.generation) == ("RegionTwo", 0, 1)


async def test_filters_by_name_and_by_all_labels(service: Service) -> None:
    await service.add("a", labels={"country": "no", "tier": "1"})
    await service.add("b", labels={"country": "no"})
    await service.add("c", labels={"country": "se"})

    async def names(query: str) -> list[str]:
        return [item["name"] for item in (await service.call("GET", f"/v1/regions?{query}")).json["regions"]]

    assert await names("region=c&region=a") == ["a", "c"]
    assert await names("label=country%3Dno") == ["a", "b"]
    assert await names("label=country%3Dno&label=tier%3D1") == ["a"]
    assert await names("label=country%3Dno&region=b") == ["b"]
    assert await names("label=country%3D") == []


@pytest.mark.parametrize("listing", ["/v1/regions", "/v1/capacity", "/v1/health"])
async def test_pages_of_every_listing_are_followed_to_the_end(service: Service, listing: str) -> None:
    for index in range(5):
        await service.add(f"r{index}", "compute", position=-index)
    key = "services" if listing == "/v1/health" else "regions"
    whole = (await service.call("GET", listing)).json[key]

    found, url = [], f"{listing}?limit=2"
    while url:
        answer = (await service.call("GET", url)).json
        assert len(answer[key]) <= 2
        found += answer[key]
        url = next((link["href"] for link in answer["links"] if link["rel"] == "next"), "")

    assert found == whole
    assert len(found) >= 5


async def test_totals_are_those_of_all_pages(service: Service) -> None:
    for index in range(3):
        await service.add(f"r{index}", "compute")
    answer = (await service.call("GET", "/v1/capacity?limit=1")).json
    assert {item["region"] for item in answer["totals"]["missing"]} == {"r0", "r1", "r2"}
    assert not answer["totals"]["complete"]


async def test_discovery_in_the_catalog_is_dry_on_request(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from multisite.regions.model import Endpoint, Region

    async def catalog(*_arguments: object) -> list[Any]:
        names = ("RegionOne", "RegionTwo")
        return [(Region(name, name, "lab"), [Endpoint("compute", "compute", "http://c")]) for name in names]

    monkeypatch.setattr(service.assembly.regions._examiner, "catalog_regions", catalog)
    await service.call("POST", "/v1/regions", "operator", {"name": "RegionOne", "credential": "lab"})
    body = {"credential": "lab"}

    dry = (await service.call("POST", "/v1/regions/discover", "operator", {**body, "dry_run": True})).json
    assert [item["name"] for item in dry["created"]] == ["RegionTwo"]
    assert (dry["existing"], dry["dry_run"], len(await service.store.select())) == (["RegionOne"], True, 1)
    missing = await service.call(
        "POST", "/v1/regions/discover", "operator", {**body, "regions": ["RegionSix"]}
    )
    assert (missing.status, "RegionSix" in missing.error["detail"]) == (404, True)

    await service.call("POST", "/v1/regions/discover", "operator", body)
    again = (await service.call("POST", "/v1/regions/discover", "operator", body)).json
    assert (again["created"], again["existing"]) == ([], ["RegionOne", "RegionTwo"])
    assert [row.target for row in await audit(service)] == ["RegionOne", "RegionTwo"]


async def test_links_are_paths_so_that_any_proxy_serves_them(service: Service) -> None:
    for name in "ab":
        await service.add(name)
    (link,) = (await service.call("GET", "/v1/regions?limit=1")).json["links"]
    assert (urlsplit(link["href"]).netloc, urlsplit(link["href"]).path) == ("", "/v1/regions")
