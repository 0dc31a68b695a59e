"""How a global limit is shared out among regions: pure rules, whole numbers.

Use and explicit minima come first. What remains is headroom: it moves only where there is need, so that a
project that grows a little costs no writes (design record 0008).
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from multisite.quotas.resources import UNLIMITED

#: A region needs so much of its even part of the headroom free; with less, shares move.
QUARTER = 4
#: A region whose share is used to this much presses, if its use grew since the share was written.
PRESSING = 0.8
#: A region that presses counts as so many.
PRESSURE = 4


class Part(NamedTuple):
    """One region's part of one resource.

    `used`: use with what is reserved. `limit`: in force, `None` for unknown. `base`: use when the limit was
    last written, `None` where we never did. `asked`: a user asks for more here. `fresh`: got more a moment
    ago. `usable`: the project may use the region at all.
    """

    region: str
    used: int
    limit: int | None = None
    base: int | None = None
    minimum: int = 0
    maximum: int | None = None
    weight: int = 1
    asked: bool = False
    fresh: bool = False
    usable: bool = True

    @property
    def floor(self) -> int:
        """What it has at least: its use, and what an operator promised."""
        return max(self.used, self.minimum if self.usable else 0)

    @property
    def top(self) -> int | None:
        """What it may have at most; its use is never above that."""
        if not self.usable:
            return self.used
        return None if self.maximum is None else max(self.used, self.maximum)

    @property
    def grew(self) -> bool:
        """Whether use grew since the limit was written."""
        return self.base is not None and self.used > self.base

    @property
    def asks(self) -> bool:
        """Whether its share is used up, and somebody wants more."""
        full = self.limit is not None and self.limit != UNLIMITED and self.used >= self.limit
        return self.usable and (self.asked or (full and self.grew))

    @property
    def presses(self) -> bool:
        """Whether its share is nearly used up, and still grows."""
        bounded = self.limit is not None and self.limit != UNLIMITED
        return bounded and self.usable and self.grew and self.used >= PRESSING * (self.limit or 0)

    def within(self, value: int) -> int:
        """The value, not above what the region may have."""
        return value if self.top is None else min(value, self.top)


def hard_shares(total: int, parts: Sequence[Part]) -> dict[str, int]:
    """The limits of regions that a hard global limit gives; use above it stays where it is.

    `total` is what these regions may have together: the global limit less the ceilings of those that are
    away.
    """
    if total == UNLIMITED:
        return {part.region: UNLIMITED if part.top is None else part.top for part in parts}
    parts = _with_promises_that_fit(total, parts)
    headroom = total - sum(part.floor for part in parts)
    if headroom <= 0:
        return {part.region: part.floor for part in parts}
    asking = [part for part in parts if part.asks]
    if asking:
        given = spread(headroom, asking)
        rest = headroom - sum(given.values())
        given |= spread(rest, [part for part in parts if not part.asks])
        return {part.region: part.floor + given[part.region] for part in parts}
    even = spread(headroom, parts)
    needs = _needs(headroom, parts, even)
    if _content(total, parts, needs):
        return {part.region: part.limit or 0 for part in parts}
    if any(part.limit is None or part.limit == UNLIMITED for part in parts) or (
        sum(part.limit or 0 for part in parts) > total
    ):
        return {part.region: part.floor + even[part.region] for part in parts}
    return _moved(total, parts, needs)


def soft_shares(left: int, burst: int, parts: Sequence[Part]) -> dict[str, int]:
    """The limits of regions that a soft global limit gives: use and h, 0 ≤ h ≤ left, Σ h ≤ left + burst."""
    if left == UNLIMITED:
        return hard_shares(UNLIMITED, parts)
    even = spread(left + burst if left else 0, [_capped(part, left) for part in parts])
    if _soft_enough(left, burst, parts, even):
        return {part.region: part.limit or 0 for part in parts}
    return {part.region: part.used + even[part.region] for part in parts}


def spread(amount: int, parts: Sequence[Part]) -> dict[str, int]:
    """Share `amount` out above the floors, by weight and largest remainder, as far as regions may have it."""
    given = {part.region: 0 for part in parts}
    open_ = [part for part in parts if part.weight > 0 and _room(part, 0) != 0]
    while amount > 0 and open_:
        weights = sum(part.weight for part in open_)
        whole = {part.region: amount * part.weight // weights for part in open_}
        remainder = amount - sum(whole.values())
        for part in sorted(open_, key=lambda each: -(amount * each.weight % weights))[:remainder]:
            whole[part.region] += 1
        for part in open_:
            room = _room(part, given[part.region])
            taken = whole[part.region] if room is None else min(whole[part.region], room)
            given[part.region] += taken
            amount -= taken
        if amount > 0:
            open_ = [part for part in open_ if _room(part, given[part.region]) != 0]
    return given


def _room(part: Part, given: int) -> int | None:
    top = part.top
    return None if top is None else max(0, top - part.floor - given)


def _with_promises_that_fit(total: int, parts: Sequence[Part]) -> list[Part]:
    """Minima that use elsewhere has eaten up are cut, evenly."""
    if sum(part.floor for part in parts) <= total:
        return list(parts)
    used = sum(part.used for part in parts)
    promised = [part._replace(minimum=0, maximum=part.floor, weight=1) for part in parts]
    given = spread(max(0, total - used), promised)
    return [part._replace(minimum=part.used + given[part.region]) for part in parts]


def _needs(headroom: int, parts: Sequence[Part], even: Mapping[str, int]) -> dict[str, int]:
    """What each region has to have: its floor and a quarter of an even part; more where it presses.

    What a region got a moment ago is not taken back for that quarter: whoever asked is about to use it.
    """
    quarter = 0 if any(part.fresh for part in parts) else 1
    needs = {part.region: part.floor + quarter * -(-even[part.region] // QUARTER) for part in parts}
    pressing = [part for part in parts if part.presses]
    if pressing:
        pressed = spread(
            headroom,
            [part._replace(weight=part.weight * PRESSURE) if part.presses else part for part in parts],
        )
        needs |= {part.region: part.floor + pressed[part.region] for part in pressing}
    return needs


def _content(total: int, parts: Sequence[Part], needs: Mapping[str, int]) -> bool:
    """Whether shares can stay: enough everywhere, and nothing lies idle that somebody may have."""
    limits = [part.limit for part in parts]
    if any(limit is None or limit == UNLIMITED for limit in limits):
        return False
    enough = all(needs[part.region] <= (part.limit or 0) for part in parts)
    allowed = all(part.within(part.limit or 0) == part.limit for part in parts)
    given = sum(limit or 0 for limit in limits)
    full = given == total or all(part.top is not None and part.limit == part.top for part in parts)
    return enough and allowed and full


def _moved(total: int, parts: Sequence[Part], needs: Mapping[str, int]) -> dict[str, int]:
    """Bring every region to what it needs, at the cost of those that have most to spare."""
    shares = {part.region: part.within(max(part.limit or 0, needs[part.region])) for part in parts}
    over = sum(shares.values()) - total
    if over > 0:
        room = {part.region: max(0, shares[part.region] - needs[part.region]) for part in parts}
        spare = [Part(name, 0, maximum=most, weight=most) for name, most in room.items()]
        taken = spread(over, spare)
        return {name: share - taken[name] for name, share in shares.items()}
    grown = spread(-over, [part._replace(minimum=shares[part.region]) for part in parts])
    return {name: share + grown[name] for name, share in shares.items()}


def _capped(part: Part, left: int) -> Part:
    """With room for at most `left` above its use; minima do not bind soft limits."""
    top = part.used + left
    return part._replace(minimum=0, maximum=top if part.maximum is None else min(top, part.maximum))


def _soft_enough(left: int, burst: int, parts: Sequence[Part], even: Mapping[str, int]) -> bool:
    """Whether what the regions have fits, and is not much less than they could have."""
    free = {part.region: (part.limit or 0) - part.used for part in parts}
    if any(part.limit is None or part.limit == UNLIMITED for part in parts):
        return False
    fits = all(0 <= each <= left for each in free.values()) and sum(free.values()) <= left + burst
    allowed = all(part.within(part.limit or 0) == part.limit for part in parts)
    asked = any(part.asks or part.presses for part in parts)
    return fits and allowed and not asked and all(2 * free[name] >= part for name, part in even.items())
