"""Which regions of a catalog are new, which are known, and which cannot have the name that they would get."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from multisite.regions.model import Endpoint, Region

Found = tuple[Region, Sequence[Endpoint]]


@dataclass(frozen=True, slots=True)
class Skipped:
    """A region of a catalog that was not registered, and why."""

    region_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What is to be registered, and what is not."""

    new: tuple[Found, ...]
    existing: tuple[str, ...]
    skipped: tuple[Skipped, ...]

    @property
    def told(self) -> dict[str, Any]:
        """As plain JSON, by names."""
        return {
            "created": [region.name for region, _ in self.new],
            "existing": list(self.existing),
            "skipped": [{"region_name": each.region_name, "reason": each.reason} for each in self.skipped],
        }


def registration(found: Sequence[Found], known: Iterable[Region]) -> Registration:
    """Sort what a catalog has. Of several whose names become the same, the first one gets it."""
    holders = {region.name: region.region_name for region in known}
    there = frozenset(holders)
    for region, _ in found:
        holders.setdefault(region.name, region.region_name)
    ours = [pair for pair in found if holders[pair[0].name] == pair[0].region_name]
    return Registration(
        new=tuple(pair for pair in ours if pair[0].name not in there),
        existing=tuple(region.name for region, _ in ours if region.name in there),
        skipped=tuple(
            _skipped(region, holders[region.name])
            for region, _ in found
            if holders[region.name] != region.region_name
        ),
    )


def _skipped(region: Region, holder: str) -> Skipped:
    return Skipped(
        region.region_name,
        f"the name {region.name!r} belongs to the region {holder!r} of a catalog; register this one by hand",
    )
