"""What the simulator has to know of each service: its paths, versions, and how it refuses."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from multisite.sim.http import Answer, Json, Refusal, Version, to_bytes
from multisite.sim.routing import Routes

Form = Callable[[Refusal], Answer]


@dataclass(frozen=True, slots=True)
class Microversions:
    """The range of a service's microversions; `word` is what the header calls the service."""

    word: str
    least: Version
    most: Version

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
        major, _, minor = text.partition(".")
        if not (major.isdigit() and minor.isdigit()):
            raise Refusal(
                400, f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum."
            )
        version = (int(major), int(minor))
        if not self.least <= version <= self.most:
            least, most = write_version(self.least), write_version(self.most)
            raise Refusal(
                406, f"Version {text} is not supported by the API. Minimum is {least} and maximum is {most}."
            )
        return version


@dataclass(frozen=True, slots=True)
class Service:
    """One service: `kind` as multisite's users call it, `segment` in the path after the region's name.

    `version` is the path segment of its API's version, empty where there is none.
    """

    kind: str
    segment: str
    version: str
    routes: Routes
    refuse: Form
    versions: Callable[[str], Answer]
    microversions: Microversions | None = None
    open_routes: frozenset[str] = frozenset()


def write_version(version: Version) -> str:
    """`(2, 53)` as `2.53`."""
    return f"{version[0]}.{version[1]}"


_NOVA_KINDS = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}  # fmt: skip


def nova_form(refusal: Refusal) -> Answer:
    """Nova's and Cinder's errors: the kind is the key."""
    kind = _NOVA_KINDS.get(refusal.status, "computeFault")
    body: Json = {kind: {"code": refusal.status, "message": refusal.message}}
    return Answer(refusal.status, body, refusal.headers)


def neutron_form(refusal: Refusal) -> Answer:
    """Neutron's errors name the exception."""
    kind = refusal.kind if refusal.kind[:1].isupper() else _neutron_kind(refusal.status)
    body = {"NeutronError": {"type": kind, "message": refusal.message, "detail": ""}}
    return Answer(refusal.status, body, refusal.headers)


def _neutron_kind(status: int) -> str:
    kinds = {400: "HTTPBadRequest", 403: "PolicyNotAuthorized", 404: "HTTPNotFound", 409: "Conflict"}
    return kinds.get(status, "HTTPInternalServerError")


def glance_form(refusal: Refusal) -> Answer:
    """Glance answers errors as a small page."""
    words = {
        400: "Bad Request",
        403: "Forbidden",
        404: "Not Found",
        409: "Conflict",
        413: "Request Entity Too Large",
    }
    title = f"{refusal.status} {words.get(refusal.status, 'Error')}"
    page = (
        f"<html>\n <head>\n  <title>{title}</title>\n </head>\n <body>\n  <h1>{title}</h1>\n"
        f"  {refusal.message}<br /><br />\n\n\n </body>\n</html>"
    )
    return Answer(
        refusal.status, page.encode(), {"Content-Type": "text/html; charset=UTF-8"} | refusal.headers
    )


def keystone_form(refusal: Refusal) -> Answer:
    """Keystone's errors, which its middleware sends too, in front of every service."""
    words = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict"}
    title = words.get(refusal.status, "Error")
    body: Json = {"error": {"code": refusal.status, "message": refusal.message, "title": title}}
    return Answer(refusal.status, body, refusal.headers)


def placement_form(refusal: Refusal) -> Answer:
    """Placement's errors follow the API-SIG."""
    words = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 406: "Not Acceptable", 409: "Conflict"}
    error: Json = {
        "status": refusal.status,
        "title": words.get(refusal.status, "Error"),
        "detail": refusal.message,
        "request_id": f"req-{uuid.uuid4()}",
    }
    return Answer(refusal.status, to_bytes({"errors": [error]}), refusal.headers)
