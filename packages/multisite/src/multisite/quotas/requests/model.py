"""Requests for more quota, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: Requests of one project that may be open at a time.
MOST_OPEN = 5


class RequestState(StrEnum):
    """How far a request is; only an open one can change, once."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class QuotaRequest:
    """A project asks for global limits, -1 for unlimited, by resource.

    `granted` are those that an operator set, with `answer` in words. `decided_by` (a user's name) and
    `operation_id` are for operators.
    """

    id: str
    at: datetime
    project_id: str
    project_name: str | None
    user_id: str
    user_name: str
    limits: Mapping[str, int]
    reason: str
    state: RequestState = RequestState.OPEN
    decided_at: datetime | None = None
    decided_by: str | None = None
    answer: str | None = None
    granted: Mapping[str, int] | None = None
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted: of these states and this project, all where none is named."""

    states: Sequence[RequestState] = ()
    project_id: str | None = None


def in_words(limits: Mapping[str, int]) -> str:
    """Limits in a sentence."""
    return ", ".join(f"{name}={value}" for name, value in sorted(limits.items()))
