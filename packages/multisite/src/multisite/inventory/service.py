"""The inventory, for users: pages of one kind, one item, everything as CSV.

Operators see the items of all projects. A tenant sees those of its project, and on request what others show
it; all else is as if it did not exist. No region is called unless the user asks for `fresh`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from multisite.clock import Clock
from multisite.errors import BadRequest, NotFound
from multisite.inventory import policies
from multisite.inventory.addresses import wanted
from multisite.inventory.kinds import BY_NAME, BY_PLURAL, Kind
from multisite.inventory.listing import InventoryQueries, StoredItem
from multisite.inventory.model import InventoryRow, Missing, MissingKind
from multisite.inventory.queries import Filters, Order, Tenant
from multisite.inventory.rows import Freshness, freshness
from multisite.policy import Policy
from multisite.regions.model import Region
from multisite.regions.service import RegionService
from multisite.regions.states import patience
from multisite.requester import Requester
from multisite.settings import InventorySettings

#: Rows of one query of an export.
EXPORT_PAGE = 1000


class Reader(Protocol):
    """Reads kinds of regions now."""

    async def read_now(self, regions: Sequence[Region], kinds: Sequence[Kind]) -> None:
        """Read the kinds; returns at its deadline at the latest."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What a user asks of a listing."""

    regions: tuple[str, ...] = ()
    project_id: str | None = None
    status: str | None = None
    name: str | None = None
    address: str | None = None
    visible: bool = False
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class InventoryPage:
    """A page of one kind; `next` is the marker of the page after it, `missing` what no page contains."""

    rows: tuple[InventoryRow, ...]
    missing: Missing
    next: str | None


@dataclass(frozen=True, slots=True)
class Export:
    """All rows of one kind, in slices as they are read."""

    kind: Kind
    operator: bool
    missing: Missing
    slices: AsyncIterator[tuple[InventoryRow, ...]]


class InventoryService:
    """Items of all regions, for users."""

    def __init__(  # noqa: PLR0913, PLR0917 - its collaborators
        self,
        queries: InventoryQueries,
        regions: RegionService,
        reader: Reader,
        policy: Policy,
        settings: InventorySettings,
        deadline: float,
        clock: Clock,
    ) -> None:
        self._queries = queries
        self._regions = regions
        self._reader = reader
        self._policy = policy
        self._patience: timedelta = patience(settings.interval, deadline)
        self._clock = clock

    async def list(
        self,
        requester: Requester,
        plural: str,
        question: Question,
        order: Order,
        *,
        limit: int,
        marker: str | None = None,
    ) -> InventoryPage:
        """A page of the items of one kind. Raises `NotFound` for a kind or region that there is not."""
        kind, filters = await self._filters(requester, plural, question)
        after = order.place(marker) if marker is not None else None
        found = await self._queries.page(filters, order, after, limit + 1)
        shown = found[:limit]
        fresh = await self.freshness(kinds_behind(kind), question.regions, shown)
        return InventoryPage(
            self.rows(requester, shown, fresh),
            self.missing(requester, fresh),
            order.marker(shown[-1].place(order.sort)) if len(found) > limit else None,
        )

    async def export(self, requester: Requester, plural: str, question: Question, order: Order) -> Export:
        """All items of one kind. Raises `NotFound`."""
        kind, filters = await self._filters(requester, plural, question)
        fresh = await self.freshness(kinds_behind(kind), question.regions)

        async def slices() -> AsyncIterator[tuple[InventoryRow, ...]]:
            after = None
            while True:
                found = await self._queries.page(filters, order, after, EXPORT_PAGE)
                if found:
                    of_these = await self.freshness([kind], question.regions, found)
                    yield self.rows(requester, found, of_these)
                if len(found) < EXPORT_PAGE:
                    return
                after = found[-1].place(order.sort)

        return Export(kind, self.sees_all(requester), self.missing(requester, fresh), slices())

    async def show(
        self, requester: Requester, plural: str, region: str, identity: str, *, fresh: bool = False
    ) -> InventoryRow:
        """One item. Raises `NotFound` for one that is not there, or not the requester's to see."""
        question = Question(regions=(region,), visible=True, fresh=fresh)
        kind, filters = await self._filters(requester, plural, question)
        found = await self._queries.item(filters, region, identity)
        if found is None:
            raise NotFound(f"there is no {kind.name.replace('_', ' ')} {identity!r} in region {region!r}")
        return self.rows(requester, [found], await self.freshness([kind], [region], [found]))[0]

    async def usable(
        self, requester: Requester, plural: str, region: str
    ) -> tuple[tuple[InventoryRow, ...], tuple[MissingKind, ...]]:
        """What the requester's own project may use of a kind in a region, and what is missing; no pages."""
        self._policy.require(requester, policies.LIST)
        kind = kind_called(plural)
        tenant = Tenant(requester.project_id or "", requester.project_name, requester.project_domain_name)
        filters = Filters(kind, (region,), tenant, visible=True)
        found = await self._queries.page(filters, Order(), None, EXPORT_PAGE)
        fresh = await self.freshness([kind], [region], found)
        return self.rows(requester, found, fresh), self.missing(requester, fresh).named

    async def freshness(
        self, kinds: Sequence[Kind], names: Sequence[str], shown: Sequence[StoredItem] = ()
    ) -> Freshness:
        """How fresh the kinds are: of the regions that are not, and of those of some items."""
        now = self._clock.now()
        kinds_shown = {(item.region_id, item.kind) for item in shown}
        syncs = await self._queries.syncs(kinds, names, now - self._patience, kinds_shown)
        return freshness(syncs, now, self._patience)

    def sees_all(self, requester: Requester) -> bool:
        """Whether the requester sees the items of all projects."""
        return self._policy.allows(requester, policies.LIST_ALL)

    def rows(
        self, requester: Requester, items: Sequence[StoredItem], fresh: Freshness
    ) -> tuple[InventoryRow, ...]:
        """The items as the requester sees them."""
        operator = self.sees_all(requester)
        return tuple(fresh.row(item, operator=operator) for item in items)

    def missing(self, requester: Requester, fresh: Freshness) -> Missing:
        """What is missing, as the requester sees it."""
        missing = fresh.missing()
        return missing if self.sees_all(requester) else missing.for_tenant()

    def tenant(self, requester: Requester) -> Tenant | None:
        """Whose items the requester sees; `None` for all. Raises `Forbidden`."""
        self._policy.require(requester, policies.LIST)
        if self.sees_all(requester):
            return None
        return Tenant(requester.project_id or "", requester.project_name, requester.project_domain_name)

    async def _filters(self, requester: Requester, plural: str, question: Question) -> tuple[Kind, Filters]:
        tenant = self.tenant(requester)
        kind = kind_called(plural)
        if question.regions or question.fresh:
            views = await self._regions.views(question.regions)
            if question.fresh:
                enabled = [view.region for view in views if view.region.enabled]
                await self._reader.read_now(enabled, kinds_behind(kind))
        address = None
        if question.address is not None:
            address = wanted(question.address)
            if address is None:
                raise BadRequest(
                    f"address: {question.address!r} is no address; write one such as 10.1.2.3, its beginning "
                    "such as 10.1., a network such as 10.1.0.0/16, or a MAC address"
                )
        project = await self._queries.project(question.project_id) if question.project_id else None
        filters = Filters(
            kind=kind,
            regions=question.regions,
            tenant=tenant,
            visible=question.visible,
            project=project,
            status=question.status,
            name=question.name,
            address=address,
        )
        return kind, filters


def kind_called(plural: str) -> Kind:
    """The kind. Raises `NotFound`."""
    if plural not in BY_PLURAL:
        raise NotFound(f"there is no kind {plural!r}; there are: {', '.join(BY_PLURAL)}")
    return BY_PLURAL[plural]


def kinds_behind(kind: Kind) -> Sequence[Kind]:
    """The kinds from which the rows of one are made: the addresses of servers are those of their ports."""
    if kind.name == "server":
        return [kind, BY_NAME["port"], BY_NAME["floating_ip"]]
    return [kind]
