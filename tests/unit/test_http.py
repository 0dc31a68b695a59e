"""Pages of a listing."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from multisite.errors import BadRequest
from multisite.http import page, requester

ROWS = ["a", "b", "c", "d", "e"]


def request(query: str = "", path: str = "/v1/regions", root: str = "") -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "path": path,
        "root_path": root,
        "query_string": query.encode(),
        "headers": [],
        "state": {},
    }
    return Request(scope)


def pages(limit: int, rows: list[str] = ROWS, query: str = "") -> list[list[str]]:
    """All pages, following the links as a client does."""
    found = []
    marker: str | None = None
    while True:
        shown, links = page(request(query), rows, str, limit=limit, marker=marker)
        found.append(shown)
        if not links:
            return found
        marker = parse_qs(urlsplit(links[0].href).query)["marker"][0]


@given(st.lists(st.text(min_size=1), unique=True, max_size=30), st.integers(1, 40))
def test_following_the_links_gives_every_row_once_in_order(rows: list[str], limit: int) -> None:
    found = pages(limit, rows)
    assert [row for part in found for row in part] == rows
    assert all(len(part) == limit for part in found[:-1])
    assert not rows or found[-1]


def test_the_last_page_has_no_link_even_when_it_is_full() -> None:
    assert page(request(), ROWS, str, limit=5, marker=None) == (ROWS, [])


def test_the_link_keeps_the_filters_and_replaces_limit_and_marker() -> None:
    asked = request("region=x&region=y%26z&label=a%3Db&limit=2&marker=a")
    _, (link,) = page(asked, ROWS, str, limit=2, marker="a")

    assert link.rel == "next"
    assert urlsplit(link.href).path == "/v1/regions"
    assert parse_qs(urlsplit(link.href).query) == {
        "region": ["x", "y&z"],
        "label": ["a=b"],
        "limit": ["2"],
        "marker": ["c"],
    }


@pytest.mark.parametrize("path", ["/v1/regions", "/multisite/v1/regions"])
def test_the_link_names_the_root_path_once_whether_or_not_the_proxy_strips_it(path: str) -> None:
    _, (link,) = page(request(path=path, root="/multisite"), ROWS, str, limit=1, marker=None)
    assert urlsplit(link.href).path == "/multisite/v1/regions"


def test_a_marker_that_is_no_row_is_a_mistake_of_the_request() -> None:
    with pytest.raises(BadRequest, match="marker: there is no row 'zz' to continue after"):
        page(request(), ROWS, str, limit=2, marker="zz")


def test_a_route_that_forgot_to_ask_for_a_token_does_not_answer() -> None:
    asked = request()
    asked.state.requester = None
    with pytest.raises(TypeError, match="not guarded"):
        requester(asked)
