"""What is left in subnet pools: prefixes minus the subnets that were cut from them."""

import json
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.capacity.details import NetworkDetail
from multisite.capacity.documents import detail_of, to_text
from multisite.capacity.readers import subnet_pools
from multisite.capacity.readers.subnet_pools import PoolMemory, pool_of
from multisite.clock import FixedClock
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError


def pool(*prefixes: str, version: int = 4, length: Any = "26") -> dict[str, Any]:
    return {
        "id": "p", "name": "pool", "project_id": "x", "shared": True, "ip_version": version,
        "prefixes": list(prefixes), "default_prefixlen": length,
    }  # fmt: skip


def test_the_prefixes_minus_the_subnets() -> None:
    found = pool_of(pool("10.0.0.0/24"), ["10.0.0.0/26", "10.0.0.64/27"])

    assert (found.total, found.used, found.free, found.subnets, found.odd) == (256, 96, 160, 2, 0)
    assert found.fits == 2, "the rest of the second /26 is none"


def test_what_overlaps_counts_once() -> None:
    found = pool_of(pool("10.0.0.0/24", "10.0.0.128/25", "10.0.1.0/24"), ["10.0.0.0/25", "10.0.0.0/26"])
    assert (found.total, found.used, found.fits) == (512, 128, 6)


def test_sizes_of_ipv6_are_exact() -> None:
    found = pool_of(pool("2001:db8::/32", version=6, length="64"), ["2001:db8::/64"])

    assert found.total == 2**96
    assert found.free == 2**96 - 2**64
    assert found.fits == 2**32 - 1
    stored = NetworkDetail((), (found, replace(found, fits=None)))
    assert detail_of("network", json.loads(to_text(stored))) == stored


@pytest.mark.parametrize(
    ("item", "cidrs", "odd", "free"),
    [
        (pool("10.0.0.0/24"), ["10.0.0.0/26", "nonsense", "fd00::/64", "192.0.2.0/24", "None"], 4, 192),
        (pool("10.0.0.0/24", "fd00::/8", "10.0.0.0/99"), [], 2, 256),
        (pool(), ["10.0.0.0/24"], 1, 0),
        (pool("10.0.0.0/24"), ["10.0.0.0/8"], 1, 256),
        (pool("10.0.0.7/24"), [], 0, 256),
        (pool("10.0.0.0/24") | {"prefixes": None, "name": None, "project_id": None}, [], 0, 0),
    ],
)
def test_odd_data_is_counted_apart_and_breaks_nothing(
    item: dict[str, Any], cidrs: list[str], odd: int, free: int
) -> None:
    found = pool_of(item, cidrs)
    assert (found.odd, found.free) == (odd, free)


@pytest.mark.parametrize("length", [None, "", "many", "33", -1])
def test_a_default_length_that_is_none_leaves_open_what_fits(length: Any) -> None:
    assert pool_of(pool("10.0.0.0/24", length=length), []).fits is None


def test_a_default_length_shorter_than_the_prefixes_fits_never() -> None:
    assert pool_of(pool("10.0.0.0/24", length="20"), ["10.0.0.0/26"]).fits == 0


blocks = st.builds(
    lambda number, length: str(IPv4Network((number & (0xFF << 8 | 0xFF) | 10 << 24, length), strict=False)),
    st.integers(0, 2**16 - 1),
    st.integers(22, 32),
)


@given(st.lists(blocks, max_size=4), st.lists(blocks, max_size=8), st.integers(22, 32))
def test_it_is_what_counting_address_by_address_gives(
    prefixes: list[str], cidrs: list[str], length: int
) -> None:
    found = pool_of(pool(*prefixes, length=str(length)), cidrs)
    whole = {int(address) for prefix in prefixes for address in IPv4Network(prefix)}
    inside = [each for each in cidrs if set(map(int, IPv4Network(each))) <= whole]
    taken = {int(address) for each in inside for address in IPv4Network(each)}
    size = 2 ** (32 - length)
    starts = {address // size * size for address in whole}
    free = [s for s in starts if all(n in whole and n not in taken for n in range(s, s + size))]

    assert (found.total, found.used, found.free) == (len(whole), len(taken), len(whole - taken))
    assert found.fits == len(free)


class Calls:
    """Neutron, and what it was asked."""

    def __init__(self, pools: list[dict[str, Any]] | RegionCallError) -> None:
        self.pools, self.asked = pools, list[str]()

    async def pages(self, _service: str, path: str, key: str) -> Any:
        self.asked.append(key)
        assert "limit=1000" in path
        if isinstance(self.pools, RegionCallError):
            raise self.pools
        yield (
            self.pools if key == "subnetpools" else [{"id": "s", "cidr": "10.0.0.0/26", "subnetpool_id": "p"}]
        )


async def test_pools_are_read_when_they_are_old(clock: FixedClock) -> None:
    calls, memory = Calls([pool("10.0.0.0/24")]), PoolMemory(clock, 600)
    client = cast("RegionClient", calls)
    (found,) = await memory.read(client)
    await memory.read(client)
    assert (found.used, calls.asked) == (64, ["subnetpools", "subnets"])
    clock.advance(timedelta(seconds=600))
    await memory.read(client)
    assert len(calls.asked) == 4


async def test_without_pools_no_subnet_is_listed(clock: FixedClock) -> None:
    calls = Calls([])
    assert await PoolMemory(clock, 600).read(cast("RegionClient", calls)) == ()
    assert calls.asked == ["subnetpools"]


async def test_a_neutron_without_subnet_pools_has_none_and_other_failures_are_told() -> None:
    without = cast("RegionClient", Calls(RegionCallError("not-found", "no such route")))
    assert await subnet_pools.read(without) == ()
    with pytest.raises(RegionCallError):
        await subnet_pools.read(cast("RegionClient", Calls(RegionCallError("server-error", "500"))))
