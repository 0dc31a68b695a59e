"""Which regions a list shows, and in which order: the form above the wall, as a value.

A filter is part of the address, so that a wall can be bookmarked, and hashable, so that all who look at
the same wall share one computation.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from multisite.errors import BadRequest
from multisite.regions.states import State
from multisite.web.services import RegionView
from multisite.web.tiles import SEVERITY

ORDERS = {"position": "Position", "name": "Name", "state": "Worst first"}
DENSITIES = {"": "Automatic", "full": "Full", "compact": "Compact"}
#: From here on tiles are small unless the viewer says otherwise.
COMPACT_FROM = 80


@dataclass(frozen=True, slots=True)
class Filter:
    """A part of a name, one label (`country=no`), a state, and an order."""

    name: str = ""
    label: str = ""
    state: str = ""
    order: str = "position"

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filter":
        """From an address. Raises `BadRequest` for a state or an order that there is not."""
        return cls(
            name=query.get("name", "").strip()[:255],
            label=query.get("label", "")[:1000],
            state=one_of(query, "state", tuple(State)),
            order=one_of(query, "order", tuple(ORDERS)) or "position",
        )

    @property
    def narrows(self) -> bool:
        """Whether it leaves regions out."""
        return bool(self.name or self.label or self.state)

    def query(self, **changes: str) -> dict[str, str]:
        """The address's fields, with some of them changed; what is usual is left out."""
        order = "" if self.order == "position" else self.order
        return {"name": self.name, "label": self.label, "state": self.state, "order": order} | changes

    def choose(self, views: Iterable[RegionView]) -> list[RegionView]:
        """The regions that fit, in order."""
        return self._sorted(view for view in views if self._fits(view))

    def _fits(self, view: RegionView) -> bool:
        key, _, value = self.label.partition("=")
        return (
            self.name.casefold() in view.region.name.casefold()
            and (not self.label or view.region.labels.get(key) == value)
            and (not self.state or view.state == self.state)
        )

    def _sorted(self, views: Iterable[RegionView]) -> list[RegionView]:
        by_name = sorted(views, key=lambda view: view.region.name.casefold())
        if self.order == "state":
            return sorted(by_name, key=lambda view: (SEVERITY[view.state], view.region.position))
        if self.order == "position":
            return sorted(by_name, key=lambda view: view.region.position)
        return by_name


def one_of(query: Mapping[str, str], name: str, known: Collection[str]) -> str:
    """The value of a field that takes some values only, or nothing. Raises `BadRequest` for another."""
    value = query.get(name, "")
    if value and value not in known:
        there = ", ".join(each for each in known if each)
        raise BadRequest(f"{name}: there is no {value[:100]!r}; there are: {there}")
    return value


def label_choices(views: Iterable[RegionView]) -> list[str]:
    """Every label that some region has, as `key=value`."""
    return sorted({f"{key}={value}" for view in views for key, value in view.region.labels.items()})


def state_counts(views: Iterable[RegionView]) -> dict[State, int]:
    """How many regions are in each state, worst first, states without any left out."""
    counts: dict[State, int] = {}
    for view in views:
        counts[view.state] = counts.get(view.state, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: SEVERITY[item[0]]))
