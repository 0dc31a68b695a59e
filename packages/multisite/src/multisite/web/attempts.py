"""Slows down who guesses passwords at the log-in, without locking anybody out for a stranger's sake.

Three counts, each of attempts that have not (yet) succeeded and forgotten after a quarter of an hour of rest:

- of one user name from one address: three are free, then each one doubles the wait, up to 5 minutes;
- of one address, whoever it asks for: ten are free (an office shares an address), then up to a minute;
- of one user name from everywhere: nobody is refused for it, or a stranger could lock the user out; but the
  answer to a wrong password comes later, up to 5 seconds. A right one is answered at once.

An attempt counts when it begins, so a thousand at the same moment are no way around. The address is that of
the connection, or what a proxy of `[api] forwarded_allow_ips` says; an IPv6 address counts as its /64, of
which one machine has all. Each count has room for `ROOM` entries, the longest unused leave first. It is
memory of this process: of several, each counts for itself.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

from multisite.clock import Clock

ROOM = 10_000
REST = 900.0
#: Answers that may wait at the same moment; further ones are given at once.
MOST_WAITING = 100


@dataclass(slots=True)
class _Entry:
    attempts: int = 0
    last: float = float("-inf")
    until: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Rule:
    """So many attempts are free, then the wait doubles from `first` to `most` (seconds)."""

    free: int
    first: float
    most: float

    def wait(self, attempts: int) -> float:
        """The wait after so many attempts."""
        if attempts < self.free:
            return 0.0
        return min(self.most, self.first * 2.0 ** min(attempts - self.free, 30))


@dataclass(slots=True)
class _Counts:
    rule: Rule
    entries: "OrderedDict[str, _Entry]" = field(default_factory=OrderedDict)

    def entry(self, key: str, now: float) -> _Entry:
        """The entry of a key, empty after a rest; it is the youngest now."""
        entry = self.entries.pop(key, None)
        if entry is None or now - max(entry.last, entry.until) > REST:
            entry = _Entry()
        self.entries[key] = entry
        if len(self.entries) > ROOM:
            self.entries.popitem(last=False)
        return entry

    def count(self, key: str, now: float) -> None:
        """One more attempt."""
        entry = self.entry(key, now)
        entry.attempts, entry.last = entry.attempts + 1, now
        entry.until = now + self.rule.wait(entry.attempts)

    def take_back(self, key: str, now: float) -> None:
        """The last attempt was none."""
        entry = self.entry(key, now)
        entry.attempts = max(0, entry.attempts - 1)
        wait = self.rule.wait(entry.attempts)
        entry.until = entry.last + wait if wait else now


class Attempts:
    """Who tried to log in, and how often in vain."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._here = _Counts(Rule(free=3, first=2.0, most=300.0))
        self._addresses = _Counts(Rule(free=10, first=2.0, most=60.0))
        self._users = _Counts(Rule(free=5, first=0.5, most=5.0))
        self.waiting = 0

    def begin(self, address: str, user: str) -> float:
        """Count an attempt; 0 where it may go on, else the seconds to wait (and then it was none)."""
        now = self._clock.monotonic()
        address = place_of(address)
        here = f"{address} {user}"
        until = max(self._here.entry(here, now).until, self._addresses.entry(address, now).until)
        if now < until:
            return until - now
        self._here.count(here, now)
        self._addresses.count(address, now)
        self._users.count(user, now)
        return 0.0

    def succeeded(self, address: str, user: str) -> None:
        """The password was right: what this user did from this address is forgiven."""
        address = place_of(address)
        self._here.entries.pop(f"{address} {user}", None)
        self._users.entries.pop(user, None)
        self._addresses.take_back(address, self._clock.monotonic())

    def undecided(self, address: str, user: str) -> None:
        """Keystone did not say whether it was right: that was no attempt."""
        now, address = self._clock.monotonic(), place_of(address)
        self._here.take_back(f"{address} {user}", now)
        self._addresses.take_back(address, now)
        self._users.take_back(user, now)

    def delay(self, user: str) -> float:
        """By how many seconds the answer to a wrong password comes later."""
        if self.waiting >= MOST_WAITING:
            return 0.0
        entry = self._users.entry(user, self._clock.monotonic())
        return self._users.rule.wait(entry.attempts)


def place_of(address: str) -> str:
    """The address, or the /64 of an IPv6 one; what is no address (a socket's path) as it is."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((int(parsed), 64), strict=False))
