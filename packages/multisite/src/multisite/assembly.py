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
    inventory: InventoryService
    search: SearchService
    relations: Relations
    filters: FilterService
    keypairs: KeypairService
    actions: ActionService
    offers: OfferService
    inventory_refresher: InventoryRefresher
    _sweeping: "Future[None] | None" = field(default=None)

    async def start(self) -> None:
        """Start the region loop, and on it the engine and the sweep."""
        self.loop.start()
        await self.loop.run(self.engine.start())
        self._sweeping = self.loop.submit(self.scheduler.run())

    async def stop(self) -> None:
        """End the sweep, give up its regions, close every connection."""
        if self._sweeping:
            self._sweeping.cancel()
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
    clock = clock or SystemClock()
    loop = RegionLoop()
    room = Room(clock)
    process = _process_id()
    database, region_database, beat_database = (
        Database(settings.database, room, owner=process) for _ in ("API", "regions", "beats")
    )
    book = HealthBook()
    clients = _clients(settings, book, clock)
    policy = Policy(settings.oslo, list_rules())
    sweep = settings.sweep
    rhythm = Rhythm(sweep.interval, sweep.health_interval, sweep.image_interval, sweep.deadline)
    executors = Executors(beat_database, clock, name=process, ttl=settings.operations.ttl)

    def fencing() -> Fence:
        return executors.fence

    recorder = Recorder(HistoryStore(region_database), rhythm, clock)
    writer = ObservationWriter(region_database, recorder)
    sweeper = Sweeper(clients, RegionStore(region_database), writer, sweep, clock, fencing)
    refresher = Refresher(
        sweeper,
        UsageStore(region_database),
        settings.usage,
        sweep.image_interval,
        sweep.deadline,
        clock,
        fencing,
    )
    inventory_refresher = _inventory_refresher(settings, clients, region_database, executors, clock)
    examiner = Examiner(loop, clients, settings.home_auth_url)
    calls = UserCalls(clients, settings.regions.action_deadline)
    kinds = Kinds(RegionWorkflows(RegionStore(region_database), examiner, clock).kinds)
    engine = _engine(settings, region_database, executors, kinds, calls, clock)
    operations = OperationService(
        OperationStore(database), Journal(database), engine.durable, kinds, policy, clock
    )
    if settings.operations.test_interval:
        every = settings.operations.test_interval
        engine.scheduling.add(schedule_of_tests(every, RegionStore(region_database), operations))
    regions = RegionService(RegionStore(database), policy, examiner, operations, rhythm, clock)
    inventory = InventoryService(
        InventoryQueries(database),
        regions,
        InventoryReader(loop, inventory_refresher, sweep.fresh_deadline),
        policy,
        settings.inventory,
        sweep.deadline,
        clock,
    )
    capacity_reader = CapacityReader(loop, sweeper, sweep.fresh_deadline)
    usage_reader = UsageReader(loop, refresher, sweep.fresh_deadline)
    capacity = CapacityService(
        CapacityStore(database),
        regions,
        capacity_reader,
        policy,
        settings.thresholds,
        clock,
        shared_for=shared_for,
    )
    usage = UsageService(
        UsageStore(database),
        regions,
        usage_reader,
        policy,
        settings.usage,
        sweep.deadline,
        sweep.image_interval,
        clock,
    )
    performer = Performer(loop, calls, Journal(region_database), clock)
    totals = Totals(HistoryStore(region_database), settings.history, rhythm, clock)
    scheduler = Scheduler(
        sweeper,
        RegionStore(region_database),
        book,
        Sharing(region_database, executors, clock, settings.operations.beat),
        Lease(region_database, clock, name="totals", holder=executors.name, seconds=settings.operations.ttl),
        sweep,
        clock,
        tick=settings.operations.beat / 2,  # with the two looks of the engine it fits into a beat
        periodic=[recorder.follow, refresher.periodic, inventory_refresher.periodic],
        together=[totals.maintain, refresher.follow],
        drop=[recorder.drop, refresher.drop, inventory_refresher.drop],
    )
    engine.on_lost = [scheduler.lose]
    return Assembly(
        settings=settings,
        clock=clock,
        loop=loop,
        database=database,
        region_database=region_database,
        clients=clients,
        scheduler=scheduler,
        engine=engine,
        operations=operations,
        home=HomeKeystone(settings.home_auth_url, deadline=settings.regions.call_deadline),
        policy=policy,
        regions=regions,
        capacity=capacity,
        usage=usage,
        history=HistoryService(HistoryStore(database), regions, policy, rhythm, settings.history.keep, clock),
        inventory=inventory,
        search=SearchService(Finder(database), inventory),
        relations=Relations(database, inventory),
        filters=FilterService(FilterStore(database), clock),
        keypairs=KeypairService(
            regions,
            LoopedKeypairReader(loop, KeypairReader(RegionClients(clients), sweep.fresh_deadline)),
            policy,
        ),
        actions=ActionService(
            _asker(settings, performer, database, clock), InventoryStore(database), inventory, regions, policy
        ),
        offers=OfferService(inventory, capacity, usage, regions, performer, policy),
        inventory_refresher=inventory_refresher,
    )


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


def _inventory_refresher(
    settings: Settings, clients: Regions, database: Database, executors: Executors, clock: Clock
) -> InventoryRefresher:
    def lease(name: str) -> Lease:
        return Lease(database, clock, name=name, holder=executors.name, seconds=LEASE)

    several = database.url.get_backend_name() != "sqlite"
    return InventoryRefresher(
        RegionClients(clients),
        InventoryStore(database),
        Projects(ProjectStore(database), clock, lease if several else None),
        settings.inventory,
        settings.sweep.regions_at_once,
        settings.sweep.deadline,
        clock,
        lambda: executors.fence,
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
