"""Looking at regions on demand: which ones a catalog has, and what a credential lacks.

Both call Keystone and the services at once, on the region loop, past the sweep.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from multisite.errors import BadRequest, CredentialError, RegionAway
from multisite.openstack import cinder, glance, neutron, nova, placement
from multisite.openstack.client import RegionClient, Regions
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.openstack.loop import RegionLoop
from multisite.regions.discovery import endpoints, target_of
from multisite.regions.model import NAME_PATTERN, RESERVED_NAMES, Endpoint, Identity, Interface, Region


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried with a region's credential; `code` says why it failed, and is stable."""

    check: str
    ok: bool
    detail: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """What a test of a region found; `summary` says in one line what the credential lacks.

    `code` is that of the first check that failed.
    """

    ok: bool
    summary: str
    checks: tuple[Check, ...]
    code: str | None = None


async def _images(client: RegionClient) -> None:
    async for _ in glance.images(client):
        return


#: Failures of the credential; all others are failures of the region. Part of the API.
LACKING, NOT_IN_CATALOG = "credential-lacking", "region-not-in-catalog"
_OF_CREDENTIAL = frozenset({LACKING, NOT_IN_CATALOG, "forbidden"})


#: What each service has to allow, by a call that needs the role that sweeps need.
NEEDED: dict[str, Callable[[RegionClient], Awaitable[object]]] = {
    "compute": nova.services,
    "placement": placement.resource_providers,
    "volume": cinder.pools,
    "network": neutron.ip_availabilities,
    "image": _images,
}


class Examiner:
    """Calls regions for `RegionService`."""

    def __init__(self, loop: RegionLoop, clients: Regions, home_auth_url: str) -> None:
        self._loop = loop
        self._clients = clients
        self._home = home_auth_url

    async def catalog_regions(
        self, credential: str, interface: Interface, identity: Identity | None, prefix: str
    ) -> list[tuple[Region, list[Endpoint]]]:
        """The regions of the catalog that `credential` sees, ready to be registered.

        Raises `CredentialError` when the credential cannot be used, `RegionAway` when Keystone is away.
        """
        return await self._loop.run(self.regions_of_catalog(credential, interface, identity, prefix))

    async def require_credential(self, name: str) -> None:
        """Raise `BadRequest` where the server's clouds.yaml has no entry `name`, or cannot be read."""
        try:
            known = await asyncio.to_thread(self._clients.clouds.names)
        except RegionCallError as error:
            raise BadRequest(f"credential: {error.detail}") from error
        if name not in known:
            raise BadRequest(f"credential: {self._clients.clouds.lacks(name, known)}")

    async def examine(self, region: Region) -> Examination:
        """Authenticate, then call every service as a sweep does."""
        return await self._loop.run(self.examination(region))

    async def regions_of_catalog(
        self, credential: str, interface: Interface, identity: Identity | None, prefix: str
    ) -> list[tuple[Region, list[Endpoint]]]:
        """As `catalog_regions`, for work that is on the region loop already."""
        try:
            entry = self._clients.clouds.credential(credential)
            access = await self._clients.tokens.access(entry)
        except RegionCallError as error:
            kind = RegionAway if error.code == "keystone-unreachable" else CredentialError
            raise kind(error.detail) from error
        if identity is None:
            identity = Identity.HOME if _same_keystone(entry.auth_url, self._home) else Identity.OWN
        found = []
        for position, region_name in enumerate(sorted(access.catalog.regions)):
            name = _name(prefix + region_name)
            region = Region(name, region_name, credential, interface, identity, position=position)
            found.append((region, await endpoints(RegionClient.once(self._clients, target_of(region)))))
        return found

    async def examination(self, region: Region) -> Examination:
        """As `examine`, for work that is on the region loop already."""
        client = RegionClient.once(self._clients, target_of(region))
        try:
            access = await client.access()
        except RegionCallError as error:
            return _only(Check("token", ok=False, detail=error.detail, code=error.code))
        if region.region_name not in access.catalog.regions:
            known = ", ".join(sorted(access.catalog.regions)) or "none"
            detail = (
                f"the catalog of {region.credential!r} has no region {region.region_name!r}; it has: {known}"
            )
            return _only(Check("catalog", ok=False, detail=detail, code=NOT_IN_CATALOG))
        checks = [_roles(access.roles)]
        checks += await asyncio.gather(*(_try(client, service) for service in NEEDED))
        return _examination(region, checks)


async def _try(client: RegionClient, service: str) -> Check:
    try:
        await NEEDED[service](client)
    except RegionCallError as error:
        if error.code == "no-endpoint":
            return Check(service, ok=True, detail="not in the catalog")
        return Check(service, ok=False, detail=error.detail, code=error.code)
    except GARBAGE as error:
        return Check(service, ok=False, detail=what_is_odd(error), code="unexpected-answer")
    return Check(service, ok=True, detail="may read what a sweep reads")


def _roles(roles: frozenset[str]) -> Check:
    """Without `admin` some services answer with the credential's own project alone, and no error."""
    held = ", ".join(sorted(roles)) or "none"
    if "admin" in roles:
        return Check("roles", ok=True, detail=held)
    detail = f"role admin, which reads all projects; it has: {held}"
    return Check("roles", ok=False, detail=detail, code=LACKING)


def _only(check: Check) -> Examination:
    """An examination that ended with its first check."""
    return Examination(ok=False, summary=check.detail, checks=(check,), code=check.code)


def _examination(region: Region, checks: list[Check]) -> Examination:
    failed = [check for check in checks if not check.ok]
    if not failed:
        summary = f"the credential {region.credential!r} has all that multisite needs in {region.name}"
        return Examination(ok=True, summary=summary, checks=tuple(checks))
    told = []
    if lacking := [check for check in failed if check.code in _OF_CREDENTIAL]:
        told.append(f"the credential {region.credential!r} lacks: {_named(lacking)}")
    if stumbling := [check for check in failed if check.code not in _OF_CREDENTIAL]:
        told.append(f"in {region.name} these do not answer as they have to: {_named(stumbling)}")
    return Examination(ok=False, summary="; ".join(told), checks=tuple(checks), code=failed[0].code)


def _named(checks: Iterable[Check]) -> str:
    return "; ".join(f"{check.check} ({check.detail})" for check in checks)


def _same_keystone(one: str, other: str) -> bool:
    return one.rstrip("/").removesuffix("/v3") == other.rstrip("/").removesuffix("/v3")


def _name(text: str) -> str:
    """A region's name from its catalog, with what does not fit into a URL segment replaced."""
    if text in RESERVED_NAMES:
        return f"region-{text}"
    if NAME_PATTERN.fullmatch(text):
        return text
    cleaned = "".join(char if NAME_PATTERN.fullmatch("a" + char) else "-" for char in text)[:255]
    return cleaned if NAME_PATTERN.fullmatch(cleaned) else f"region-{cleaned.lstrip('-._~')}"[:255]
