"""What limits may be decided on: values, kinds, caps of domains and trees."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from multisite.errors import BadRequest, Conflict, NotFound
from multisite.quotas import decisions
from multisite.quotas.model import (
    DEFAULT_CLASS,
    Cap,
    GlobalLimit,
    LimitChange,
    Project,
    RegionBounds,
    ResourceQuota,
    Wanted,
)
from multisite.quotas.resources import UNLIMITED, Kind, copied, kind_for
from multisite.quotas.standing import TOLD
from multisite.quotas.store import QuotaStore

#: What the services store.
LARGEST = 2**31 - 1


class CapExceeded(Conflict):
    """The global limits of a domain or tree of projects would add up to more than it may have."""

    code = "quota-cap-exceeded"


@dataclass(frozen=True, slots=True)
class BoundsChange:
    """Bounds of a region as they are asked for; what is `None` stays, `no_maximum` takes the maximum away."""

    minimum: int | None = None
    maximum: int | None = None
    weight: int | None = None
    no_maximum: bool = False

    def over(self, held: RegionBounds) -> RegionBounds:
        """The bounds, with what is not asked for as it was."""
        return RegionBounds(
            held.minimum if self.minimum is None else self.minimum,
            None if self.no_maximum else held.maximum if self.maximum is None else self.maximum,
            held.weight if self.weight is None else self.weight,
        )


@dataclass(frozen=True, slots=True)
class QuotaChange:
    """What to change of a project's quota; what is left out stays.

    `limits` and `raises` are by resource, `bounds` by (region, resource); `None` takes one away.
    `class_name` is used where `follow` is set.
    """

    generation: int | None = None
    limits: Mapping[str, LimitChange | None] = field(default_factory=dict)
    raises: Mapping[str, tuple[int, datetime] | None] = field(default_factory=dict)
    bounds: Mapping[tuple[str, str], BoundsChange | None] = field(default_factory=dict)
    follow: bool = False
    class_name: str | None = None


def end_of(held: Mapping[str, GlobalLimit | ResourceQuota]) -> QuotaChange:
    """The change that takes from a project all that is its own: limits, raises, its class."""
    return QuotaChange(
        limits={resource: None for resource, each in held.items() if each.source == "project"},
        raises={resource: None for resource, each in held.items() if each.raised_until is not None},
        follow=True,
    )


def require_sense(change: QuotaChange, now: datetime) -> None:
    """Raise `BadRequest` for what cannot be."""
    for resource, limit in change.limits.items():
        kind = kind_for(resource, limit.kind if limit else None)
        if limit is not None:
            _require_limit(resource, limit, kind)
    for resource, raised in change.raises.items():
        kind_for(resource, None)
        if raised is not None:
            _require_number(f"raises: {resource}", raised[0], lowest=UNLIMITED)
            if raised[1] <= now:
                raise BadRequest(f"raises: {resource}: ends_at is over; write a moment to come")
    for (region, resource), bounds in change.bounds.items():
        kind_for(resource, None)
        if bounds is not None and copied(resource):
            raise BadRequest(f"regions: {region}: {resource} is the same in every region")


def merged(
    asked: Mapping[tuple[str, str], BoundsChange | None], before: Wanted
) -> dict[tuple[str, str], RegionBounds | None]:
    """The bounds by (region, resource) that a change leads to. Raises `BadRequest` for what cannot be."""
    found: dict[tuple[str, str], RegionBounds | None] = {}
    for (region, resource), each in asked.items():
        bounds = each.over(before.bounds_of(resource, region)) if each else None
        if bounds is not None:
            _require_bounds(f"regions: {region}: {resource}", bounds)
        found[region, resource] = bounds
    return found


def require_raises(change: QuotaChange, lasting: Mapping[str, GlobalLimit], after: Wanted) -> None:
    """Raise `BadRequest` for a raise of what there is no limit of, or to what is no more than the limit.

    `lasting` are the limits without raises. A limit cannot pass its raise unseen either: what was set would
    not be in force until the raise ends.
    """
    for resource in sorted({*change.limits, *change.raises}):
        limit = after.limits.get(resource)
        if limit is None and change.raises.get(resource) is not None:
            raise BadRequest(f"raises: {resource} has no global limit that could be raised")
        if limit is None or limit.raised_until is None:
            continue
        held = lasting[resource].limit
        if held == UNLIMITED or (limit.limit != UNLIMITED and limit.limit <= held):
            told = "unlimited" if held == UNLIMITED else str(held)
            raise BadRequest(
                f"raises: {resource}: a raise to {limit.limit} is none where the limit is {told}; "
                "raise it further, or end the raise"
            )


def require_cap_sense(cap: Cap) -> None:
    """Raise `BadRequest` for a cap of what nobody sums."""
    kind_for(cap.resource, None)
    if copied(cap.resource):
        raise BadRequest(f"{cap.resource} is a limit per user or per item: there is no sum to cap")


def decided(
    asked: Mapping[str, LimitChange | None], held: Mapping[str, GlobalLimit]
) -> dict[str, GlobalLimit]:
    """The limits that are asked for, each with its kind: the one that it has, unless another is asked for."""
    found = {}
    for resource, limit in asked.items():
        if limit is None:
            continue
        before = held.get(resource)
        kind = kind_for(resource, limit.kind or (before.kind if before else None))
        if limit.burst is not None and kind is not Kind.SOFT:
            raise BadRequest(_no_burst(resource))
        burst = limit.burst if limit.burst is not None or before is None else before.burst
        found[resource] = GlobalLimit(limit.limit, kind, burst if kind is Kind.SOFT else None)
    return found


def _require_limit(resource: str, limit: LimitChange, kind: Kind) -> None:
    _require_number(f"limits: {resource}", limit.limit, lowest=UNLIMITED)
    if limit.burst is not None:
        if limit.kind is not None and kind is not Kind.SOFT:
            raise BadRequest(_no_burst(resource))
        _require_number(f"limits: {resource}: burst", limit.burst, lowest=0)


def _no_burst(resource: str) -> str:
    return f"limits: {resource}: only a soft limit has a burst"


def _require_number(where: str, value: int, *, lowest: int) -> None:
    if not lowest <= value <= LARGEST:
        unlimited = ", or -1 for unlimited" if lowest == UNLIMITED else ""
        raise BadRequest(f"{where}: write a whole number from 0 to {LARGEST}{unlimited}")


def _require_bounds(where: str, bounds: RegionBounds) -> None:
    _require_number(f"{where}: minimum", bounds.minimum, lowest=0)
    if bounds.maximum is not None:
        _require_number(f"{where}: maximum", bounds.maximum, lowest=0)
        if bounds.maximum < bounds.minimum:
            raise BadRequest(f"{where}: the maximum is less than the minimum")
    if not 0 <= bounds.weight <= 1_000_000:  # noqa: PLR2004 - told in the sentence
        raise BadRequest(f"{where}: weight: write a whole number from 0 to 1000000")


async def require_class(
    connection: AsyncConnection, name: str | None, spare: Collection[str] = (DEFAULT_CLASS,)
) -> None:
    """Raise `NotFound` for a class that there is not; those in `spare` need not be."""
    if name is None or name in spare:
        return
    known = await decisions.classes(connection)
    if name not in known:
        told = ", ".join(sorted(known)[:TOLD]) or "none yet"
        raise NotFound(f"there is no quota class {name!r}; there are: {told}")


async def require_caps(
    connection: AsyncConnection,
    store: QuotaStore,
    changes: Iterable[tuple[Wanted, Wanted]],
    now: datetime,
) -> None:
    """Raise `CapExceeded` unless what grew fits into the caps of its domain and its tree.

    `changes` are projects before and after; what stays or shrinks always fits, also where a cap came later.
    Raises `BadRequest` where the regions of a project are promised more than there is.
    """
    grown: dict[str, list[Wanted]] = {}
    for before, after in changes:
        _require_promises(after)
        for resource, limit in after.limits.items():
            if _more(limit, before.limits.get(resource)):
                grown.setdefault(resource, []).append(after)
    held = [
        (cap, each)
        for cap in await decisions.caps(connection)
        for each in grown.get(cap.resource, ())
        if _covers(cap, each.project)
    ]
    if not held:
        return
    everybody = await store.wanted_all(connection, await store.projects_in(connection), now)
    for cap, after in held:
        _require_cap(cap, after, [each for name, each in everybody.items() if name != after.project.id])


def _require_cap(cap: Cap, after: Wanted, others: Sequence[Wanted]) -> None:
    own = after.limits[cap.resource].limit
    taken = _sum([each.limits for each in others if _covers(cap, each.project)], cap.resource)
    if own == UNLIMITED or taken is None or taken + own > cap.limit:
        whole = "unlimited" if own == UNLIMITED else str(own)
        rest = "unlimited" if taken is None else str(taken)
        raise CapExceeded(
            f"{cap.resource}: {cap.scope} {cap.scope_id} may have {cap.limit} in all; its other projects "
            f"have {rest}, so {whole} is too much"
        )


def _more(limit: GlobalLimit, before: GlobalLimit | None) -> bool:
    """Whether a limit is more than it was; one that was not there is."""
    if before is None:
        return limit.limit != 0
    if before.limit == UNLIMITED:
        return False
    return limit.limit == UNLIMITED or limit.limit > before.limit


def _require_promises(after: Wanted) -> None:
    for resource, limit in after.limits.items():
        promised = sum(each.minimum for (name, _), each in after.bounds.items() if name == resource)
        if limit.limit != UNLIMITED and limit.kind is not Kind.COPIED and promised > limit.limit:
            raise BadRequest(
                f"{resource}: regions are promised {promised} together, and the limit is {limit.limit}"
            )


def _covers(cap: Cap, project: Project) -> bool:
    if cap.scope == "domain":
        return project.domain_id == cap.scope_id
    return cap.scope_id == project.id or cap.scope_id in project.parents


def _sum(limits: Sequence[Mapping[str, GlobalLimit]], resource: str) -> int | None:
    total = 0
    for each in limits:
        limit = each.get(resource)
        if limit is not None:
            if limit.limit == UNLIMITED:
                return None
            total += limit.limit
    return total


def plain_limits(limits: Mapping[str, GlobalLimit]) -> dict[str, Any]:
    """Limits, as the audit has them."""
    return {
        name: {"limit": each.limit, "kind": each.kind.value, "burst": each.burst}
        for name, each in sorted(limits.items())
    }


def plain(wanted: Wanted) -> dict[str, Any]:
    """What is decided, as the audit has it."""
    return {
        "limits": plain_limits(wanted.limits),
        "class_name": wanted.project.class_name,
        "releasing": sorted(wanted.releasing),
        "bounds": _bounds(wanted.bounds.items()),
    }


def _bounds(bounds: Iterable[tuple[tuple[str, str], RegionBounds]]) -> list[dict[str, Any]]:
    return [
        {
            "region": region,
            "resource": resource,
            "minimum": each.minimum,
            "maximum": each.maximum,
            "weight": each.weight,
        }
        for (resource, region), each in sorted(bounds)
    ]
