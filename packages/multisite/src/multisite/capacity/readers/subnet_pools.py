"""Counts what is left in Neutron's subnet pools, for which Neutron has no call.

A pool's prefixes minus the prefixes of the subnets that were cut from it. Both are merged first, so that what
overlaps is counted once; whatever does not fit together is counted apart instead of failing the region. Pools
change seldom: they are listed at the interval of the images, and the subnets only where there are pools.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Any

from multisite.capacity.details import SubnetPool
from multisite.clock import Clock
from multisite.openstack import neutron
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

Prefix = IPv4Network | IPv6Network
IPV6 = 6


@dataclass(slots=True)
class PoolMemory:
    """The pools of one region as last read, for `age` seconds."""

    clock: Clock
    age: float
    pools: tuple[SubnetPool, ...] = ()
    read_at: float = float("-inf")

    async def read(self, client: RegionClient) -> tuple[SubnetPool, ...]:
        """The pools, read anew when they are old."""
        now = self.clock.monotonic()
        if now - self.read_at >= self.age:
            self.pools = await read(client)
            self.read_at = now
        return self.pools


async def read(client: RegionClient) -> tuple[SubnetPool, ...]:
    """All pools; none where Neutron's core plugin has none (404)."""
    try:
        pools = await neutron.subnet_pools(client)
    except RegionCallError as error:
        if error.code == "not-found":
            return ()
        raise
    subnets: dict[str, list[str]] = {}
    for subnet in await neutron.subnet_prefixes(client) if pools else ():
        if subnet.get("subnetpool_id"):
            subnets.setdefault(subnet["subnetpool_id"], []).append(str(subnet.get("cidr")))
    return tuple(pool_of(pool, subnets.get(pool["id"], ())) for pool in pools)


def pool_of(item: Mapping[str, Any], cidrs: Sequence[str]) -> SubnetPool:
    """One pool and the subnets that were cut from it."""
    version = int(item["ip_version"])
    prefixes, odd_prefixes = parsed(item.get("prefixes") or (), version)
    cut, odd_subnets = parsed(cidrs, version)
    whole = merged(prefixes, version)
    inside = [subnet for subnet in cut if any(subnet.subnet_of(prefix) for prefix in whole)]  # type: ignore[arg-type]
    taken = merged(inside, version)
    total, used = addresses(whole), addresses(taken)
    length = _length(item.get("default_prefixlen"), version)
    return SubnetPool(
        id=item["id"],
        name=item.get("name") or "",
        project_id=item.get("project_id") or item.get("tenant_id") or "",
        shared=bool(item.get("shared")),
        ip_version=version,
        prefixes=tuple(str(prefix) for prefix in item.get("prefixes") or ()),
        default_prefixlen=length,
        subnets=len(cidrs),
        total=total,
        used=used,
        free=total - used,
        fits=None if length is None else fits(whole, taken, length),
        odd=odd_prefixes + odd_subnets + len(cut) - len(inside),
    )


def parsed(texts: Iterable[str], version: int) -> tuple[list[Prefix], int]:
    """The prefixes of this IP version, and how many of the texts are none."""
    kind = IPv6Network if version == IPV6 else IPv4Network
    found: list[Prefix] = []
    odd = 0
    for text in texts:
        try:
            found.append(kind(text, strict=False))
        except ValueError:
            odd += 1
    return found, odd


def merged(prefixes: Iterable[Prefix], version: int) -> list[Prefix]:
    """The same addresses in prefixes that do not overlap."""
    if version == IPV6:
        return [*collapse_addresses(each for each in prefixes if isinstance(each, IPv6Network))]
    return [*collapse_addresses(each for each in prefixes if isinstance(each, IPv4Network))]


def addresses(prefixes: Iterable[Prefix]) -> int:
    """How many addresses they have."""
    return sum(prefix.num_addresses for prefix in prefixes)


def fits(whole: Iterable[Prefix], taken: Iterable[Prefix], length: int) -> int:
    """How many prefixes of a length are in `whole` of which nothing is taken.

    What is taken lies in `whole`: a longer prefix spoils the one of this length around it, once.
    """
    room = sum(1 << (length - prefix.prefixlen) for prefix in whole if prefix.prefixlen <= length)
    spoiled = set()
    for prefix in taken:
        if prefix.prefixlen <= length:
            room -= 1 << (length - prefix.prefixlen)
        elif any(prefix.overlaps(each) and each.prefixlen <= length for each in whole):
            spoiled.add(int(prefix.network_address) >> (prefix.max_prefixlen - length))
    return room - len(spoiled)


def _length(value: Any, version: int) -> int | None:
    """Neutron writes lengths as text."""
    text = str(value)
    most = 128 if version == IPV6 else 32
    return int(text) if text.isdecimal() and int(text) <= most else None
