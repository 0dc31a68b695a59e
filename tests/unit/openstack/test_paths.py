"""Paths that cannot be turned by what is in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.openstack.paths import route


@given(st.lists(st.text(min_size=1), min_size=1).filter(lambda path: not {".", ".."} & set(path)))
def test_whatever_is_in_a_segment_it_stays_one(path: list[str]) -> None:
    made = route(*path)
    assert made.count("/") == len(path)
    assert not set(made) & set("?#\\ \r\n\0")


@pytest.mark.parametrize("path", [("servers", ".."), ("servers", "."), ("servers", "", "action"), ("",)])
def test_a_segment_that_would_move_the_path_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="is no path"):
        route(*path)
