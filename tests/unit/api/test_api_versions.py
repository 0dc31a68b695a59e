"""The OpenStack-API-Version header."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.api.versions import negotiate
from multisite.errors import UnsupportedVersion


@pytest.mark.parametrize("header", [None, "", "compute 2.90", "multisite 1.0", "multisite latest"])
def test_what_is_served_answers_as_one_zero(header: str | None) -> None:
    assert negotiate(header) == "1.0"


def test_our_version_is_found_among_those_for_other_services() -> None:
    assert negotiate("compute 2.90, multisite 1.0") == "1.0"


@pytest.mark.parametrize("header", ["multisite 0.9", "multisite 1.1", "multisite 2.0"])
def test_versions_that_are_not_served_are_refused_with_those_that_are(header: str) -> None:
    with pytest.raises(UnsupportedVersion, match=r"is not served; 1\.0 to 1\.0 are") as caught:
        negotiate(header)
    assert caught.value.status == 406


@pytest.mark.parametrize("header", ["multisite one", "multisite 1", "multisite 1.x", "multisite 1.0.0"])
def test_what_is_no_version_is_refused_with_one_that_is(header: str) -> None:
    with pytest.raises(UnsupportedVersion):
        negotiate(header)


@given(st.text(max_size=30).map(lambda text: f"multisite {text}") | st.text(max_size=30))
def test_no_header_breaks_the_negotiation(header: str) -> None:
    with suppress(UnsupportedVersion):
        assert negotiate(header)
