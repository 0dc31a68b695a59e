"""What a PATCH changes, and what a label filter asks for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from multisite.errors import BadRequest
from multisite.regions.model import Maintenance
from multisite.regions.routes import RegionUpdate, _changes, _labels


def changes(**body: Any) -> dict[str, Any]:
    return _changes(RegionUpdate.model_validate({"generation": 1, **body}))


def test_fields_that_are_left_out_stay() -> None:
    assert changes() == {}
    assert changes(enabled=False) == {"enabled": False}


@pytest.mark.parametrize("field", ["maintenance", "dashboard_url", "sweep_interval"])
def test_null_empties_what_may_be_empty(field: str) -> None:
    assert changes(**{field: None}) == {field: None}


@pytest.mark.parametrize(
    "field", ["credential", "region_name", "interface", "identity", "enabled", "labels", "position"]
)
def test_null_is_refused_where_it_means_nothing(field: str) -> None:
    with pytest.raises(BadRequest, match=f"^{field}: null is no value; leave the field out"):
        changes(**{field: None})


def test_values_arrive_as_plain_ones() -> None:
    found = changes(
        maintenance={"reason": "disks", "ends_at": "2026-11-22T13:00:00+01:00"},
        dashboard_url="https://horizon.example/",
        labels={"country": "no"},
    )

    assert found == {
        "maintenance": Maintenance("disks", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        "dashboard_url": "https://horizon.example/",
        "labels": {"country": "no"},
    }
    assert type(found["dashboard_url"]) is str


def test_labels_are_split_at_the_first_equals_sign() -> None:
    assert _labels(["country=no", "motto=a=b", "empty="]) == {"country": "no", "motto": "a=b", "empty": ""}


@pytest.mark.parametrize("pair", ["country", "=no", ""])
def test_a_label_of_another_form_is_refused(pair: str) -> None:
    with pytest.raises(BadRequest, match="is not of the form key=value"):
        _labels([pair])
