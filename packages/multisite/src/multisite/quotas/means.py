"""What rounds of quotas work with, and what this process remembers between them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from multisite.clock import Clock
from multisite.engine.executors import Fence
from multisite.engine.writes import Journal
from multisite.quotas.model import Share
from multisite.quotas.reading import QuotaReader
from multisite.quotas.store import QuotaStore
from multisite.quotas.writing import Sender
from multisite.regions.store import RegionStore
from multisite.settings import QuotaSettings


@dataclass(slots=True)
class Means:
    """What rounds work with."""

    store: QuotaStore
    regions: RegionStore
    reader: QuotaReader
    sender: Sender
    journal: Journal
    fencing: Callable[[], Fence]
    settings: QuotaSettings
    clock: Clock
    #: When this process first knew that a value may be out there (monotonic).
    _known: dict[tuple[str, int, str, int], float] = field(default_factory=dict)

    def known_since(self, project_id: str, share: Share, resource: str, value: int) -> float:
        """When this process first knew that a value may be out there."""
        key = (project_id, share.region_id, resource, value)
        return self._known.setdefault(key, self.clock.monotonic())

    def forget(self, project_id: str, share: Share, resource: str, value: int) -> None:
        """It is not out there any more."""
        self._known.pop((project_id, share.region_id, resource, value), None)
