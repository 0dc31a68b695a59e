"""Keypairs of a user, read from the regions when asked for and never stored.

A keypair belongs to a user, not to a project. In a region with a Keystone of its own the user is the one with
the same name in the domain with the same name; where there is none, there are no keypairs.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from multisite.errors import NotFound
from multisite.inventory import policies
from multisite.inventory.model import Missing, MissingKind
from multisite.openstack import keystone, nova
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.policy import Policy
from multisite.regions.home import Clients, ask_home
from multisite.regions.model import Identity, Region
from multisite.regions.service import RegionService
from multisite.regions.states import State
from multisite.requester import Requester


@dataclass(frozen=True, slots=True)
class Keypair:
    """One keypair in one region."""

    region: str
    name: str
    type: str
    fingerprint: str
    public_key: str


@dataclass(frozen=True, slots=True)
class User:
    """A user of the home Keystone; names are `None` where they are not known yet."""

    id: str
    name: str | None = None
    domain_name: str | None = None


@dataclass(frozen=True, slots=True)
class Keypairs:
    """The keypairs of a user in all regions, and where they could not be read.

    `missing` names the first of the `missing_regions`.
    """

    keypairs: tuple[Keypair, ...]
    complete: bool
    missing: tuple[MissingKind, ...]
    missing_regions: int


class Reader(Protocol):
    """Reads keypairs now."""

    async def read(self, user: User, regions: Sequence[Region]) -> list[tuple[Keypair, ...] | MissingKind]:
        """The keypairs of each region, or why they are missing; returns at its deadline at the latest."""
        ...


@dataclass(frozen=True, slots=True)
class KeypairReader:
    """Reads keypairs on the region loop; `deadline` (seconds) bounds all of it."""

    clients: Clients
    deadline: float

    async def read(self, user: User, regions: Sequence[Region]) -> list[tuple[Keypair, ...] | MissingKind]:
        """The keypairs of each region, or why they are missing."""
        names = asyncio.create_task(self._names(user, regions))
        try:
            return list(await asyncio.gather(*(self._region(user, region, names) for region in regions)))
        finally:
            names.cancel()

    async def _region(
        self, user: User, region: Region, names: "asyncio.Task[tuple[str, str] | None]"
    ) -> tuple[Keypair, ...] | MissingKind:
        client = self.clients.client(region)
        try:
            async with asyncio.timeout(self.deadline):
                local: str | None = user.id
                if region.identity is Identity.OWN:
                    known = await asyncio.shield(names)
                    local = await _local(client, known) if known else None
                found = await nova.keypairs(client, local) if local else []
            return tuple(_keypair(region, each) for each in found)
        except RegionCallError as error:
            state = State.ABSENT if error.code == "no-endpoint" else State.UNREACHABLE
            return MissingKind(region.name, "compute", state, error.code, error.detail)
        except TimeoutError:
            return MissingKind(region.name, "compute", State.UNREACHABLE, "timeout")
        except GARBAGE as error:
            detail = what_is_odd(error)
            return MissingKind(region.name, "compute", State.UNREACHABLE, "unexpected-answer", detail)

    async def _names(self, user: User, regions: Sequence[Region]) -> tuple[str, str] | None:
        """The user's name and domain, asked of the home Keystone only where a region needs them."""
        if user.name and user.domain_name:
            return user.name, user.domain_name
        if all(region.identity is Identity.HOME for region in regions):
            return None
        return await ask_home(self.clients, regions, lambda client: keystone.user_names(client, user.id))


class KeypairService:
    """Keypairs, for users."""

    def __init__(self, regions: RegionService, reader: Reader, policy: Policy) -> None:
        self._regions = regions
        self._reader = reader
        self._policy = policy

    async def list(
        self, requester: Requester, user_id: str | None = None, names: Sequence[str] = ()
    ) -> Keypairs:
        """A user's keypairs in all regions, or in those called `names`; by default the requester's own.

        Raises `NotFound` for a user whose keypairs are not the requester's to see.
        """
        wanted = user_id or requester.user_id
        if not self._policy.allows(requester, policies.KEYPAIRS, {"user_id": wanted}):
            raise NotFound(f"there is no user {wanted!r}")
        user = User(wanted)
        if wanted == requester.user_id:
            user = User(wanted, requester.user_name, requester.user_domain_name)
        views = await self._regions.views(names)
        read = await self._reader.read(user, [view.region for view in views if view.region.enabled])
        lacking = [each for each in read if isinstance(each, MissingKind) and each.state is not State.ABSENT]
        missing = Missing.of(lacking)
        if not self._policy.allows(requester, policies.LIST_ALL):
            missing = missing.for_tenant()
        keypairs = (keypair for each in read if isinstance(each, tuple) for keypair in each)
        ordered = sorted(keypairs, key=lambda each: (each.name.casefold(), each.region))
        return Keypairs(tuple(ordered), not missing.regions, missing.named, missing.regions)


async def _local(client: RegionClient, names: tuple[str, str]) -> str | None:
    return await keystone.find_user(client, name=names[0], domain_name=names[1])


def _keypair(region: Region, raw: dict[str, object]) -> Keypair:
    return Keypair(
        region=region.name,
        name=str(raw["name"])[:255],
        type=str(raw.get("type") or "ssh")[:64],
        fingerprint=str(raw.get("fingerprint") or "")[:255],
        public_key=str(raw.get("public_key") or "")[:20_000],
    )
