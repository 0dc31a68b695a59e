"""The rule by which a region's limit may grow."""

from multisite.quotas.bound import INFINITE, Figures, admitted, bound, ceiling


def test_a_ceiling_counts_all_that_may_be() -> None:
    """Limit, use, and what was sent and not read back."""
    assert ceiling(Figures(5, 3)) == 5
    assert ceiling(Figures(5, 8)) == 8
    assert ceiling(Figures(5, 3), [4, 9]) == 9
    assert ceiling(Figures(-1, 3)) == INFINITE
    assert ceiling(None) is None
    assert ceiling(Figures(None, 3)) is None


def test_one_unknown_region_makes_the_bound_unknown() -> None:
    """And one without limit makes it endless."""
    assert bound([1, 2]) == 3
    assert bound([1, None]) is None
    assert bound([1, INFINITE]) == INFINITE


def test_growing_needs_room_in_all_ceilings() -> None:
    """What others may have is not handed out."""
    ceilings = {"a": 4, "b": 4, "c": 2}
    assert admitted(12, ceilings, "a", 6)
    assert not admitted(12, ceilings, "a", 7)
    assert admitted(12, {**ceilings, "b": None}, "a", 4)
    assert not admitted(12, {**ceilings, "b": None}, "a", 5)
    assert not admitted(12, ceilings, "a", -1)
    assert admitted(-1, ceilings, "a", -1)
