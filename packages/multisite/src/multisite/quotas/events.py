"""Events of quotas: what operators want to hear of, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Every kind of event, and what it says.
KINDS = {
    "warning": "Use has crossed the warning threshold of the global limit.",
    "critical": "Use has crossed the critical threshold of the global limit.",
    "exhausted": "The global limit is used up.",
    "over": "Use is above the global limit.",
    "relieved": "Use is below the warning threshold again.",
    "region-away": "A region of a governed project cannot be read.",
    "region-back": "A region that could not be read answers again.",
    "drift": "Somebody changed a limit in a region by hand.",
    "refused": "A region refused a limit, or kept another one.",
    "raise-ended": "A temporary raise has ended.",
    "request-created": "A project asks for more.",
    "request-approved": "A request for more was granted.",
    "request-refused": "A request for more was refused.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a project's quota; `figures` are plain JSON."""

    kind: str
    sentence: str
    resource: str | None = None
    region: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of event")
