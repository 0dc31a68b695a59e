"""Several processes on PostgreSQL claim due projects at the same time, several projects each."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.db.quota_tables import quota_projects
from multisite.db.tables import executors
from multisite.engine.executors import Executors
from multisite.errors import DatabaseAway
from multisite.quotas import claims, decisions
from multisite.quotas.claims import holder_of
from multisite.quotas.model import Project

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROJECTS = [f"{number:032x}" for number in range(60)]
PROCESSES = 3


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_each_project_is_claimed_by_one_process(database_url: str) -> None:
    """All want all projects, in any order, and keep their transactions open while the others come."""
    database = Database(database_url)
    async with database.write() as connection:
        for project_id in PROJECTS:
            project = Project(project_id, project_id, "default", "Default")
            await decisions.put_project(connection, project, NOW)
    await database.close()
    held = await asyncio.gather(*(claimed(database_url, f"p{number}") for number in range(PROCESSES)))
    assert sorted(each for ids in held for each in ids) == PROJECTS


async def claimed(url: str, name: str) -> list[str]:
    """Claim slices of all projects in an order of our own, and keep them."""
    database = Database(url)
    process = Executors(database, SystemClock(), name=name, ttl=3600)
    await process.enter()
    fence = process.fence
    wanted = list(PROJECTS)
    random.Random(name).shuffle(wanted)  # noqa: S311 - any order will do
    found = []
    for first in range(0, len(wanted), 20):
        async with database.write() as connection:
            await fence.check(connection)
            held = await claims.claim(
                connection,
                wanted[first : first + 20],
                holder_of(fence.executor, fence.incarnation),
                NOW + timedelta(hours=1),
                NOW,
                asked=False,
            )
            await asyncio.sleep(0.05)  # others come meanwhile
        found += [project.id for project, _ in held]
    await database.close()
    return found


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_who_stores_something_cannot_be_taken_for_dead_meanwhile(database_url: str) -> None:
    """One question asks for both, and keeps both as they are until the transaction ends."""
    ours, others = Database(database_url), Database(database_url)
    alive = Executors(ours, SystemClock(), name="p1", ttl=3600)
    await alive.enter()
    project = Project(PROJECTS[0], "alpha", "default", "Default")
    holder = holder_of(alive.fence.executor, alive.fence.incarnation)
    async with ours.write() as connection:
        await decisions.put_project(connection, project, NOW)
        assert await claims.claim(connection, [project.id], holder, NOW, NOW, asked=True)

    async def change(statement: sa.Delete | sa.Update) -> None:
        async with others.write() as connection:
            await connection.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
            await connection.execute(statement)

    taken = sa.update(quota_projects).values(holder="somebody-else#1")
    async with ours.write() as connection:
        assert await claims.held(connection, project.id, alive.fence) is not None
        for statement in (sa.delete(executors), taken):
            with pytest.raises(DatabaseAway, match="lock timeout"):
                await change(statement)
    await change(sa.delete(executors))
    async with ours.write() as connection:
        assert await claims.held(connection, project.id, alive.fence) is None
    await ours.close()
    await others.close()
