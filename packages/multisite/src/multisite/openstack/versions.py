"""Which version a service speaks: its version document, read without a token.

Every OpenStack service lists its versions at the root of its endpoint, most with a range of
microversions. Some answer `{"versions": [...]}`, some `{"version": {...}}`, Keystone
`{"versions": {"values": [...]}}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.service_types import unversioned, versioned

_VERSION = re.compile(r"[A-Za-z0-9._-]{1,32}")


@dataclass(frozen=True, slots=True)
class ServiceVersion:
    """A service's API version and range of microversions, as far as it tells them."""

    version: str | None = None
    min_microversion: str | None = None
    max_microversion: str | None = None


async def find_version(client: RegionClient, service: str) -> ServiceVersion:
    """The version that is served at the catalog's endpoint of `service`.

    Raises `RegionCallError` when the service does not answer; a service without a version document
    (object storage, for one) gives an empty `ServiceVersion`.
    """
    endpoint = await client.endpoint(service)
    try:
        answer = await client.fetch(service, unversioned(endpoint) + "/")
    except RegionCallError as error:
        if error.answered or error.code in {"token-rejected", "unexpected-answer"}:
            return ServiceVersion()
        raise
    return choose(answer.body, versioned(service, endpoint))


def choose(document: Mapping[str, Any], url: str) -> ServiceVersion:
    """The entry of a version document that stands for `url`: same major version, else the newest."""
    entries = _entries(document)
    wanted = url.rstrip("/").rsplit("/", 1)[-1].lstrip("v").split(".")[0]
    major = [entry for entry in entries if _numbers(entry.get("id"))[:1] == _numbers(wanted)[:1]]
    candidates = major or entries
    if not candidates:
        return ServiceVersion()
    newest = max(candidates, key=lambda entry: _numbers(entry.get("id")))
    return ServiceVersion(
        version=_text(newest.get("id")),
        min_microversion=_text(newest.get("min_version")),
        max_microversion=_text(newest.get("version")) or _text(newest.get("max_version")),
    )


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = document.get("versions")
    if isinstance(listed, Mapping):
        listed = listed.get("values")
    if not isinstance(listed, list):
        listed = [document.get("version")]
    return [entry for entry in listed if isinstance(entry, Mapping)]


def _text(value: object) -> str | None:
    """A version as text; `None` for what is none, such as a service that lies might send."""
    return value.lstrip("v") if isinstance(value, str) and _VERSION.fullmatch(value) else None


def _numbers(text: object) -> tuple[int, ...]:
    parts = (_text(text) or "").split(".")
    return tuple(int(part) for part in parts if part.isdecimal())
