"""Reads Placement: every provider with its inventories and usages.

There is no bulk route, so the calls are counted: usages at every sweep, inventories only when the
provider's generation moved or the last read is too old. `InventoryMemory` remembers that, per region.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from multisite.capacity.details import ComputeDetail, PlacementDetail
from multisite.capacity.model import Inventory, Provider
from multisite.clock import Clock
from multisite.openstack import placement
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError
from multisite.openstack.figures import LARGEST, Impossible, natural
from multisite.openstack.together import together


@dataclass(frozen=True, slots=True)
class _Remembered:
    generation: int
    read_at: float
    inventories: Mapping[str, Inventory]


@dataclass(slots=True)
class InventoryMemory:
    """The inventories of one region's providers, as last read. `age` is the longest in seconds."""

    clock: Clock
    age: float
    known: dict[str, _Remembered] = field(default_factory=dict)

    async def inventories(self, client: RegionClient, uuid: str, generation: int) -> Mapping[str, Inventory]:
        """The inventories of one provider, from memory while its generation stands."""
        held = self.known.get(uuid)
        now = self.clock.monotonic()
        if held and held.generation == generation and now - held.read_at < self.age:
            return held.inventories
        read_generation, raw = await placement.inventories(client, uuid)
        inventories = {name: inventory_of(item) for name, item in raw.items()}
        self.known[uuid] = _Remembered(read_generation, now, inventories)
        return inventories

    def keep_only(self, uuids: Iterable[str]) -> None:
        """Forget providers that are gone."""
        wanted = set(uuids)
        for uuid in [uuid for uuid in self.known if uuid not in wanted]:
            del self.known[uuid]


async def read(client: RegionClient, memory: InventoryMemory) -> PlacementDetail:
    """All providers; their zones are filled in by `place`."""
    async with together() as group:
        listing = group.create_task(placement.resource_providers(client))
        sharing = group.create_task(placement.sharing_providers(client))
    listed = listing.result()
    async with together() as group:
        tasks = [group.create_task(_provider(client, memory, item, sharing.result())) for item in listed]
    memory.keep_only(item["uuid"] for item in listed)
    return PlacementDetail(tuple(provider for task in tasks if (provider := task.result()) is not None))


async def _provider(
    client: RegionClient, memory: InventoryMemory, item: Mapping[str, Any], sharing: set[str]
) -> Provider | None:
    """One provider; `None` when it was deleted since it was listed."""
    uuid = item["uuid"]
    try:
        inventories = await memory.inventories(client, uuid, int(item["generation"]))
        usages = await placement.usages(client, uuid)
    except RegionCallError as error:
        if error.code == "not-found":
            return None
        raise
    return Provider(
        uuid=uuid,
        name=item["name"],
        root=str(item.get("root_provider_uuid") or uuid),
        generation=int(item["generation"]),
        shared=uuid in sharing,
        inventories=inventories,
        usages={name: natural(used, f"usages.{name}") for name, used in usages.items()},
    )


def inventory_of(item: Mapping[str, Any]) -> Inventory:
    """One inventory as Placement writes it."""
    inventory = Inventory(
        total=natural(item["total"], "total"),
        reserved=natural(item.get("reserved") or 0, "reserved"),
        allocation_ratio=float(item.get("allocation_ratio") or 1.0),
        min_unit=natural(item.get("min_unit") or 1, "min_unit"),
        max_unit=natural(item.get("max_unit") or item["total"], "max_unit"),
        step_size=natural(item.get("step_size") or 1, "step_size"),
    )
    if not inventory.usable <= LARGEST:
        raise Impossible(f"the answer has an allocation_ratio of {inventory.allocation_ratio}, which is none")
    return inventory


def place(detail: PlacementDetail, compute: ComputeDetail | None) -> PlacementDetail:
    """The providers in their zones: a nested provider stands where its root's hypervisor stands.

    Without Nova's answer the zones are unknown and every provider counts as available.
    """
    if compute is None:
        return detail
    zones = {host.host: host.zone for host in compute.hosts if host.binary == "nova-compute"}
    hypervisors = {hypervisor.uuid: hypervisor for hypervisor in compute.hypervisors}
    placed = []
    for provider in detail.providers:
        hypervisor = hypervisors.get(provider.root)
        if hypervisor is None or provider.shared:
            placed.append(provider)
            continue
        zone = zones.get(hypervisor.host)
        placed.append(replace(provider, zone=zone, available=hypervisor.available))
    return PlacementDetail(tuple(placed))
