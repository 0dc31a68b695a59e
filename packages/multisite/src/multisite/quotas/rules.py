"""Rules of quotas that hold for many projects: classes, caps of domains and trees, back ends of regions."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db import audit
from multisite.errors import BadRequest, Conflict, NotFound
from multisite.policy import Policy
from multisite.quotas import decisions, policies, share_store
from multisite.quotas.home import Home, QuotaRegions, require_registered
from multisite.quotas.limits import (
    QuotaChange,
    decided,
    plain_limits,
    require_cap_sense,
    require_caps,
    require_class,
    require_sense,
)
from multisite.quotas.model import (
    DEFAULT_CLASS,
    Backend,
    Cap,
    ClassDryRun,
    DryRun,
    GlobalLimit,
    LimitChange,
    Project,
    Wanted,
)
from multisite.quotas.resources import SERVICES, UNLIMITED
from multisite.quotas.standing import TOLD
from multisite.quotas.store import QuotaStore
from multisite.regions.service import RegionService
from multisite.requester import Requester

#: A dry run of a class is of so many projects at most, and reads so many at once.
MOST_PLANNED, PLANNED_AT_ONCE = 50, 4
#: Services that keep their limits in one place, whatever a region's configuration says.
_FIXED = {"volume": Backend.CLASSIC, "network": Backend.CLASSIC, "image": Backend.UNIFIED}


@dataclass(frozen=True, slots=True)
class QuotaRuleService:
    """Rules of quotas, for operators."""

    store: QuotaStore
    regions: RegionService
    home: Home
    reading: QuotaRegions
    policy: Policy
    clock: Clock

    async def classes(self, requester: Requester) -> Mapping[str, Mapping[str, GlobalLimit]]:
        """All classes."""
        self.policy.require(requester, policies.CLASSES)
        async with self.store.database.read() as connection:
            return await decisions.classes(connection)

    async def set_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> Mapping[str, GlobalLimit]:
        """Change a class; all that follow it are balanced soon. An empty class is gone.

        Raises `BadRequest`, `CapExceeded`.
        """
        self.policy.require(requester, policies.SET_CLASS)
        now = self.clock.now()
        require_sense(QuotaChange(limits=limits), now)
        await self._require_registered(limits)
        async with self.store.database.write() as connection:
            return await self._set_class(connection, requester, name, limits, now)

    async def plan_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> ClassDryRun:
        """What `set_class` would write now to the first `MOST_PLANNED` projects that follow; they are read.

        Raises the same as `set_class`.
        """
        self.policy.require(requester, policies.SET_CLASS)
        now = self.clock.now()
        require_sense(QuotaChange(limits=limits), now)
        await self._require_registered(limits)
        async with self.store.database.undone() as connection:
            changes = await self._decide(connection, name, limits, now)
            planned = sorted((after for _, after in changes), key=lambda after: after.project.name or "")
            planned, more = planned[:MOST_PLANNED], max(0, len(planned) - MOST_PLANNED)
            shares = await share_store.shares_of(connection, [after.project.id for after in planned])
        few = asyncio.Semaphore(PLANNED_AT_ONCE)

        async def plan(after: Wanted) -> tuple[Project, DryRun]:
            async with few:
                return after.project, await self.reading.preview(after, shares[after.project.id])

        return ClassDryRun(await asyncio.gather(*map(plan, planned)), more)

    async def delete_class(self, requester: Requester, name: str) -> None:
        """Forget a class that no project follows by its name.

        Raises `NotFound`, and `Conflict` where one does.
        """
        self.policy.require(requester, policies.SET_CLASS)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await require_class(connection, name, spare=())
            follow = await decisions.named_followers(connection, name)
            if follow:
                more = f" and {len(follow) - TOLD} more" if len(follow) > TOLD else ""
                raise Conflict(
                    f"quota class {name!r} is followed by project {', '.join(follow[:TOLD])}{more}; "
                    "have them follow another one, or none, before"
                )
            held = (await decisions.classes(connection))[name]
            await self._set_class(connection, requester, name, dict.fromkeys(held), now)

    async def _set_class(
        self,
        connection: AsyncConnection,
        requester: Requester,
        name: str,
        limits: Mapping[str, LimitChange | None],
        now: datetime,
    ) -> Mapping[str, GlobalLimit]:
        held = (await decisions.classes(connection)).get(name, {})
        changes = await self._decide(connection, name, limits, now)
        await decisions.due_now(connection, [after.project.id for _, after in changes], now)
        found = (await decisions.classes(connection)).get(name, {})
        before, after = plain_limits(held), plain_limits(found)
        await audit.record(connection, requester, now, "quota:class", name, before=before, after=after)
        return found

    async def _decide(
        self,
        connection: AsyncConnection,
        name: str,
        limits: Mapping[str, LimitChange | None],
        now: datetime,
    ) -> list[tuple[Wanted, Wanted]]:
        """Store a change of a class; what was decided before for each that follows, and what is now."""
        await decisions.hold_caps(connection)
        follow = set(await decisions.followers(connection, name, DEFAULT_CLASS))
        projects = [each for each in await self.store.projects_in(connection) if each.id in follow]
        before = await self.store.wanted_all(connection, projects, now)
        held = (await decisions.classes(connection)).get(name, {})
        kept = decided(limits, held)
        await decisions.put_class(connection, name, {each: kept.get(each) for each in limits})
        changes = []
        for project_id, after in (await self.store.wanted_all(connection, projects, now)).items():
            wanted = before[project_id]
            left = set(wanted.limits) - set(after.limits) - after.releasing
            await decisions.release(connection, project_id, left)
            changes.append((wanted, replace(after, releasing=after.releasing | left)))
        await require_caps(connection, self.store, changes, now)
        return changes

    async def caps(self, requester: Requester) -> Sequence[Cap]:
        """What domains and trees of projects may have."""
        self.policy.require(requester, policies.CAPS)
        async with self.store.database.read() as connection:
            return await decisions.caps(connection)

    async def set_cap(self, requester: Requester, cap: Cap) -> Sequence[Cap]:
        """Set what a domain or tree may have; -1 for no cap. Limits that are set already stay.

        Raises `BadRequest`, and `NotFound` for a domain or project that there is not.
        """
        self.policy.require(requester, policies.SET_CAP)
        require_cap_sense(cap)
        if cap.limit != UNLIMITED:
            await require_registered(self.reading, [cap.resource])
            await self._require_scope(cap)
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await decisions.put_cap(connection, cap)
            told = {"resource": cap.resource, "limit": cap.limit}
            await audit.record(
                connection, requester, now, "quota:cap", f"{cap.scope}:{cap.scope_id}", after=told
            )
            return await decisions.caps(connection)

    async def backends(self, requester: Requester) -> Sequence[tuple[str, str, Backend]]:
        """What operators pinned: region, service, back end."""
        self.policy.require(requester, policies.BACKENDS)
        async with self.store.database.read() as connection:
            return await decisions.pinned(connection)

    async def set_backend(
        self, requester: Requester, region: str, service: str, backend: Backend | None
    ) -> Sequence[tuple[str, str, Backend]]:
        """Pin where a service of a region keeps its limits; `None` to find it out.

        Raises `NotFound`, and `BadRequest` for a back end that the service has not.
        """
        self.policy.require(requester, policies.SET_BACKEND)
        if service not in SERVICES:
            raise NotFound(f"there is no service {service!r} here; there are: {', '.join(SERVICES)}")
        only = _FIXED.get(service)
        if backend is not None and only not in {None, backend}:
            raise BadRequest(f"backend: {service} has only {only}; compute has classic and unified")
        found = (await self.regions.views([region]))[0].region
        now = self.clock.now()
        async with self.store.database.write() as connection:
            await decisions.put_backend(connection, found.id, service, backend)
            told = {"service": service, "backend": backend.value if backend else None}
            await audit.record(connection, requester, now, "quota:backend", region, after=told)
            return await decisions.pinned(connection)

    async def _require_registered(self, limits: Mapping[str, LimitChange | None]) -> None:
        await require_registered(self.reading, [each for each, limit in limits.items() if limit is not None])

    async def _require_scope(self, cap: Cap) -> None:
        if cap.scope == "tree":
            await self.home.project(cap.scope_id)
        else:
            await self.home.require_domain(cap.scope_id)
