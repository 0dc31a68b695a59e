"""Service types: the many spellings of a catalog, and the one of multisite.

A catalog may say `block-storage`, `volumev3` or `volume`; the service-types authority knows the
aliases. We use its official names, but `volume` for block storage, as the commands of users do.
"""

from functools import cache

import os_service_types

VOLUME = "volume"
_OFFICIAL_VOLUME = "block-storage"

#: What has to follow the catalog's URL when that ends before the API's version.
_VERSION_SEGMENT = {"identity": "v3", "network": "v2.0", "image": "v2", VOLUME: "v3", "compute": "v2.1"}


@cache
def _authority() -> os_service_types.ServiceTypes:
    return os_service_types.ServiceTypes()


@cache
def our_type(catalog_type: str) -> str:
    """The service type as multisite spells it, for any spelling that a catalog uses."""
    official = _authority().get_service_type(catalog_type) or catalog_type
    return VOLUME if official == _OFFICIAL_VOLUME else str(official)


def catalog_rank(catalog_type: str) -> int:
    """Which spelling to prefer when a catalog has several of one service; lower is better."""
    preferred = ("block-storage", "volumev3", "block-store", "volume", "volumev2")
    if our_type(catalog_type) != VOLUME:
        return 0
    return preferred.index(catalog_type) if catalog_type in preferred else len(preferred)


def versioned(service: str, url: str) -> str:
    """The URL under which the routes of a service's API begin, without a trailing slash."""
    url = url.rstrip("/")
    segment = _VERSION_SEGMENT.get(service)
    if segment is None or _version_index(url) is not None:
        return url
    return f"{url}/{segment}"


def unversioned(url: str) -> str:
    """The URL up to its version segment: where the service lists its versions."""
    parts = url.rstrip("/").split("/")
    index = _version_index(url)
    return "/".join(parts if index is None else parts[:index])


def _version_index(url: str) -> int | None:
    parts = url.rstrip("/").split("/")
    for index, part in enumerate(parts[3:], start=3):
        if part[:1] == "v" and part[1:].replace(".", "").isdigit():
            return index
    return None
