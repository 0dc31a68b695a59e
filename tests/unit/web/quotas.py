"""Quotas behind the page, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from multisite import errors
from multisite.engine.model import Operation, Part
from multisite.engine.writes import RegionWrite
from multisite.quotas.eventlog import EventRow
from multisite.quotas.history.forecast import Forecast
from multisite.quotas.history.model import Point
from multisite.quotas.history.service import Question, QuotaHistory, Resolution
from multisite.quotas.limits import QuotaChange
from multisite.quotas.model import (
    Backend,
    Cap,
    ClassDryRun,
    DryRun,
    GlobalLimit,
    LimitChange,
    MissingService,
    Project,
    ProjectQuota,
    ProjectQuotaRow,
    Proposal,
    RegionQuota,
    ResourceQuota,
    State,
    pressure,
)
from multisite.quotas.resources import Kind
from multisite.requester import Requester

if TYPE_CHECKING:
    from tests.unit.web.work import Operations

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CORES, RAM = "compute/cores", "compute/ram"


def region(name: str, limit: int | None, used: int | None, **more: Any) -> RegionQuota:
    """One region's part."""
    read = NOW - timedelta(seconds=9)
    values = {"share": limit, "ceiling": limit, "minimum": 0, "maximum": None, "weight": 1, **more}
    return RegionQuota(name, limit, used, backend=Backend.CLASSIC, observed_at=read, age=9.0, **values)


def resource(name: str, limit: int, *regions: RegionQuota, **more: Any) -> ResourceQuota:
    """One resource of a project; use is the regions' together."""
    used = sum(each.used or 0 for each in regions)
    values: dict[str, Any] = {
        "kind": Kind.HARD,
        "burst": None,
        "source": "project",
        "raised_until": None,
        "state": State.ESTABLISHED,
        "used": used,
        "left": None if limit < 0 else limit - used,
        "bound": limit,
        "overshoot": None,
        "pressure": pressure(limit, used),
        "establishing": (),
        **more,
    }
    return ResourceQuota(name, limit, regions=regions, **values)


@dataclass
class Quotas:
    """What the service would answer, and what it was asked to do."""

    work: Operations
    there: dict[str, ProjectQuota] = field(default_factory=dict)
    told: list[EventRow] = field(default_factory=list)
    sets: dict[str, dict[str, GlobalLimit]] = field(default_factory=dict)
    planned: list[QuotaChange] = field(default_factory=list)
    classes_planned: list[tuple[str, Mapping[str, LimitChange | None]]] = field(default_factory=list)
    left_out: int = 0
    missing: list[MissingService] = field(default_factory=list)
    changed: list[tuple[str, str, QuotaChange]] = field(default_factory=list)
    balanced: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    classes_changed: list[tuple[str, Mapping[str, LimitChange | None]]] = field(default_factory=list)
    writes: list[RegionWrite] = field(default_factory=list)
    refusal: errors.MultisiteError | None = None
    lately: bool = False
    points: list[Point] = field(default_factory=list)
    expected: dict[str, Forecast] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    capped: dict[tuple[str, str, str], Cap] = field(default_factory=dict)
    pinned: dict[tuple[str, str], Backend] = field(default_factory=dict)
    proposals: list[Proposal] = field(default_factory=list)
    proposed: list[tuple[str, Sequence[str], Kind | None]] = field(default_factory=list)

    def add(self, project_id: str, *resources: ResourceQuota, name: str = "alpha", **more: Any) -> None:
        """Govern a project, or change how it stands."""
        values = {"domain_name": "Default", "class_name": None, "generation": 3, "balanced_at": NOW, **more}
        self.there[project_id] = ProjectQuota(project_id, name, resources=resources, **values)

    def event(self, number: int, sentence: str, project_id: str = "p-alpha", kind: str = "warning") -> None:
        """Put an event into the log."""
        self.told.insert(0, EventRow(number, NOW, kind, project_id, CORES, None, {}, sentence))

    async def list(self, requester: Requester, sort: str | None = None) -> Sequence[ProjectQuotaRow]:
        if sort == "compute/nonsense":
            raise errors.BadRequest(f"there is no resource {sort!r}; there are: {CORES}")
        rows = [
            ProjectQuotaRow(
                each.project_id,
                each.project_name,
                each.domain_name,
                each.class_name,
                each.balanced_at,
                max((one.pressure or 0.0 for one in each.resources), default=0.0),
                {
                    one.resource: {
                        "limit": one.limit,
                        "kind": one.kind.value,
                        "state": one.state.value,
                        "used": one.used,
                        "pressure": one.pressure,
                    }
                    for one in each.resources
                },
            )
            for each in self.there.values()
            if requester.operator_reader or each.project_id == requester.project_id
        ]
        return sorted(rows, key=lambda row: -row.pressure)

    async def show(self, requester: Requester, project_id: str) -> ProjectQuota:
        visible = requester.operator_reader or project_id == requester.project_id
        if project_id not in self.there or not visible:
            raise errors.NotFound(f"there is no quota of project {project_id!r}")
        return self.there[project_id]

    async def events(
        self,
        requester: Requester,
        kinds: Sequence[str],
        limit: int,
        marker: int | None,
        project_id: str | None = None,
    ) -> Sequence[EventRow]:
        assert not kinds
        assert requester.operator_reader or project_id == requester.project_id
        found = [each for each in self.told if each.project_id == project_id]
        return [each for each in found if marker is None or each.id < marker][:limit]

    async def plan(self, requester: Requester, project_id: str, change: QuotaChange) -> DryRun:
        self._require(requester, project_id, change)
        self.planned.append(change)
        return DryRun(self.writes, self.missing)

    async def change(self, requester: Requester, project_id: str, change: QuotaChange) -> Operation:
        self._require(requester, project_id, change)
        self.changed.append((requester.user_name, project_id, change))
        return self.begun(f"change-{len(self.changed)}", project_id)

    async def unset(self, requester: Requester, project_id: str) -> Operation:
        assert requester.operator
        self.given_back.append(project_id)
        return self.begun("unset", project_id)

    async def balance(self, requester: Requester, project_id: str, regions: Sequence[str] = ()) -> Operation:
        await self.show(requester, project_id)
        if self.lately:
            raise errors.TooManyRequests("this quota was balanced a moment ago; ask again in 10 s")
        self.balanced.append((project_id, regions))
        return self.begun(f"balance-{len(self.balanced)}", project_id)

    async def classes(self, requester: Requester) -> Mapping[str, Mapping[str, GlobalLimit]]:
        if not requester.operator_reader:
            raise errors.Forbidden("classes are for operators")
        return self.sets

    async def set_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> Mapping[str, GlobalLimit]:
        if not requester.operator:
            raise errors.Forbidden("classes are for operators")
        if self.refusal:
            raise self.refusal
        self.classes_changed.append((name, limits))
        return self.sets.get(name, {})

    async def plan_class(
        self, requester: Requester, name: str, limits: Mapping[str, LimitChange | None]
    ) -> ClassDryRun:
        assert requester.operator
        if self.refusal:
            raise self.refusal
        self.classes_planned.append((name, limits))
        plans = [
            (Project(project_id, f"name of {project_id}"), DryRun(self.writes, self.missing))
            for project_id in sorted(self.there)
        ]
        return ClassDryRun(plans, self.left_out)

    async def delete_class(self, requester: Requester, name: str) -> None:
        assert requester.operator
        raise errors.Conflict(f"quota class {name!r} is followed by project p-alpha")

    async def caps(self, requester: Requester) -> Sequence[Cap]:
        if not requester.operator_reader:
            raise errors.Forbidden("caps are for operators")
        return list(self.capped.values())

    async def set_cap(self, requester: Requester, cap: Cap) -> Sequence[Cap]:
        if not requester.operator:
            raise errors.Forbidden("caps are for operators")
        if self.refusal:
            raise self.refusal
        self.capped[cap.scope, cap.scope_id, cap.resource] = cap
        if cap.limit == -1:
            del self.capped[cap.scope, cap.scope_id, cap.resource]
        return list(self.capped.values())

    async def backends(self, requester: Requester) -> Sequence[tuple[str, str, Backend]]:
        if not requester.operator_reader:
            raise errors.Forbidden("back ends are for operators")
        return [(region, service, backend) for (region, service), backend in self.pinned.items()]

    async def set_backend(
        self, requester: Requester, region: str, service: str, backend: Backend | None
    ) -> Sequence[tuple[str, str, Backend]]:
        if not requester.operator:
            raise errors.Forbidden("back ends are for operators")
        if service == "volume" and backend is Backend.UNIFIED:
            raise errors.BadRequest("backend: volume has only classic; compute has classic and unified")
        if backend is None:
            self.pinned.pop((region, service), None)
        else:
            self.pinned[region, service] = backend
        return await self.backends(requester)

    async def propose(
        self, requester: Requester, project_id: str, resources: Collection[str], kind: Kind | None
    ) -> Sequence[Proposal]:
        assert requester.operator
        if self.refusal:
            raise self.refusal
        self.proposed.append((project_id, list(resources), kind))
        return self.proposals

    def _require(self, requester: Requester, project_id: str, change: QuotaChange) -> None:
        assert requester.operator
        if self.refusal:
            raise self.refusal
        held = self.there.get(project_id)
        if change.generation is not None and held is not None and change.generation != held.generation:
            raise errors.GenerationConflict(
                f"it was changed since generation {change.generation}; it is {held.generation} now"
            )

    def begun(self, identity: str, project_id: str) -> Operation:
        """The operation that something began."""
        self.work.add(identity, Part(project_id), kind="quota-balance")
        held = replace(self.work.there[identity], arguments={"project_id": project_id})
        self.work.there[identity] = held
        return held


@dataclass
class History:
    """How they were used; `most` points at once."""

    quotas: Quotas
    most: int = 3

    async def show(self, requester: Requester, project_id: str, question: Question) -> QuotaHistory:
        await self.quotas.show(requester, project_id)
        self.quotas.questions.append(question)
        assert question.since is not None
        assert question.until is not None
        rest = [each for each in self.quotas.points if question.after is None or each.at > question.after]
        shown, more = rest[: self.most], len(rest) > self.most
        return QuotaHistory(question.since, question.until, Resolution.RAW, shown, self.quotas.expected, more)
