"""A database that cannot be written, with a full disk or read-only: said once, tried again now and then.

When a write fails for that reason, further ones are refused at once, so that nobody queues for what cannot
be; one each `RETRY` seconds is let through to see whether there is room again. Reading is not touched. The
log gets one sentence when it begins, and one when writes have succeeded for `STEADY` seconds: on a disk that
is nearly full, small writes succeed between large ones that do not.
"""

import logging
import os
import sqlite3
import threading
from pathlib import Path

import sqlalchemy as sa

from multisite.clock import Clock, SystemClock
from multisite.errors import DatabaseUnwritable

LOG = logging.getLogger(__name__)

RETRY = 10.0
STEADY = 60.0

#: PostgreSQL's codes (SQLSTATE): disk_full, read_only_sql_transaction.
_STATES = {"53100": "its disk is full", "25006": "it is read-only"}


class Room:
    """Whether one database can be written; shared by all who write to it, in any thread."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._error: DatabaseUnwritable | None = None
        self._retry_at = float("-inf")
        self._good_since = float("-inf")
        self._told = False

    @property
    def trouble(self) -> str:
        """Why it cannot be written; empty while it can."""
        return self._error.reason if self._error else ""

    def enter(self) -> None:
        """Before a write. Raises `DatabaseUnwritable` while there is no use in trying."""
        with self._lock:
            if self._error is None:
                return
            now = self._clock.monotonic()
            if now < self._retry_at:
                raise DatabaseUnwritable(self._error.detail, self._error.reason)
            self._retry_at = now + RETRY

    def failed(self, error: DatabaseUnwritable) -> None:
        """A write failed for want of room."""
        with self._lock:
            if not self._told:
                LOG.error("%s; nothing is written until it can be, reading goes on", error.detail)
            self._error, self._told = error, True
            self._retry_at = self._clock.monotonic() + RETRY

    def wrote(self) -> None:
        """A write succeeded."""
        if not self._told:
            return
        with self._lock:
            now = self._clock.monotonic()
            if self._error is not None:
                self._error, self._good_since = None, now
            elif self._told and now - self._good_since >= STEADY:
                LOG.warning("the database is written again")
                self._told = False


def why_unwritable(url: sa.URL, error: BaseException | None) -> str:
    """What keeps a driver's error from being written, empty where it is something else."""
    if isinstance(error, sqlite3.Error):
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL":
            return "its disk is full"
        if name.startswith("SQLITE_READONLY"):
            return "it is read-only"
        if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and _no_room(url.database):
            return "its disk is full"
        return ""
    return _STATES.get(str(getattr(error, "sqlstate", "")), "")


def _no_room(file: str | None) -> bool:
    """Whether the file system of a file has no block left."""
    try:
        return os.statvfs(Path(file or ".").parent).f_bavail == 0
    except OSError:
        return False
