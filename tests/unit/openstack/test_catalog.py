"""One catalog, however it spells its services."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from multisite.openstack.catalog import parse
from multisite.openstack.service_types import our_type, unversioned, versioned

Recorded = Callable[[str], Any]


def service(kind: str, *urls: str, region: str = "r", interface: str = "public") -> dict[str, Any]:
    return {
        "type": kind,
        "endpoints": [{"region_id": region, "interface": interface, "url": url} for url in urls],
    }


def test_the_labs_catalog(recorded: Recorded) -> None:
    catalog = parse(recorded("keystone_auth_tokens")["token"]["catalog"])

    assert set(catalog.regions) == {"RegionOne", "RegionTwo", "RegionThree"}
    assert catalog.services("RegionTwo")["volume"].catalog_type == "volumev3"
    assert catalog.url("RegionTwo", "compute", "public") == "http://127.0.0.1:21274/v2.1"
    assert catalog.url("RegionThree", "compute", "public") == "http://127.0.0.1:21374/v2.1"


def test_what_the_catalog_does_not_name_is_none() -> None:
    catalog = parse([service("compute", "http://c")])

    assert catalog.services("elsewhere") == {}
    assert catalog.url("elsewhere", "compute", "public") is None
    assert catalog.url("r", "network", "public") is None
    assert catalog.url("r", "compute", "internal") is None


def test_block_storage_is_preferred_to_volumev3_and_that_to_volumev2_in_any_order() -> None:
    entries = [
        service("volumev2", "http://v2"),
        service("block-storage", "http://bs"),
        service("volumev3", "http://v3"),
        service("volume", "http://v"),
    ]
    for order in (entries, entries[::-1]):
        assert parse(order).url("r", "volume", "public") == "http://bs"
    assert parse([entries[0], entries[2], entries[3]]).url("r", "volume", "public") == "http://v3"


def test_entries_without_type_region_url_or_interface_are_passed_over() -> None:
    broken = {
        "type": "compute",
        "endpoints": [
            {"interface": "public", "url": "http://x"},
            {"region_id": "r", "url": "http://x"},
            {"region_id": "r", "interface": "public", "url": None},
        ],
    }
    assert parse([{"endpoints": []}, {"type": "image"}, {"type": None}, broken]).regions == {}


def test_the_older_name_of_a_region_is_understood() -> None:
    old = {"type": "compute", "endpoints": [{"region": "r", "interface": "public", "url": "http://c"}]}
    assert parse([old]).url("r", "compute", "public") == "http://c"


def test_every_spelling_of_a_service_becomes_one() -> None:
    assert {
        our_type(name) for name in ("volumev3", "volumev2", "volume", "block-storage", "block-store")
    } == {"volume"}
    assert our_type("object-store") == "object-store"
    assert our_type("something-of-our-own") == "something-of-our-own"


def test_the_apis_version_is_added_only_where_the_url_lacks_it() -> None:
    assert versioned("network", "http://h:9696/") == "http://h:9696/v2.0"
    assert versioned("network", "http://h/networking/v2.0/") == "http://h/networking/v2.0"
    assert versioned("image", "http://h/image") == "http://h/image/v2"
    assert versioned("identity", "http://h/identity/v3") == "http://h/identity/v3"
    assert versioned("volume", "http://h/volume/v3/0123abcd") == "http://h/volume/v3/0123abcd"
    assert versioned("placement", "http://h/placement/") == "http://h/placement"


def test_version_documents_are_above_the_version_with_or_without_project() -> None:
    assert unversioned("http://h:8776/v3/0123abcd") == "http://h:8776"
    assert unversioned("http://h/volume/v3/0123abcd/") == "http://h/volume"
    assert unversioned("http://h/compute/v2.1") == "http://h/compute"
    assert unversioned("http://h/placement/") == "http://h/placement"


def test_a_host_that_looks_like_a_version_is_none() -> None:
    assert unversioned("http://v3/compute") == "http://v3/compute"
    assert versioned("compute", "http://v2.1") == "http://v2.1/v2.1"


@given(
    st.sampled_from(["compute", "network", "image", "identity", "volume"]),
    st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), max_size=3),
)
def test_adding_the_version_twice_adds_it_once(kind: str, path: list[str]) -> None:
    url = "/".join(["http://h:1", *path])
    assert versioned(kind, versioned(kind, url)) == versioned(kind, url)
    assert unversioned(versioned(kind, url)) == url
