"""The addresses of a subnet: which are taken, and the next one that is free."""

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from multisite.sim.http import Refusal


@dataclass(slots=True)
class Addresses:
    """The addresses of one subnet, as integers: the pool is all of it but the gateway."""

    cidr: str
    gateway: str | None
    first: int
    last: int
    taken: set[int] = field(default_factory=set)
    upcoming: int = 0

    @classmethod
    def of(cls, cidr: str, gateway: str | None) -> "Addresses":
        """The addresses of a subnet; without `gateway` the first one is it. Raises `Refusal` (400)."""
        try:
            network = ip_network(cidr)
        except ValueError:
            raise Refusal(
                400, f"Invalid input for cidr. Reason: '{cidr}' is not a valid IP subnet."
            ) from None
        start = int(network.network_address)
        edge = 1 if network.version == 4 else 0  # noqa: PLR2004 - the broadcast address of IPv4
        first, last = start + 1, start + network.num_addresses - 1 - edge
        if gateway is None:
            gateway, first = str(ip_address(first)), first + 1
        elif gateway:
            first += 1 if int(ip_address(gateway)) == first else 0
        return cls(cidr, gateway or None, first, last, upcoming=first)

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """The subnet's prefix."""
        return ip_network(self.cidr)

    def holds(self, address: str) -> bool:
        """Whether an address lies in the subnet."""
        return ip_address(address) in self.network

    def take(self, address: str) -> str:
        """Take this address. Raises `Refusal`: 409 where it is taken, 400 where the subnet has it not."""
        if not self.holds(address):
            raise Refusal(
                400,
                f"IP address {address} is not a valid IP for the specified subnet.",
                kind="InvalidIpForSubnet",
            )
        number = int(ip_address(address))
        if number in self.taken:
            raise Refusal(
                409, f"IP address {address} already allocated in subnet", kind="IpAddressAlreadyAllocated"
            )
        self.taken.add(number)
        return str(ip_address(address))

    def take_next(self) -> str | None:
        """Take the next free address of the pool; `None` when there is none."""
        if len(self.taken) > self.last - self.first + 1:
            return None
        for start, end in ((self.upcoming, self.last + 1), (self.first, self.upcoming)):
            number = start
            while number < end:
                if number not in self.taken:
                    self.taken.add(number)
                    self.upcoming = number + 1
                    return self._text(number)
                number += 1
        return None

    def give_back(self, address: str) -> None:
        """Make an address free again."""
        self.taken.discard(int(ip_address(address)))

    def in_pool(self) -> int:
        """How many of the taken addresses are of the pool."""
        return sum(self.first <= number <= self.last for number in self.taken)

    @property
    def pool_size(self) -> int:
        """How many addresses the pool has."""
        return self.last - self.first + 1

    @property
    def size(self) -> int:
        """How many addresses of the subnet can be used."""
        edges = 2 if self.network.version == 4 else 0  # noqa: PLR2004 - network and broadcast address
        return self.network.num_addresses - edges

    def pools(self) -> list[dict[str, str]]:
        """The pool, as Neutron shows it."""
        return [{"start": self._text(self.first), "end": self._text(self.last)}]

    def _text(self, number: int) -> str:
        kind = IPv4Network if self.network.version == 4 else IPv6Network  # noqa: PLR2004
        return str(kind(number).network_address)
