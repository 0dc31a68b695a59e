"""The assembled service: what is configured is what happens, and the metrics tell it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from multisite import metrics
from multisite.clock import FixedClock
from multisite.db.quota_tables import quota_events, quota_history, quota_projects
from multisite.db.upsert import upsert
from multisite.quotas import decisions, eventlog
from multisite.quotas.events import KINDS, Event
from multisite.quotas.model import Project, State
from tests.integration.quotas.receiver import receiving
from tests.integration.service import ALPHA, Service, opened

SECRET = "s" * 32
SERIES = re.compile(r"^(multisite_quota_\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


async def tell(service: Service, clock: FixedClock, project: str = ALPHA) -> None:
    async with service.assembly.database.write() as connection:
        await eventlog.tell(connection, project, [Event("over", "too much", "compute/cores")], clock.now())


async def govern(service: Service, clock: FixedClock, project: str = ALPHA) -> None:
    async with service.assembly.database.write() as connection:
        await decisions.put_project(connection, Project(project, f"name-{project}"), clock.now())


async def scraped(service: Service) -> dict[str, float]:
    app: Any = metrics.create_metrics_app(service.assembly, None)
    text = (await replace(service, app=app).call("GET", "/metrics", token=None)).text
    return {
        name + (f"{{{labels}}}" if labels else ""): float(value)
        for name, labels, value in SERIES.findall(text)
    }


async def test_what_is_configured_is_where_events_go(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    async with receiving() as one, receiving() as two:
        lines = f"\n[quotas]\nwebhook_url = {one.url},{two.url}\nwebhook_secret_file = {tmp_path}/secret\n"
        async with opened(database_url, tmp_path, clock, lines) as service:
            await tell(service, clock)
            deliverer = service.assembly.deliverer
            await service.assembly.loop.run(deliverer.look())
            await service.assembly.loop.run(deliverer.idle())

        assert (one.ids, two.ids) == ([1], [1])


async def test_the_sweeps_keeper_deletes_what_is_old(service: Service, clock: FixedClock) -> None:
    await tell(service, clock)
    async with service.assembly.database.write() as connection:
        old = clock.now().replace(year=2020)
        await connection.execute(sa.update(quota_events).values(at=old))
        row = {"project_id": ALPHA, "at": old, "hourly": True, "figures": {}}
        await upsert(connection, quota_history, ("project_id", "at"), [row])

    for work in service.assembly.scheduler.together:
        await service.assembly.loop.run(work([]))  # type: ignore[arg-type] # each is a coroutine function

    async with service.assembly.database.read() as connection:
        for table in (quota_events, quota_history):
            assert await connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


@pytest.mark.parametrize("projects", [1, 3])
async def test_the_metrics_count_over_all_projects_and_name_none(
    service: Service, clock: FixedClock, projects: int
) -> None:
    names = [f"{number}" * 32 for number in range(projects)]
    for name in names:
        await govern(service, clock, name)
        await tell(service, clock, name)
    async with service.assembly.database.write() as connection:
        over = {"compute/cores": {"state": "over"}, "compute/ram": {"state": "established"}}
        first = sa.update(quota_projects).where(quota_projects.c.project_id == names[0])
        await connection.execute(first.values(standing=over, due_at=clock.now().replace(year=2025)))
    await service.assembly.loop.run(service.assembly.deliverer.look())
    service.assembly.balancer.status.rounds = 7

    found = await scraped(service)

    assert found['multisite_quota_projects{state="over"}'] == 1
    assert found['multisite_quota_projects{state="establishing"}'] == projects - 1
    assert found['multisite_quota_events_total{kind="over"}'] == projects
    assert found["multisite_quota_rounds_total"] == 7
    assert found["multisite_quota_due_age_seconds"] > 86400
    assert not any(name in key for key in found for name in names)
    assert len(found) == len(State) + len(KINDS) + 9


async def test_open_requests_and_waiting_deliveries_are_counted(
    database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    lines = f"\n[quotas]\nwebhook_url = http://127.0.0.1:9/\nwebhook_secret_file = {tmp_path}/secret\n"
    async with opened(database_url, tmp_path, clock, lines) as service:
        body = {"limits": {"compute/cores": 4}, "reason": "r"}
        assert (await service.call("POST", "/v1/quota-requests", "member", body)).status == 201
        deliverer = service.assembly.deliverer
        await service.assembly.loop.run(deliverer.look())
        await service.assembly.loop.run(deliverer.idle())

        found = await scraped(service)

        assert found["multisite_quota_requests_open"] == 1
        assert found["multisite_quota_deliveries_waiting"] == 1
        assert found["multisite_quota_delivery_failures_total"] == 1
        assert found["multisite_quota_deliveries_total"] == 0
