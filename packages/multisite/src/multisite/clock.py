"""Time, handed in.

Everything that asks what time it is gets a `Clock` as an argument, so that tests decide how time
passes. Wall-clock times are aware datetimes in UTC; durations are measured on a monotonic clock,
which a wrong or stepped wall clock cannot bend.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time is it?"""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._monotonic = 0.0

    def now(self) -> datetime:
        """The time it was set to."""
        return self._at

    def monotonic(self) -> float:
        """Seconds it was moved by since it was made."""
        return self._monotonic

    def advance(self, delta: timedelta) -> None:
        """Move both clocks forward by `delta`."""
        self._at += delta
        self._monotonic += delta.total_seconds()
