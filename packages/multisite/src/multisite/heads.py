"""Requests whose head does not arrive: uvicorn would wait for it for ever, and keep the connection.

`PunctualProtocol` is uvicorn's h11 protocol with one timer. It runs from the connection's begin, or from the
first byte of a later request, until the head is whole; then the connection is closed. Bodies have no such
bound: they are at most 1 MiB, and are read after the token was checked.
"""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Seconds within which a request's head has to be there.
PATIENCE = 15.0


class PunctualProtocol(H11Protocol):
    """One connection, of which each request's head arrives in time."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected: its first head is awaited."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Something arrived: a whole head, a part of one, or of a body."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif self._head_timer is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(PATIENCE, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
