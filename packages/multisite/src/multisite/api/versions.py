"""The versions of the API: documents at `/` and `/v1`, and the microversion header."""

from typing import Any

import microversion_parse
from fastapi import Request

from multisite.errors import UnsupportedVersion

HEADER = "OpenStack-API-Version"
SERVICE_TYPE = "multisite"
MINIMUM = (1, 0)
MAXIMUM = (1, 0)


def negotiate(header: str | None) -> str:
    """The version that answers, for the header of a request; the lowest one without a header.

    Raises `UnsupportedVersion`.
    """
    if not header:
        return _text(MINIMUM)
    try:
        wanted = microversion_parse.get_version({HEADER.lower(): header}, SERVICE_TYPE)
        if wanted is None:
            return _text(MINIMUM)
        if wanted == "latest":
            return _text(MAXIMUM)
        version = microversion_parse.parse_version_string(wanted)
    except (TypeError, ValueError) as error:
        raise UnsupportedVersion(f"{HEADER}: {header!r} is no version; send: {SERVICE_TYPE} 1.0") from error
    if not MINIMUM <= tuple(version) <= MAXIMUM:
        raise UnsupportedVersion(f"version {wanted} is not served; {_text(MINIMUM)} to {_text(MAXIMUM)} are")
    return str(wanted)


async def versions(request: Request) -> dict[str, Any]:
    """The versions that are served."""
    return {"versions": [_document(request)]}


async def version(request: Request) -> dict[str, Any]:
    """Version 1."""
    return {"version": _document(request)}


def _document(request: Request) -> dict[str, Any]:
    root = request.app.state.public_url or str(request.base_url).rstrip("/")
    return {
        "id": "v1",
        "status": "CURRENT",
        "min_version": _text(MINIMUM),
        "max_version": _text(MAXIMUM),
        "links": [
            {"rel": "self", "href": f"{root}/v1"},
            {"rel": "describedby", "href": f"{root}/openapi.json"},
        ],
    }


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
