"""Where the multisite service is, for any clouds.yaml entry.

There is one multisite for many regions, while an entry of clouds.yaml names one region. Looking it up as
any other service, in that region only, would make the commands work with some entries and not with
others. So the order is:

1. `multisite_endpoint_override`: global option, environment, or the clouds.yaml entry;
2. the endpoint that the authentication itself carries (`--os-endpoint` with `none` or `token_endpoint`);
3. the catalog's endpoint of type `multisite` in the entry's region;
4. the catalog's endpoint of type `multisite` in any region.

Within 3 and 4 the entry's interface comes first, then the public one, then any other. The catalog is read
as it stands in the token, once, because keystoneauth's own lookups copy it as a whole: with thousands of
regions that takes longer than everything else.
"""

from collections.abc import Iterable
from typing import Any

from osc_multisite.errors import MultisiteError, NoEndpoint

SERVICE_TYPE = "multisite"


def find_endpoint(config: Any) -> str:
    """The base URL, without the version, for an `openstack.config.cloud_region.CloudRegion`.

    Raises:
        NoEndpoint: neither the configuration nor the catalog names one.
        MultisiteError: what the configuration names is no URL.
    """
    url = config.get_endpoint(SERVICE_TYPE) or _from_authentication(config)
    if not url:
        raise NoEndpoint
    if not str(url).startswith(("http://", "https://")):
        raise MultisiteError(f"The multisite endpoint '{url}' is no URL: it is like http://HOST:8118.")
    return str(url).rstrip("/").removesuffix("/v1")


def _from_authentication(config: Any) -> str | None:
    session = config.get_session()
    plugin = session.auth
    if not hasattr(plugin, "get_access"):
        return str(plugin.get_endpoint(session) or "") or None
    interfaces = config.get_interface(SERVICE_TYPE) or []
    return choose(
        plugin.get_access(session).service_catalog.catalog,
        region=config.get_region_name(SERVICE_TYPE),
        interfaces=[interfaces] if isinstance(interfaces, str) else interfaces,
    )


def choose(catalog: Iterable[Any], *, region: str | None, interfaces: Iterable[str]) -> str | None:
    """The best endpoint of type `multisite` in a token's catalog, `None` when there is none."""
    wanted = [*interfaces, "public"]

    def distance(endpoint: dict[str, Any]) -> tuple[bool, int]:
        regions = (endpoint.get("region_id"), endpoint.get("region"))
        interface = endpoint.get("interface", "")
        rank = wanted.index(interface) if interface in wanted else len(wanted)
        return region not in regions, rank

    endpoints = [
        endpoint
        for service in catalog
        if service.get("type") == SERVICE_TYPE
        for endpoint in service.get("endpoints", [])
        if endpoint.get("url")
    ]
    return str(min(endpoints, key=distance)["url"]) if endpoints else None
