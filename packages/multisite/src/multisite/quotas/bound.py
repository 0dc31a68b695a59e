"""The bound of hard limits: what may be out there, and what may grow (design record 0008).

Pure rules. *Ceiling* of a region: the most that max(limit in force, use) can be, by all that we know; `None`
where the region was never read, `INFINITE` where the limit is unlimited. No growing write is admitted unless
the ceilings of all regions, with what it may do, add up to at most the global limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from multisite.quotas.resources import UNLIMITED

INFINITE = 2**63 - 1
Ceiling = int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One resource in one region, as read: limit in force (-1 unlimited), and use with what is reserved.

    Both are `None` where they cannot be known.
    """

    limit: int | None
    used: int | None = None


def height(limit: int) -> int:
    """A limit as a number that can be compared."""
    return INFINITE if limit == UNLIMITED else limit


def ceiling(figures: Figures | None, sent: Iterable[int] = ()) -> Ceiling:
    """The most that max(limit, use) can be: as read, or as anything that was sent and not read back."""
    if figures is None or figures.limit is None:
        return None
    return max(height(figures.limit), figures.used or 0, *map(height, sent))


def bound(ceilings: Iterable[Ceiling]) -> Ceiling:
    """What the regions add up to: `None` if one of them is unknown."""
    total = 0
    for each in ceilings:
        if each is None:
            return None
        total = min(INFINITE, total + each)
    return total


def admitted(global_limit: int, ceilings: Mapping[str, Ceiling], region: str, value: int) -> bool:
    """Whether a region's limit may be written so that it can become `value`."""
    before = ceilings[region]
    if before is not None and height(value) <= before:
        return True
    if global_limit == UNLIMITED:
        return True
    others = bound(each for name, each in ceilings.items() if name != region)
    return others is not None and others + height(value) <= global_limit
