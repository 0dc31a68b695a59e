"""Everything that can go wrong between a user and the service, each as one sentence.

A sentence says what is wrong, the service's stable code for it, and what to do: `openstack` prints it and
ends with status 1. What the service says comes first (`errors[0].detail`), which may be advice enough; what
this adds is chosen by the code, or by the HTTP status when the code is not known here. An answer that is not
in the service's error format comes from something else that listens at the endpoint, and the sentence says
so.

Users of the SDK may catch openstacksdk's own classes: `NotFound` is a `NotFoundException`, and so on.
"""

import re
from typing import Any

from openstack import exceptions

#: What to do, where the service's detail does not say it already.
ADVICE = {
    "unauthenticated": "check that your auth_url is the Keystone that multisite uses",
    "forbidden": "operators have the role admin in a project or on the system",
    "project-scope-required": "",
    "generation-conflict": "",
    "already-exists": "choose another name, or change that one with `openstack multisite region set`",
    "credential-unusable": "mend that entry in the clouds.yaml of the server",
    "unsupported-version": "install the osc-multisite that fits the service",
    "region-unreachable": "`openstack multisite health list` shows what answers",
    "keystone-unavailable": "",
    "region-own-keystone": "",
    "region-disabled": "",
    "region-lacks-service": "",
    "region-refused": "",
    "region-unavailable": "`openstack multisite health list` shows what answers",
    "region-failed": "",
    "region-answer-lost": "",
    "action-in-progress": "",
    "idempotency-key-reused": "",
    "not-offered": "",
    "operation-not-cancellable": "",
    "operation-not-retryable": "",
    "quota-cap-exceeded": "`openstack multisite quota cap list` shows the caps",
    "too-many-requests": "",
    "database-unavailable": "tell the operator of multisite",
}
ADVICE_BY_STATUS = {
    400: "see the command's --help",
    401: ADVICE["unauthenticated"],
    403: ADVICE["forbidden"],
    409: "look at the present state, then decide",
    500: "tell the operator of multisite, with the id of the request",
    503: "try again shortly, and tell the operator of multisite if it stays",
}
_NAMES = "`openstack multisite region list` shows the names"
#: What to do about something that is not there, by what the service says of it.
ADVICE_BY_DETAIL = {
    r"^there (is no region|are no regions) called ": _NAMES,
    r"^there is no project ": "give the id of a project that the home Keystone has",
    r"^there is no quota class ": "`openstack multisite quota class list` shows them",
}
#: The same, by its path.
ADVICE_NOT_FOUND = {
    r"/v1/(regions|capacity)/(?!discover$)": _NAMES,
    r"/v1/operations/": "`openstack multisite operation list` shows those that you may see",
    r"/v1/quotas/": "`openstack multisite quota list` shows the projects whose limits multisite keeps",
    r"/v1/usage/": "give a project's id, or a name that you may look up in Keystone; others' use is hidden",
}
#: What is said when something answers with a status alone, as a proxy or a token filter does.
WITHOUT_BODY = {
    401: ("unauthenticated", "multisite does not accept the token"),
    403: ("forbidden", "multisite does not allow this"),
    503: ("unavailable", "multisite is not available"),
}


class MultisiteError(exceptions.SDKException):
    """Something went wrong between here and the service."""


class NoEndpoint(MultisiteError):
    """No endpoint of type 'multisite' is known for this cloud."""

    def __init__(self) -> None:
        super().__init__(
            "The catalog has no endpoint of type 'multisite': give --os-multisite-endpoint-override URL, set "
            "multisite_endpoint_override in clouds.yaml, or ask the operator to register the service."
        )


class ServiceAway(MultisiteError):
    """The service cannot be reached."""

    def __init__(self, url: str, error: Exception) -> None:
        kind = type(error).__name__
        if kind == "SSLError":
            sentence = f"TLS with multisite at {url} failed: check --os-cacert and the endpoint's scheme"
        elif kind == "ConnectTimeout":
            sentence = f"multisite at {url} did not answer in time: try again, or look at the service's log"
        else:
            found = re.search(r"\[Errno -?\d+\] ([\w ]+)", str(error))
            reason = found[1].lower() if found else "the connection failed"
            sentence = f"Cannot reach multisite at {url} ({reason}): check that it runs, and the endpoint"
        super().__init__(f"{sentence}.")


class NotMultisite(MultisiteError):
    """Something answers at the endpoint that does not speak this API."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"{url} answered HTTP {status}, but not as multisite does: check the endpoint "
            "(`openstack catalog show multisite`, --os-multisite-endpoint-override)."
        )
        self.status_code = status


class ApiError(exceptions.HttpException):
    """The service refused: `code` is its stable code, `str()` a sentence with advice."""

    def __init__(self, response: Any, code: str, detail: str) -> None:
        super().__init__(message=detail, response=response, details=detail)
        self.code = code
        self.sentence = self._sentence(response)

    def __str__(self) -> str:
        return self.sentence

    def _sentence(self, response: Any) -> str:
        marks = self.code
        if response.status_code >= 500 and self.request_id:  # noqa: PLR2004 - the server's side
            marks += f", {self.request_id}"
        what = " ".join(str(self.message).split()).rstrip(".")
        advice = _advice(self.code, response.status_code, str(self.url), what)
        return f"{what} ({marks}): {advice}." if advice else f"{what} ({marks})."


def _advice(code: str, status: int, url: str, detail: str) -> str | None:
    if code in ADVICE:
        return ADVICE[code]
    if status == 404:  # noqa: PLR2004 - not found
        found = [advice for said, advice in ADVICE_BY_DETAIL.items() if re.search(said, detail)]
        found += [advice for path, advice in ADVICE_NOT_FOUND.items() if re.search(path, url)]
        return found[0] if found else None
    return ADVICE_BY_STATUS.get(status)


class BadRequest(ApiError, exceptions.BadRequestException):
    """The service did not understand the request."""


class Forbidden(ApiError, exceptions.ForbiddenException):
    """The policy does not allow this."""


class NotFound(ApiError, exceptions.NotFoundException):
    """There is no such resource, or not for this user."""


class Conflict(ApiError, exceptions.ConflictException):
    """The request does not fit the present state."""


_CLASSES: dict[int, type[ApiError]] = {400: BadRequest, 403: Forbidden, 404: NotFound, 409: Conflict}


def from_response(response: Any) -> Exception:
    """The exception for an answer of status 400 and above."""
    status = response.status_code
    try:
        error = response.json()["errors"][0]
        code, detail = str(error["code"]), str(error.get("detail") or error["title"])
    except (ValueError, KeyError, IndexError, TypeError):
        if status not in WITHOUT_BODY:
            return NotMultisite(response.url, status)
        code, detail = WITHOUT_BODY[status]
    return _CLASSES.get(status, ApiError)(response, code, detail)
