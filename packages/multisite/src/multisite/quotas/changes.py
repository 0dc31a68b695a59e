"""What a read or an answer means for what is known of a region: pure rules on `Share`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from multisite.quotas.bound import Figures
from multisite.quotas.events import Event
from multisite.quotas.model import Share
from multisite.quotas.planning import Plan
from multisite.regions.states import CallError


def missed(share: Share, error: CallError, now: datetime) -> bool:
    """A service of a region could not be read; whether that is news."""
    news = not share.away
    share.failed_at, share.error = now, error
    return news


def answered(share: Share, now: datetime) -> bool:
    """A service of a region was read; whether that is news."""
    was_away = share.away
    share.failed_at = share.error = None
    if was_away:
        share.observed_at = now
    return was_away


def comings_and_goings(away: Sequence[Share], back: Sequence[Share]) -> list[Event]:
    """One event for all services of a region that went away, and one for those that came back."""
    return [
        *_of_each_region("region-away", away, "cannot be read"),
        *_of_each_region("region-back", back, "answers again"),
    ]


def _of_each_region(kind: str, shares: Sequence[Share], what: str) -> list[Event]:
    by_region: dict[str, list[str]] = {}
    for share in shares:
        by_region.setdefault(share.region, []).append(share.service)
    return [
        Event(
            kind,
            f"{', '.join(services)} of region {region} {what}",
            region=region,
            figures={"services": services},
        )
        for region, services in by_region.items()
    ]


def counted(share: Share, plan: Plan) -> None:
    """Where a region has its share without a write of ours, use counts as grown from now on."""
    for resource, figures in share.figures.items():
        value = plan.of(resource, share.region)
        if value is not None and value == figures.limit and resource not in share.wanted:
            share.wanted[resource], share.base[resource] = value, figures.used or 0


def drifted(share: Share, read: Mapping[str, Figures]) -> list[Event]:
    """Compare what is in force with what we wrote; what somebody else wrote is told, once.

    A value that we sent and never heard of is ours, too.
    """
    events = []
    for resource, figures in read.items():
        if figures.limit is None:
            continue
        ours = share.wanted.get(resource)
        if figures.limit in share.sent.get(resource, ()):
            if ours != figures.limit:
                share.wanted[resource], share.base[resource] = figures.limit, figures.used or 0
        elif ours is not None and figures.limit != ours:
            sentence = (
                f"somebody changed the limit of {resource} in region {share.region} from {ours} "
                f"to {figures.limit}"
            )
            told = {"before": ours, "after": figures.limit}
            events.append(Event("drift", sentence, resource, share.region, told))
            share.wanted[resource] = figures.limit
    return events


def settled(
    share: Share, read: Mapping[str, Figures], long_ago: Callable[[str, int], bool]
) -> list[tuple[str, int]]:
    """Take away what was sent and is known now: it is in force, or it was sent too long ago to come.

    Answers what was taken away: resource and value.
    """
    gone = []
    for resource, values in list(share.sent.items()):
        figures = read.get(resource)
        if figures is None or figures.limit is None:
            continue
        kept = [value for value in values if value != figures.limit and not long_ago(resource, value)]
        gone += [(resource, value) for value in values if value not in kept]
        _keep(share, resource, kept)
    return gone


def withdrawn(share: Share, resource: str, values: Collection[int]) -> None:
    """Take away what was never sent, or was refused."""
    _keep(share, resource, [value for value in share.sent.get(resource, ()) if value not in values])


def _keep(share: Share, resource: str, values: list[int]) -> None:
    if values:
        share.sent[resource] = values
    else:
        share.sent.pop(resource, None)
