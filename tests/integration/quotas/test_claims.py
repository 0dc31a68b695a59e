"""Several processes on PostgreSQL claim due projects at the same time, several projects each."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.engine.executors import Executors
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
    executors = Executors(database, SystemClock(), name=name, ttl=3600)
    await executors.enter()
    fence = executors.fence
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
