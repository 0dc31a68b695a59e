"""What calls teach about services: kept in memory, stored in batches.

Every call to a region ends here (`heard`), a sweep's as well as a probe's. The book knows which services
were not heard from for a while, and hands the changed rows to the store a few times a second at most.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from multisite.openstack.breaker import Breaker
from multisite.openstack.client import Outcome
from multisite.regions.states import CallError, Last
from multisite.regions.status import ServiceRow

_TOKEN_FAILURES = {"token-rejected", "keystone-unreachable", "authentication-failed", "credential-unusable"}


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """What the calls to one service of one region taught (latency in milliseconds, skew in seconds)."""

    region: str
    service: str
    calls: Last
    error: CallError | None = None
    latency: float | None = None
    clock_skew: float | None = None
    breaker: Breaker = Breaker.CLOSED
    token_failure: bool = False

    def learn(self, outcome: Outcome) -> "HealthRecord":
        """The record after one more call. A refusal (403, 404, 429) proves that the service is alive."""
        error = outcome.error
        if error is None:
            skew = self.clock_skew if outcome.clock_skew is None else outcome.clock_skew
            calls = Last(outcome.at, self.calls.failure)
            # Not `replace`, which costs four times as much: this is done for every call.
            return HealthRecord(
                self.region, self.service, calls, self.error, outcome.latency, skew, outcome.breaker
            )
        success = outcome.at if error.answered else self.calls.success
        return replace(
            self,
            calls=Last(success, outcome.at),
            error=CallError(error.code, error.detail),
            breaker=outcome.breaker,
            token_failure=error.code in _TOKEN_FAILURES,
        )


class HealthBook:
    """The health of all services; `heard` may be called from any thread.

    Nearly all calls succeed, and of several successes the last one says all: it is learned when one asks.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[tuple[str, str], HealthRecord] = {}
        self._changed: set[tuple[str, str]] = set()
        self._successes: dict[tuple[str, str], Outcome] = {}

    def load(self, region: str, rows: Sequence[ServiceRow]) -> None:
        """Start from what was stored, so that a restart forgets nothing."""
        with self._lock:
            self._learn_successes()
            for row in rows:
                record = HealthRecord(
                    region,
                    row.service,
                    row.calls,
                    row.call_error,
                    row.latency,
                    row.clock_skew,
                    token_failure=row.token_failure,
                )
                self._records.setdefault((region, row.service), record)

    def heard(self, outcome: Outcome) -> None:
        """A call ended."""
        key = (outcome.region, outcome.service)
        with self._lock:
            if outcome.error is None and outcome.clock_skew is not None:
                self._successes[key] = outcome
                return
            self._learn_successes()
            self._learn(key, outcome)

    def silent(self, region: str, service: str, now: datetime, interval: float) -> bool:
        """Whether the service was not heard from for `interval` seconds."""
        record = self._record(region, service)
        if record is None:
            return True
        times = [at for at in (record.calls.success, record.calls.failure) if at is not None]
        return not times or now - max(times) >= timedelta(seconds=interval)

    def failing(self, region: str, service: str) -> bool:
        """Whether the last call to the service failed."""
        record = self._record(region, service)
        return record is not None and record.calls.failing

    def take_changes(self) -> list[HealthRecord]:
        """The records that changed since the last time."""
        with self._lock:
            self._learn_successes()
            changed = [self._records[key] for key in sorted(self._changed) if key in self._records]
            self._changed.clear()
            return changed

    def give_back(self, records: Sequence[HealthRecord]) -> None:
        """Records that were taken and could not be stored: they count as changed again."""
        with self._lock:
            self._changed |= {(record.region, record.service) for record in records}

    def forget(self, region: str) -> None:
        """Drop the records of a region that was deleted."""
        with self._lock:
            for known in (self._records, self._successes):
                for key in [key for key in known if key[0] == region]:
                    del known[key]

    def _record(self, region: str, service: str) -> HealthRecord | None:
        with self._lock:
            self._learn_successes()
            return self._records.get((region, service))

    def _learn_successes(self) -> None:
        for key, outcome in self._successes.items():
            self._learn(key, outcome)
        self._successes.clear()

    def _learn(self, key: tuple[str, str], outcome: Outcome) -> None:
        record = self._records.get(key) or HealthRecord(*key, Last())
        self._records[key] = record.learn(outcome)
        self._changed.add(key)
