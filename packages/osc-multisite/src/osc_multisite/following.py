"""Follow an operation to its end: a bar on a terminal, a line per change elsewhere.

It only looks, so it may be stopped and begun again at will. While the service is away (a restart, a proxy
whose backend is gone) it tries again: the operation goes on, or is found again, without us.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from keystoneauth1.exceptions import ConnectionError as KeystoneauthConnectionError
from osc_lib import exceptions

from osc_multisite import errors

Json = dict[str, Any]

#: Seconds between two looks, and for which a service that is away is asked again.
PAUSE = 1.0
AWAY = 600.0
#: Answers of a service that restarts, or of a proxy before it.
PASSING = frozenset({502, 503, 504})
SUCCEEDED, CANCELLED = "succeeded", "cancelled"
ENDED = frozenset({SUCCEEDED, "failed", CANCELLED, "rollback-failed"})
WIDTH = 30

sleep: Callable[[float], None] = time.sleep
monotonic: Callable[[], float] = time.monotonic


def add_wait(parser: argparse.ArgumentParser) -> None:
    """`--wait`, and how long."""
    parser.add_argument("--wait", action="store_true", help="Wait until it has ended, and show how far it is")
    add_timeout(parser)


def add_timeout(parser: argparse.ArgumentParser) -> None:
    """`--timeout`."""
    parser.add_argument(
        "--timeout", metavar="<seconds>", type=seconds, help="Wait no longer than this (default: to its end)"
    )


def seconds(text: str) -> float:
    """A number of seconds above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds, such as 600")
    return number


def follow(multisite: Any, operation_id: str, timeout: float | None = None) -> Json:
    """The operation and its parts when it has ended; what happens until then goes to stderr.

    Raises:
        CommandError: it did not end in time, or the service is away for too long.
    """
    shown = _Bar(sys.stderr) if sys.stderr.isatty() else _Lines(sys.stderr)
    until = None if timeout is None else monotonic() + timeout
    away_since: float | None = None
    try:
        while True:
            try:
                found: Json = multisite.operation(operation_id)
            except Exception as error:  # noqa: BLE001 - `_passing` raises it unless it passes by itself
                away_since = _passing(error, away_since, shown)
            else:
                away_since = None
                shown.show(found)
                if found["operation"]["state"] in ENDED:
                    return found
            if until is not None and monotonic() >= until:
                raise exceptions.CommandError(
                    f"Operation {operation_id} did not end in {timeout:g} s; it goes on. "
                    f"`openstack multisite operation wait {operation_id}` waits again."
                )
            sleep(PAUSE)
    finally:
        shown.close()


def require(found: Json, wanted: str = SUCCEEDED) -> None:
    """Raise `CommandError` with a sentence unless an operation ended as wanted."""
    operation = found["operation"]
    if operation["state"] == wanted:
        return
    named = [part["name"] for part in found["regions"] if part["state"] != wanted]
    counts = in_words(operation["parts"])
    raise exceptions.CommandError(
        f"Operation {operation['id']}: {operation['state']} ({counts}). Not {wanted}: {', '.join(named[:10])}"
        f"{f' and {len(named) - 10} more' if len(named) > 10 else ''}."  # noqa: PLR2004 - as above
    )


def in_words(parts: Json) -> str:
    """How many parts are in which state: `2 succeeded, 1 failed`."""
    return ", ".join(f"{count} {state}" for state, count in parts.items() if count) or "no parts"


def failure_words(failure: Json | None) -> str:
    """A failure in a line: its code, its sentence, the region's request id."""
    if not failure:
        return ""
    text = f"{failure['code']}: {failure['detail']}" if failure.get("detail") else failure["code"]
    return f"{text} ({failure['request_id']})" if failure.get("request_id") else str(text)


def _passing(error: Exception, since: float | None, shown: "_Lines | _Bar") -> float:
    """Since when the service is away. Raises what does not pass by itself, and what does not for long."""
    status = getattr(error, "status_code", None)
    away = isinstance(error, errors.ServiceAway | KeystoneauthConnectionError)
    away = away or (isinstance(error, errors.NotMultisite | errors.ApiError) and status in PASSING)
    if not away or (since is not None and monotonic() - since >= AWAY):
        raise error
    if since is None:
        shown.say(f"{str(error).rstrip('.')}. Trying again.")
    return monotonic() if since is None else since


class _Lines:
    """A line for each part whose state changed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, tuple[Any, ...]] = {}

    def show(self, found: Json) -> None:
        """Say what changed since the last look."""
        for part in found["regions"]:
            now = (part["state"], part["attempts"] if part["state"] != "queued" else 0)
            if self._told.get(part["name"], ("queued", 0)) != now:
                self._told[part["name"]] = now
                failure = failure_words(part["failure"])
                self.say(f"{part['name']}: {part['state']}{f', {failure}' if failure else ''}")

    def say(self, sentence: str) -> None:
        """One line."""
        self._stream.write(f"{sentence}\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left open."""


class _Bar:
    """One line that is written over, as long as the terminal is wide."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = ""

    def show(self, found: Json) -> None:
        """Draw it."""
        operation = found["operation"]
        done = operation["percent"] * WIDTH // 100
        counts = in_words(dict(Counter(_states(found["regions"]))))
        self._draw(f"[{'#' * done}{'-' * (WIDTH - done)}] {operation['percent']:3} %  {counts}")

    def say(self, sentence: str) -> None:
        """A line above the bar."""
        bar = self._shown
        self._draw("")
        self._stream.write(f"{sentence}\n")
        self._draw(bar)

    def close(self) -> None:
        """Leave the last state of the bar on a line of its own."""
        if self._shown:
            self._stream.write("\n")
            self._stream.flush()

    def _draw(self, text: str) -> None:
        self._stream.write(f"\r\x1b[K{text}")
        self._stream.flush()
        self._shown = text


def _states(parts: Iterable[Json]) -> Iterable[str]:
    return sorted(part["state"] for part in parts)
