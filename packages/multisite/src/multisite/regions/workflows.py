"""Operations on regions: testing many credentials, and looking into the catalogs of many Keystones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.clock import Clock
from multisite.db import audit
from multisite.engine.kinds import Kind
from multisite.engine.model import Json
from multisite.engine.saga import Saga, Step, StepError
from multisite.engine.schedules import Schedule
from multisite.engine.service import LATER, OperationService
from multisite.regions.examination import LACKING, Examiner
from multisite.regions.model import Endpoint, Identity, Interface, Region, plain
from multisite.regions.registration import Found, registration
from multisite.regions.store import RegionStore
from multisite.request_ids import new_request_id
from multisite.requester import Requester

TEST = "region-test"
DISCOVER = "region-discover"


@dataclass(frozen=True, slots=True)
class RegionWorkflows:
    """The kinds of operations on regions; runs on the region loop."""

    store: RegionStore
    examiner: Examiner
    clock: Clock

    @property
    def kinds(self) -> Sequence[Kind]:
        """The kinds, for the engine."""
        return (
            Kind(TEST, self._test, operators_only=True),
            Kind(DISCOVER, self._discover, steps=2, operators_only=True),
        )

    async def _test(self, saga: Saga) -> Json:
        return await saga.do(self._examine)

    async def _examine(self, step: Step) -> Json:
        """Call every service of the region once; what fails is told with the code of the first that did."""
        found = await self.store.select([step.part])
        if not found:
            raise StepError("not-found", f"there is no region called {step.part!r} any more")
        examination = await self.examiner.examination(found[0])
        if not examination.ok:
            raise StepError(examination.code or LACKING, examination.summary)
        return asdict(examination)

    async def _discover(self, saga: Saga) -> Json:
        """Register the regions of the catalog that one credential sees, and that nobody registered yet."""
        found = await saga.do(self._look)
        if saga.operation.arguments.get("dry_run"):
            return await saga.do(partial(self._plan, found))
        return await saga.do(partial(self._register, found), undo=self._forget)

    async def _look(self, step: Step) -> Json:
        asked = step.operation.arguments
        pairs = await self.examiner.regions_of_catalog(
            step.part,
            Interface(asked["interface"]),
            Identity(asked["identity"]) if asked.get("identity") else None,
            asked.get("prefix", ""),
        )
        return [
            {"region": plain(region, name=True), "endpoints": list(map(asdict, each))}
            for region, each in pairs
        ]

    async def _plan(self, found: Json, step: Step) -> Json:
        del step
        pairs = list(_pairs(found))
        return registration(pairs, await self.store.select()).told

    async def _register(self, found: Json, step: Step) -> Json:
        try:
            return await step.once(partial(self._insert, step, list(_pairs(found))))
        except IntegrityError:  # another operation, or a user, was quicker: now they are known
            return await step.once(partial(self._insert, step, list(_pairs(found))))

    async def _insert(self, step: Step, pairs: Sequence[Found], connection: AsyncConnection) -> Json:
        plan = registration(pairs, await self.store.read(connection))
        who, now = requester_of(step), self.clock.now()
        for region, endpoints in plan.new:
            region_id = await self.store.insert(connection, region)
            await self.store.replace_services(connection, region_id, endpoints)
            await audit.record(connection, who, now, "region:create", region.name, after=plain(region))
        return plan.told

    async def _forget(self, step: Step, result: Json) -> None:
        """Take back the registrations; regions that somebody changed meanwhile stay."""
        created: Collection[str] = result["created"] if result else ()

        async def work(connection: AsyncConnection) -> Json:
            who, now = requester_of(step), self.clock.now()
            for region in await self.store.read(connection, list(created)) if created else ():
                if region.generation == 1:
                    await self.store.delete(connection, region)
                    await audit.record(
                        connection, who, now, "region:delete", region.name, before=plain(region)
                    )
            return None

        await step.once(work)


def schedule_of_tests(every: float, store: RegionStore, operations: OperationService) -> Schedule:
    """Tests all enabled regions every so many seconds, for nobody in particular: operators see it."""

    async def begin(connection: AsyncConnection) -> str | None:
        names = [region.name for region in await store.read(connection) if region.enabled]
        if not names:
            return None
        return await operations.enqueue(connection, by_itself(), TEST, {"regions": []}, names, priority=LATER)

    return Schedule(TEST, every, begin)


def by_itself() -> Requester:
    """Who asks for what a schedule begins."""
    nobody = frozenset[str]()
    request_id = new_request_id()
    return Requester("multisite", "multisite", None, None, None, None, nobody, request_id=request_id)


def requester_of(step: Step) -> Requester:
    """For whom an operation is, as the audit wants it."""
    operation = step.operation
    return Requester(
        operation.user_id,
        operation.user_name,
        None,
        operation.project_id,
        None,
        None,
        frozenset(),
        request_id=operation.request_id,
    )


def _pairs(found: Iterable[Mapping[str, Any]]) -> Iterable[Found]:
    for each in found:
        told = dict(each["region"])
        region = replace(
            Region(told["name"], told["region_name"], told["credential"]),
            interface=Interface(told["interface"]),
            identity=Identity(told["identity"]),
            position=told["position"],
        )
        yield region, [Endpoint(**endpoint) for endpoint in each["endpoints"]]
