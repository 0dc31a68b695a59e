"""A circuit breaker per (region, service).

After `THRESHOLD` failures in a row it opens: calls fail at once, so that a dead service costs nothing.
When the pause is over, one trial call goes through (half-open); it closes the breaker or doubles the
pause, up to `LONGEST_PAUSE`.
"""

from enum import StrEnum

from multisite.clock import Clock

THRESHOLD = 3
FIRST_PAUSE = 15.0
LONGEST_PAUSE = 30.0


class Breaker(StrEnum):
    """Whether calls go through, are held back, or one is on trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """The breaker of one service; times are those of a monotonic clock (seconds)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._opened_at: float | None = None
        self._trial_at: float | None = None

    @property
    def state(self) -> Breaker:
        """The state now; an open breaker turns half-open when its pause is over."""
        if self._opened_at is None:
            return Breaker.CLOSED
        return Breaker.OPEN if self._remaining() > 0 else Breaker.HALF_OPEN

    def admit(self) -> bool:
        """Whether a call may go through now. Half-open admits one call per pause."""
        state = self.state
        if state is Breaker.CLOSED:
            return True
        if state is Breaker.OPEN:
            return False
        now = self._clock.monotonic()
        if self._trial_at is not None and now - self._trial_at < FIRST_PAUSE:
            return False
        self._trial_at = now
        return True

    def succeeded(self) -> None:
        """The service answered: close."""
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._opened_at = self._trial_at = None

    def failed(self) -> None:
        """The service failed once more."""
        self._failures += 1
        if self._trial_at is not None:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        if self._trial_at is not None or (self._opened_at is None and self._failures >= THRESHOLD):
            self._opened_at = self._clock.monotonic()
            self._trial_at = None

    def abandoned(self) -> None:
        """The admitted call was given up before it taught anything: the trial is free again."""
        self._trial_at = None

    def _remaining(self) -> float:
        opened_at = self._opened_at if self._opened_at is not None else float("-inf")
        return opened_at + self._pause - self._clock.monotonic()
