"""Errors that reach a user, each with a stable code.

An exception's docstring is its title; the text it is raised with is the detail: what is wrong, where,
and what would be right. `api/errors.py` turns them into the API-SIG form
`{"errors": [{"status", "code", "title", "detail", "request_id"}]}`; the command line prints the detail
and exits with a non-zero status. Every code is described in docs/reference/errors.md (a test looks).
"""

import logging
from typing import ClassVar


class MultisiteError(Exception):
    """Something went wrong inside multisite."""

    code: ClassVar[str] = "internal-error"
    status: int = 500
    #: How loud the log is where such an error ends some work in the background.
    log_level: ClassVar[int] = logging.ERROR
    #: What to do instead, as a command to paste, where there is one.
    hint: str | None = None

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.title
        super().__init__(self.detail)

    @property
    def title(self) -> str:
        """The first line of the class's docstring."""
        return (type(self).__doc__ or "").strip().splitlines()[0]

    @property
    def told(self) -> str:
        """What users are told: the detail, unless it names what is for the log alone."""
        return self.detail


class BadRequest(MultisiteError):
    """The request is not well formed."""

    code = "bad-request"
    status = 400


class Unauthenticated(MultisiteError):
    """The token is missing, wrong or expired."""

    code = "unauthenticated"
    status = 401


class Forbidden(MultisiteError):
    """The policy does not allow this."""

    code = "forbidden"
    status = 403


class DomainScopedToken(Forbidden):
    """A domain-scoped or unscoped token says nothing about a project."""

    code = "project-scope-required"


class NotFound(MultisiteError):
    """There is no such resource."""

    code = "not-found"
    status = 404


class TooLarge(MultisiteError):
    """The request's body is too large."""

    code = "too-large"
    status = 413


class MethodNotAllowed(MultisiteError):
    """The resource does not have this method."""

    code = "method-not-allowed"
    status = 405


class UnsupportedVersion(MultisiteError):
    """The requested API version is not served."""

    code = "unsupported-version"
    status = 406


class Conflict(MultisiteError):
    """The request does not fit the present state."""

    code = "conflict"
    status = 409


class GenerationConflict(Conflict):
    """The resource was changed by somebody else in the meantime."""

    code = "generation-conflict"


class AlreadyExists(Conflict):
    """A resource with this name exists."""

    code = "already-exists"


class TooManyRequests(MultisiteError):
    """Too much is asked at a time."""

    code = "too-many-requests"
    status = 429

    def __init__(self, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        #: In so many seconds it is worth to try again, where that is known.
        self.retry_after = retry_after


class CredentialError(MultisiteError):
    """A credential of the server's clouds.yaml cannot be used."""

    code = "credential-unusable"
    status = 409


class RegionAway(MultisiteError):
    """A region or its Keystone did not answer."""

    code = "region-unreachable"
    status = 502


class KeystoneAway(MultisiteError):
    """The home Keystone does not answer, so no token can be checked."""

    code = "keystone-unavailable"
    status = 503


class DatabaseAway(MultisiteError):
    """The database cannot be used."""

    code = "database-unavailable"
    status = 503

    @property
    def told(self) -> str:
        """Without the database's address and the driver's words."""
        return "the database cannot be used now; the log of the service says why"


class DatabaseUnwritable(DatabaseAway):
    """The database cannot be written now: its disk is full, or it is read-only."""

    code = "database-unwritable"
    #: `db/room.py` tells it once; each write that fails for it is no news.
    log_level = logging.DEBUG

    def __init__(self, detail: str = "", reason: str = "") -> None:
        super().__init__(detail)
        self.reason = reason

    @property
    def told(self) -> str:
        """The reason, without the database's address."""
        return f"the database cannot be written now{self.reason and f': {self.reason}'}; reading goes on"


class ConfigurationError(MultisiteError):
    """The configuration cannot be used."""

    code = "configuration"
