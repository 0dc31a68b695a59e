"""SQLite in a thread of its own, with one errand to it for each statement.

aiosqlite goes to its thread four times for a SELECT: for a cursor, to execute, to fetch, to close. Nothing
here is left open between two statements, so one way is enough. What users of SQLAlchemy see is the same, but
for server-side cursors: there are none.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite


class Cursor:
    """One statement and all its rows."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement, and keep what it answers."""
        await self._connection.errand(partial(self._run, lambda cursor: cursor.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement once for each of these."""
        await self._connection.errand(partial(self._run, lambda cursor: cursor.executemany(sql, parameters)))
        return self

    async def fetchall(self) -> Sequence[Any]:
        """The rows that the last statement answered, once."""
        rows, self._rows = self._rows, ()
        return rows

    async def close(self) -> None:
        """Nothing is open."""

    def _run(self, statement: Callable[[sqlite3.Cursor], object]) -> None:
        """In the thread: run it, take what it answers, leave nothing open."""
        cursor = self._connection.raw.cursor()
        try:
            statement(cursor)
            self.description, self.lastrowid = cursor.description, cursor.lastrowid
            self._rows = cursor.fetchall() if cursor.description else ()
            self.rowcount = cursor.rowcount
        finally:
            cursor.close()


class Connection(aiosqlite.Connection):
    """A connection to one file, for SQLAlchemy's dialect."""

    def __init__(self, database: str, **options: Any) -> None:
        super().__init__(partial(sqlite3.connect, database, **options), iter_chunk_size=1)
        self._thread.daemon = True
        self._beginning = False

    @property
    def raw(self) -> sqlite3.Connection:
        """The driver's connection: for the thread only."""
        return self._conn

    def cursor(self) -> Cursor:  # type: ignore[override]  # all that SQLAlchemy asks of aiosqlite's own
        """Where a statement is run."""
        return Cursor(self)

    def begin_immediate(self) -> None:
        """Begin a transaction that writes, with the next statement: it costs no errand of its own."""
        self._beginning = True

    async def commit(self) -> None:
        """Commit what is open; where nothing was done in it, that is nothing."""
        self._beginning = False
        if self.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        """Roll back what is open; where somebody gave up waiting, SQLAlchemy closes the connection."""
        self._beginning = False
        if self.in_transaction:
            await super().rollback()

    async def errand(self, work: Callable[[], None]) -> None:
        """Do something in the thread, after all that was sent there before."""
        if self._beginning:
            self._beginning, work = False, partial(self._begun, work)
        await self._execute(work)  # type: ignore[no-untyped-call]

    def _begun(self, work: Callable[[], None]) -> None:
        self.raw.execute("BEGIN IMMEDIATE")
        work()
