"""What each region's limit should be, from what is decided and what was read: pure rules.

`Plan` holds the shares of one project; `drafts.py` makes writes of the differences.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from multisite.quotas.bound import Ceiling, admitted, bound, height
from multisite.quotas.model import GlobalLimit, Share, Wanted
from multisite.quotas.resources import UNLIMITED, Kind, service_of
from multisite.quotas.sharing import Part, hard_shares, soft_shares

#: region → limit.
Shares = Mapping[str, int]
#: (region, service) → resource → value.
Writes = dict[tuple[str, str], dict[str, int]]
#: No limit: less than unlimited is written.
NOT_NOW = -2


@dataclass(frozen=True, slots=True)
class Plan:
    """The shares of a project: resource → region → limit. Regions that are away have none."""

    shares: Mapping[str, Shares]

    def of(self, resource: str, region: str) -> int | None:
        """The share of a region."""
        return self.shares.get(resource, {}).get(region)


@dataclass(frozen=True, slots=True)
class Asked:
    """Regions in which a user wants more now.

    What any region was given after `fresh_since` (seconds since 1970) is left to it for now.
    """

    regions: frozenset[str] = frozenset()
    fresh_since: float = inf


def governed(wanted: Wanted) -> Mapping[str, Sequence[str]]:
    """The resources whose limits are written, by service."""
    found: dict[str, list[str]] = {}
    for resource in sorted(wanted.limits.keys() | wanted.releasing):
        found.setdefault(service_of(resource), []).append(resource)
    return found


def plan(wanted: Wanted, shares: Iterable[Share], asked: Asked, burst: float) -> Plan:
    """The shares of all resources. `burst`: of soft limits that name none, a part of the limit."""
    by_service: dict[str, list[Share]] = {}
    for share in shares:
        by_service.setdefault(share.service, []).append(share)
    return Plan(
        {
            resource: _shares(wanted, resource, limit, by_service.get(service_of(resource), []), asked, burst)
            for resource, limit in wanted.limits.items()
        }
    )


def _shares(
    wanted: Wanted, resource: str, limit: GlobalLimit, shares: Sequence[Share], asked: Asked, burst: float
) -> Shares:
    known, away = [], []
    for share in shares:
        if legible(share, resource):
            known.append(share)
        elif share.found:
            away.append(share)
    if limit.kind is Kind.COPIED:
        return {share.region: limit.limit for share in known}
    parts = [_part(wanted, resource, share, asked) for share in known]
    if limit.limit == UNLIMITED:
        return hard_shares(UNLIMITED, parts)
    if limit.kind is Kind.HARD:
        elsewhere = sum(share.ceiling(resource) or 0 for share in away)
        return hard_shares(max(0, limit.limit - elsewhere), parts)
    used = sum(part.used for part in parts) + sum(_used(share, resource) for share in away)
    return soft_shares(max(0, limit.limit - used), burst_of(limit, burst), parts)


def burst_of(limit: GlobalLimit, configured: float) -> int:
    """How much of a soft limit may be handed out beyond what is left."""
    return limit.burst if limit.burst is not None else int(limit.limit * configured)


def legible(share: Share, resource: str) -> bool:
    """Whether the last read of a region told its limit of this resource."""
    figures = share.figures.get(resource)
    return (
        share.found
        and share.reachable
        and not share.away
        and figures is not None
        and figures.limit is not None
    )


def _used(share: Share, resource: str) -> int:
    figures = share.figures.get(resource)
    return figures.used or 0 if figures else 0


def _part(wanted: Wanted, resource: str, share: Share, asked: Asked) -> Part:
    figures, bounds = share.figures[resource], wanted.bounds_of(resource, share.region)
    return Part(
        share.region,
        figures.used or 0,
        figures.limit,
        share.base.get(resource),
        bounds.minimum,
        bounds.maximum,
        bounds.weight,
        share.region in asked.regions,
        share.given.get(resource, 0.0) > asked.fresh_since,
        share.usable,
    )


def shrinks(plan: Plan, shares: Iterable[Share]) -> Writes:
    """What is to be written smaller."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for share in shares:
        for resource, figures in share.figures.items():
            value = plan.of(resource, share.region)
            if value is not None and figures.limit is not None and height(value) < height(figures.limit):
                found.setdefault((share.region, share.service), {})[resource] = value
    return found


def grows(plan: Plan, wanted: Wanted, shares: Sequence[Share]) -> Writes:
    """What is to be written larger, as far as the bound admits it now."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for resource, limit in wanted.limits.items():
        held = [share for share in shares if share.found and share.service == service_of(resource)]
        larger = [share for share in held if _is_larger(plan, resource, share)]
        ceilings = {share.region: share.ceiling(resource) for share in held} if larger else {}
        for share in larger:
            value = _as_far_as(limit, ceilings, share.region, plan.shares[resource][share.region])
            now = height(share.figures[resource].limit or 0)
            if height(value) > now and value >= UNLIMITED:
                ceilings[share.region] = max(ceilings[share.region] or 0, height(value))
                found.setdefault((share.region, share.service), {})[resource] = value
    return found


def _is_larger(plan: Plan, resource: str, share: Share) -> bool:
    """Whether a region should have more of a resource than is known to be in force."""
    value, figures = plan.of(resource, share.region), share.figures.get(resource)
    if value is None or figures is None or figures.limit is None:
        return False
    return height(value) > height(figures.limit)


def _as_far_as(limit: GlobalLimit, ceilings: Mapping[str, Ceiling], region: str, value: int) -> int:
    """The value, or as much of it as may be written to this region now."""
    if limit.kind is not Kind.HARD or admitted(limit.limit, ceilings, region, value):
        return value
    others = bound(each for name, each in ceilings.items() if name != region)
    return NOT_NOW if others is None else max(NOT_NOW, min(value, limit.limit - others))


def may_pass(
    limit: GlobalLimit | None, shares: Sequence[Share], share: Share, resource: str, value: int
) -> bool:
    """Whether `value` may be in force in a region for a moment."""
    if limit is None or limit.kind is not Kind.HARD:
        return True
    same = [each for each in shares if each.service == share.service and each.found]
    return admitted(limit.limit, {each.region: each.ceiling(resource) for each in same}, share.region, value)
