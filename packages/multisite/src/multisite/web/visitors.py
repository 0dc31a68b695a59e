"""Who looks at the page: from the cookie to the requester, and what happens when that fails.

`Visitors.page` wraps an endpoint that needs somebody signed in. No session, or a token that Keystone
no longer accepts, leads to the log-in, which leads back; errors become a page in plain words.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.clock import Clock
from multisite.errors import MultisiteError, Unauthenticated
from multisite.requester import Requester
from multisite.web.rendering import Renderer
from multisite.web.services import Authenticator
from multisite.web.session import Session, SessionSealer
from multisite.web.urls import Urls

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in browser and the one behind it."""

    session: Session
    requester: Requester

    def acting_in(self, request: Request) -> Requester:
        """Who acts by this request, with its id: for what is audited and written."""
        return replace(self.requester, request_id=getattr(request.state, "request_id", ""))

    @property
    def operator(self) -> bool:
        """Whether the wall is their home: may see what operators see."""
        return self.requester.operator_reader

    @property
    def expires_at(self) -> datetime:
        """When the token ends."""
        return min(self.session.expires_at, self.requester.expires_at or self.session.expires_at)


Endpoint = Callable[[Request], Awaitable[Response]]
SignedInEndpoint = Callable[[Request, Visitor], Awaitable[Response]]


class Visitors:
    """Knows who sent a request."""

    def __init__(
        self,
        authenticator: Authenticator,
        sealer: SessionSealer,
        renderer: Renderer,
        clock: Clock,
        *,
        cookie_name: str,
    ) -> None:
        self._authenticator = authenticator
        self._sealer = sealer
        self._renderer = renderer
        self._clock = clock
        self._cookie_name = cookie_name

    def session(self, request: Request) -> Session | None:
        """The request's session, without asking whether its token still holds."""
        return self._sealer.open(request.cookies.get(self._cookie_name), self._clock)

    async def identify(self, request: Request) -> Visitor:
        """The one who sent the request; raise Unauthenticated, DomainScopedToken or KeystoneAway."""
        session = self.session(request)
        if session is None:
            raise Unauthenticated("There is no session.")
        return await self.recheck(session)

    async def recheck(self, session: Session) -> Visitor:
        """The one behind a session, as Keystone sees it now."""
        return Visitor(session, await self._authenticator.authenticate(session.token))

    def page(self, endpoint: SignedInEndpoint) -> Endpoint:
        """An endpoint for those who are signed in."""

        async def signed_in(request: Request) -> Response:
            visitor = None
            try:
                visitor = await self.identify(request)
                return await endpoint(request, visitor)
            except Unauthenticated:
                return self.to_login(request)
            except MultisiteError as error:
                return self.failure(request, error, visitor)

        return signed_in

    def to_login(self, request: Request) -> Response:
        """To the log-in, and from there back to where the request wanted to go."""
        urls = Urls.of(request)
        reason = "ended" if self._cookie_name in request.cookies else ""
        wanted = urls.own(request) if request.method == "GET" else ""
        login = urls.page("login", {"next": wanted, "reason": reason})
        if "hx-request" in request.headers:  # a redirect would be followed, and its page put into the list
            return Response(headers={"HX-Redirect": login})
        return RedirectResponse(login, 303)

    def failure(self, request: Request, error: MultisiteError, visitor: Visitor | None = None) -> Response:
        """A page that says what went wrong."""
        if error.status >= 500:  # noqa: PLR2004
            LOG.warning("The page answered %s: %s", error.code, error.detail)
        tells_all = visitor is not None and visitor.operator
        detail = error.detail if tells_all or error.status < 500 else error.title  # noqa: PLR2004
        context = {"visitor": visitor, "error": error, "detail": detail}
        return self._renderer.page(request, "error.html", context, status=error.status)
