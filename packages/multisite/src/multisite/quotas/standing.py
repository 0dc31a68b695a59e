"""How the quota of a project stands: what views show, listings sort by, and events come from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf
from typing import Any

from multisite.quotas.bound import INFINITE, Figures, bound
from multisite.quotas.events import Event
from multisite.quotas.model import (
    Backend,
    GlobalLimit,
    RegionBounds,
    RegionQuota,
    ResourceQuota,
    Share,
    State,
    Wanted,
    pressure,
)
from multisite.quotas.planning import Asked, Plan, burst_of, legible, plan
from multisite.quotas.resources import UNLIMITED, Kind, name_of, service_of
from multisite.settings import QuotaSettings


@dataclass(frozen=True, slots=True)
class Standing:
    """How a project's quota stands after a round: plain JSON by resource, and its pressure."""

    resources: Mapping[str, Any]
    pressure: float


def standing(wanted: Wanted, shares: Sequence[Share], settings: QuotaSettings, planned: Plan) -> Standing:
    """In short, for listings and for the comparison with the next round."""
    quotas = _quotas(wanted, shares, settings, planned, None, in_detail=False)
    told = {
        quota.resource: {
            "limit": quota.limit,
            "kind": quota.kind.value,
            "state": quota.state.value,
            "used": quota.used,
            "left": quota.left,
            "bound": quota.bound,
            "overshoot": quota.overshoot,
            "pressure": quota.pressure,
            "establishing": list(quota.establishing)[:TOLD],
        }
        for quota in quotas
    }
    return Standing(told, max((quota.pressure or 0.0 for quota in quotas), default=0.0))


#: Names of regions that a listing tells at most.
TOLD = 10
#: States in which a round leaves something to the next one.
UNSETTLED = frozenset({State.ESTABLISHING, State.OVER, State.RELEASING})


def summary(written: int, resources: Mapping[str, Any]) -> str:
    """What came of a round in a sentence; `resources` as in `Standing`, `written` counts limits.

    A round ends well without the regions that are away, and is not the end then.
    """
    said = [f"{written} {'limit' if written == 1 else 'limits'} written"]
    for name, each in sorted(resources.items()):
        if each["state"] in UNSETTLED:
            where = f" in {', '.join(each['establishing'])}" if each["establishing"] else ""
            said.append(f"{name} is {each['state']}{where}")
    return "; ".join(said)


def resource_quotas(
    wanted: Wanted,
    shares: Sequence[Share],
    settings: QuotaSettings,
    now: datetime | None = None,
) -> list[ResourceQuota]:
    """Every resource of a project, with its regions; ages only where `now` is given."""
    since = now.timestamp() - settings.interval if now else inf
    planned = plan(wanted, shares, Asked(fresh_since=since), settings.burst)
    return _quotas(wanted, shares, settings, planned, now, in_detail=True)


def _quotas(
    wanted: Wanted,
    shares: Sequence[Share],
    settings: QuotaSettings,
    planned: Plan,
    now: datetime | None,
    *,
    in_detail: bool,
) -> list[ResourceQuota]:
    by_service: dict[str, list[Share]] = {}
    for share in shares:
        by_service.setdefault(share.service, []).append(share)
    gone = GlobalLimit(UNLIMITED, Kind.HARD)
    limits = {**dict.fromkeys(sorted(wanted.releasing), gone), **wanted.limits}
    found = []
    for resource, limit in sorted(limits.items()):
        held = by_service.get(service_of(resource), [])
        governed = resource in wanted.limits
        unread = in_detail and governed and not held and wanted.project.balanced_at is None
        quota = (
            _unread(resource, limit) if unread else _quota(wanted, resource, limit, held, planned, settings)
        )
        if in_detail:
            regions = [_region(wanted, resource, share, planned, now, quota.left) for share in held]
            quota = replace(quota, regions=sorted(regions, key=lambda each: each.region))
        found.append(quota)
    return found


def _unread(resource: str, limit: GlobalLimit) -> ResourceQuota:
    """Before the first round nothing is known, which is not the same as nothing being used."""
    return ResourceQuota(
        resource=resource,
        limit=limit.limit,
        kind=limit.kind,
        burst=limit.burst,
        source=limit.source,
        raised_until=limit.raised_until,
        state=State.ESTABLISHING,
        used=None,
        left=None,
        bound=None,
        overshoot=None,
        pressure=None,
        establishing=[],
        regions=(),
    )


def _quota(
    wanted: Wanted,
    resource: str,
    limit: GlobalLimit,
    held: Sequence[Share],
    planned: Plan,
    settings: QuotaSettings,
) -> ResourceQuota:
    present = [share for share in held if share.found]
    uses = [share.figures[resource].used for share in present if resource in share.figures]
    known = [use for use in uses if use is not None]
    used = sum(known) if known or not present else None
    total = bound(share.ceiling(resource) for share in present)
    free = None if limit.limit == UNLIMITED or used is None else limit.limit - used
    releasing = resource not in wanted.limits
    if releasing:
        establishing = sorted(share.region for share in present if resource in share.before)
    else:
        establishing = _establishing(resource, limit, present, planned, total)
    soft = limit.kind is Kind.SOFT and limit.limit != UNLIMITED
    summed = limit.kind is not Kind.COPIED
    return ResourceQuota(
        resource=resource,
        limit=limit.limit,
        kind=limit.kind,
        burst=burst_of(limit, settings.burst) if soft else None,
        source=limit.source,
        raised_until=limit.raised_until,
        state=State.RELEASING if releasing else _state(limit, used, establishing),
        used=used if summed else None,
        left=free if summed else None,
        bound=_shown(total) if summed else None,
        overshoot=_overshoot(resource, present, free) if soft else None,
        pressure=pressure(limit.limit, used) if summed else None,
        establishing=establishing,
        regions=(),
    )


def _region(
    wanted: Wanted, resource: str, share: Share, planned: Plan, now: datetime | None, left: int | None
) -> RegionQuota:
    figures, bounds = share.figures.get(resource), wanted.bounds_of(resource, share.region)
    observed = share.observed_at
    if not share.away and wanted.project.balanced_at is not None and observed is not None:
        observed = max(observed, wanted.project.balanced_at)
    ceiling = share.ceiling(resource)
    return RegionQuota(
        region=share.region,
        limit=figures.limit if figures else None,
        used=figures.used if figures else None,
        share=planned.of(resource, share.region),
        ceiling=_shown(ceiling),
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        weight=bounds.weight,
        backend=share.backend,
        observed_at=observed,
        age=round((now - observed).total_seconds(), 1) if now and observed else None,
        refuses=_refuses(figures, left, bounds, usable=share.usable),
        note=_note(resource, share, planned),
    )


def _refuses(figures: Figures | None, left: int | None, bounds: RegionBounds, *, usable: bool) -> str | None:
    """Why a region refuses more: the global limit is used up, or what it may have at most, or its share."""
    if figures is None or figures.limit in {None, UNLIMITED} or figures.used is None or left is None:
        return None
    if figures.used < (figures.limit or 0):
        return None
    if left <= 0:
        return "global-limit"
    most = usable and (bounds.maximum is None or figures.used < bounds.maximum)
    return "region-share" if most else "region-maximum"


def _note(resource: str, share: Share, planned: Plan) -> str | None:
    """Why a region is not as it should be: the first reason."""
    code = share.error.code if share.error else "unknown"
    figures, sent = share.figures.get(resource), share.sent.get(resource, ())
    reasons = (
        (not share.found, "absent: the project or the service is not there"),
        (not share.reachable, "the region is disabled; it counts with what was last known"),
        (share.away, f"cannot be read ({code}); it counts with what was last known"),
        (figures is None, "not read yet"),
        (figures and figures.limit is None, f"the region keeps no limit of {name_of(resource)}"),
        (sent, f"written, and not read back: {', '.join(map(str, sent))}"),
        (
            share.backend is Backend.UNIFIED
            and figures == Figures(1, 0)
            and planned.of(resource, share.region) == 0,
            "0 has to pass the registered default, for which there is no room: 1 for now",
        ),
        (not share.usable, "the project may not use this region"),
    )
    return next((sentence for holds, sentence in reasons if holds), None)


def _establishing(
    resource: str, limit: GlobalLimit, present: Sequence[Share], planned: Plan, total: int | None
) -> list[str]:
    """The regions that are not as they should be, where that matters."""
    if limit.kind is Kind.HARD and limit.limit != UNLIMITED:
        if total is not None and total <= limit.limit:
            return []
        return sorted(
            share.region
            for share in present
            if share.ceiling(resource) is None
            or (share.ceiling(resource) or 0) > (planned.of(resource, share.region) or 0)
        )
    return sorted(
        share.region
        for share in present
        if not legible(share, resource) or share.figures[resource].limit != planned.of(resource, share.region)
    )


def _state(limit: GlobalLimit, used: int | None, establishing: Sequence[str]) -> State:
    if limit.limit != UNLIMITED and limit.kind is not Kind.COPIED and used is not None and used > limit.limit:
        return State.OVER
    if establishing:
        return State.ESTABLISHING
    return State.UNLIMITED if limit.limit == UNLIMITED else State.ESTABLISHED


def _overshoot(resource: str, present: Sequence[Share], left: int | None) -> int | None:
    """How far use may go beyond the limit before the next balance; -1 where a region is unlimited."""
    if left is None:
        return None
    free = 0
    for share in present:
        figures = share.figures.get(resource)
        if figures is None or figures.limit is None:
            return None
        if figures.limit == UNLIMITED:
            return UNLIMITED
        free += max(0, figures.limit - (figures.used or 0))
    return max(0, free - max(0, left))


def _shown(value: int | None) -> int | None:
    return UNLIMITED if value is not None and value >= INFINITE else value


def events_between(before: Mapping[str, Any] | None, after: Standing, settings: QuotaSettings) -> list[Event]:
    """What crossed a threshold since the last round."""
    events = []
    for resource, now in after.resources.items():
        was = (before or {}).get(resource) or {}
        if now["state"] == State.RELEASING.value:
            continue
        old, new = _level(was, settings), _level(now, settings)
        if old == new or (new == "" and not was):
            continue
        kind = new or "relieved"
        sentence = f"{resource}: {now['used']} of {now['limit']} used over all regions"
        events.append(Event(kind, sentence, resource, figures=_brief(now)))
    return events


def _level(told: Mapping[str, Any], settings: QuotaSettings) -> str:
    used, limit = told.get("used"), told.get("limit")
    if used is None or limit in {None, UNLIMITED} or told.get("kind") == Kind.COPIED.value or used == 0:
        return ""
    if used > limit:
        return "over"
    if used == limit:
        return "exhausted"
    part = used / limit
    if part >= settings.critical:
        return "critical"
    return "warning" if part >= settings.warning else ""


def _brief(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("limit", "used", "left", "bound", "state")}
