"""Rounds over simulated regions: what is written, in which order, and that the bound holds."""

from dataclasses import replace

import pytest

from multisite.quotas.model import State
from multisite.sim.http import Refusal
from tests.integration.quotas.balanced import CORES, soft
from tests.integration.quotas.conftest import Make


def test_a_hard_limit_is_shared_out_evenly(balanced: Make) -> None:
    """Twelve cores over three idle regions: four each, and the bound is what was wanted."""
    cloud = balanced()
    cloud.set({CORES: 12})
    cloud.balance()
    assert list(cloud.limits().values()) == [4, 4, 4]
    quota = cloud.quota()
    assert quota.state is State.ESTABLISHED
    assert quota.bound == 12
    assert quota.establishing == []


def test_a_second_round_writes_nothing(balanced: Make) -> None:
    """What is as it should be is left alone."""
    cloud = balanced()
    cloud.set({CORES: 12})
    first, second = cloud.balance(), cloud.balance()
    assert first is not None
    assert second is not None
    assert (first.written, second.written) == (3, 0)


def test_all_of_it_can_be_used_from_one_region(balanced: Make) -> None:
    """A region whose share is used up gets all that the others do not use, in one round."""
    cloud = balanced()
    cloud.set({CORES: 12})
    cloud.balance()
    home = cloud.names[0]
    for _ in range(4):
        cloud.create(home)
    with pytest.raises(Refusal):
        cloud.create(home)
    cloud.balance()
    assert list(cloud.limits().values()) == [12, 0, 0]
    for _ in range(8):
        cloud.create(home)
    with pytest.raises(Refusal):
        cloud.create(home)
    assert sum(cloud.uses().values()) == 12


def test_what_was_given_is_taken_back_only_after_an_interval(balanced: Make) -> None:
    """A round that comes right after leaves it; a later one gives the others a little."""
    cloud = balanced()
    cloud.set({CORES: 12})
    cloud.balance()
    for _ in range(4):
        cloud.create(cloud.names[0])
    cloud.balance()
    cloud.balance()
    assert list(cloud.limits().values()) == [12, 0, 0]
    cloud.rounds.settings = replace(cloud.settings, interval=0)
    cloud.balance()
    assert list(cloud.limits().values()) == [10, 1, 1]


def test_a_user_may_ask_for_a_region(balanced: Make) -> None:
    """A region from which everything was taken gets what is left when a user asks."""
    cloud = balanced()
    cloud.set({CORES: 12})
    cloud.balance()
    home, other = cloud.names[:2]
    for _ in range(4):
        cloud.create(home)
    cloud.balance()
    cloud.ask(other)
    cloud.balance()
    assert cloud.limits()[other] == 8
    assert cloud.bound() == 12


def test_soft_limits_show_how_far_use_can_go(balanced: Make) -> None:
    """Ten left and a burst of five: fifteen are handed out, which is five too many, and told."""
    cloud = balanced()
    cloud.set({CORES: soft(10, burst=5)})
    cloud.balance()
    assert sum(cloud.limits().values()) == 15
    assert cloud.quota().overshoot == 5


def test_unset_brings_back_what_was_there(balanced: Make) -> None:
    """The limits that regions had before the first write are theirs again."""
    cloud = balanced()
    cloud.hand(cloud.names[1], cores=7)
    before = cloud.limits()
    cloud.set({CORES: 12})
    cloud.balance()
    assert cloud.limits() != before
    cloud.set({CORES: None})
    told = cloud.events()
    cloud.balance()
    assert cloud.limits() == before
    assert cloud.events() == told  # what we give back is no drift


def test_a_hand_is_noticed_and_put_right(balanced: Make) -> None:
    """Somebody raises a limit in a region: it is told, and taken back."""
    cloud = balanced()
    cloud.set({CORES: 12})
    cloud.balance()
    cloud.hand(cloud.names[2], cores=100)
    cloud.balance()
    assert "drift" in cloud.events()
    assert cloud.bound() == 12
