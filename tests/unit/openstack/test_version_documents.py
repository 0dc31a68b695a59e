"""The versions that real services list, and the one that stands for an endpoint."""

from collections.abc import Callable
from typing import Any

import pytest

from multisite.openstack.versions import ServiceVersion, choose

Recorded = Callable[[str], Any]


@pytest.mark.parametrize(
    ("service", "url", "version", "lowest"),
    [
        ("nova", "http://h:8774/v2.1", "2.1", "2.1"),
        ("nova", "http://h/compute/v2.1/", "2.1", "2.1"),
        ("cinder", "http://h:8776/v3/288381ab92c34424bd48b28ff71402c0", "3.0", "3.0"),
        ("neutron", "http://h:9696/v2.0", "2.0", None),
        ("placement", "http://127.0.0.1:8778", "1.0", "1.0"),
    ],
)
def test_the_version_at_the_endpoint(
    recorded: Recorded, service: str, url: str, version: str, lowest: str | None
) -> None:
    found = choose(recorded(f"{service}_versions"), url)

    assert found.version == version
    assert found.min_microversion == lowest
    assert (found.max_microversion is None) == (lowest is None)


def test_keystone_hides_its_list_in_values(recorded: Recorded) -> None:
    assert (choose(recorded("keystone_versions"), "http://h:5000/v3").version or "").startswith("3.")


def test_glance_lists_many_and_the_newest_counts_as_number_not_as_text(recorded: Recorded) -> None:
    document = recorded("glance_versions")
    minors = [int(entry["id"].rpartition(".")[2]) for entry in document["versions"]]

    assert choose(document, "http://h:9292/v2").version == f"2.{max(minors)}"


def test_a_single_version_document() -> None:
    document = {"version": {"id": "v2.1", "min_version": "2.1", "version": "2.96"}}
    assert choose(document, "http://h/v2.1") == ServiceVersion("2.1", "2.1", "2.96")


def test_the_major_version_of_the_endpoint_wins_over_a_newer_one() -> None:
    document = {"versions": [{"id": "v3.0"}, {"id": "v2.0"}]}
    assert choose(document, "http://h/v2").version == "2.0"


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"versions": []},
        {"versions": "none"},
        {"versions": [None, 3]},
        {"version": "v2"},
        {"versions": {"values": None}},
    ],
)
def test_a_document_without_versions_is_no_error(document: dict[str, Any]) -> None:
    assert choose(document, "http://h/v2") == ServiceVersion()


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "v" + "9" * 300},
        {"id": "v²"},
        {"id": ["v2"]},
        {"id": "v2.0", "min_version": 7, "version": {"a": 1}},
        {"id": "v2.0", "version": "9" * 300},
    ],
)
def test_a_lying_document_never_gives_what_the_database_cannot_hold(entry: dict[str, Any]) -> None:
    found = choose({"versions": [entry]}, "http://h/v2")

    for text in (found.version, found.min_microversion, found.max_microversion):
        assert text is None or (isinstance(text, str) and len(text) <= 32)
