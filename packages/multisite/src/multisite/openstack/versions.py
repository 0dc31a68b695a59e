"""Which version a service speaks: its version document, read without a token.

Every OpenStack service lists its versions at the root of its endpoint, most with a range of
microversions. Some answer `{"versions": [...]}`, some `{"version": {...}}`, Keystone
`{"versions": {"values": [...]}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.service_types import unversioned, versioned


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
        version=str(newest.get("id") or "").lstrip("v") or None,
        min_microversion=newest.get("min_version") or None,
        max_microversion=newest.get("version") or newest.get("max_version") or None,
    )


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = document.get("versions")
    if isinstance(listed, Mapping):
        listed = listed.get("values")
    if not isinstance(listed, list):
        listed = [document.get("version")]
    return [entry for entry in listed if isinstance(entry, Mapping)]


def _numbers(text: object) -> tuple[int, ...]:
    parts = str(text or "").lstrip("v").split(".")
    return tuple(int(part) for part in parts if part.isdigit())
