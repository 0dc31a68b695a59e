"""A simulated twin of the lab: the same regions, accounts and contents, in this process.

It is broken and mended by the names of the lab's units, so a test need not know which of the two it has.
The contents are put in by the same functions, over HTTP.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import clouds
from lab.cloud import Regions
from lab.configuration import ADMIN_PASSWORD
from lab.console import Progress
from lab.errors import LabError
from lab.layout import ALL_REGIONS, OWN, Lab, Region
from lab.limits import REGISTERED
from lab.populate import populate
from multisite.sim.contents import add_host
from multisite.sim.listening import Running, running
from multisite.sim.plan import Plan

_SEGMENTS = {
    "keystone": "identity", "nova": "compute", "cinder": "volume", "placement": "placement",
    "glance": "image", "neutron": "network",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class TwinLab(Lab):
    """The lab's arrangement, at the addresses of a simulator."""

    address: str = ""
    region_addresses: tuple[str, ...] = ()

    def url(self, region: Region, service: str) -> str:
        """The address of an API of a region, without a path."""
        if service == "keystone" and self.shares_keystone:
            return f"{self.address}/identity"
        return f"{self.region_addresses[region.number - 1]}/{region.name}/{_SEGMENTS[service]}"


@dataclasses.dataclass
class Twin(Regions):
    """A running twin, and the ways to break and to mend it: those of `RunningLab`."""

    lab: TwinLab
    running: Running

    def stop(self, unit: str) -> None:
        """Connections to a unit are refused."""
        self.running.set("refuse", **self._where(unit))

    def pause(self, unit: str) -> None:
        """Connections to a unit hang."""
        self.running.set("hang", **self._where(unit))

    def start(self, unit: str) -> None:
        """Take back what was done to a unit."""
        where = self._where(unit)
        for fault in self.running.simulator.faults.all():
            if (fault.region, fault.service) == (where["region"], where.get("service", "*")):
                self.running.clear(fault)

    resume = start

    def mend(self) -> None:
        """Take back everything."""
        if self.running.simulator.faults:
            self.running.clear()

    def _where(self, unit: str) -> dict[str, Any]:
        if unit == "keystone":
            return {"region": "", "service": "identity"}
        region, _, service = unit.partition(":")
        if region not in self.regions:
            raise LabError(f"there is no unit {unit!r}")
        if not service:
            return {"region": region}
        return {"region": region, "service": _SEGMENTS[service.partition("-")[0]]}


@contextmanager
def twin(root: Path, layout: str, region_count: int = 3) -> Iterator[Twin]:
    """A twin of the lab in this layout, populated, as long as the block lasts."""
    names = tuple(region.name for region in ALL_REGIONS[:region_count])
    unified = [region.name for region in ALL_REGIONS[:region_count] if region.unified_limits]
    plan = Plan(
        regions=region_count, names=names, projects=0, empty=True, own_keystone=layout == OWN,
        unified=tuple(REGISTERED) if unified else (), unified_regions="".join(unified),
    )  # fmt: skip
    with running(plan, own_ports=True) as made:
        addresses = made.simulator.plan.region_urls
        lab = TwinLab(root, layout, region_count, address=made.url, region_addresses=addresses)
        made.run(lambda: _furnish(lab, made))
        clouds.write(lab)
        populate(lab, Progress())
        yield Twin(lab, made)


def _furnish(lab: TwinLab, made: Running) -> None:
    """The lab's hosts, pools and administrators."""
    for region in lab.regions:
        simulated = made.simulator.world.region(region.name)
        for host in region.computes:
            add_host(simulated, host.name, "nova", (host.vcpus, host.memory_mb, host.disk_gb))
        for pool in simulated.volume.pools.values():
            pool.total = region.pool_gb
        keystone = simulated.keystone
        for user in keystone.collections["users"].values():
            if user["name"] == "admin":
                keystone.passwords[user["id"]] = ADMIN_PASSWORD
