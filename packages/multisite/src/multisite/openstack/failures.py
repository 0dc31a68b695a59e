"""Why a call to a region failed: one exception, a closed list of codes.

The codes are part of the API (tenants see them, details stay with operators) and documented in
docs/reference/errors.md.
"""

from multisite.openstack.figures import Impossible

CODES = {
    "connection-refused": "Nothing listens at the endpoint.",
    "connection-failed": "The endpoint cannot be reached: name, route, TLS, or the connection broke.",
    "timeout": "The service did not answer within the deadline.",
    "breaker-open": "The service failed repeatedly and is left alone for a while.",
    "token-rejected": "The service refused the token, also a new one.",
    "forbidden": "The credential lacks a role that this call needs.",
    "not-found": "The service does not know this route or resource.",
    "rate-limited": "The service asks to be called less often.",
    "server-error": "The service answered with an error of its own.",
    "unexpected-answer": "The service answered something other than OpenStack does.",
    "no-endpoint": "The catalog names no endpoint for this service in this region.",
    "keystone-unreachable": "The Keystone that gives the token does not answer.",
    "authentication-failed": "Keystone refused the credential.",
    "credential-unusable": "The server's clouds.yaml has no such entry, or it is not complete.",
}

#: What taking an answer apart raises when it has not the form that OpenStack gives it.
GARBAGE = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)


def what_is_odd(error: Exception) -> str:
    """A sentence on what is wrong with an answer, from one of `GARBAGE`."""
    if isinstance(error, Impossible):
        return str(error)
    if isinstance(error, KeyError):
        return f"the answer lacks {error}"[:300]
    return f"the answer has not the form that it should have ({type(error).__name__}: {error})"[:300]


class RegionCallError(Exception):
    """A call to a region failed.

    `code` is one of `CODES`; `detail` is a sentence for operators, which may name internal addresses
    but never holds a secret. `status` is the HTTP status where there was one, `retry_after` (seconds)
    what the service asked for.
    """

    def __init__(
        self, code: str, detail: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        if code not in CODES:
            raise ValueError(f"{code!r} is not a failure code")
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after = retry_after

    @property
    def answered(self) -> bool:
        """Whether the service itself is alive: it refused this call, but it did answer."""
        return self.code in {"forbidden", "not-found", "rate-limited"}

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed at once when it is repeated."""
        return self.code in {"connection-refused", "connection-failed", "rate-limited"} or self.status in {
            502,
            503,
            504,
        }
