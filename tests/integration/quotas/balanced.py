"""Simulated regions whose quotas are balanced, without HTTP in front: for tests of what is written where."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import SystemClock
from multisite.db.engine import Database
from multisite.db.tables import executors
from multisite.engine.executors import Executors, Fence
from multisite.engine.writes import Journal, RegionWrite
from multisite.openstack.users import Reply, UserCalls
from multisite.quotas import claims, decisions, eventlog, share_store
from multisite.quotas.bound import INFINITE, height
from multisite.quotas.limits import decided
from multisite.quotas.model import LimitChange, Project, RegionBounds, ResourceQuota, Share
from multisite.quotas.reading import QuotaReader
from multisite.quotas.resources import Kind
from multisite.quotas.round import Round
from multisite.quotas.rounds import Rounds
from multisite.quotas.standing import resource_quotas
from multisite.quotas.store import QuotaStore
from multisite.quotas.writing import Sender
from multisite.regions.model import Region
from multisite.settings import QuotaSettings
from multisite.sim.compute.state import Server
from multisite.sim.listening import Running
from multisite.sweeps.reading import RegionClients
from tests.integration.sim.over_regions import CALL_DEADLINE, OverRegions

CORES = "compute/cores"
SETTINGS = QuotaSettings(interval=3600, settle=0.0)


class Killed(BaseException):
    """The process is dead from here on."""


@dataclass
class Life:
    """Where a process dies: it counts transactions and writes to regions, each before and after."""

    left: int | None = None
    dead: bool = False
    meanwhile: Callable[[], None] | None = None
    #: What is decided before one of the next transactions, and how many come before that.
    decision: Callable[[], Awaitable[None]] | None = None
    undecided: int = 0

    def something_happens(self) -> None:
        """What somebody does between our read and our write; once."""
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()

    async def something_is_decided(self) -> None:
        """What an operator decides between two transactions of ours; once."""
        if self.decision is None:
            return
        self.undecided -= 1
        if self.undecided < 0:
            decides, self.decision = self.decision, None
            await decides()

    def point(self) -> None:
        """Die, if this is where; the dead do nothing any more."""
        if self.left is not None and not self.dead:
            self.left -= 1
            self.dead = self.left < 0
        if self.dead:
            raise Killed


class MortalDatabase:
    """A database for a process that may die around any of its transactions."""

    def __init__(self, database: Database, life: Life) -> None:
        self._database, self._life = database, life
        self.read, self.url = database.read, database.url

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that writes."""
        await self._life.something_is_decided()
        self._life.point()
        async with self._database.write() as connection:
            yield connection
        self._life.point()


@dataclass(frozen=True, slots=True)
class MortalSender(Sender):
    """Sends for a process that may die before a request, or when it was done and not heard of."""

    life: Life = field(default_factory=Life)

    async def _once(
        self, region: Region, token: str, write: RegionWrite, request_id: str, fence: Fence
    ) -> Reply:
        self.life.point()
        self.life.something_happens()
        try:
            return await Sender._once(self, region, token, write, request_id, fence)
        finally:
            self.life.point()


class Balanced(OverRegions):
    """Every method may be called from a test without a loop. `project` is the one that is governed."""

    def __init__(
        self, cloud: Running, folder: Path, settings: QuotaSettings = SETTINGS, name: str = "p1"
    ) -> None:
        super().__init__(cloud, folder)
        self.settings = settings
        self.quotas = QuotaStore(self.database)
        self.project = self._tenant()
        self._clients = self.new_clients()
        self.life = Life()
        self.executors, self.rounds = self.run(lambda: self._balancer(name, self.life))

    async def _balancer(self, name: str, life: Life) -> tuple[Executors, Rounds]:
        executors = Executors(self.database, self.clock, name=name, ttl=3600)
        await _enter(executors, self.database, name, self.clock)
        database: Any = MortalDatabase(self.database, life)
        calls = UserCalls(self._clients, CALL_DEADLINE)
        rounds = Rounds(
            QuotaStore(database),
            self.store,
            QuotaReader(RegionClients(self._clients), self.clock, CALL_DEADLINE * 2),
            MortalSender(calls, executors.may_send, life),
            Journal(self.database),
            lambda: executors.fence,
            self.settings,
            self.clock,
        )
        return executors, rounds

    async def another(self, name: str) -> Rounds:
        """What another process balances with."""
        return (await self._balancer(name, Life()))[1]

    def kill_at(self, point: int | None) -> None:
        """The process dies at its so-manieth point from now on; never, with `None`."""
        self.life.left = point

    def restart(self) -> None:
        """The dead process was found, and a new one runs."""

        async def work() -> None:
            await self.buried()
            self.life = Life()
            self.executors, self.rounds = await self._balancer(f"p-{next(_NUMBERS)}", self.life)

        self.run(work)

    async def buried(self) -> None:
        """Another process has seen that this one stands still."""
        async with self.database.write() as connection:
            await connection.execute(sa.delete(executors).where(executors.c.id == self.executors.name))

    # -- deciding ------------------------------------------------------------------------------------

    def set(
        self,
        limits: Mapping[str, int | LimitChange | None],
        bounds: Mapping[tuple[str, str], RegionBounds] | None = None,
    ) -> None:
        """Set global limits; (region, resource) → bounds."""
        self.run(lambda: self.decide(limits, bounds))

    async def decide(
        self,
        limits: Mapping[str, int | LimitChange | None],
        bounds: Mapping[tuple[str, str], RegionBounds] | None = None,
    ) -> None:
        """The same, for who has a loop."""
        now = self.clock.now()
        asked = {name: LimitChange(each) if isinstance(each, int) else each for name, each in limits.items()}
        ids = {region.name: region.id for region in self.regions}
        async with self.database.write() as connection:
            await decisions.put_project(connection, self.project, now)
            kept = decided(asked, {})
            await decisions.put_limits(connection, self.project.id, kept)
            await decisions.release(connection, self.project.id, set(asked) - set(kept))
            named = {(ids[region], name): each for (region, name), each in (bounds or {}).items()}
            await decisions.put_bounds(connection, self.project.id, named)

    def ask(self, *regions: str) -> None:
        """A user wants more in these regions."""

        self.run(lambda: self.asked(*regions))

    async def asked(self, *regions: str) -> None:
        """The same, for who has a loop."""
        async with self.database.write() as connection:
            await claims.ask(connection, self.project.id, self.clock.now(), regions)

    async def due(self) -> list[str]:
        """The projects that the balancer would take now."""
        async with self.database.read() as connection:
            return list(await claims.due(connection, self.clock.now(), 100))

    def balance(self) -> Round | None:
        """One round."""
        return self.run(lambda: self.rounds.balance(self.project.id))

    def forget(self) -> None:
        """Begin anew with each region, as after a restart: its breakers do not wait."""

        async def work() -> None:
            for name in self.names:
                self._clients.forget(name)

        self.run(work)

    # -- what multisite knows ------------------------------------------------------------------------

    def quota(self, resource: str = CORES) -> ResourceQuota:
        """How a resource stands."""

        async def work() -> ResourceQuota:
            async with self.database.read() as connection:
                project = await self.quotas.project(connection, self.project.id)
                assert project is not None
                wanted = await self.quotas.wanted(connection, project, self.clock.now())
                shares = await share_store.shares(connection, self.project.id)
            found = resource_quotas(wanted, shares, self.settings, self.clock.now())
            return next(each for each in found if each.resource == resource)

        return self.run(work)

    def shares(self) -> list[Share]:
        """The stored rows."""

        async def work() -> list[Share]:
            async with self.database.read() as connection:
                return await share_store.shares(connection, self.project.id)

        return self.run(work)

    def events(self) -> list[str]:
        """The kinds of events, in order."""

        async def work() -> list[str]:
            async with self.database.read() as connection:
                return [each.kind for each in await eventlog.events(connection, None, (), 1000, None)][::-1]

        return self.run(work)

    # -- what is true --------------------------------------------------------------------------------

    @property
    def names(self) -> list[str]:
        """The regions' names."""
        return list(self.cloud.simulator.world.names)

    def standing(self, resource: str = CORES) -> dict[str, tuple[int, int]]:
        """Limit in force and use, by region, as the simulator has them now."""
        service, _, name = resource.partition("/")

        def work() -> dict[str, tuple[int, int]]:
            regions = map(self.cloud.simulator.world.region, self.names)
            return {each.name: each.standing(service, self.project.id, name) or (-1, 0) for each in regions}

        found: dict[str, tuple[int, int]] = self.cloud.run(work)
        return found

    def limits(self, resource: str = CORES) -> dict[str, int]:
        """Limits in force, by region."""
        return {region: limit for region, (limit, _) in self.standing(resource).items()}

    def uses(self, resource: str = CORES) -> dict[str, int]:
        """What the service counts, by region."""
        return {region: used for region, (_, used) in self.standing(resource).items()}

    def bound(self, resource: str = CORES) -> int:
        """O: the sum of max(limit in force, use) over all regions."""
        return min(
            INFINITE, sum(max(height(limit), used) for limit, used in self.standing(resource).values())
        )

    def hand(self, region: str, **limits: int) -> None:
        """Somebody changes limits in a region by hand."""

        def work() -> None:
            self._compute(region).quotas.setdefault(self.project.id, {}).update(limits)
            self.cloud.simulator.world.region(region).touch()

        self.cloud.run(work)

    def create(self, region: str, cores: int = 1) -> Server:
        """A tenant makes a server of so many cores. Raises the simulator's `Refusal`."""

        def work() -> Server:
            self.cloud.simulator.world.region(region).touch()
            compute = self._compute(region)
            flavor = next(each for each in compute.flavors.values() if each.vcpus == 1)
            wanted = replace(flavor, vcpus=cores)
            made: Server = compute.create_server(
                name=f"s{next(_NUMBERS)}", project_id=self.project.id, user_id="u", flavor=wanted, image_id=""
            )
            return made

        made: Server = self.cloud.run(work)
        return made

    def remove(self, region: str) -> None:
        """A tenant deletes a server of his there, if there is one."""

        def work() -> None:
            compute = self._compute(region)
            mine = [each for each in compute.servers.values() if each.project_id == self.project.id]
            if mine:
                compute.delete_server(mine[0])
                self.cloud.simulator.world.region(region).touch()

        self.cloud.run(work)

    def delete(self, region: str, server: Server) -> None:
        """It goes."""

        def work() -> None:
            self._compute(region).delete_server(server)
            self.cloud.simulator.world.region(region).touch()

        self.cloud.run(work)

    def _compute(self, region: str) -> Any:
        return self.cloud.simulator.world.region(region).compute

    def _tenant(self) -> Project:
        world = self.cloud.simulator.world
        found = world.keystone(world.names[0]).find("projects", {"name": world.plan.tenant_names()[0]})
        assert found is not None
        return Project(found["id"], found["name"], found["domain_id"], "Default")

    def close(self) -> None:
        """End it."""
        self.run(self._clients.close)
        self.end()


_NUMBERS = itertools.count()


async def _enter(entering: Executors, database: Database, name: str, clock: SystemClock) -> None:
    """Be one of several executors; on SQLite the real thing is alone."""
    now = clock.now()
    async with database.write() as connection:
        await connection.execute(
            sa.insert(executors).values(id=name, incarnation=1, beat=0, started_at=now, beat_at=now)
        )
    entering._incarnation = 1
    entering._beaten_at = clock.monotonic()


def soft(limit: int, burst: int | None = None) -> LimitChange:
    """A soft limit."""
    return LimitChange(limit, Kind.SOFT, burst)
