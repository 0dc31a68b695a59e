"""Puts the service together: the one place that knows every part.

Two event loops: the API's, and one in a thread for everything that talks to regions. Each has its own
connections to the database; nothing else is shared but the health book, which has a lock.
"""

import os
import socket
import uuid
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta

from multisite.actions.asking import LATE, Asker
from multisite.actions.offers import OfferService
from multisite.actions.performer import Performer
from multisite.actions.service import ActionService
from multisite.actions.store import ActionStore
from multisite.capacity.history.recorder import Recorder
from multisite.capacity.history.service import HistoryService
from multisite.capacity.history.store import HistoryStore
from multisite.capacity.history.summing import Totals
from multisite.capacity.service import CapacityService
from multisite.capacity.store import CapacityStore
from multisite.capacity.writer import ObservationWriter
from multisite.clock import Clock, SystemClock
from multisite.db.engine import Database
from multisite.db.lease import Lease
from multisite.db.room import Room
from multisite.engine.durable import Durable
from multisite.engine.engine import Engine
from multisite.engine.executors import Executors, Fence
from multisite.engine.kinds import Kinds
from multisite.engine.runner import Runner
from multisite.engine.schedules import Scheduling
from multisite.engine.service import OperationService
from multisite.engine.store import OperationStore
from multisite.engine.writer import Writer
from multisite.engine.writes import Journal
from multisite.filters.service import FilterService
from multisite.filters.store import FilterStore
from multisite.inventory.finding import Finder
from multisite.inventory.keypairs import KeypairReader, KeypairService
from multisite.inventory.listing import InventoryQueries
from multisite.inventory.projects import LEASE, Projects, ProjectStore
from multisite.inventory.refresher import InventoryRefresher
from multisite.inventory.relations import Relations
from multisite.inventory.search import SearchService
from multisite.inventory.service import InventoryService
from multisite.inventory.store import InventoryStore
from multisite.openstack.client import Regions
from multisite.openstack.clouds import Clouds
from multisite.openstack.home import HomeKeystone
from multisite.openstack.loop import RegionLoop
from multisite.openstack.tokens import Tokens
from multisite.openstack.transport import Limits, Transport
from multisite.openstack.users import UserCalls
from multisite.policy import Policy
from multisite.quotas.balancer import Balancer
from multisite.quotas.delivery.deliverer import Deliverer
from multisite.quotas.delivery.outbox import Outbox
from multisite.quotas.history.service import QuotaHistoryService
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.quotas.home import Home
from multisite.quotas.keeping import Keeper
from multisite.quotas.reading import QuotaReader
from multisite.quotas.regions import LoopedQuotaRegions
from multisite.quotas.requests.service import QuotaRequestService
from multisite.quotas.requests.store import QuotaRequestStore
from multisite.quotas.rounds import Rounds
from multisite.quotas.rules import QuotaRuleService
from multisite.quotas.service import QuotaService
from multisite.quotas.store import QuotaStore
from multisite.quotas.workflows import QuotaWorkflows
from multisite.quotas.writing import Sender
from multisite.regions.examination import Examiner
from multisite.regions.health import HealthBook
from multisite.regions.service import RegionService
from multisite.regions.status import Rhythm
from multisite.regions.store import RegionStore
from multisite.regions.workflows import RegionWorkflows, schedule_of_tests
from multisite.rules import list_rules
from multisite.settings import Settings
from multisite.sweeps.reading import (
    CapacityReader,
    InventoryReader,
    LoopedKeypairReader,
    RegionClients,
    UsageReader,
)
from multisite.sweeps.scheduler import TICK, Scheduler
from multisite.sweeps.sharing import Sharing
from multisite.sweeps.sweeper import Sweeper
from multisite.usage.refresher import Refresher
from multisite.usage.service import UsageService
from multisite.usage.store import UsageStore
from multisite.webhooks import Endpoint, Webhooks, read_secrets

#: Seconds: as long as a sweep of many regions takes to change the listing noticeably.
SHARED = 1.0


@dataclass(slots=True)
class Assembly:
    """All parts of one process. `start` and `stop` once."""

    settings: Settings
    clock: Clock
    loop: RegionLoop
    database: Database
    region_database: Database
    clients: Regions
    scheduler: Scheduler
    engine: Engine
    operations: OperationService
    home: HomeKeystone
    policy: Policy
    regions: RegionService
    capacity: CapacityService
    history: HistoryService
    usage: UsageService
    quotas: QuotaService
    quota_rules: QuotaRuleService
    quota_history: QuotaHistoryService
    quota_requests: QuotaRequestService
    balancer: Balancer
    deliverer: Deliverer
    inventory: InventoryService
    search: SearchService
    relations: Relations
    filters: FilterService
    keypairs: KeypairService
    actions: ActionService
    offers: OfferService
    inventory_refresher: InventoryRefresher
    _working: list["Future[None]"] = field(default_factory=list)

    async def start(self) -> None:
        """Start the region loop, and on it the engine and the sweep."""
        self.loop.start()
        await self.loop.run(self.engine.start())
        working = (self.scheduler, self.balancer, self.deliverer)
        self._working = [self.loop.submit(work.run()) for work in working]

    async def stop(self) -> None:
        """End the sweep, give up its regions, close every connection."""
        for work in self._working:
            work.cancel()
        await self.loop.run(self._close_regions())
        self.operations.durable.close()
        self.loop.stop()
        await self.home.close()
        await self.database.close()

    def sweep_status(self) -> str:
        """`running` (this process reads regions), `waiting` (there is none for it) or `stopped`."""
        status = self.scheduler.status
        if self.clock.monotonic() - status.last_tick_at > 30 * TICK:
            return "stopped"
        return "running" if status.regions or not status.enabled else "waiting"

    async def _close_regions(self) -> None:
        await self.balancer.stop()
        await self.deliverer.stop()
        await self.scheduler.stop()
        await self.scheduler.sweeper.stop()
        await self.inventory_refresher.stop()
        await self.engine.stop()
        await self.engine.executors.close()
        await self.clients.close()
        await self.region_database.close()


def assemble(settings: Settings, clock: Clock | None = None, *, shared_for: float = SHARED) -> Assembly:
    """The service for these settings; nothing runs yet.

    `shared_for`: seconds for which those who ask for the capacity of all regions share a listing.
    """
    ground = _ground(settings, clock or SystemClock())
    reading = _reading(ground)
    working = _working(ground)
    working.engine.on_lost = [reading.scheduler.lose]
    balancer = Balancer(working.rounds)
    reading.refresher.noticed = balancer.noticed
    database, policy, clock, sweep = ground.database, ground.policy, ground.clock, settings.sweep
    regions = RegionService(
        RegionStore(database), policy, working.examiner, working.operations, ground.rhythm, clock
    )
    inventory = InventoryService(
        InventoryQueries(database),
        regions,
        InventoryReader(ground.loop, reading.inventory_refresher, sweep.fresh_deadline),
        policy,
        settings.inventory,
        sweep.deadline,
        clock,
    )
    capacity = CapacityService(
        CapacityStore(database),
        regions,
        CapacityReader(ground.loop, reading.sweeper, sweep.fresh_deadline),
        policy,
        settings.thresholds,
        clock,
        shared_for=shared_for,
    )
    usage = UsageService(
        UsageStore(database),
        regions,
        UsageReader(ground.loop, reading.refresher, sweep.fresh_deadline),
        policy,
        settings.usage,
        sweep.deadline,
        sweep.image_interval,
        clock,
    )
    keypairs = KeypairReader(RegionClients(ground.clients), sweep.fresh_deadline)
    performer = Performer(ground.loop, working.calls, Journal(ground.region_database), clock)
    asker = _asker(settings, performer, database, clock)
    quota_regions, quota_store = LoopedQuotaRegions(ground.loop, working.rounds), QuotaStore(database)
    projects = Home(regions, quota_regions)
    quotas = QuotaService(
        quota_store,
        regions,
        projects,
        quota_regions,
        working.operations,
        policy,
        settings.quotas,
        clock,
    )
    return Assembly(
        settings=settings,
        clock=clock,
        loop=ground.loop,
        database=database,
        region_database=ground.region_database,
        clients=ground.clients,
        scheduler=reading.scheduler,
        engine=working.engine,
        operations=working.operations,
        home=HomeKeystone(settings.home_auth_url, deadline=settings.regions.call_deadline),
        policy=policy,
        regions=regions,
        capacity=capacity,
        usage=usage,
        quotas=quotas,
        quota_rules=QuotaRuleService(quota_store, regions, projects, quota_regions, policy, clock),
        quota_history=QuotaHistoryService(
            QuotaHistoryStore(database),
            quota_store,
            policy,
            settings.history.keep,
            settings.quotas.interval,
            clock,
        ),
        quota_requests=QuotaRequestService(QuotaRequestStore(database), quotas, policy, clock),
        balancer=balancer,
        deliverer=_deliverer(ground),
        history=HistoryService(
            HistoryStore(database), regions, policy, ground.rhythm, settings.history.keep, clock
        ),
        inventory=inventory,
        search=SearchService(Finder(database), inventory),
        relations=Relations(database, inventory),
        filters=FilterService(FilterStore(database), clock),
        keypairs=KeypairService(regions, LoopedKeypairReader(ground.loop, keypairs), policy),
        actions=ActionService(asker, InventoryStore(database), inventory, regions, policy, clock),
        offers=OfferService(inventory, capacity, usage, regions, performer, policy),
        inventory_refresher=reading.inventory_refresher,
    )


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all the others stand on."""

    settings: Settings
    clock: Clock
    loop: RegionLoop
    database: Database
    region_database: Database
    executors: Executors
    book: HealthBook
    clients: Regions
    policy: Policy
    rhythm: Rhythm

    def fence(self) -> Fence:
        """That of work which begins now."""
        return self.executors.fence


def _ground(settings: Settings, clock: Clock) -> _Ground:
    room, process, sweep, book = Room(clock), _process_id(), settings.sweep, HealthBook()
    database, region_database, beat_database = (
        Database(settings.database, room, owner=process) for _ in ("API", "regions", "beats")
    )
    return _Ground(
        settings=settings,
        clock=clock,
        loop=RegionLoop(),
        database=database,
        region_database=region_database,
        executors=Executors(beat_database, clock, name=process, ttl=settings.operations.ttl),
        book=book,
        clients=_clients(settings, book, clock),
        policy=Policy(settings.oslo, list_rules()),
        rhythm=Rhythm(sweep.interval, sweep.health_interval, sweep.image_interval, sweep.deadline),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reads regions by itself."""

    sweeper: Sweeper
    refresher: Refresher
    inventory_refresher: InventoryRefresher
    scheduler: Scheduler


def _reading(ground: _Ground) -> _Reading:
    settings, clock, database, executors = (
        ground.settings, ground.clock, ground.region_database, ground.executors,
    )  # fmt: skip
    sweep, bounds = settings.sweep, settings.operations
    recorder = Recorder(HistoryStore(database), ground.rhythm, clock)
    writer = ObservationWriter(database, recorder)
    sweeper = Sweeper(ground.clients, RegionStore(database), writer, sweep, clock, ground.fence)
    refresher = Refresher(
        sweeper,
        UsageStore(database),
        settings.usage,
        sweep.image_interval,
        sweep.deadline,
        clock,
        ground.fence,
    )
    inventory_refresher = _inventory_refresher(ground)
    totals = Totals(HistoryStore(database), settings.history, ground.rhythm, clock)
    keeper = Keeper(
        QuotaHistoryStore(database), Outbox(database), settings.history, settings.quotas.keep_events, clock
    )
    scheduler = Scheduler(
        sweeper,
        RegionStore(database),
        ground.book,
        Sharing(database, executors, clock, bounds.beat),
        Lease(database, clock, name="totals", holder=executors.name, seconds=bounds.ttl),
        sweep,
        clock,
        tick=bounds.beat / 2,  # with the two looks of the engine it fits into a beat
        periodic=[recorder.follow, refresher.periodic, inventory_refresher.periodic],
        together=[totals.maintain, refresher.follow, keeper.maintain],
        drop=[recorder.drop, refresher.drop, inventory_refresher.drop],
    )
    return _Reading(sweeper, refresher, inventory_refresher, scheduler)


@dataclass(frozen=True, slots=True)
class _Working:
    """What does durable work, and what it calls regions with."""

    examiner: Examiner
    calls: UserCalls
    engine: Engine
    operations: OperationService
    rounds: Rounds


def _working(ground: _Ground) -> _Working:
    settings, clock = ground.settings, ground.clock
    examiner = Examiner(ground.loop, ground.clients, settings.home_auth_url)
    calls = UserCalls(ground.clients, settings.regions.action_deadline)
    store = RegionStore(ground.region_database)
    rounds = _rounds(ground, calls)
    kinds = Kinds([*RegionWorkflows(store, examiner, clock).kinds, *QuotaWorkflows(rounds).kinds])
    engine = _engine(settings, ground.region_database, ground.executors, kinds, calls, clock)
    operations = OperationService(
        OperationStore(ground.database),
        Journal(ground.database),
        engine.durable,
        kinds,
        ground.policy,
        clock,
        RegionStore(ground.database).require,
    )
    if every := settings.operations.test_interval:
        engine.scheduling.add(schedule_of_tests(every, store, operations))
    return _Working(examiner, calls, engine, operations, rounds)


def _engine(
    settings: Settings,
    database: Database,
    executors: Executors,
    kinds: Kinds,
    calls: UserCalls,
    clock: Clock,
) -> Engine:
    bounds = settings.operations
    durable = Durable(settings.database, executors.name, bounds.at_once)
    store = OperationStore(database)
    writer = Writer(calls, Journal(database), clock)
    runner = Runner(store, durable, executors, kinds, writer, clock)
    scheduling = Scheduling(database, clock, executors.name, [])
    return Engine(store, durable, executors, runner, scheduling, bounds, clock)


def _rounds(ground: _Ground, calls: UserCalls) -> Rounds:
    database, executors, clock = ground.region_database, ground.executors, ground.clock
    return Rounds(
        QuotaStore(database),
        RegionStore(database),
        QuotaReader(RegionClients(ground.clients), clock, ground.settings.sweep.deadline),
        Sender(calls, executors.may_send),
        Journal(database),
        ground.fence,
        ground.settings.quotas,
        clock,
    )


def _deliverer(ground: _Ground) -> Deliverer:
    settings, database, clock = ground.settings, ground.region_database, ground.clock
    ttl = settings.operations.ttl
    return Deliverer(
        Outbox(database),
        Webhooks(read_secrets(settings.quotas.webhook_secret_file)),
        [Endpoint(url) for url in settings.quotas.webhook_url],
        Lease(database, clock, name="webhooks", holder=ground.executors.name, seconds=ttl),
        clock,
    )


def _inventory_refresher(ground: _Ground) -> InventoryRefresher:
    settings, clock, database = ground.settings, ground.clock, ground.region_database

    def lease(name: str) -> Lease:
        return Lease(database, clock, name=name, holder=ground.executors.name, seconds=LEASE)

    several = database.url.get_backend_name() != "sqlite"
    return InventoryRefresher(
        RegionClients(ground.clients),
        InventoryStore(database),
        Projects(ProjectStore(database), clock, lease if several else None),
        settings.inventory,
        settings.sweep.regions_at_once,
        settings.sweep.deadline,
        clock,
        ground.fence,
    )


def _asker(settings: Settings, performer: Performer, database: Database, clock: Clock) -> Asker:
    patience = timedelta(seconds=settings.regions.action_deadline + LATE)
    return Asker(ActionStore(database), performer, patience, clock)


def _clients(settings: Settings, book: HealthBook, clock: Clock) -> Regions:
    bounds = settings.regions
    limits = Limits(
        call_deadline=bounds.call_deadline,
        connect_deadline=bounds.connect_deadline,
        at_once=bounds.calls_at_once,
        at_once_per_region=bounds.calls_at_once_per_region,
    )
    clouds = Clouds(bounds.clouds_file)
    return Regions(clouds, Tokens(clock, deadline=limits.call_deadline), Transport(limits), book, clock)


def _process_id() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
