"""Operations as values: what is asked for, how far each region is, what came of it.

An operation is long work that a user can watch, cancel and find again. It has *parts*: one per region, or
one per credential where regions are yet to be found. A part is done as a row of steps.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Any
JsonObject = Mapping[str, Any]


class State(StrEnum):
    """How an operation, or a part of one, stands."""

    QUEUED = "queued"
    RUNNING = "running"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ROLLBACK_FAILED = "rollback-failed"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in ENDED


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED, State.ROLLBACK_FAILED})
#: Which parts a retry does again.
RETRIED = frozenset({State.FAILED, State.CANCELLED, State.ROLLBACK_FAILED})
#: What an operation is whose parts ended differently: the first of these that any part has.
_WORST = (State.ROLLBACK_FAILED, State.FAILED, State.CANCELLED, State.SUCCEEDED)


#: Why a step failed, besides the failures of calls to regions and the errors of the API; part of the API.
STEP_CODES = {
    "answer-lost": "The region did not answer a write; it may have been done.",
    "region-refused": "The region refused a write.",
    "region-unavailable": "The region cannot be reached; the write was not sent.",
    "region-failed": "The region answered a write with an error of its own.",
    "credential-lacking": "A test found that a region's credential lacks the role admin.",
    "region-not-in-catalog": "A test found that the catalog of a region's credential lacks the region.",
    "unknown-kind": "This multisite knows no operation of this kind.",
    "internal-error": "A mistake of multisite.",
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work: a stable code, a sentence, the region's request id where it told one."""

    code: str
    detail: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what is done in one region.

    `percent` of its steps are done, `step` is the one at work. `attempts` counts how often it was begun: by a
    retry, or by another process after a crash. `result` is what it found, as its kind describes it.
    """

    name: str
    state: State = State.QUEUED
    percent: int = 0
    step: str | None = None
    attempts: int = 0
    failure: Failure | None = None
    result: Json = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Long work: of which kind, with what arguments, for whom, and how far it is.

    `priority`: lower ones go first. `parts_by_state` counts the parts. `failure` is that of the first part,
    by name, that did not work. `generation` grows with each change.
    """

    id: str
    kind: str
    state: State
    arguments: JsonObject
    project_id: str | None
    user_id: str
    user_name: str
    request_id: str
    priority: int
    percent: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    failure: Failure | None
    parts_by_state: Mapping[State, int]
    generation: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which operations a listing shows; `None` is any. `project_id` and `hidden` bound what a tenant sees."""

    kinds: Sequence[str] = ()
    states: Sequence[State] = ()
    region: str | None = None
    user_id: str | None = None
    project_id: str | None = None
    hidden: Sequence[str] = ()


def state_of(parts: Iterable[State]) -> State:
    """The state of an operation whose parts have these."""
    states = set(parts)
    if states <= ENDED:
        return next((state for state in _WORST if state in states), State.SUCCEEDED)
    if State.UNDOING in states:
        return State.UNDOING
    return State.QUEUED if states == {State.QUEUED} else State.RUNNING
