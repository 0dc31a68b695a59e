"""The history of a quota over the API, with its forecast."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from multisite.clock import FixedClock
from multisite.db.quota_tables import quota_history
from multisite.db.upsert import upsert
from multisite.quotas import decisions
from multisite.quotas.delivery.outbox import Outbox
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.quotas.keeping import Keeper
from multisite.quotas.model import Project
from multisite.settings import HistorySettings
from tests.integration.service import ALPHA, BETA, Service

CORES, RAM = "compute/cores", "compute/ram"
PATH = f"/v1/quotas/{ALPHA}/history"
HOUR = timedelta(hours=1)


async def fill(service: Service, clock: FixedClock, used: list[int], project: str = ALPHA) -> None:
    """One row an hour, the last one now; a core a reading, RAM that stays."""
    now = clock.now()
    rows = [
        {
            "project_id": project,
            "at": now - (len(used) - 1 - number) * HOUR,
            "hourly": True,
            "figures": {CORES: [use, 200, 200], RAM: [1, 2, 2]},
        }
        for number, use in enumerate(used)
    ]
    async with service.assembly.database.write() as connection:
        await decisions.put_project(connection, Project(project, "alpha"), now)
        await upsert(connection, quota_history, ("project_id", "at"), rows)


async def get(service: Service, query: str = "", token: str = "reader") -> Any:  # noqa: S107
    answer = await service.call("GET", f"{PATH}{query}", token)
    assert answer.status == 200, answer.text
    return answer.json


async def test_a_tenant_sees_how_its_quota_was_used_and_when_it_runs_out(
    service: Service, clock: FixedClock
) -> None:
    await fill(service, clock, list(range(5 * 24 + 1)))

    found = await get(service)

    assert found["project_id"] == ALPHA
    assert found["resolution"] == "raw"
    assert len(found["points"]) == 25
    assert found["points"][-1]["resources"][CORES] == {"used": 120, "limit": 200, "bound": 200}
    forecast = found["forecast"][CORES]
    assert (forecast["per_day"], forecast["outlook"]) == (24, "runs-out")
    runs_out = clock.now() + timedelta(days=80 / 24)
    assert forecast["runs_out_at"] == runs_out.isoformat().replace("+00:00", "Z")
    assert forecast["basis"]["readings"] == 21
    assert found["forecast"][RAM]["outlook"] == "not-growing"


async def test_of_one_resource_only_changes_are_told(service: Service, clock: FixedClock) -> None:
    await fill(service, clock, [*range(30)])

    found = await get(service, f"?resource={quote(RAM)}")

    assert [point["resources"] for point in found["points"]] == [{RAM: {"used": 1, "limit": 2, "bound": 2}}]
    assert set(found["forecast"]) == {RAM}


async def test_a_resource_that_there_is_not_is_a_mistake(service: Service, clock: FixedClock) -> None:
    await fill(service, clock, [1])
    answer = await service.call("GET", f"{PATH}?resource={quote('compute/unicorns')}", "reader")
    assert answer.status == 400
    assert answer.error["detail"].startswith("there is no resource 'compute/unicorns'")


async def test_a_time_in_which_nobody_balanced_is_a_gap(service: Service, clock: FixedClock) -> None:
    await fill(service, clock, [1])
    clock.advance(timedelta(hours=5))
    await fill(service, clock, [2])

    points = (await get(service))["points"]

    assert [bool(point["resources"]) for point in points] == [True, False, True]


async def test_pages_hold_every_point_once(service: Service, clock: FixedClock) -> None:
    await fill(service, clock, list(range(20)))
    whole = (await get(service))["points"]

    seen, url = [], f"{PATH}?limit=3"
    while url:
        page = (await service.call("GET", url, "reader")).json
        seen += page["points"]
        url = page["links"][0]["href"] if page["links"] else ""

    assert seen == whole
    assert len(seen) == 20


async def test_other_projects_and_bad_times_are_refused(service: Service, clock: FixedClock) -> None:
    await fill(service, clock, [1, 2])
    await fill(service, clock, [1, 2], BETA)

    foreign = await service.call("GET", f"/v1/quotas/{BETA}/history", "reader")
    missing = await service.call("GET", f"/v1/quotas/{'f' * 32}/history", "operator")
    assert (foreign.status, missing.status) == (404, 404)
    assert foreign.error["detail"] == f"there is no quota of project {BETA!r}"
    assert (await service.call("GET", PATH, "roleless")).status == 404
    for query in (
        "?since=2026-11-22T12:00:00",
        "?since=2126-11-22T12:00:00Z",
        "?marker=x",
        "?resolution=day",
        "?region=oslo",
    ):
        assert (await service.call("GET", f"{PATH}{query}", "reader")).status == 400, query


async def test_changes_are_kept_for_a_day_and_hours_for_ninety(service: Service, clock: FixedClock) -> None:
    database = service.assembly.database
    now = clock.now()
    ages = {
        hourly: [timedelta(hours=23), timedelta(hours=25), timedelta(days=91)] for hourly in (True, False)
    }
    rows = [
        {"project_id": ALPHA, "at": now - age - hourly * timedelta(1e-5), "hourly": hourly, "figures": {}}
        for hourly, each in ages.items()
        for age in each
    ]
    async with database.write() as connection:
        await upsert(connection, quota_history, ("project_id", "at"), rows)
    store = QuotaHistoryStore(database)
    keeper = Keeper(store, Outbox(database), HistorySettings(86400, 90 * 86400), 30, clock)

    await keeper.maintain([])

    kept = await store.select(ALPHA, now - timedelta(days=99), now, hourly=False)
    assert [(point.hourly, round((now - point.at) / HOUR)) for point in kept] == [
        (True, 25),
        (True, 23),
        (False, 23),
    ]
