"""What the simulator was asked: calls and bytes per region and route, and the peak of calls at once."""

from collections import Counter
from dataclasses import dataclass, field

from multisite.sim.http import Json


@dataclass(slots=True)
class RegionCalls:
    """Calls to one region."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    bytes: int = 0
    running: int = 0
    peak: int = 0

    def begin(self) -> None:
        """A call arrived; whoever says so takes one from `running` when it ended."""
        self.running += 1
        self.peak = max(self.peak, self.running)

    def count(self, route: str, status: int) -> None:
        """A call was understood."""
        self.calls[route] += 1
        self.statuses[status] += 1

    def as_json(self) -> Json:
        """`routes` maps `service METHOD /route` to a number of calls."""
        return {
            "calls": self.calls.total(),
            "routes": dict(sorted(self.calls.items())),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "bytes": self.bytes,
            "peak": self.peak,
        }


@dataclass(slots=True)
class Calls:
    """Calls to all regions; a shared Keystone is counted under the name ``."""

    regions: dict[str, RegionCalls] = field(default_factory=dict)

    def of(self, region: str) -> RegionCalls:
        """The counters of one region."""
        found = self.regions.get(region)
        if found is None:
            found = self.regions[region] = RegionCalls()
        return found

    def total(self, route: str | None = None) -> int:
        """The calls to all regions, of one route or of all."""
        return sum(
            counters.calls[route] if route else counters.calls.total() for counters in self.regions.values()
        )

    def reset(self) -> None:
        """Count from nothing again; calls under way stay known."""
        for counters in self.regions.values():
            counters.calls.clear()
            counters.statuses.clear()
            counters.bytes = 0
            counters.peak = counters.running

    def as_json(self) -> Json:
        """All counters, region by region, and in total."""
        return {
            "total": self.total(),
            "regions": {name: counters.as_json() for name, counters in sorted(self.regions.items())},
        }
