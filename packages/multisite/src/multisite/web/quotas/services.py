# ruff: noqa: D102 - what the fields mean is said where the real classes are
"""What the pages of quotas need from the rest of the service, as the shapes that they rely on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from multisite.engine.model import Operation, Part
from multisite.quotas.eventlog import EventRow
from multisite.quotas.history.service import Question, QuotaHistory
from multisite.quotas.limits import QuotaChange
from multisite.quotas.model import (
    Backend,
    Cap,
    ClassDryRun,
    DryRun,
    GlobalLimit,
    LimitChange,
    ProjectQuota,
    ProjectQuotaRow,
    Proposal,
)
from multisite.quotas.requests.model import Filter, QuotaRequest
from multisite.quotas.resources import Kind
from multisite.regions.model import Region
from multisite.requester import Requester


class QuotaService(Protocol):
    """Quotas of projects over all regions."""

    async def list(self, requester: Requester, sort: str | None = None) -> Sequence[ProjectQuotaRow]:
        """Those that the requester may see, the most pressed first. Raises `BadRequest` for a sort."""
        ...

    async def show(self, requester: Requester, project_id: str) -> ProjectQuota:
        """One. Raises `NotFound`."""
        ...

    async def events(
        self,
        requester: Requester,
        kinds: Sequence[str],
        limit: int,
        marker: int | None,
        project_id: str | None = None,
    ) -> Sequence[EventRow]: ...

    async def change(self, requester: Requester, project_id: str, change: QuotaChange) -> Operation:
        """Decide, and begin to write it. Raises what is wrong with it."""
        ...

    async def plan(self, requester: Requester, project_id: str, change: QuotaChange) -> DryRun:
        """What `change` would write now. Raises the same."""
        ...

    async def unset(self, requester: Requester, project_id: str) -> Operation: ...

    async def balance(self, requester: Requester, project_id: str, regions: Sequence[str] = ()) -> Operation:
        """Begin a round. Raises `TooManyRequests`, `NotFound`."""
        ...

    async def propose(
        self, requester: Requester, project_id: str, resources: Collection[str], kind: Kind | None
    ) -> Sequence[Proposal]:
        """What the regions' limits of today add up to. Raises `BadRequest`, `NotFound`."""
        ...


class RuleService(Protocol):
    """Rules for many projects: classes, caps, back ends."""

    async def classes(self, requester: Requester) -> Mapping[str, Mapping[str, GlobalLimit]]: ...

    async def set_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> Mapping[str, GlobalLimit]: ...

    async def plan_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> ClassDryRun:
        """What `set_class` would write now. Raises the same."""
        ...

    async def delete_class(self, requester: Requester, name: str) -> None: ...

    async def caps(self, requester: Requester) -> Sequence[Cap]: ...

    async def set_cap(self, requester: Requester, cap: Cap) -> Sequence[Cap]:
        """Set one; -1 takes it away. Raises `BadRequest`, `NotFound`."""
        ...

    async def backends(self, requester: Requester) -> Sequence[tuple[str, str, Backend]]:
        """What is pinned: region, service, back end."""
        ...

    async def set_backend(
        self, requester: Requester, region: str, service: str, backend: Backend | None
    ) -> Sequence[tuple[str, str, Backend]]:
        """Pin one, `None` to find it out. Raises `BadRequest`, `NotFound`."""
        ...


class RequestService(Protocol):
    """Requests of projects for more."""

    async def list(
        self, requester: Requester, wanted: Filter, limit: int, marker: str | None
    ) -> tuple[Sequence[QuotaRequest], str | None]:
        """The newest first, and the marker of the next page. Raises `BadRequest` for another marker."""
        ...

    async def show(self, requester: Requester, request_id: str) -> QuotaRequest:
        """One. Raises `NotFound`."""
        ...

    async def create(self, requester: Requester, limits: Mapping[str, int], reason: str) -> QuotaRequest:
        """Ask for the project of the token. Raises `BadRequest`, `Conflict` where too many are open."""
        ...

    async def cancel(self, requester: Requester, request_id: str) -> QuotaRequest:
        """Take it back. Raises `Conflict` where it is decided."""
        ...

    async def approve(
        self, requester: Requester, request_id: str, limits: Mapping[str, int], answer: str | None
    ) -> Operation:
        """Set these limits, and begin to write them. Raises what `QuotaService.change` does."""
        ...

    async def refuse(self, requester: Requester, request_id: str, reason: str) -> QuotaRequest:
        """Refuse it. Raises `Conflict` where it is decided."""
        ...


class KnownRegion(Protocol):
    """A region that is registered."""

    @property
    def region(self) -> Region: ...


class RegionNames(Protocol):
    """Which regions there are."""

    async def list(self, requester: Requester, *, names: Sequence[str] = ()) -> Sequence[KnownRegion]: ...


class HistoryService(Protocol):
    """How quotas were used."""

    async def show(self, requester: Requester, project_id: str, question: Question) -> QuotaHistory:
        """Points of a project, and when its resources run out. Raises `NotFound`."""
        ...


class OperationService(Protocol):
    """Where a balance is watched."""

    async def show(self, requester: Requester, operation_id: str) -> tuple[Operation, Sequence[Part]]:
        """One. Raises `NotFound`."""
        ...


class ProjectNames(Protocol):
    """Projects by name or id."""

    async def id_of(self, requester: Requester, text: str) -> str:
        """The id of a project. Raises `BadRequest` where a name belongs to none, or to several."""
        ...


class Policy(Protocol):
    """Who may do what."""

    def allows(self, requester: Requester, rule: str, target: Mapping[str, Any] | None = None) -> bool: ...


@dataclass(frozen=True, slots=True)
class QuotaServices:
    """Everything that the pages of quotas ask."""

    quotas: QuotaService
    rules: RuleService
    requests: RequestService
    history: HistoryService
    regions: RegionNames
    operations: OperationService
    projects: ProjectNames
    policy: Policy
