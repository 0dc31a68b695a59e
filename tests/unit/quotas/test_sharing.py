"""How a limit is shared out: rules that hold for whatever regions there are."""

from hypothesis import given
from hypothesis import strategies as st

from multisite.quotas.sharing import Part, hard_shares, soft_shares, spread

COUNTS = st.integers(0, 60)


@st.composite
def parts(draw: st.DrawFn) -> list[Part]:
    """A few regions with whatever use, limits and bounds."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        minimum = draw(st.sampled_from([0, 0, 0, 3, 20]))
        maximum = draw(st.sampled_from([None, None, None, 0, 5, 30]))
        found.append(
            Part(
                f"r{number}",
                used=draw(COUNTS),
                limit=draw(st.one_of(st.none(), st.just(-1), COUNTS)),
                base=draw(st.one_of(st.none(), COUNTS)),
                minimum=minimum if maximum is None or maximum >= minimum else 0,
                maximum=maximum,
                weight=draw(st.integers(0, 4)),
                asked=draw(st.booleans()),
                usable=draw(st.sampled_from([True, True, True, False])),
            )
        )
    return found


@given(st.integers(0, 200), parts())
def test_hard_shares_fit(total: int, regions: list[Part]) -> None:
    """They add up to no more than there is, unless use does; nobody gets less than its use."""
    shares = hard_shares(total, regions)
    used = sum(part.used for part in regions)
    assert sum(shares.values()) <= max(total, used)
    for part in regions:
        assert shares[part.region] >= part.used
        assert part.top is None or shares[part.region] <= part.top


@given(st.integers(0, 200), parts())
def test_hard_shares_waste_nothing(total: int, regions: list[Part]) -> None:
    """What is there is handed out, as long as somebody may have it."""
    shares = hard_shares(total, regions)
    hungry = [
        part for part in regions if part.weight and (part.top is None or shares[part.region] < part.top)
    ]
    assert not hungry or sum(shares.values()) >= total


@given(st.integers(0, 200), parts())
def test_shares_that_were_written_stay(total: int, regions: list[Part]) -> None:
    """With the shares in force and nobody asking, nothing moves any more."""
    calm = [part._replace(asked=False, base=part.used) for part in regions]
    shares = hard_shares(total, calm)
    written = [part._replace(limit=shares[part.region]) for part in calm]
    assert hard_shares(total, written) == shares


@given(st.integers(0, 200), parts())
def test_who_asks_gets_all_headroom(total: int, regions: list[Part]) -> None:
    """One region that asks, and that has no bounds: the others keep what they use or were promised."""
    alone = [part._replace(asked=False, base=None) for part in regions]
    asking = Part("a", used=2, limit=2, base=0)
    shares = hard_shares(total, [*alone, asking])
    floors = sum(min(part.floor, shares[part.region]) for part in alone)
    used = sum(part.used for part in alone) + 2
    if sum(part.floor for part in alone) + 2 <= total:
        assert shares["a"] == total - floors
    elif used >= total:
        assert shares["a"] == 2


@given(COUNTS, st.integers(0, 30), parts())
def test_soft_shares_hand_out_what_is_left_and_the_burst(left: int, burst: int, regions: list[Part]) -> None:
    """0 ≤ h ≤ left in each region, and Σ h ≤ left + burst."""
    free = {part.region: -part.used for part in regions}
    for region, share in soft_shares(left, burst, regions).items():
        free[region] += share
    assert all(0 <= each <= left for each in free.values())
    assert sum(free.values()) <= left + burst


@given(st.integers(0, 1000), parts())
def test_spread_is_even_by_weight(amount: int, regions: list[Part]) -> None:
    """Without bounds each gets its part, to within one."""
    free = [part._replace(used=0, minimum=0, maximum=None, usable=True) for part in regions]
    given_ = spread(amount, free)
    weights = sum(part.weight for part in free)
    assert sum(given_.values()) == (amount if weights else 0)
    for part in free:
        assert not weights or abs(given_[part.region] - amount * part.weight / weights) < 1
