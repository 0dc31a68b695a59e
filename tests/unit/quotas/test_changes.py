"""What a read means for what is known of a region."""

from datetime import UTC, datetime

from multisite.quotas.changes import answered, comings_and_goings, missed
from multisite.quotas.model import Share
from multisite.regions.states import CallError

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_region_goes_away_once_and_comes_back_once() -> None:
    share = Share(1, "north", "compute", observed_at=NOW)
    assert missed(share, CallError("timeout"), NOW)
    assert not missed(share, CallError("timeout"), NOW), "it is away already"
    assert answered(share, NOW)
    assert not answered(share, NOW)
    assert share.error is None


def test_all_services_of_a_region_are_told_in_one_event() -> None:
    north = [Share(1, "north", "compute"), Share(1, "north", "volume")]
    south = Share(2, "south", "compute")
    events = comings_and_goings([*north, south], [south])
    assert [(each.kind, each.region, each.sentence) for each in events] == [
        ("region-away", "north", "compute, volume of region north cannot be read"),
        ("region-away", "south", "compute of region south cannot be read"),
        ("region-back", "south", "compute of region south answers again"),
    ]
    assert events[0].figures == {"services": ["compute", "volume"]}
