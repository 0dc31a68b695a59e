"""What /metrics tells of the inventory."""

from datetime import timedelta

from multisite.clock import FixedClock
from multisite.inventory.figures import KindFigures, inventory_figures
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.model import Reading
from multisite.inventory.parsing import parse
from multisite.inventory.store import InventoryStore
from multisite.regions.states import CallError
from tests.integration.service import Service


async def test_items_are_counted_per_region_and_kind(service: Service, clock: FixedClock) -> None:
    region, store = await service.add("North", "compute"), InventoryStore(service.assembly.database)
    read_at = clock.now()
    items = [parse(BY_NAME["server"], {"id": key, "name": key}) for key in ("s1", "s2")]
    await store.write(region, "server", Reading(read_at, True, {item.id: item for item in items}), {})
    await store.write(region, "volume", Reading(read_at, True), {})
    clock.advance(timedelta(seconds=90))
    await store.write_failure(region, ["server"], clock.now(), CallError("timeout", "late"))
    await store.write_failure(region, ["image"], clock.now(), CallError("no-endpoint", "none"))
    assert await inventory_figures(service.assembly.database) == [
        KindFigures("North", "server", 2, read_at, failing=True),
        KindFigures("North", "volume", 0, read_at, failing=False),
    ]
