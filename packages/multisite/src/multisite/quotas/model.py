"""Quotas as values: what an operator decided, what was read, what the views show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from multisite.engine.writes import RegionWrite
from multisite.quotas.bound import Ceiling, Figures, ceiling
from multisite.quotas.resources import UNLIMITED, Kind
from multisite.regions.states import CallError

#: The class that all governed projects follow, under their own.
DEFAULT_CLASS = "default"
#: What a class may be called, as a pattern; 64 characters at most.
CLASS_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class State(StrEnum):
    """How a global limit stands."""

    ESTABLISHING = "establishing"
    ESTABLISHED = "established"
    OVER = "over"
    UNLIMITED = "unlimited"
    RELEASING = "releasing"


class Backend(StrEnum):
    """Where a service of a region keeps its limits."""

    CLASSIC = "classic"
    UNIFIED = "unified"


@dataclass(frozen=True, slots=True)
class GlobalLimit:
    """What a project may use of a resource over all regions.

    `limit` is -1 for unlimited. `burst` bounds, for a soft one, what may be handed out beyond what is left;
    `None` for the configured part. `source` is `project`, or the class that it comes from; `raised_until` is
    set while a temporary raise holds.
    """

    limit: int
    kind: Kind
    burst: int | None = None
    source: str = "project"
    raised_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LimitChange:
    """A limit as it is asked for; a `kind` that is left out stays as it is."""

    limit: int
    kind: Kind | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True)
class RegionBounds:
    """What one region has to have, and may have at most, of a resource; its weight among the others."""

    minimum: int = 0
    maximum: int | None = None
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose limits multisite keeps; names are the home Keystone's.

    `parents` are the ids of the projects above it. `holder` is the executor that balances it now.
    """

    id: str
    name: str | None = None
    domain_id: str | None = None
    domain_name: str | None = None
    parents: Sequence[str] = ()
    class_name: str | None = None
    generation: int = 1
    holder: str | None = None
    balanced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that is decided for one project: the global limits in force now, and the bounds of regions.

    `releasing` are resources that had a global limit; what their regions had before is to be written back.
    """

    project: Project
    limits: Mapping[str, GlobalLimit]
    bounds: Mapping[tuple[str, str], RegionBounds] = field(default_factory=dict)
    releasing: frozenset[str] = frozenset()

    def same(self, other: "Wanted") -> bool:
        """Whether another one says the same of limits, whatever else is known of the project by then."""
        return (self.limits, self.bounds, self.releasing) == (other.limits, other.bounds, other.releasing)

    def bounds_of(self, resource: str, region: str) -> RegionBounds:
        """The bounds of a region."""
        return self.bounds.get((resource, region), _NO_BOUNDS)


_NO_BOUNDS = RegionBounds()


@dataclass(slots=True)
class Share:
    """What is known of a project in one service of one region; one row.

    All mappings are by resource. `figures`: as last read. `sent`: values that may be in force or come into
    force, not read back. `before`: the limits that were there before our first write (`None`: none of the
    project's own, the default was in force); `was_default`: they were all the defaults. `wanted`: what we
    last wrote and read back. `base`: use then. `given`: when a larger limit was last written (seconds since
    1970). `found` is false where the region's Keystone does not have the project; `usable` where an endpoint
    filter keeps the project away. `local_id` is the project's id in the region's Keystone; `reachable` is
    false where an operator disabled the region (not stored).
    """

    region_id: int
    region: str
    service: str
    figures: dict[str, Figures] = field(default_factory=dict)
    sent: dict[str, list[int]] = field(default_factory=dict)
    before: dict[str, int | None] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    base: dict[str, int] = field(default_factory=dict)
    given: dict[str, float] = field(default_factory=dict)
    backend: Backend = Backend.CLASSIC
    was_default: bool = False
    local_id: str | None = None
    found: bool = True
    usable: bool = True
    observed_at: datetime | None = None
    failed_at: datetime | None = None
    error: CallError | None = None
    reachable: bool = True

    def ceiling(self, resource: str) -> Ceiling:
        """The most that max(limit, use) can be there; 0 where the project is not."""
        if not self.found:
            return 0
        return ceiling(self.figures.get(resource), self.sent.get(resource, ()))

    @property
    def away(self) -> bool:
        """Whether the last try to read it failed."""
        return self.failed_at is not None and (self.observed_at is None or self.failed_at >= self.observed_at)

    def document(self) -> dict[str, Any]:
        """What the database keeps of the mappings."""
        return {
            "figures": {name: [each.limit, each.used] for name, each in sorted(self.figures.items())},
            "sent": self.sent,
            "before": self.before,
            "wanted": self.wanted,
            "base": self.base,
            "given": self.given,
            "was_default": self.was_default,
        }


@dataclass(frozen=True, slots=True)
class RegionQuota:
    """One region's part of a resource, as views show it.

    `share` is what we want there, `limit` what is in force as read. `refuses` says why the region refuses
    more now: `region-share` (there is some left elsewhere: have it balanced), `region-maximum` (it may have
    no more) or `global-limit`. `note` says why the region is not as it should be, `None` where it is.
    """

    region: str
    limit: int | None
    used: int | None
    share: int | None
    ceiling: int | None
    minimum: int
    maximum: int | None
    weight: int
    backend: Backend
    observed_at: datetime | None
    age: float | None
    refuses: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ResourceQuota:
    """One resource of a project over all regions.

    `used` and `left` are over the regions that were read. `bound` is Σ max(limit, use), `None` while a
    region is unknown, -1 where one is unlimited. `overshoot`: of a soft one, how far use can go above the
    limit before the next balance. `pressure`: use as a part of the limit. `establishing` names regions.
    """

    resource: str
    limit: int
    kind: Kind
    burst: int | None
    source: str
    raised_until: datetime | None
    state: State
    used: int | None
    left: int | None
    bound: int | None
    overshoot: int | None
    pressure: float | None
    establishing: Sequence[str]
    regions: Sequence[RegionQuota]


@dataclass(frozen=True, slots=True)
class ProjectQuota:
    """The quota of a project: what is decided, and how far it is kept."""

    project_id: str
    project_name: str | None
    domain_name: str | None
    class_name: str | None
    generation: int
    balanced_at: datetime | None
    resources: Sequence[ResourceQuota]


def pressure(limit: int, used: int | None) -> float | None:
    """Use as a part of the limit; `None` where there is no limit or no use known."""
    if used is None or limit == UNLIMITED:
        return None
    if limit == 0:
        return 1.0 if used == 0 else float(used + 1)
    return round(used / limit, 4)


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that the global limits of projects may add up to: of a domain, or of a project's tree.

    `scope` is `domain` or `tree`. -1 for none.
    """

    scope: str
    scope_id: str
    resource: str
    limit: int


@dataclass(frozen=True, slots=True)
class ProjectQuotaRow:
    """One project in a listing: how each resource stood after the last round.

    `resources`: by name, `limit`, `kind`, `state`, `used`, `left`, `bound`, `overshoot`, `pressure` and the
    first of the regions that are not established.
    """

    project_id: str
    project_name: str | None
    domain_name: str | None
    class_name: str | None
    balanced_at: datetime | None
    pressure: float
    resources: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MissingService:
    """A service of a region that could not be read, and why, by a stable code."""

    region: str
    service: str
    code: str | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """The exact writes that would be made now, in order; where more may follow, as it could not be read."""

    writes: Sequence[RegionWrite]
    missing: Sequence[MissingService] = ()


@dataclass(frozen=True, slots=True)
class ClassDryRun:
    """What a change of a class would write now, project by project; `left_out` were not looked at."""

    plans: Sequence[tuple[Project, DryRun]]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a global limit could be: the sum of what regions have today, -1 where one is unlimited.

    `limit` is `None` where a region's limit is not known; `missing` names those.
    """

    resource: str
    kind: Kind
    limit: int | None
    used: int
    regions: Mapping[str, int | None]
    missing: Sequence[str]
