"""How many live views one session may have open.

A stream costs a connection and a task for hours; without a bound one stolen or careless session could hold
all that the process has. Streams are counted under a digest of the token, for as long as they are open.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from multisite.errors import TooManyRequests

MOST_STREAMS = 8


class OpenStreams:
    """The streams that are open, by session."""

    def __init__(self) -> None:
        self._open: Counter[bytes] = Counter()

    def require_room(self, token: str) -> None:
        """Raise `TooManyRequests` where the session has as many streams as it may have."""
        if self._open[_key(token)] >= MOST_STREAMS:
            raise TooManyRequests(
                f"This session has {MOST_STREAMS} live views open already; close one of them first."
            )

    @contextmanager
    def one(self, token: str) -> Iterator[None]:
        """One more stream, until the block ends."""
        key = _key(token)
        self._open[key] += 1
        try:
            yield
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
