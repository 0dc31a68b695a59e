"""Global limits as the limits of the regions add up to today: pure rules on `Share`."""

from collections.abc import Sequence

from multisite.quotas.model import Proposal, Share
from multisite.quotas.resources import UNLIMITED, Kind


def proposal(resource: str, kind: Kind, shares: Sequence[Share]) -> Proposal:
    """What a resource could be limited to, so that no region has less than before."""
    held = [share for share in shares if resource in share.figures and share.found]
    limits = {share.region: share.figures[resource].limit for share in held}
    uses = [share.figures[resource].used for share in held]
    known = [limit for limit in limits.values() if limit is not None]
    proposed = None
    if known and len(known) == len(limits):
        bounded = kind is not Kind.COPIED
        proposed = UNLIMITED if UNLIMITED in known else (sum(known) if bounded else max(known))
    missing = sorted(
        share.region
        for share in shares
        if share.away or (resource in share.figures and limits.get(share.region) is None)
    )
    used = sum(use for use in uses if use is not None)
    return Proposal(resource, kind, proposed, used, limits, missing)
