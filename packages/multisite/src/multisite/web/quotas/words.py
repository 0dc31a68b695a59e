"""Quotas in words: amounts in the unit of their resource, states with their look, a bar of use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.quotas.model import State
from multisite.quotas.resources import UNITS, UNLIMITED, Kind
from multisite.web import figures
from multisite.web.usage_rows import label

#: The icon of each state: those of a region that is as well.
LOOKS: Mapping[State, str] = {
    State.ESTABLISHED: "fresh",
    State.ESTABLISHING: "running",
    State.OVER: "unreachable",
    State.UNLIMITED: "disabled",
    State.RELEASING: "degraded",
}
#: The state of a project is the first of these that one of its resources has.
WORST_FIRST = (State.OVER, State.ESTABLISHING, State.RELEASING, State.ESTABLISHED, State.UNLIMITED)
#: Why a region refuses more.
REFUSES: Mapping[str, str] = {
    "region-share": "its share is used up; there is some left elsewhere",
    "region-maximum": "it may have no more here",
    "global-limit": "the global limit is used up",
}
#: From here on (percent of the limit) little is left.
NEARLY_FULL = 90.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Use against a limit in words; `share` is percent of the limit, `None` where there is no end."""

    name: str
    label: str
    used: str
    limit: str
    share: float | None
    over: bool = False

    @property
    def width(self) -> str:
        """SVG width of the used part; a sliver where anything is used at all."""
        value = self.share or 0.0
        return f"{max(value, 0.8) if value else 0.0:.1f}"

    @property
    def tight(self) -> bool:
        """Whether little or nothing is left."""
        return self.share is not None and self.share >= NEARLY_FULL


def amount(resource: str, number: float | None) -> str:
    """A number of a resource with its unit; a dash for what is not known."""
    unit = unit_of(resource)
    if unit == "MiB":
        return figures.from_mebibytes(number)
    return figures.from_gibibytes(number) if unit == "GiB" else figures.count(number)


def limit_text(resource: str, number: int | None) -> str:
    """The same of a limit, where -1 is unlimited."""
    return "unlimited" if number == UNLIMITED else amount(resource, number)


def limits_in_words(limits: Mapping[str, int]) -> str:
    """Several limits, each with what it is of: `Memory 50 GiB, VCPU 60`."""
    told = sorted((label(name), limit_text(name, number)) for name, number in limits.items())
    return ", ".join(f"{name} {text}" for name, text in told)


def as_typed(resource: str, number: int | None) -> str:
    """A limit as one types it, with the unit that is counted in: `51200 MiB`."""
    if number is None or number == UNLIMITED:
        return limit_text(resource, number)
    return f"{number} {unit_of(resource)}".strip()


def unit_of(resource: str) -> str:
    """The unit in which a resource is counted, empty for a plain number."""
    whole = "volume/gigabytes" if resource.startswith("volume/gigabytes_") else resource
    return UNITS.get(whole, "")


def bar(resource: str, used: int | None, limit: int | None) -> Bar:
    """Use against a limit."""
    bounded = used is not None and limit is not None and limit != UNLIMITED
    return Bar(
        resource,
        label(resource),
        amount(resource, used),
        limit_text(resource, limit),
        figures.share(float(used or 0), float(limit or 0)) if bounded else None,
        over=bounded and (used or 0) > (limit or 0),
    )


def worst(states: Iterable[str]) -> State:
    """The state of a project; one that was never balanced is being established."""
    held = set(states)
    return next((state for state in WORST_FIRST if state in held), State.ESTABLISHING)


def bars_of(resources: Mapping[str, Any]) -> list[Bar]:
    """Bars of what a listing tells of a project, the most pressed first; of copied limits there is no use."""
    summed = [(name, told) for name, told in resources.items() if told["kind"] != Kind.COPIED.value]
    pressed = sorted(summed, key=lambda each: (-(each[1]["pressure"] or 0.0), each[0]))
    return [bar(name, told["used"], told["limit"]) for name, told in pressed]
