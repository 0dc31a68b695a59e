"""What the simulator has to know of each service: its paths, versions, and how it refuses."""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from multisite.sim.http import Answer, Json, Refusal, Version, to_bytes
from multisite.sim.routing import Routes

Form = Callable[[Refusal], Answer]


@dataclass(frozen=True, slots=True)
class Microversions:
    """The range of a service's microversions; `word` is what the header calls the service.

    `strict`: a version has to be well formed, and one out of range is told back in the header (Placement
    does neither).
    """

    word: str
    least: Version
    most: Version
    vary: str = "OpenStack-API-Version"
    strict: bool = True

    def headers(self, version: Version) -> dict[str, str]:
        """What an answer at this version says of it."""
        return {"OpenStack-API-Version": f"{self.word} {write_version(version)}", "Vary": self.vary}

    def read(self, headers: Mapping[str, str]) -> Version:
        """The version that a request asks for. Raises `Refusal` (400, 406)."""
        for asked in (headers.get("openstack-api-version") or "").split(","):
            word, _, text = asked.strip().partition(" ")
            if word == self.word:
                return self._parse(text.strip())
        return self.least

    def _parse(self, text: str) -> Version:
        if text == "latest":
            return self.most
        if not re.fullmatch(r"[1-9]\d*\.(0|[1-9]\d*)" if self.strict else r"\d+\.\d+", text):
            raise Refusal(
                400, f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
            )
        major, _, minor = text.partition(".")
        version = (int(major), int(minor))
        if not self.least <= version <= self.most:
            least, most = write_version(self.least), write_version(self.most)
            raise Refusal(
                406, f"Version {text} is not supported by the API. Minimum is {least} and maximum is {most}.",
                headers=self.headers(version) if self.strict else {},
                more={} if self.strict else {"min_version": least, "max_version": most},
            )  # fmt: skip
        return version


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `kind` as multisite's users call it, `segment` in the path after the region's name.

    `version` is the path segment of its API's version, empty where there is none. `refuse` writes the
    errors of its own code, `lost` those of its router, `unauthorized` those of what checks its tokens;
    `headers` are in all its answers.
    """

    kind: str
    segment: str
    version: str
    routes: Routes
    refuse: Form
    versions: Callable[[str], Answer]
    lost: Form
    unauthorized: Form
    microversions: Microversions | None = None
    open_routes: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)


def write_version(version: Version) -> str:
    """`(2, 53)` as `2.53`."""
    return f"{version[0]}.{version[1]}"


_NOVA_KINDS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}  # fmt: skip


def nova_form(refusal: Refusal) -> Answer:
    """Nova's errors: the kind is the key."""
    answer = cinder_form(refusal)
    answer.headers = {"Content-Type": "application/json; charset=UTF-8"} | answer.headers
    return answer


def cinder_form(refusal: Refusal) -> Answer:
    """Cinder's errors, which were Nova's once."""
    error: Json = {"code": refusal.status, "message": refusal.message}
    if "Retry-After" in refusal.headers:
        error["retryAfter"] = refusal.headers["Retry-After"]
    return Answer(refusal.status, {_NOVA_KINDS.get(refusal.status, "computeFault"): error}, refusal.headers)


def neutron_form(refusal: Refusal) -> Answer:
    """Neutron's errors name the exception."""
    kind = refusal.kind if refusal.kind[:1].isupper() else _neutron_kind(refusal.status)
    body = {"NeutronError": {"type": kind, "message": refusal.message, "detail": ""}}
    headers = {name: value for name, value in refusal.headers.items() if name != "Allow"}
    return Answer(refusal.status, body, headers)


def _neutron_kind(status: int) -> str:
    kinds = {
        400: "HTTPBadRequest", 403: "PolicyNotAuthorized", 404: "HTTPNotFound", 405: "HTTPMethodNotAllowed",
        409: "Conflict",
    }  # fmt: skip
    return kinds.get(status, "HTTPInternalServerError")


def webob_form(refusal: Refusal) -> Answer:
    """The errors of the library below Nova, Cinder and Glance: JSON if asked for, else a small page."""
    title = _title(refusal.status)
    code = f"{refusal.status} {title}"
    if "json" in refusal.accept:
        message = f"{refusal.message}<br /><br />\n\n\n"
        return Answer(refusal.status, {"message": message, "code": code, "title": title}, refusal.headers)
    page = (
        f"<html>\n <head>\n  <title>{code}</title>\n </head>\n <body>\n  <h1>{code}</h1>\n"
        f"  {refusal.message}<br /><br />\n\n\n </body>\n</html>"
    )
    headers = {"Content-Type": "text/html; charset=UTF-8"} | refusal.headers
    return Answer(refusal.status, page.encode(), headers)


def mapper_form(refusal: Refusal) -> Answer:
    """Nova and Cinder look up path and method together: what they do not find is 404."""
    found = Refusal(404, "The resource could not be found.")
    found.accept = refusal.accept
    return webob_form(found)


def flask_form(refusal: Refusal) -> Answer:
    """The errors of the library below Keystone: a page for an unknown path, JSON for a wrong method."""
    if refusal.status != HTTPStatus.NOT_FOUND:
        allowed = {"Allow": f"{refusal.headers.get('Allow', '')}, HEAD, OPTIONS"}
        return Answer(
            refusal.status, {"message": "The method is not allowed for the requested URL."}, allowed
        )
    page = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    return Answer(404, page.encode(), {"Content-Type": "text/html; charset=utf-8"} | refusal.headers)


def keystone_form(refusal: Refusal) -> Answer:
    """Keystone's errors, which its middleware sends too, in front of every service."""
    error: Json = {"code": refusal.status, "message": refusal.message, "title": _title(refusal.status)}
    return Answer(refusal.status, {"error": error | refusal.more}, refusal.headers)


def placement_form(refusal: Refusal) -> Answer:
    """Placement's errors follow the API-SIG."""
    error: Json = {
        "status": refusal.status,
        "title": _title(refusal.status),
        "detail": refusal.message,
        "request_id": f"req-{uuid.uuid4()}",
    }
    return Answer(refusal.status, to_bytes({"errors": [error | refusal.more]}), refusal.headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
