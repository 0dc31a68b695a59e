"""Recorded answers of the lab as items; addresses in every spelling; markers; cells of a CSV."""

from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.errors import BadRequest
from multisite.inventory.addresses import Wanted, ip, mac, packed, wanted
from multisite.inventory.export import cell
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import UNKNOWN_TIME
from multisite.inventory.parsing import parse
from multisite.inventory.queries import Order, Place, Sort
from tests.unit.inventory.conftest import Named


def test_a_server(named: Named) -> None:
    raw = named.rows("servers")[0]
    item = parse(BY_NAME["server"], raw)
    assert (item.id, item.name, item.status) == (raw["id"], raw["name"], "ACTIVE")
    assert (item.project_id, item.user_id) == (raw["tenant_id"], raw["user_id"])
    assert item.attributes["flavor"] == raw["flavor"]["original_name"]
    assert item.attributes["image_id"] == raw["image"]["id"]
    assert item.attributes["host"] == raw["OS-EXT-SRV-ATTR:host"]
    assert "host" in BY_NAME["server"].operator_attributes


def test_a_server_that_boots_from_a_volume_has_no_image(named: Named) -> None:
    raw = named.rows("servers")[0] | {"image": ""}
    assert parse(BY_NAME["server"], raw).attributes["image_id"] is None


def test_projects_stand_in_different_fields(named: Named) -> None:
    for kind, key, field in (
        ("volume", "volumes", "os-vol-tenant-attr:tenant_id"),
        ("snapshot", "snapshots", "os-extended-snapshot-attributes:project_id"),
        ("image", "images", "owner"),
        ("port", "ports", "project_id"),
    ):
        raw = named.rows(key)[0]
        assert parse(BY_NAME[kind], raw).project_id == raw[field]


def test_addresses_of_ports_routers_floating_ips_and_gateways(named: Named) -> None:
    port, router = named.rows("ports")[0], named.rows("routers")[0]
    floating, subnet = named.rows("floatingips")[0], named.rows("subnets")[0]
    found = [address.address for address in parse(BY_NAME["port"], port).addresses]
    assert found == [*(each["ip_address"] for each in port["fixed_ips"]), port["mac_address"]]
    gateway = router["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]
    assert [address.address for address in parse(BY_NAME["router"], router).addresses] == [gateway]
    (address,) = parse(BY_NAME["floating_ip"], floating).addresses
    assert (address.address, address.port_id) == (floating["floating_ip_address"], floating["port_id"])
    assert parse(BY_NAME["subnet"], subnet).addresses[0].address == subnet["gateway_ip"]


def test_times_that_a_service_does_not_tell() -> None:
    item = parse(BY_NAME["backup"], {"id": "b", "name": None, "updated_at": None})
    assert (item.created_at, item.updated_at, item.name) == (UNKNOWN_TIME, UNKNOWN_TIME, "")


def test_equal_rows_have_equal_digests_and_others_do_not(named: Named) -> None:
    raw, kind = named.rows("servers")[0], BY_NAME["server"]
    assert parse(kind, raw).digest == parse(kind, dict(reversed(raw.items()))).digest
    assert parse(kind, raw).digest != parse(kind, raw | {"name": "x"}).digest
    assert parse(kind, raw).digest == parse(kind, raw | {"progress": 50}).digest


@pytest.mark.parametrize(
    "text", ["fa:16:3e:B8:14:82", "fa-16-3e-b8-14-82", "fa16.3eb8.1482", " FA:16:3E:B8:14:82 "]
)
def test_a_mac_address_in_any_spelling(text: str) -> None:
    assert wanted(text) == Wanted(exact="fa:16:3e:b8:14:82")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10.1.2.3", Wanted(exact="10.1.2.3")),
        ("FD00:0:0::1", Wanted(exact="fd00::1")),
        ("10.1.", Wanted(prefix="10.1.")),
        ("fa:16", Wanted(prefix="fa:16")),
        ("10.1.0.0/16", Wanted(first="40a010000", last="40a01ffff")),
        ("web-1", None),
        ("deadbeef0123", None),
        ("10.1.0.0/99", None),
    ],
)
def test_what_a_text_means_as_an_address(text: str, found: Wanted | None) -> None:
    assert wanted(text) == found


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_packed_addresses_order_by_value(first: object, second: object) -> None:
    one, two = ip(str(first)), ip(str(second))
    assert (one.packed < two.packed) == (int(first) < int(second))  # type: ignore[call-overload]
    assert one.packed < mac("00:00:00:00:00:00").packed
    assert packed(first) == one.packed  # type: ignore[arg-type]


@given(
    st.sampled_from([Sort.NAME, Sort.REGION, Sort.STATUS, Sort.PROJECT]),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)
def test_a_marker_carries_any_place(sort: Sort, value: str) -> None:
    place = Place(value, "RegionTwo", "id-1")
    assert Order(sort).place(Order(sort).marker(place)) == place


def test_a_marker_carries_a_time() -> None:
    place = Place(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "RegionTwo", "id-1")
    order = Order(Sort.UPDATED_AT)
    assert order.place(order.marker(place)) == place


@pytest.mark.parametrize("marker", ["", "x", "e30", "W10", "WzEsMiwzLDRd", "\xff", "W" * 5000, "bnVsbA"])
def test_a_marker_that_is_none_is_refused(marker: str) -> None:
    with pytest.raises(BadRequest):
        Order(Sort.NAME).place(marker)


def test_a_marker_of_another_order_is_refused() -> None:
    marker = Order(Sort.NAME).marker(Place("a", "r", "i"))
    with pytest.raises(BadRequest):
        Order(Sort.STATUS).place(marker)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1", "  =1", "\u00a0=1", "＝1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_other_values_stay_what_they_are() -> None:
    assert [cell(value) for value in (-5, 1.5, True, None, "a=b", ["x"])] == [
        -5,
        1.5,
        "true",
        "",
        "a=b",
        '["x"]',
    ]


@pytest.mark.parametrize("text", ["999.1.1.1", "10.256.", "1.2.3.4.5", "10.1.a"])
def test_what_no_address_begins_with_is_none(text: str) -> None:
    assert wanted(text) is None


@pytest.mark.parametrize("text", ["10.1.", "10.1", "255.255.255.", "fd00:", "fa:16:3e"])
def test_the_beginning_of_an_address_is_one(text: str) -> None:
    assert wanted(text) == Wanted(prefix=text)


@given(text=st.ip_addresses(v=4).map(str), other=st.ip_addresses(v=4), cut=st.integers(min_value=2))
def test_the_beginning_of_an_ipv4_address_is_ranges_of_values(
    text: str, other: IPv4Address, cut: int
) -> None:
    beginning = text[: cut % (len(text) - 1) + 1]
    found = wanted(beginning)
    if found is None or found.prefix is None:
        return  # no dot in it yet
    ranges = found.ranges
    assert ranges is not None
    assert list(ranges) == sorted(ranges)
    for each in (IPv4Address(text), other):
        among = [first <= packed(each) <= last for first, last in ranges]
        assert among.count(True) == str(each).startswith(beginning)


@pytest.mark.parametrize("text", ["10.01.", ".5", "..1"])
def test_no_ipv4_address_begins_with_what_none_is_written_as(text: str) -> None:
    found = wanted(text)
    assert found is not None
    assert found.ranges == ()


def test_whole_addresses_and_networks_are_one_range_and_other_beginnings_none() -> None:
    twelve_digits = "192.168.100.101"  # as a MAC address has them
    found = [wanted(text) for text in (twelve_digits, "fa:16:3e:00:00:01", "10.1.0.0/16", "fd00:")]
    assert [each.ranges if each else "" for each in found] == [
        (("4c0a86465", "4c0a86465"),),
        (("mfa163e000001", "mfa163e000001"),),
        (("40a010000", "40a01ffff"),),
        None,
    ]
