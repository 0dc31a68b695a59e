"""The states of a service and of a region, and the rules that derive them (design record 0001).

A state is never stored: it is computed from what was last learned and from the time, so that a
service which nobody asks any more turns `stale` by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    """How much the figures of a service or a region are worth."""

    FRESH = "fresh"
    STALE = "stale"
    UNREACHABLE = "unreachable"
    DISABLED = "disabled"
    ABSENT = "absent"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class CallError:
    """Why a call to a region failed: a stable code, and a sentence for operators."""

    code: str
    detail: str | None = None

    def for_tenant(self) -> "CallError":
        """Without the detail, which may hold internal addresses."""
        return CallError(self.code)


@dataclass(frozen=True, slots=True)
class Freshness:
    """State of one (region, service), when it was last read, and why not since.

    `age` is in seconds.
    """

    state: State
    observed_at: datetime | None = None
    age: float | None = None
    error: CallError | None = None

    def for_tenant(self) -> "Freshness":
        """Without the error's detail."""
        error = self.error.for_tenant() if self.error else None
        return Freshness(self.state, self.observed_at, self.age, error)


#: Services in these states have figures that a total lacks.
MISSING_STATES = frozenset({State.STALE, State.UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Missing:
    """A (region, service) that a total does not contain."""

    region: str
    service: str
    state: State


def complete_by_service(services: Iterable[str], missing: Iterable[Missing]) -> dict[str, bool]:
    """Whether the total of each service has the figures of every region."""
    lacking = {each.service for each in missing}
    return {service: service not in lacking for service in services}


@dataclass(frozen=True, slots=True)
class Last:
    """When something last succeeded and last failed."""

    success: datetime | None = None
    failure: datetime | None = None

    @property
    def failing(self) -> bool:
        """Whether the last try failed."""
        return self.failure is not None and (self.success is None or self.failure > self.success)

    @property
    def newest(self) -> datetime | None:
        """When the last try was."""
        return max(filter(None, (self.success, self.failure)), default=None)


def patience(interval: float, deadline: float) -> timedelta:
    """How old a figure may become before it is stale: two intervals plus the deadline (seconds)."""
    return timedelta(seconds=2 * interval + deadline)


def service_state(
    *, enabled: bool, present: bool, calls: Last, figures: Last | None, now: datetime, patience: timedelta
) -> State:
    """The state of one service of one region; the first rule that holds decides.

    `calls` are all calls to the service; `figures` the reads of its figures, `None` for a service that
    is only probed.
    """
    if not enabled:
        return State.DISABLED
    if not present:
        return State.ABSENT
    if calls.failing or (figures is not None and figures.failing):
        return State.UNREACHABLE
    read_at = calls.success if figures is None else figures.success
    if read_at is None or now - read_at > patience:
        return State.STALE
    return State.FRESH


def region_state(read: Iterable[State], others: Iterable[State] = (), *, enabled: bool) -> State:
    """The state of a region from the states of its services.

    `read` are the services whose figures are read: when none of those answers, the region is dead, even
    if a Keystone that it shares with others (one of `others`) is well.
    """
    if not enabled:
        return State.DISABLED
    figures = [state for state in read if state is not State.ABSENT]
    unreachable = sum(state is State.UNREACHABLE for state in figures)
    if figures and unreachable == len(figures):
        return State.UNREACHABLE
    every = figures + [state for state in others if state is not State.ABSENT]
    if unreachable or any(state is State.UNREACHABLE for state in every):
        return State.DEGRADED
    if not every or any(state is State.STALE for state in every):
        return State.STALE
    return State.FRESH
