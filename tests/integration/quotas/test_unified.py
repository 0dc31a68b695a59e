"""A region whose Nova and Glance take their limits from Keystone, among regions that do not."""

from typing import Any

from multisite.quotas.model import Backend, State
from tests.integration.quotas.balanced import CORES, Balanced
from tests.integration.quotas.conftest import Make

MIXED = {"unified": ("compute", "image"), "unified_regions": "region-0001"}
IMAGES = "image/image_count_total"


def writes(cloud: Balanced, resource: str = CORES) -> list[Any]:
    """What the simulator saw written by us."""
    ledger = cloud.cloud.simulator.world.ledger
    return [each for each in ledger.chosen(resource=resource) if each.how != "hand"]


def test_both_back_ends_are_found_and_written(balanced: Make) -> None:
    """What is registered in Keystone is what Nova shows: its limits are written there."""
    cloud = balanced(**MIXED)
    cloud.set({CORES: 12})
    cloud.balance()
    assert list(cloud.limits().values()) == [4, 4, 4]
    backends = {each.region: each.backend for each in cloud.quota().regions}
    assert backends == {
        "region-0001": Backend.UNIFIED,
        "region-0002": Backend.CLASSIC,
        "region-0003": Backend.CLASSIC,
    }
    assert cloud.quota().state is State.ESTABLISHED


def test_zero_passes_the_default_only_where_it_has_room(balanced: Make) -> None:
    """Keystone ignores a change to 0: the limit is deleted and made anew, and O never rises above G."""
    cloud = balanced(**MIXED)
    cloud.set({CORES: 12})
    cloud.balance()
    other = cloud.names[1]
    for _ in range(4):
        cloud.create(other)
    cloud.balance()
    limits = cloud.limits()
    assert limits[cloud.names[0]] == 1  # the registered default, hundreds, has no room among twelve
    assert limits[other] == 11
    assert all(each.after <= max(12, each.before) for each in writes(cloud)[3:])


def test_a_limit_of_none_is_made_at_once(balanced: Make) -> None:
    """A project without a limit of its own can get 0 directly."""
    cloud = balanced(**MIXED)
    cloud.set({CORES: 0})
    cloud.balance()
    assert list(cloud.limits().values()) == [0, 0, 0]


def test_unset_takes_the_own_limit_away(balanced: Make) -> None:
    """There was none before us, so there is none afterwards."""
    cloud = balanced(**MIXED)
    before = cloud.limits()
    cloud.set({CORES: 12})
    cloud.balance()
    cloud.set({CORES: None})
    cloud.balance()
    assert cloud.limits() == before
    keystone = cloud.cloud.simulator.world.keystone(cloud.names[0])
    assert not list(keystone.limits.of_project(cloud.project.id))


def test_images_have_limits_where_keystone_has_them(balanced: Make) -> None:
    """The others keep no limit of images, which is told, and stops growth."""
    cloud = balanced(**MIXED)
    cloud.set({IMAGES: 10})
    cloud.balance()
    quota = cloud.quota(IMAGES)
    assert quota.state is State.ESTABLISHING
    assert quota.establishing == cloud.names[1:]


def test_images_everywhere(balanced: Make) -> None:
    """Where all have them, the limit is kept."""
    cloud = balanced(unified=("image",))
    cloud.set({IMAGES: 10})
    cloud.balance()
    assert cloud.quota(IMAGES).state is State.ESTABLISHED
    assert sum(cloud.limits(IMAGES).values()) == 10
