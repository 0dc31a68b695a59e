"""Addresses: one spelling for each, an order by value, and what a user may mean by a part of one."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from multisite.inventory.model import Address

#: What packed MAC addresses begin with: they come after all IP addresses.
MACS = "m"
_MAC_DIGITS = re.compile(r"[0-9a-f]{12}")
_MAC_MARKS = re.compile(r"[:.\-]")
IPV4_PARTS, LARGEST_PART = 4, 255
_PART = re.compile(r"[0-9a-f]*[.:][0-9a-f.:]*")


Range = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which addresses are looked for: one `exact`ly, those that begin with `prefix`, or a range of values."""

    exact: str | None = None
    prefix: str | None = None
    first: str | None = None
    last: str | None = None

    @property
    def ranges(self) -> tuple[Range, ...] | None:
        """The same as ranges of packed values, ascending: (first, last) each.

        `None` for the beginning of an IPv6 or MAC address, whose text is no range of values.
        """
        if self.exact is not None:
            value = _value(self.exact)
            return ((value, value),)
        if self.first is not None and self.last is not None:
            return ((self.first, self.last),)
        return _ranges(self.prefix) if self.prefix and ":" not in self.prefix else None


def ip(text: str, port_id: str | None = None) -> Address:
    """An IP address. Raises `ValueError`."""
    value = ip_address(text)
    return Address(str(value), packed(value), port_id)


def mac(text: str, port_id: str | None = None) -> Address:
    """A MAC address in any spelling. Raises `ValueError`."""
    digits = _mac_digits(text)
    if digits is None:
        raise ValueError(f"{text[:40]!r} is no MAC address")
    return Address(":".join(digits[at : at + 2] for at in range(0, 12, 2)), f"{MACS}{digits}", port_id)


def packed(value: IPv4Address | IPv6Address) -> str:
    """The address as text that orders by value: its version, then all its digits."""
    return f"{value.version}{value.packed.hex()}"


def wanted(text: str) -> Wanted | None:
    """What addresses `text` asks for; `None` when it is no address and no part of one.

    A whole IP or MAC address in any spelling, a network (`10.1.0.0/16`), or the beginning of an address.
    """
    text = text.strip().lower()
    try:
        return Wanted(exact=ip(text).address)
    except ValueError:
        pass
    digits = _mac_digits(text)
    if digits is not None:
        return Wanted(exact=mac(text).address)
    if "/" in text:
        try:
            network: IPv4Network | IPv6Network = ip_network(text, strict=False)
        except ValueError:
            return None
        return Wanted(first=packed(network.network_address), last=packed(network.broadcast_address))
    return Wanted(prefix=text) if _PART.fullmatch(text) and _may_begin_one(text) else None


def _may_begin_one(text: str) -> bool:
    """Whether an IP address can begin so: no part of an IPv4 address is above 255, and none is a fifth."""
    if ":" in text:
        return True
    parts = text.split(".")
    return len(parts) <= IPV4_PARTS and all(
        not part or (part.isdigit() and int(part) <= LARGEST_PART) for part in parts
    )


def _value(exact: str) -> str:
    """A whole address packed. An IPv4 address with twelve digits is none of hardware: it is tried first."""
    try:
        return ip(exact).packed
    except ValueError:
        return mac(exact).packed


def _ranges(prefix: str) -> tuple[Range, ...]:
    """The IPv4 addresses whose text begins so: the values that the last part may have, as runs."""
    *whole, part = prefix.split(".")
    if not all(each.isdigit() and each == str(int(each)) for each in whole):
        return ()
    values = {value for value in range(LARGEST_PART + 1) if str(value).startswith(part)}
    firsts = sorted(value for value in values if value - 1 not in values)
    lasts = sorted(value for value in values if value + 1 not in values)
    head = "4" + "".join(f"{int(each):02x}" for each in whole)
    rest = IPV4_PARTS - 1 - len(whole)
    return tuple(
        (f"{head}{first:02x}{'00' * rest}", f"{head}{last:02x}{'ff' * rest}")
        for first, last in zip(firsts, lasts, strict=True)
    )


def _mac_digits(text: str) -> str | None:
    """The twelve digits of a MAC address: `fa:16:…`, `fa-16-…`, `fa16.3e…`; bare ones are rather an id."""
    marked = _MAC_MARKS.sub("", text.strip().lower())
    return marked if marked != text and _MAC_DIGITS.fullmatch(marked) else None
