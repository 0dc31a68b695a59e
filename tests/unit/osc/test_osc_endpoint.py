"""Where the commands find the service, whichever entry of clouds.yaml is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_multisite.endpoint import choose

if TYPE_CHECKING:
    from tests.unit.osc.conftest import Cloud, Outcome

    Openstack = Callable[..., Outcome]

NO_ENDPOINT = (
    "The catalog has no endpoint of type 'multisite': give --os-multisite-endpoint-override URL, set "
    "multisite_endpoint_override in clouds.yaml, or ask the operator to register the service.\n"
)


def endpoints(*parts: tuple[str | None, str, str]) -> list[dict[str, object]]:
    """A catalog with multisite endpoints of (region, interface, host)."""
    made = [
        {"region": region, "region_id": region, "interface": interface, "url": f"http://{host}:8118"}
        for region, interface, host in parts
    ]
    return [
        {"type": "compute", "endpoints": [{"url": "http://nova"}]},
        {"type": "multisite", "endpoints": made},
    ]


def host_of_call(cloud: Cloud, openstack: Openstack, *options: str, entry: str = "RegionTwo-admin") -> str:
    cloud.answer("GET", "/v1/regions", {"regions": [], "links": []})
    outcome = openstack(*options, "multisite", "region", "list", cloud_entry=entry, multisite=False)
    assert outcome.err == ""
    return cloud.calls[-1].host


def test_an_entry_of_another_region_finds_the_only_endpoint(cloud: Cloud, openstack: Openstack) -> None:
    cloud.catalog = endpoints(("Elsewhere", "public", "elsewhere"))

    assert host_of_call(cloud, openstack, entry="RegionTwo-admin") == "elsewhere:8118"


def test_the_endpoint_of_the_entrys_region_comes_before_others(cloud: Cloud, openstack: Openstack) -> None:
    cloud.catalog = endpoints(("RegionOne", "public", "one"), ("RegionTwo", "public", "two"))

    assert host_of_call(cloud, openstack, entry="RegionOne-admin") == "one:8118"
    assert host_of_call(cloud, openstack, entry="RegionTwo-admin") == "two:8118"


def test_the_entrys_interface_comes_first(cloud: Cloud, openstack: Openstack) -> None:
    parts = [("RegionTwo", "public", "pub"), ("RegionTwo", "internal", "int"), ("RegionTwo", "admin", "adm")]
    cloud.catalog = endpoints(*parts)

    assert host_of_call(cloud, openstack, entry="RegionTwo-admin") == "pub:8118"
    assert host_of_call(cloud, openstack, entry="internal") == "int:8118"
    assert host_of_call(cloud, openstack, "--os-interface", "admin") == "adm:8118"


def test_overrides_come_before_the_catalog(
    cloud: Cloud, openstack: Openstack, monkeypatch: pytest.MonkeyPatch
) -> None:
    option = ["--os-multisite-endpoint-override", "http://option:8118/v1/"]

    assert host_of_call(cloud, openstack, entry="overridden") == "from-clouds-yaml.example:8118"
    monkeypatch.setenv("OS_MULTISITE_ENDPOINT_OVERRIDE", "http://environment:8118")
    assert host_of_call(cloud, openstack, entry="overridden") == "environment:8118"
    assert host_of_call(cloud, openstack, *option, entry="overridden") == "option:8118"
    assert cloud.calls[-1].path == "/v1/regions"


def test_no_endpoint_is_one_sentence(cloud: Cloud, openstack: Openstack) -> None:
    cloud.catalog = endpoints()

    outcome = openstack("region", "list")

    assert (outcome.status, outcome.out, outcome.err) == (1, "", NO_ENDPOINT)


def test_an_override_without_scheme_is_one_sentence(openstack: Openstack) -> None:
    words = ["--os-multisite-endpoint-override", "localhost:8118", "multisite", "region", "list"]

    outcome = openstack(*words, multisite=False)

    assert outcome.err == "The multisite endpoint 'localhost:8118' is no URL: it is like http://HOST:8118.\n"


@pytest.mark.parametrize("kind", ["none", "admin_token"])
def test_authentication_may_carry_the_endpoint(cloud: Cloud, openstack: Openstack, kind: str) -> None:
    token = [] if kind == "none" else ["--os-token", "abc"]
    options = ["--os-auth-type", kind, "--os-endpoint", "http://given:8118", *token]

    assert host_of_call(cloud, openstack, *options, entry="") == "given:8118"
    if token:
        assert cloud.calls[-1].headers["X-Auth-Token"] == "abc"
    assert cloud.keystone_calls == []


def test_calls_carry_the_token_and_the_version_of_the_api(cloud: Cloud, openstack: Openstack) -> None:
    host_of_call(cloud, openstack)

    headers = cloud.calls[-1].headers
    assert headers["X-Auth-Token"] == "token-1"
    assert headers["OpenStack-API-Version"] == "multisite 1.0"


regions = st.sampled_from(["RegionOne", "RegionTwo", None])
interfaces = st.sampled_from(["public", "internal", "admin"])
catalogs = st.lists(st.tuples(regions, interfaces, st.uuids().map(str)), min_size=1, max_size=8)


@given(parts=catalogs, region=regions, interface=interfaces)
def test_a_better_endpoint_is_never_passed_over(
    parts: list[tuple[str | None, str, str]], region: str | None, interface: str
) -> None:
    chosen = choose(endpoints(*parts), region=region, interfaces=[interface])
    (found,) = [part for part in parts if f"http://{part[2]}:8118" == chosen]

    in_region = [part for part in parts if part[0] == region]
    if in_region:
        assert found[0] == region
    rivals = in_region or parts
    if any(part[1] == interface for part in rivals):
        assert found[1] == interface
    elif any(part[1] == "public" for part in rivals):
        assert found[1] == "public"


def test_an_empty_catalog_gives_nothing() -> None:
    assert choose([], region=None, interfaces=[]) is None
