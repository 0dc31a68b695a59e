"""Which regions each process sweeps, whatever comes and goes."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from multisite.sweeps.sharing import Move, fair_part, move


def first(free: Sequence[int], number: int) -> Sequence[int]:
    return free[:number]


def test_the_fair_part_is_rounded_up_so_that_nothing_is_left() -> None:
    assert [fair_part(10, processes) for processes in (1, 2, 3, 10, 11)] == [10, 5, 4, 1, 1]
    assert fair_part(0, 3) == 0


def test_a_process_alone_takes_everything() -> None:
    assert move("a", {1, 2, 3}, {"a"}, {}) == Move(take=frozenset({1, 2, 3}))


def test_a_process_takes_no_more_than_its_part() -> None:
    assert move("a", {1, 2, 3, 4}, {"a", "b"}, {}, draw=first) == Move(take=frozenset({1, 2}))


def test_of_too_many_those_that_are_swept_just_now_are_kept() -> None:
    held = dict.fromkeys((1, 2, 3, 4), "a")
    assert move("a", held, {"a", "b"}, held, busy={1, 2}) == Move(give=frozenset({3, 4}))
    assert move("a", held, {"a", "b"}, held, busy={1, 2, 4}) == Move(give=frozenset({1, 3}))


def test_what_a_living_process_has_is_not_free_and_what_a_dead_one_had_is() -> None:
    holders = {1: "b", 2: "dead"}
    assert move("a", {1, 2}, {"a", "b"}, holders) == Move(take=frozenset({2}))


def test_a_region_that_is_not_enabled_is_given_up() -> None:
    assert move("a", {1}, {"a"}, {1: "a", 2: "a"}) == Move(give=frozenset({2}))


@given(
    st.sets(st.integers(1, 40)),
    st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_after_two_looks_of_each_every_region_is_swept_by_one_and_nobody_has_more_than_its_part(
    enabled: set[int], crowds: list[set[str]], draws: Random
) -> None:
    holders: dict[int, str] = {}
    for living in crowds:
        holders = {region: holder for region, holder in holders.items() if holder in living}
        for _ in range(2):
            for name in draws.sample(sorted(living), len(living)):
                change = move(name, enabled, living, holders, draw=draws.sample)
                assert not change.take & holders.keys(), "nobody takes what another one has"
                assert all(holders[region] == name for region in change.give)
                for region in change.give:
                    del holders[region]
                holders |= dict.fromkeys(change.take, name)
        assert holders.keys() == enabled
        parts = [list(holders.values()).count(name) for name in living]
        assert max(parts) <= fair_part(len(enabled), len(living))
