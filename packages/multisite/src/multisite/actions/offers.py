"""What a region offers for something new: images, flavors with how many fit, networks, keypairs, zones.

Images, networks and security groups come from the inventory, how many fit from what sweeps stored. Flavors,
keypairs, zones, volume types and which external networks are shared are asked of the region in the user's
name: which ones a project may use, only the region knows. What does not answer is missing, and named; the
rest is shown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multisite.actions.lines import line
from multisite.actions.performer import Performer
from multisite.actions.policies import OFFERS
from multisite.actions.service import region_to_act_in, require_reachable
from multisite.capacity.service import CapacityService
from multisite.inventory.model import InventoryRow, MissingKind
from multisite.inventory.service import InventoryService
from multisite.openstack import cinder, neutron, nova
from multisite.openstack.failures import GARBAGE
from multisite.openstack.figures import natural
from multisite.openstack.once import NeverSent, NoService
from multisite.openstack.users import Refused, UserClient, UserToken
from multisite.policy import OPERATOR_READER, Policy
from multisite.regions.model import Region
from multisite.regions.service import RegionService
from multisite.regions.states import MISSING_STATES, Freshness, State
from multisite.requester import Requester
from multisite.usage.service import UsageService

#: What a flavor takes of a project's limits: the resource, and the field of the flavor (`None`: one server).
LIMITS: Mapping[str, str | None] = {"compute/instances": None, "compute/cores": "vcpus", "compute/ram": "ram"}

#: The services whose figures say how many servers fit.
FITTING = ("placement", "compute")


@dataclass(frozen=True, slots=True)
class OfferedFlavor:
    """A flavor, and how many servers of it fit: for tenants no more than their limits leave.

    `fits` is an upper bound, `null` where nothing is known; `ram` is in MiB, `disk` in GiB.
    """

    id: str
    name: str
    vcpus: int
    ram: int
    disk: int
    fits: int | None


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What fits, by flavor; what limits leave (`None`: they are not asked); whose figures are missing."""

    fits: Mapping[str, int]
    left: Mapping[str, int] | None
    missing: tuple[MissingKind, ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be chosen from in a region, and which of its services did not tell."""

    region: str
    images: tuple[InventoryRow, ...]
    flavors: tuple[OfferedFlavor, ...]
    networks: tuple[InventoryRow, ...]
    security_groups: tuple[InventoryRow, ...]
    keypairs: tuple[str, ...]
    availability_zones: tuple[str, ...]
    volume_types: tuple[str, ...]
    complete: bool
    missing: tuple[MissingKind, ...]


_READS: Mapping[str, tuple[str, Callable[[UserClient], Awaitable[list[Any]]]]] = {
    "flavors": ("compute", nova.own_flavors),
    "keypairs": ("compute", nova.own_keypairs),
    "zones": ("compute", nova.zones),
    "external": ("network", neutron.external_networks),
    "volume_types": ("volume", cinder.own_volume_types),
}


class OfferService:
    """What regions offer, for users."""

    def __init__(
        self,
        inventory: InventoryService,
        capacity: CapacityService,
        usage: UsageService,
        regions: RegionService,
        performer: Performer,
        policy: Policy,
    ) -> None:
        self._inventory = inventory
        self._capacity = capacity
        self._usage = usage
        self._regions = regions
        self._performer = performer
        self._policy = policy

    async def show(self, requester: Requester, token: UserToken, name: str) -> Offers:
        """What a region offers the requester's project. Raises `NotFound`, `RegionOwnKeystone`."""
        self._policy.require(requester, OFFERS)
        region = await region_to_act_in(self._regions, requester, name)
        require_reachable(region, line(region, ["flavor", "list"]))
        stored = [
            self._inventory.usable(requester, plural, region.name)
            for plural in ("images", "networks", "security-groups")
        ]
        reads = [self._read(requester, token, region, what) for what in _READS]
        (images, networks, groups), bounds, answers = await asyncio.gather(
            asyncio.gather(*stored), self._bounds(requester, region), asyncio.gather(*reads)
        )
        told = dict(zip(_READS, answers, strict=True))
        lists = {name: found for name, (found, _) in told.items()}
        missing = {(each.service, each.code): each for each in bounds.missing}
        missing |= {(each.service, each.code): each for _, each in answers if each is not None}
        for _, lacking in (images, networks, groups):
            missing |= {(each.service, each.code): each for each in lacking}
        flavors = (_flavor(raw, bounds) for raw in lists["flavors"])
        return Offers(
            region=region.name,
            images=tuple(row for row in images[0] if row.status == "active"),
            flavors=tuple(sorted(flavors, key=lambda each: (each.vcpus, each.ram, each.disk, each.name))),
            networks=tuple(row for row in networks[0] if _pluggable(row, requester, told["external"])),
            security_groups=groups[0],
            keypairs=tuple(sorted(lists["keypairs"])),
            availability_zones=tuple(sorted(lists["zones"])),
            volume_types=tuple(sorted(lists["volume_types"])),
            complete=not missing,
            missing=tuple(missing.values()),
        )

    async def _bounds(self, requester: Requester, region: Region) -> _Bounds:
        """How many of each flavor fit: nobody knows where the figures are old, or were not believed."""
        (view,) = await self._regions.views([region.name])
        missing = _lacking(region, view.services, FITTING)
        fits = await self._capacity.fits(region)
        if self._policy.allows(requester, OPERATOR_READER.removeprefix("rule:")):
            return _Bounds(fits, None, missing)
        found = await self._usage.show(requester, requester.project_id or "", names=[region.name])
        usage = found.regions[0]
        left = {name: usage.resources[name].left for name in LIMITS if name in usage.resources}
        known = {name: value for name, value in left.items() if value is not None}
        return _Bounds(fits, known, (*missing, *_lacking(region, usage.services, ("compute",))))

    async def _read(
        self, requester: Requester, token: UserToken, region: Region, what: str
    ) -> tuple[list[Any], MissingKind | None]:
        service, read = _READS[what]

        async def work() -> list[Any]:
            return await read(self._performer.client(region, token, requester.request_id))

        try:
            found = await self._performer.loop.run(work())
            return [_proper(raw) for raw in found] if what == "flavors" else found, None
        except NoService:
            return [], None
        except (NeverSent, Refused, *GARBAGE) as error:
            return [], MissingKind(region.name, service, State.UNREACHABLE, _code(error))


def _pluggable(row: InventoryRow, requester: Requester, told: tuple[list[Any], MissingKind | None]) -> bool:
    """Whether the requester may plug servers into a network: external ones only if shared, or as an admin."""
    unshared, failure = told
    if not row.attributes.get("external") or "admin" in requester.roles:
        return True
    return failure is None and row.id not in unshared


def _code(error: Exception) -> str:
    if isinstance(error, Refused):
        return "forbidden"
    return "unexpected-answer" if isinstance(error, GARBAGE) else "connection-failed"


def _lacking(
    region: Region, services: Mapping[str, Freshness], names: Iterable[str]
) -> tuple[MissingKind, ...]:
    """Those of the services whose figures are not fresh."""
    return tuple(
        MissingKind(region.name, name, found.state, found.error.code if found.error else None)
        for name in names
        if (found := services[name]).state in MISSING_STATES
    )


def _proper(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A flavor with the fields that are needed, of their kinds. Raises one of `GARBAGE`."""
    numbers = {name: natural(raw[name], name) for name in ("vcpus", "ram", "disk")}
    return {"id": str(raw["id"]), "name": str(raw["name"]), **numbers}


def _flavor(raw: Mapping[str, Any], bounds: _Bounds) -> OfferedFlavor:
    if bounds.missing:
        return OfferedFlavor(**raw, fits=None)
    room = [bounds.fits[raw["id"]]] if raw["id"] in bounds.fits else []
    return OfferedFlavor(**raw, fits=min([*room, *_within(raw, bounds.left or {})], default=None))


def _within(raw: Mapping[str, Any], left: Mapping[str, int]) -> Iterable[int]:
    """How many servers of a flavor each limit leaves room for."""
    for resource, free in left.items():
        field = LIMITS[resource]
        needed = 1 if field is None else raw[field]
        if needed > 0:
            yield max(0, free) // needed
