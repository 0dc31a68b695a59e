"""Tokens: keystonemiddleware, called from ASGI.

The middleware is WSGI. It is given an environ made of the request's head and a WSGI application that
does nothing; afterwards the environ holds the identity, or the middleware's own answer says why not.
That keeps what every OpenStack service does: caching, service tokens, access rules of application
credentials, the `[keystone_authtoken]` section. It may call Keystone, so it runs in a thread.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from io import BytesIO
from typing import Any

from keystonemiddleware.auth_token import AuthProtocol

from multisite.api.refusals import RefusedTokens
from multisite.clock import Clock, SystemClock
from multisite.errors import DomainScopedToken, KeystoneAway, Unauthenticated
from multisite.requester import Requester

LOG = logging.getLogger(__name__)

_UNAVAILABLE = 503
#: Requests whose tokens are checked at the same time; a Keystone that hangs holds so many threads at most.
THREADS = 32

Environ = dict[str, Any]


class Authenticator:
    """Checks tokens with the home Keystone."""

    def __init__(self, conf: Any, clock: Clock | None = None) -> None:
        self._middleware = AuthProtocol(_accept, {"oslo_config_config": conf})
        _keep_connections(self._middleware, THREADS)
        self._refused = RefusedTokens(clock or SystemClock(), conf.keystone_authtoken.token_cache_time)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="tokens")

    async def authenticate(
        self, token: str, *, service_token: str | None = None, method: str = "GET", path: str = "/"
    ) -> Requester:
        """Who the token belongs to.

        Raises `Unauthenticated`, `DomainScopedToken` or `KeystoneAway`. `method` and `path` matter for
        application credentials with access rules.
        """
        if not (_is_a_token(token) and _is_a_token(service_token or "-")):
            raise Unauthenticated("the token is no token: it has characters that none has")
        if token in self._refused:
            raise Unauthenticated("the token was given back at a log-out; get a new one from Keystone")
        environ = _environ(token, service_token, method, path)
        loop = asyncio.get_running_loop()
        status = await loop.run_in_executor(self._threads, self._check, environ)
        if status == _UNAVAILABLE:
            raise KeystoneAway(
                "the home Keystone does not answer, or refuses multisite itself, "
                "so the token cannot be checked; try again later"
            )
        if status is not None:
            raise Unauthenticated("the token is missing, wrong or expired; get a new one from Keystone")
        return _requester(environ)

    def refuse(self, token: str) -> None:
        """Refuse a token from now on, whatever is remembered of it."""
        self._refused.add(token)

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, environ: Environ) -> int | None:
        """The status with which the middleware refuses, `None` when it lets the request through."""
        refusals: list[int] = []

        def start_response(status: str, _headers: object, _info: object = None) -> Callable[[bytes], object]:
            refusals.append(int(status.split(" ", 1)[0]))
            return BytesIO().write

        try:
            answer = self._middleware(environ, start_response)
        except Exception:
            # It lets through what keystoneauth raises when Keystone hangs or has no endpoint.
            LOG.exception("keystonemiddleware could not ask Keystone")
            return _UNAVAILABLE
        close = getattr(answer, "close", None)
        if close:
            close()
        return None if environ.get("multisite.accepted") else refusals[-1] if refusals else _UNAVAILABLE


def _is_a_token(token: str) -> bool:
    """Whether it can be sent in a header; what cannot is not for Keystone to judge."""
    return token.isascii() and token.isprintable() and " " not in token


def _keep_connections(middleware: Any, count: int) -> None:
    """Let each thread keep its connection: with fewer, urllib3 throws some away and says so in the log."""
    for adapter in middleware._session.session.adapters.values():  # noqa: SLF001 - there is no option for it
        adapter.init_poolmanager(connections=count, maxsize=count)


def _accept(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    """The WSGI application behind the middleware: reached only by requests that it lets through."""
    environ["multisite.accepted"] = True
    start_response("204 No Content", [])
    return []


def _environ(token: str, service_token: str | None, method: str, path: str) -> Environ:
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "multisite",
        "SERVER_PORT": "8118",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "HTTP_X_AUTH_TOKEN": token,
    }
    if service_token:
        environ["HTTP_X_SERVICE_TOKEN"] = service_token
    return environ


def _requester(environ: Environ) -> Requester:
    project_id = environ.get("HTTP_X_PROJECT_ID")
    system = environ.get("HTTP_OPENSTACK_SYSTEM_SCOPE") == "all"
    if not project_id and not system:
        raise DomainScopedToken(
            "this token is scoped to a domain or to nothing; multisite needs one that is scoped "
            "to a project, or to the system"
        )
    roles = (role.strip().lower() for role in environ.get("HTTP_X_ROLES", "").split(","))
    return Requester(
        user_id=environ.get("HTTP_X_USER_ID") or "",
        user_name=environ.get("HTTP_X_USER_NAME") or "",
        user_domain_name=environ.get("HTTP_X_USER_DOMAIN_NAME"),
        project_id=project_id or None,
        project_name=environ.get("HTTP_X_PROJECT_NAME"),
        project_domain_name=environ.get("HTTP_X_PROJECT_DOMAIN_NAME"),
        roles=frozenset(role for role in roles if role),
        system_scope=system,
        expires_at=_expiry(environ),
    )


def _expiry(environ: Environ) -> datetime | None:
    text = (environ.get("keystone.token_info") or {}).get("token", {}).get("expires_at")
    return datetime.fromisoformat(text) if text else None
