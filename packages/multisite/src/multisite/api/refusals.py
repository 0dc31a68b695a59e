"""Tokens that were given back at a log-out, refused at once.

keystonemiddleware remembers a checked token for `token_cache_time`, also when Keystone has revoked it since.
So long, and a little longer for checks that were under way, this process refuses it by itself. Digests are
kept, not tokens; after that time Keystone's own answer counts, and they are forgotten.
"""

import hashlib

from multisite.clock import Clock

#: Seconds for a check that began before the log-out and is remembered after it.
MARGIN = 30.0


class RefusedTokens:
    """Digests of tokens, each until a moment."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = max(0.0, seconds) + MARGIN
        self._until: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def __contains__(self, token: str) -> bool:
        until = self._until.get(_digest(token)) if self._until else None
        return until is not None and self._clock.monotonic() < until

    def add(self, token: str) -> None:
        """Refuse a token from now on, and forget those whose time is over."""
        now = self._clock.monotonic()
        self._until = {digest: until for digest, until in self._until.items() if now < until}
        self._until[_digest(token)] = now + self._seconds


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
