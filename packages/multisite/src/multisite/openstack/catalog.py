"""The service catalog of a token, parsed once.

keystoneauth looks a URL up by walking the whole catalog, which costs milliseconds when it names a
thousand regions. A `Catalog` is a dictionary: built once per token, asked for every call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.openstack.service_types import catalog_rank, our_type


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A service in one region: its type in the catalog, and a URL per interface."""

    catalog_type: str
    urls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalog:
    """region name → service (our spelling) → entry."""

    regions: Mapping[str, Mapping[str, CatalogEntry]]

    def services(self, region_name: str) -> Mapping[str, CatalogEntry]:
        """The services of one region; empty for a region that the catalog does not know."""
        return self.regions.get(region_name, {})

    def url(self, region_name: str, service: str, interface: str) -> str | None:
        """The endpoint of a service, `None` where there is none."""
        entry = self.services(region_name).get(service)
        return entry.urls.get(interface) if entry else None


def parse(services: Iterable[Mapping[str, Any]]) -> Catalog:
    """A `Catalog` from the `token.catalog` list of Keystone v3."""
    found: dict[str, dict[str, CatalogEntry]] = {}
    for service in services:
        catalog_type = str(service.get("type") or "")
        if not catalog_type:
            continue
        for region_name, urls in _urls_by_region(service).items():
            known = found.setdefault(region_name, {})
            ours = our_type(catalog_type)
            if ours not in known or catalog_rank(catalog_type) < catalog_rank(known[ours].catalog_type):
                known[ours] = CatalogEntry(catalog_type, urls)
    return Catalog(found)


def _urls_by_region(service: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    regions: dict[str, dict[str, str]] = {}
    for endpoint in service.get("endpoints") or ():
        region_name = endpoint.get("region_id") or endpoint.get("region")
        url, interface = endpoint.get("url"), endpoint.get("interface")
        if region_name and url and interface:
            regions.setdefault(str(region_name), {}).setdefault(str(interface), str(url))
    return regions
