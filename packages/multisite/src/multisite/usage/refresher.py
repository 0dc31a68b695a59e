"""Keeps the use of followed projects fresh; lives on the region loop.

A project is followed from the first question about it for a day after the last one (`[usage] keep`).
Where a region has a Keystone of its own, the project there is the one with the same name in the domain
with the same name; where there is none, that is what the answer says.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from multisite.clock import Clock
from multisite.engine.executors import Fencing, unfenced
from multisite.errors import MultisiteError
from multisite.openstack import keystone
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.regions.discovery import target_of
from multisite.regions.home import Clients, ask_home
from multisite.regions.model import Identity, Region
from multisite.regions.states import CallError
from multisite.settings import UsageSettings
from multisite.usage.model import ResourceUsage
from multisite.usage.readers import READERS
from multisite.usage.store import TrackedProject, UsageReading, UsageStore

LOG = logging.getLogger(__name__)

#: Hears what a project uses in a region, by resource, whenever it was read.
Noticed = Callable[[str, Mapping[str, ResourceUsage]], Awaitable[None]]

#: (project, region) pairs that are read at the same time.
AT_ONCE = 20
#: Seconds between two looks at the list of all projects, with `[usage] projects=all`.
LIST_INTERVAL = 600.0
#: Seconds between two removals of projects that nobody asks about.
FORGET_INTERVAL = 3600.0


@dataclass(slots=True)
class Refresher:
    """Reads projects' use and stores it."""

    clients: Clients
    store: UsageStore
    settings: UsageSettings
    image_interval: float
    deadline: float
    clock: Clock
    fencing: Fencing = unfenced
    noticed: Noticed | None = None
    _read_at: dict[tuple[str, int], float] = field(default_factory=dict)
    _images_at: dict[tuple[str, int], float] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _scheduled: dict[int, set[asyncio.Task[None]]] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _listed_at: float = float("-inf")
    _forgot_at: float = float("-inf")

    async def follow(self, regions: Sequence[Region]) -> None:
        """Follow all projects, if that is wanted, and forget those that nobody asks about.

        For one process alone, with all regions.
        """
        now = self.clock.monotonic()
        if self.settings.projects == "all" and now - self._listed_at >= LIST_INTERVAL:
            self._listed_at = now
            self._spawn(self._track_all(list(regions)))
        if now - self._forgot_at >= FORGET_INTERVAL:
            self._forgot_at = now
            await self.store.forget(self._horizon())

    async def periodic(self, regions: Sequence[Region]) -> None:
        """Start the reads of these regions that are due; they run on their own."""
        now = self.clock.monotonic()
        for project in await self.store.tracked(self._horizon()):
            for region in regions:
                key = (project.project_id, region.id)
                if now - self._read_at.get(key, float("-inf")) >= self.settings.interval:
                    self._read_at[key] = now
                    reading = self._spawn(self._read(project, region, images=False))
                    scheduled = self._scheduled.setdefault(region.id, set())
                    scheduled.add(reading)
                    reading.add_done_callback(scheduled.discard)

    def drop(self, region_id: int) -> Collection[asyncio.Task[None]]:
        """End the reads of a region that another process reads from now on; what is ending."""
        reading = list(self._scheduled.pop(region_id, ()))
        for task in reading:
            task.cancel()
        return reading

    async def read_now(self, project: TrackedProject, regions: Sequence[Region], deadline: float) -> None:
        """Read a project in all `regions`; what takes longer than `deadline` goes on in the background."""
        tasks = [self._spawn(self._read(project, region, images=True)) for region in regions]
        if tasks:
            await asyncio.wait(tasks, timeout=deadline)

    async def find_home(self, project_id: str, regions: Sequence[Region]) -> keystone.Project | None:
        """The project in the home Keystone, `None` where that does not have it.

        Raises `RegionCallError` when no region's credential may ask the home Keystone.
        """
        return await ask_home(self.clients, regions, lambda client: keystone.get_project(client, project_id))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _read(self, project: TrackedProject, region: Region, *, images: bool) -> None:
        key = (project.project_id, region.id)
        async with self._slots:
            now, fence = self.clock.monotonic(), self.fencing()
            self._read_at[key] = now
            services = list(READERS)
            if not images and now - self._images_at.get(key, float("-inf")) < self.image_interval:
                services.remove("image")
            else:
                self._images_at[key] = now
            try:
                readings = await self._readings(project, region, services)
                if any(not reading.found for reading in readings):
                    self._images_at.pop(key, None)  # when the project comes, its images are read at once
                await self.store.write(project.project_id, region.id, readings, target_of(region), fence)
                if self.noticed is not None:
                    read = {
                        name: usage for each in readings for name, usage in (each.resources or {}).items()
                    }
                    await self.noticed(project.project_id, read)
            except MultisiteError as error:
                LOG.log(
                    error.log_level,
                    "project %s in region %s: not stored: %s",
                    key[0],
                    region.name,
                    error.detail,
                )
            except Exception:
                LOG.exception("project %s in region %s: the read stumbled", key[0], region.name)

    async def _readings(
        self, project: TrackedProject, region: Region, services: Sequence[str]
    ) -> list[UsageReading]:
        client = self.clients.client(region)
        try:
            local_id = await self._local_id(client, project, region)
        except RegionCallError as error:
            failure = CallError(error.code, error.detail)
            return [UsageReading(service, self.clock.now(), error=failure) for service in services]
        if local_id is None:
            return [UsageReading(service, self.clock.now(), found=False) for service in services]
        found = await asyncio.gather(*(self._service(client, service, local_id) for service in services))
        return [reading for reading in found if reading is not None]

    async def _local_id(self, client: RegionClient, project: TrackedProject, region: Region) -> str | None:
        if region.identity is Identity.HOME:
            return project.project_id
        if not project.name or not project.domain_name:
            return None
        found = await keystone.find_project(client, name=project.name, domain_name=project.domain_name)
        return found.id if found else None

    async def _service(self, client: RegionClient, service: str, project_id: str) -> UsageReading | None:
        try:
            async with asyncio.timeout(self.deadline):
                resources = await READERS[service](client, project_id)
            return UsageReading(service, self.clock.now(), resources)
        except RegionCallError as error:
            if error.code in {"no-endpoint", "breaker-open"}:
                return None
            failure = CallError(error.code, error.detail)
        except TimeoutError:
            failure = CallError("timeout", f"reading took longer than {self.deadline:g} s")
        except GARBAGE as error:
            failure = CallError("unexpected-answer", what_is_odd(error))
        return UsageReading(service, self.clock.now(), error=failure)

    async def _track_all(self, regions: list[Region]) -> None:
        for region in regions:
            if region.identity is Identity.HOME:
                try:
                    projects = await keystone.projects(self.clients.client(region))
                except RegionCallError as error:
                    LOG.warning(
                        "the projects cannot be listed through region %s: %s", region.name, error.detail
                    )
                    continue
                tracked = [TrackedProject(item.id, item.name, item.domain_name) for item in projects]
                await self.store.track(tracked, self.clock.now())
                return

    def _horizon(self) -> datetime:
        return self.clock.now() - timedelta(seconds=self.settings.keep)
