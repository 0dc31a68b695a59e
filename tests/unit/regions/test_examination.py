"""Names of regions found in a catalog, and what an examination sums up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.regions.examination import Check, _examination, _name, _same_keystone
from multisite.regions.model import NAME_PATTERN, Region


@given(st.text(min_size=1, max_size=300))
def test_every_name_of_a_catalog_becomes_one_that_fits_into_a_url(text: str) -> None:
    assert NAME_PATTERN.fullmatch(_name(text))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("RegionTwo", "RegionTwo"),
        ("eu west/1", "eu-west-1"),
        ("-x", "region-x"),
        ("Köln", "K-ln"),
        ("discover", "region-discover"),
        ("history", "region-history"),
        ("-" + "x" * 300, "region-" + "x" * 248),
    ],
)
def test_what_fits_stays_and_the_rest_is_replaced(theirs: str, ours: str) -> None:
    assert _name(theirs) == ours


def test_one_keystone_is_recognised_with_and_without_version_and_slash() -> None:
    assert _same_keystone("http://k:5000/v3/", "http://k:5000")
    assert not _same_keystone("http://k:5000/v3", "http://other:5000/v3")


def test_the_summary_names_everything_that_failed() -> None:
    region = Region("RegionTwo", "RegionTwo", "lab-admin")
    checks = [
        Check("token", ok=True, detail="roles: admin"),
        Check("volume", ok=False, detail="HTTP 403", code="forbidden"),
        Check("image", ok=False, detail="HTTP 500", code="server-error"),
    ]

    found = _examination(region, checks)

    assert not found.ok
    assert found.code == "forbidden"
    assert found.summary == (
        "the credential 'lab-admin' lacks: volume (HTTP 403); "
        "in RegionTwo these do not answer as they have to: image (HTTP 500)"
    )
    whole = _examination(region, checks[:1])
    assert (whole.ok, whole.code) == (True, None)


def test_a_region_that_is_away_is_nothing_that_its_credential_lacks() -> None:
    region = Region("RegionTwo", "RegionTwo", "lab-admin")
    checks = [
        Check("roles", ok=True, detail="admin"),
        Check("volume", ok=False, detail="no answer within 5 s", code="timeout"),
    ]

    found = _examination(region, checks)

    assert found.code == "timeout"
    assert found.summary == "in RegionTwo these do not answer as they have to: volume (no answer within 5 s)"
