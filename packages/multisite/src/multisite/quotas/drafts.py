"""What is to be written to regions now, as exact writes: pure rules on what a survey knows."""

from multisite.quotas import planning
from multisite.quotas.bound import Figures, height
from multisite.quotas.model import Backend, Share
from multisite.quotas.planning import NOT_NOW, Plan, Writes
from multisite.quotas.releasing import releases
from multisite.quotas.survey import Survey
from multisite.quotas.writing import Change, change, passes_default

#: How often a round shrinks: a region that refuses is read again, and gets what it uses.
PASSES = 3


def smaller(survey: Survey, plan: Plan) -> list[Change]:
    """What is to have less."""
    return drafted(survey, _without_passing(survey, planning.shrinks(plan, survey.shares)))


def larger(survey: Survey, plan: Plan) -> list[Change]:
    """What is to have more, as far as there is room."""
    return drafted(survey, planning.grows(plan, survey.wanted, survey.shares))


def given_back(survey: Survey) -> list[Change]:
    """What gets back what it had before us."""
    return releases(survey.wanted, survey.shares, survey.named, survey.facts)


def all_of(survey: Survey, plan: Plan) -> list[Change]:
    """What a round would write, in its order, if every region did as it is told."""
    hoped, found = survey.copy(), []
    for _ in range(PASSES):
        changes = smaller(hoped, plan)
        if not changes:
            break
        found += changes
        for each in changes:
            _obey(each)
    return [*found, *given_back(survey), *larger(hoped, plan)]


def drafted(survey: Survey, writes: Writes) -> list[Change]:
    """The changes that bring these limits about, where what there is now is known."""
    shares = {(share.region, share.service): share for share in survey.shares}
    regions = survey.named
    found = []
    for (name, service), values in sorted(writes.items()):
        facts, share = survey.facts_of(name), shares[name, service]
        if share.backend is Backend.UNIFIED and facts.error is not None:
            continue  # what Keystone has is not known, so nothing can be written there now
        found.append(change(regions[name], share, values, facts))
    return found


def _without_passing(survey: Survey, writes: Writes) -> Writes:
    """Zero is written only where the default that is in force meanwhile has room; else 1, for now."""
    found: Writes = {}
    for share in survey.shares:
        for resource, value in writes.get((share.region, share.service), {}).items():
            kept = _zero(survey, share, resource) if value == 0 else value
            now = share.figures[resource].limit
            if now is not None and kept > NOT_NOW and height(kept) < height(now):
                found.setdefault((share.region, share.service), {})[resource] = kept
    return found


def _zero(survey: Survey, share: Share, resource: str) -> int:
    region, facts = survey.named[share.region], survey.facts_of(share.region)
    default = passes_default(region, share, resource, facts)
    limit = survey.wanted.limits.get(resource)
    if default is None or planning.may_pass(limit, survey.shares, share, resource, default):
        return 0
    return 1


def _obey(each: Change) -> None:
    for resource, figures in as_told(each).items():
        each.share.figures[resource] = figures


def as_told(each: Change) -> dict[str, Figures]:
    """What is read back if the region did as it was told, and nothing else happened there."""
    return {
        resource: Figures(each.values.get(resource, figures.limit), figures.used)
        for resource, figures in each.share.figures.items()
    }
