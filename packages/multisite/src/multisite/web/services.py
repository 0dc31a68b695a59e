# ruff: noqa: D102 - what the fields mean is said where the real classes are
"""What the page needs from the rest of the service, as the shapes it relies on.

The page imports no store and no client: everything that it shows comes in through these protocols,
which the real services of `regions/`, `capacity/` and `usage/` fulfil, as do a test's few lines.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from multisite.capacity.details import CapacityDetail
from multisite.capacity.history.service import Question, Series
from multisite.capacity.history.trends import Trend
from multisite.capacity.model import CapacityTotals, RegionCapacity
from multisite.engine.model import Operation, Part, Wanted
from multisite.engine.writes import WriteRecord
from multisite.regions.model import Region, ServiceHealth
from multisite.regions.states import Freshness, State
from multisite.requester import Requester
from multisite.usage.model import ProjectUsage
from multisite.web.inventory.services import InventoryServices
from multisite.web.quotas.services import HistoryService as QuotaHistoryService
from multisite.web.quotas.services import QuotaService
from multisite.web.quotas.services import RequestService as QuotaRequestService
from multisite.web.quotas.services import RuleService as QuotaRuleService


class IssuedToken(Protocol):
    """A token that the home Keystone issued for a log-in."""

    @property
    def token(self) -> str: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def user_name(self) -> str: ...
    @property
    def project_id(self) -> str | None: ...
    @property
    def project_name(self) -> str | None: ...


class Authenticator(Protocol):
    """Turns a token into the one who asks."""

    async def authenticate(self, token: str) -> Requester:
        """Raise Unauthenticated, DomainScopedToken or KeystoneAway where that cannot be."""
        ...

    def refuse(self, token: str) -> None:
        """Refuse a token from now on, whatever is remembered of it."""
        ...


class HomeKeystone(Protocol):
    """Issues and revokes tokens of the Keystone with which users authenticate."""

    async def issue_token(
        self,
        *,
        user_name: str,
        password: str,
        user_domain: str,
        project: str | None,
        project_domain: str | None,
    ) -> IssuedToken:
        """Log in; raise Unauthenticated (credentials), Forbidden (no project) or KeystoneAway."""
        ...

    async def revoke_token(self, token: str) -> None:
        """Make a token worthless before its time; raise KeystoneAway."""
        ...


class RegionView(Protocol):
    """A region with its state and its services'."""

    @property
    def region(self) -> Region: ...
    @property
    def state(self) -> State: ...
    @property
    def services(self) -> Mapping[str, Freshness]: ...


class RegionService(Protocol):
    """Regions and their health; tenants get neither details nor addresses."""

    async def list(self, requester: Requester, *, names: Sequence[str] = ()) -> Sequence[RegionView]:
        """All regions, or those of `names`."""
        ...

    async def show(self, requester: Requester, name: str) -> RegionView:
        """One region; raise NotFound."""
        ...

    async def health(
        self, requester: Requester, *, names: Sequence[str] = (), services: Sequence[str] = ()
    ) -> Sequence[ServiceHealth]:
        """How services are."""
        ...

    async def test_all(self, requester: Requester, names: Sequence[str] = ()) -> Operation:
        """Begin to test the credentials of these regions, or of all; raise Forbidden."""
        ...


class CapacityListing(Protocol):
    """Capacity of regions, and its sum."""

    @property
    def regions(self) -> Sequence[RegionCapacity]: ...
    @property
    def totals(self) -> CapacityTotals: ...


class CapacityService(Protocol):
    """Capacity of regions; raises Forbidden for tenants."""

    async def list(
        self, requester: Requester, *, names: Sequence[str] = (), fresh: bool = False
    ) -> CapacityListing:
        """Of all regions, or of those in `names`, and the sum."""
        ...

    async def show(self, requester: Requester, name: str) -> CapacityDetail:
        """Of one region; raise NotFound."""
        ...


class HistoryService(Protocol):
    """How capacity was; raises Forbidden for tenants."""

    async def show(self, requester: Requester, question: Question) -> Series:
        """Points of regions, or of the totals."""
        ...

    async def trends(self, requester: Requester, views: Sequence[Any]) -> Mapping[str, Trend]:
        """How full each of all regions was in the last day."""
        ...


class UsageService(Protocol):
    """What projects use."""

    async def show(
        self, requester: Requester, project_id: str, *, names: Sequence[str] = (), fresh: bool = False
    ) -> ProjectUsage:
        """Of one project, region by region; raise NotFound where it is not the requester's."""
        ...


class OperationService(Protocol):
    """Long work over regions."""

    def kinds_for(self, requester: Requester) -> Sequence[str]:
        """The kinds of operations that this user may see."""
        ...

    def may_steer(self, requester: Requester, operation: Operation) -> bool:
        """Whether this user may cancel it, or try it again."""
        ...

    async def list(
        self, requester: Requester, wanted: Wanted, limit: int, marker: str | None
    ) -> tuple[Sequence[Operation], str | None]:
        """The newest first, and the marker of the next page; raise BadRequest."""
        ...

    async def show(self, requester: Requester, operation_id: str) -> tuple[Operation, Sequence[Part]]:
        """One, with its parts; raise NotFound where it is not the requester's."""
        ...

    async def writes(
        self, requester: Requester, operation_id: str, limit: int, after: int
    ) -> Sequence[WriteRecord]:
        """What one wrote to regions, in order."""
        ...

    async def cancel(self, requester: Requester, operation_id: str) -> Operation:
        """Ask for a cancel; raise Conflict where that cannot be."""
        ...

    async def retry(self, requester: Requester, operation_id: str) -> Operation:
        """Try again; raise Conflict where there is nothing to try."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the page asks."""

    authenticator: Authenticator
    keystone: HomeKeystone
    regions: RegionService
    capacity: CapacityService
    usage: UsageService
    history: HistoryService
    operations: OperationService
    inventory: InventoryServices
    quotas: QuotaService
    quota_rules: QuotaRuleService
    quota_history: QuotaHistoryService
    quota_requests: QuotaRequestService
