"""Following `next` links: three ways of writing them, and never to another host."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.openstack.client import RegionClient, _absolute, _next_page
from multisite.openstack.failures import RegionCallError
from multisite.openstack.transport import Answer

Recorded = Callable[[str], Any]


@pytest.mark.parametrize(
    ("base", "where", "url"),
    [
        ("http://h:1/v2.1", "/servers/detail?limit=1", "http://h:1/v2.1/servers/detail?limit=1"),
        ("http://h:1", "/resource_providers", "http://h:1/resource_providers"),
        ("http://h:1/v2.1", "http://h:1/v2.1/flavors?marker=a", "http://h:1/v2.1/flavors?marker=a"),
        ("http://h:1/v2", "/v2/images?marker=a", "http://h:1/v2/images?marker=a"),
        ("http://h/image/v2", "/v2/images?marker=a", "http://h/image/v2/images?marker=a"),
        ("http://h/image/v2", "/image/v2/images?marker=a", "http://h/image/v2/images?marker=a"),
        (
            "https://proxy/compute/v2.1",
            "http://inside:8774/compute/v2.1/flavors",
            "https://proxy/compute/v2.1/flavors",
        ),
    ],
)
def test_routes_and_links_of_all_three_kinds(base: str, where: str, url: str) -> None:
    assert _absolute(base, where) == url


@pytest.mark.parametrize("base", ["http://h:1", "http://h:1/v2.1", "http://h/image/v2"])
@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example/v2/images",
        "https://evil.example",
        "//evil.example/x",
        "http://evil.example//evil.example/x",
        "@evil.example/x",
        ".evil.example/x",
        "evil.example/x",
        ":99/x",
        "/\\evil.example",
        "\\\\evil.example/x",
        "http://h:1@evil.example/x",
        "?marker=x",
    ],
)
def test_a_hostile_link_does_not_carry_the_token_to_another_host(base: str, link: str) -> None:
    assert urlsplit(_absolute(base, link)).netloc == urlsplit(base).netloc


@given(st.sampled_from(["http://h:1", "http://h:1/v2.1", "https://h/image/v2"]), st.text(max_size=40))
def test_no_link_at_all_changes_the_host(base: str, link: str) -> None:
    try:
        found = urlsplit(_absolute(base, link))
    except ValueError:
        return  # no URL at all: the call fails as the region's mistake
    assert found.netloc == urlsplit(base).netloc


def test_the_next_links_of_real_services(recorded: Recorded) -> None:
    nova = recorded("nova_flavors_detail_page")
    neutron = recorded("neutron_networks_page")
    glance = recorded("glance_images_page")

    assert "marker=" in (_next_page(nova, "flavors") or "")
    assert "marker=" in (_next_page(neutron, "networks") or "")
    assert "page_reverse" not in (_next_page(neutron, "networks") or "")
    assert (_next_page(glance, "images") or "").startswith("/v2/images?")


def test_a_listing_without_next_link_ends(recorded: Recorded) -> None:
    assert _next_page(recorded("glance_images"), "images") is None
    assert (
        _next_page({"networks": [], "networks_links": [{"rel": "previous", "href": "x"}]}, "networks") is None
    )
    assert _next_page({"links": ["x", {"rel": "next"}]}, "servers") is None


class Pager(RegionClient):
    """A client whose calls answer from a list instead of the network."""

    def __init__(self, bodies: Sequence[Any]) -> None:
        self.bodies = list(bodies)
        self.asked: list[str] = []

    async def _read(self, service: str, where: str, microversion: str | None) -> Answer:
        assert (service, microversion) == ("image", None)
        self.asked.append(where)
        return Answer(200, self.bodies.pop(0), 1.0)


async def collect(pages: AsyncIterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return [item async for page in pages for item in page]


async def test_pages_are_followed_to_the_end() -> None:
    pager = Pager([{"images": [{"id": 1}], "next": "/v2/images?marker=1"}, {"images": [{"id": 2}]}])

    assert await collect(pager.pages("image", "/images", "images", {"limit": 1})) == [{"id": 1}, {"id": 2}]
    assert pager.asked == ["/images?limit=1", "/v2/images?marker=1"]


async def test_an_empty_page_ends_the_listing_even_if_it_links_on() -> None:
    pager = Pager([{"images": [], "next": "/v2/images?marker=1"}])
    assert await collect(pager.pages("image", "/images", "images")) == []


async def test_pages_that_lead_back_are_the_services_mistake() -> None:
    turn = {"images": [{"id": 1}], "next": "/images"}
    with pytest.raises(RegionCallError, match="do not end") as caught:
        await collect(Pager([turn, turn]).pages("image", "/images", "images"))
    assert caught.value.code == "unexpected-answer"


async def test_pages_that_always_lead_elsewhere_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multisite.openstack.client.MOST_PAGES", 5)
    turns = [{"images": [{"id": n}], "next": f"/v2/images?marker={n}"} for n in range(20)]
    with pytest.raises(RegionCallError, match="do not end"):
        await collect(Pager(turns).pages("image", "/images", "images"))


@pytest.mark.parametrize("body", [{}, {"images": None}, {"images": {"id": 1}}])
async def test_an_answer_without_the_list_is_the_services_mistake(body: dict[str, Any]) -> None:
    with pytest.raises(RegionCallError, match="has no list 'images'"):
        await collect(Pager([body]).pages("image", "/images", "images"))
