"""Figures of regions, looked at before they are believed."""

import pytest

from multisite.openstack.failures import what_is_odd
from multisite.openstack.figures import LARGEST, LARGEST_GIB, Impossible, gib, limit, natural


@pytest.mark.parametrize(("value", "number"), [(0, 0), (7, 7), ("12", 12), (LARGEST, LARGEST)])
def test_counts_and_sizes_are_believed(value: object, number: int) -> None:
    assert natural(value, "ram") == limit(value, "ram") == number


@pytest.mark.parametrize("value", [-2, "-7", LARGEST + 1, None, "many", 1.5, {}])
def test_what_cannot_be_is_refused_with_the_field(value: object) -> None:
    for read in (natural, limit):
        with pytest.raises(Impossible, match=r"the answer has .*ram"):
            read(value, "ram")


def test_only_a_limit_may_be_minus_one() -> None:
    assert limit(-1, "ram") == limit("-1", "ram") == -1
    with pytest.raises(Impossible):
        natural(-1, "ram")


@pytest.mark.parametrize("number", [-0.5, LARGEST_GIB * 2])
def test_a_size_that_cannot_be_is_refused(number: float) -> None:
    assert gib(LARGEST_GIB, "total") == LARGEST_GIB
    with pytest.raises(Impossible, match="the answer has total"):
        gib(number, "total")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (Impossible("the answer has ram -7, which is less than nothing"), None),
        (KeyError("ram"), "the answer lacks 'ram'"),
        (TypeError("no"), "the answer has not the form that it should have (TypeError: no)"),
    ],
)
def test_what_is_odd_is_told_in_a_sentence(error: Exception, sentence: str | None) -> None:
    assert what_is_odd(error) == (sentence or str(error))
    assert not what_is_odd(error).startswith(type(error).__name__)
