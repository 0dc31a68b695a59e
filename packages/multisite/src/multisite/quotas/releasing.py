"""What regions get back when a resource has no global limit any more: what they had before us."""

from collections.abc import Mapping, Sequence

from multisite.quotas import planning
from multisite.quotas.model import Backend, Share, Wanted
from multisite.quotas.reading import NO_FACTS, Facts
from multisite.quotas.resources import name_of, service_of
from multisite.quotas.writing import Change, change, reset
from multisite.regions.model import Region


def releases(
    wanted: Wanted, shares: Sequence[Share], regions: Mapping[str, Region], facts: Mapping[str, Facts]
) -> list[Change]:
    """The changes that give back what regions had, as far as what they have now is known.

    `regions` and `facts` are by the region's name.
    """
    found = []
    for share in shares:
        region = regions.get(share.region)
        back = {
            resource: share.before[resource]
            for resource in sorted(wanted.releasing)
            if resource in share.before
            and planning.legible(share, resource)
            and not is_back(share, resource, regions, facts)
        }
        if not back or region is None:
            continue
        known = facts.get(region.name, NO_FACTS)
        alone = not any(service_of(each) == share.service for each in wanted.limits)
        if share.was_default and alone and share.service in {"volume", "network"}:
            found.append(reset(region, share, back))
        elif share.backend is Backend.CLASSIC or known.error is None:
            found.append(change(region, share, back, known))
    return found


def is_back(share: Share, resource: str, regions: Mapping[str, Region], facts: Mapping[str, Facts]) -> bool:
    """Whether a region has what it had before us."""
    if resource not in share.before:
        return True
    if not planning.legible(share, resource):
        return not share.found
    before = share.before[resource]
    if before is None:
        region = regions.get(share.region)
        known = facts.get(share.region, Facts(error=share.error))
        return (
            region is not None
            and known.error is None
            and known.limit_of(share.service, region, name_of(resource)) is None
        )
    return share.figures[resource].limit == before


def forget(share: Share, resource: str) -> None:
    """Keep nothing of a resource that a region has back."""
    for kept in (share.before, share.wanted, share.base, share.given, share.sent):
        kept.pop(resource, None)
