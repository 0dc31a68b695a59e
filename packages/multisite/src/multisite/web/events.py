"""`/events`: the live views as server-sent events.

A stream belongs to one view of one viewer: `?view=wall` with the filter of the page, and `have`, the digest
of what the browser already shows. Each `update` event holds the elements that changed, as htmx's
out-of-band swaps. The stream ends with the token: an `ended` event sends the browser to the log-in. It
also ends, without that event, when the process stops; browsers then come back by themselves, and get what
they lack. Comments keep proxies from closing a quiet stream.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from multisite.clock import Clock
from multisite.errors import KeystoneAway, MultisiteError, NotFound, TooManyRequests, Unauthenticated
from multisite.web.feeds import Feeds
from multisite.web.snapshots import Snapshot
from multisite.web.streams import OpenStreams
from multisite.web.visitors import Visitor, Visitors

#: Seconds between two questions to Keystone whether a viewer's token still holds (it may be revoked).
RECHECK_INTERVAL = 60.0
HEARTBEAT_INTERVAL = 15
SEND_TIMEOUT = 30.0
RETRY_MILLISECONDS = 3000


class LiveView(Protocol):
    """A page that stays current."""

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Equal for those who may share a computation."""
        ...

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The view now; raise Forbidden where the visitor may not see it."""
        ...


@dataclass(frozen=True, slots=True)
class Events:
    """The endpoint, with what it needs."""

    visitors: Visitors
    views: Mapping[str, LiveView]
    feeds: Feeds
    clock: Clock
    open: OpenStreams = field(default_factory=OpenStreams)

    async def endpoint(self, request: Request) -> Response:
        """Answer a stream; to a browser without a session, one that ends at once."""
        try:
            visitor = await self.visitors.identify(request)
            view = self.views.get(request.query_params.get("view", ""))
            if view is None:
                raise NotFound(f"There is no live view of that name; there are: {', '.join(self.views)}.")
            first = await view.snapshot(request, visitor)
        except Unauthenticated:
            return _stream(_farewell())
        except MultisiteError as error:
            return self.visitors.failure(request, error)
        session = visitor.session
        try:
            self.open.require_room(session.token)
        except TooManyRequests as error:
            return self.visitors.failure(request, error, visitor)
        have = request.headers.get("last-event-id") or request.query_params.get("have")
        viewing = _Viewing(self, visitor, first, have)
        events = viewing.events(view.key(request, visitor), lambda: view.snapshot(request, visitor))
        return _stream(events, self.open.one(session.token))


@dataclass(slots=True)
class _Viewing:
    """One viewer at one view."""

    service: Events
    visitor: Visitor
    first: Snapshot
    have: str | None

    async def events(
        self, key: Hashable, compute: Callable[[], Awaitable[Snapshot]]
    ) -> AsyncIterator[ServerSentEvent]:
        feeds = self.service.feeds
        async with feeds.watch(key, self.first, compute) as feed:
            marks = self.first.marks_known_by(self.have)
            checked = self.service.clock.monotonic()
            yield ServerSentEvent(comment="multisite", retry=RETRY_MILLISECONDS)
            while not feeds.closing:
                if self.service.clock.monotonic() - checked >= RECHECK_INTERVAL:
                    checked = self.service.clock.monotonic()
                    if await self._revoked():
                        break
                if self.service.clock.now() >= self.visitor.expires_at:
                    break
                newest = feed.snapshot
                if news := newest.news_for(marks):
                    yield ServerSentEvent(event="update", data=news, id=newest.digest)
                marks = newest.marks
                await feed.tick()
        if not feeds.closing:
            yield _ended()

    async def _revoked(self) -> bool:
        """Whether the token, or what it allows, is no longer what it was; Keystone away says nothing."""
        try:
            now = await self.service.visitors.recheck(self.visitor.session)
        except KeystoneAway:
            return False
        except MultisiteError:
            return True
        return now.requester.roles != self.visitor.requester.roles


async def _farewell() -> AsyncIterator[ServerSentEvent]:
    yield _ended()


def _ended() -> ServerSentEvent:
    return ServerSentEvent(event="ended", data="The session has ended.")


class _Counted(EventSourceResponse):
    """A stream that counts for as long as it is open."""

    counted: AbstractContextManager[None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.counted:
            await super().__call__(scope, receive, send)


def _stream(
    events: AsyncIterator[ServerSentEvent], counted: AbstractContextManager[None] | None = None
) -> EventSourceResponse:
    answer = _Counted(
        events,
        ping=HEARTBEAT_INTERVAL,
        ping_message_factory=lambda: ServerSentEvent(comment="alive"),
        send_timeout=SEND_TIMEOUT,
    )
    answer.counted = counted or nullcontext()
    return answer
