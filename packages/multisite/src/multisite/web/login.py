"""Logging in and out.

The log-in form has a token that is also, sealed, in a short-lived cookie: so nobody else's page can log a
browser in to an account that is not its user's. A log-in that fails says one sentence, the same one whether
the user or the password is wrong; who fails too often has to wait (`attempts`). Logging out revokes the token
and has this process refuse it at once, so that a copied cookie is worthless.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.clock import Clock
from multisite.errors import (
    BadRequest,
    DomainScopedToken,
    Forbidden,
    KeystoneAway,
    MultisiteError,
    Unauthenticated,
)
from multisite.web import figures
from multisite.web.attempts import Attempts
from multisite.web.csrf import ForeignForm, own_path, read_form, require_own_form
from multisite.web.rendering import Renderer
from multisite.web.services import IssuedToken, Services
from multisite.web.session import LARGEST_COOKIE, Session, SessionSealer, new_form_token
from multisite.web.urls import Urls
from multisite.web.visitors import Visitors

LOG = logging.getLogger(__name__)

#: Why somebody finds the log-in form before them.
REASONS = {
    "ended": "Your session has ended. Log in again.",
    "out": "You are logged out.",
    "alive": "You are logged out here. Keystone did not answer, so the token itself ends at its own time.",
}
_FIELDS = ("user", "domain", "project", "project_domain")


@dataclass(frozen=True, slots=True)
class LogIn:
    """The log-in form, what becomes of it, and the log-out."""

    services: Services
    visitors: Visitors
    sealer: SessionSealer
    renderer: Renderer
    clock: Clock
    cookie_name: str
    attempts: Attempts
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    @property
    def form_cookie(self) -> str:
        """The cookie that goes with the log-in form."""
        return f"{self.cookie_name}_login"

    async def form(self, request: Request) -> Response:
        """The empty form."""
        reason = REASONS.get(request.query_params.get("reason", ""), "")
        return self._show(request, fields={"domain": "Default"}, notice=reason)

    async def submit(self, request: Request) -> Response:
        """Log in, or say in one sentence why not."""
        fields: dict[str, str] = {}
        try:
            fields = await read_form(request)
            expected = self.sealer.open_form_token(request.cookies.get(self.form_cookie))
            require_own_form(request, sent=fields.get("form_token"), expected=expected)
            wait = self.attempts.begin(*_who(request, fields))
            if wait:
                return self._refuse(request, fields, wait)
            issued = await self._attempt(request, fields)
            requester = await self.services.authenticator.authenticate(issued.token)
            sealed = self._seal(issued)
        except MultisiteError as error:
            return self._show(request, fields=fields, error=_sentence(error, fields), status=error.status)
        home = "wall" if requester.operator_reader else "project"
        urls = Urls.of(request)
        answer = RedirectResponse(own_path(fields.get("next"), urls.root_path) or urls.page(home), 303)
        answer.set_cookie(
            self.cookie_name,
            sealed,
            max_age=max(0, int((issued.expires_at - self.clock.now()).total_seconds())),
            path=urls.cookie_path,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
        answer.delete_cookie(self.form_cookie, path=urls.page("login"))
        return answer

    async def log_out(self, request: Request) -> Response:
        """Revoke the token and forget the session."""
        reason = "out"
        session = self.visitors.session(request)
        if session is not None:
            try:
                fields = await read_form(request)
                require_own_form(request, sent=fields.get("form_token"), expected=session.form_token)
            except (BadRequest, ForeignForm) as error:
                return self.visitors.failure(request, error)
            try:
                await self.services.keystone.revoke_token(session.token)
            except MultisiteError as error:
                LOG.warning("A token could not be revoked at log-out: %s", error.code)
                reason = "out" if isinstance(error, Unauthenticated) else "alive"
            self.services.authenticator.refuse(session.token)
        urls = Urls.of(request)
        answer = RedirectResponse(urls.page("login", {"reason": reason}), 303)
        answer.delete_cookie(self.cookie_name, path=urls.cookie_path)
        return answer

    def _refuse(self, request: Request, fields: dict[str, str], wait: float) -> Response:
        seconds = math.ceil(wait)
        LOG.warning("a log-in as %r from %s has to wait for %d s", *reversed(_who(request, fields)), seconds)
        error = f"Too many log-ins failed from where you are. Try again in {figures.span(seconds)}."
        answer = self._show(request, fields=fields, error=error, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(seconds)
        return answer

    async def _attempt(self, request: Request, fields: dict[str, str]) -> IssuedToken:
        """A token; whether the password was right is remembered, and a wrong one is answered late."""
        who = _who(request, fields)
        try:
            issued = await self._issue(fields)
        except Unauthenticated:
            await self._wait(self.attempts.delay(who[1]))
            raise
        except Forbidden:
            self.attempts.succeeded(*who)  # a right password, without a role
            raise
        except MultisiteError:
            self.attempts.undecided(*who)
            raise
        self.attempts.succeeded(*who)
        return issued

    async def _wait(self, seconds: float) -> None:
        if seconds:
            self.attempts.waiting += 1
            try:
                await self.sleep(seconds)
            finally:
                self.attempts.waiting -= 1

    async def _issue(self, fields: dict[str, str]) -> IssuedToken:
        user, password = fields.get("user", "").strip(), fields.get("password", "")
        if not user or not password:
            raise BadRequest("Give your user name and your password.")
        domain = fields.get("domain", "").strip() or "Default"
        return await self.services.keystone.issue_token(
            user_name=user,
            password=password,
            user_domain=domain,
            project=fields.get("project", "").strip() or None,
            project_domain=fields.get("project_domain", "").strip() or domain,
        )

    def _seal(self, issued: IssuedToken) -> str:
        sealed = self.sealer.seal(Session(issued.token, issued.expires_at, new_form_token()))
        if len(sealed) > LARGEST_COOKIE:
            size = len(issued.token)
            raise BadRequest(f"The token has {size} characters: too many for a cookie. Use Fernet tokens.")
        return sealed

    def _show(
        self,
        request: Request,
        *,
        fields: dict[str, str],
        error: str = "",
        notice: str = "",
        status: int = 200,
    ) -> Response:
        # A token that is there already stays: another tab may hold a form with it.
        form_token = self.sealer.open_form_token(request.cookies.get(self.form_cookie)) or new_form_token()
        urls = Urls.of(request)
        wanted = own_path(fields.get("next") or request.query_params.get("next"), urls.root_path) or ""
        context = {
            "fields": {name: fields.get(name, "") for name in _FIELDS},
            "next": wanted,
            "form_token": form_token,
            "error": error,
            "notice": notice,
        }
        answer = self.renderer.page(request, "login.html", context, status=status)
        answer.set_cookie(
            self.form_cookie,
            self.sealer.seal_form_token(form_token),
            path=urls.page("login"),
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return answer


def _who(request: Request, fields: dict[str, str]) -> tuple[str, str]:
    """The address, and the user in its domain as Keystone compares them: without regard to case."""
    names = (fields.get("user", "").strip(), fields.get("domain", "").strip() or "Default")
    return request.client.host if request.client else "", " in ".join(names)[:512].casefold()


def _sentence(error: MultisiteError, fields: dict[str, str]) -> str:
    """Why a log-in failed, without a word about which of user, domain and password is wrong."""
    if isinstance(error, KeystoneAway):
        return "Keystone does not answer. Try again in a moment."
    if isinstance(error, Unauthenticated):
        return "User name, domain or password is wrong, or the project is not one of yours."
    if isinstance(error, DomainScopedToken):
        return "The token belongs to no project. Name a project to log in with."
    if isinstance(error, BadRequest | ForeignForm):
        return error.detail
    if isinstance(error, Forbidden):
        named = fields.get("project", "").strip()
        return f"You have no role in the project {named}." if named else "You have no role in any project."
    return f"{error.title} Try again in a moment."
