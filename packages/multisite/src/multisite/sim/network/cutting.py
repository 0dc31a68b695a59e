"""Cuts subnets from subnet pools: the first free prefix of a length, or one that was asked for."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from multisite.sim.http import Refusal
from multisite.sim.network.model import Subnet, SubnetPool

Prefix = IPv4Network | IPv6Network


def cut(pool: SubnetPool, subnets: Iterable[Subnet], cidr: str | None, length: int | None) -> str:
    """The prefix of the next subnet of a pool. Raises `Refusal`."""
    taken = [subnet.addresses.network for subnet in subnets if subnet.pool_id == pool.id]
    prefixes = list(_merged(pool))
    if cidr is not None:
        wanted = ip_network(cidr)
        if not any(_within(wanted, prefix) for prefix in prefixes):
            raise _unable("Cannot allocate requested subnet from the available set of prefixes")
        if any(other.overlaps(wanted) for other in taken):
            raise _unable("Cannot allocate requested subnet from the available set of prefixes")
        return cidr
    length = length or pool.default_length
    for prefix in prefixes:
        found = _first_free(prefix, taken, length)
        if found is not None:
            return str(found)
    raise _unable(f"Insufficient prefix space to allocate subnet size /{length}")


def _merged(pool: SubnetPool) -> Iterable[Prefix]:
    if pool.version == 4:  # noqa: PLR2004
        return collapse_addresses(IPv4Network(prefix) for prefix in pool.prefixes)
    return collapse_addresses(IPv6Network(prefix) for prefix in pool.prefixes)


def _within(inner: Prefix, outer: Prefix) -> bool:
    return inner.version == outer.version and inner.prefixlen >= outer.prefixlen and inner.overlaps(outer)


def _first_free(prefix: Prefix, taken: Iterable[Prefix], length: int) -> Prefix | None:
    """The lowest prefix of a length; behind each one that is taken the search goes on."""
    if length < prefix.prefixlen or length > prefix.max_prefixlen:
        return None
    size = 1 << (prefix.max_prefixlen - length)
    start = int(prefix.network_address)
    for other in sorted(taken, key=lambda each: int(each.network_address)):
        if other.overlaps(prefix):
            if start + size <= int(other.network_address):
                break
            start = max(start, -(-(int(other.broadcast_address) + 1) // size) * size)
    if start + size - 1 > int(prefix.broadcast_address):
        return None
    return type(prefix)((start, length))


def _unable(reason: str) -> Refusal:
    return Refusal(409, f"Failed to allocate subnet: {reason}.", kind="SubnetAllocationError")
