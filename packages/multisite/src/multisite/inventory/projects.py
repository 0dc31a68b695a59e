"""Names of projects, per Keystone: operators see names, and a tenant is found where ids differ.

Regions that share a Keystone share its projects. A tenant's project in a region with a Keystone of its own
is the one with the same name in the domain with the same name; ids are never compared across Keystones.

Of several processes one lists the projects of a Keystone (it has a lease for it); the others read what that
one stored.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from multisite.clock import Clock
from multisite.db.engine import Database
from multisite.db.lease import Lease
from multisite.db.tables import inventory_items, inventory_keystones, inventory_projects, regions
from multisite.db.upsert import upsert
from multisite.inventory.writing import sliced
from multisite.openstack import keystone
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError

LOG = logging.getLogger(__name__)

#: Seconds between two listings of a Keystone's projects.
INTERVAL = 300.0
#: Seconds after which a listing that failed is tried again.
RETRY = 30.0

#: Seconds after which another process lists the projects of a Keystone in place of one that died.
LEASE = 1.5 * INTERVAL

Names = Mapping[str, str]
#: Gives the lease of a name.
Leases = Callable[[str], Lease]


@dataclass(slots=True)
class ProjectStore:
    """Which Keystone a region has, and the projects of each."""

    database: Database

    async def names(self, key: str) -> dict[str, tuple[str, str]]:
        """The name and domain of each project of one Keystone."""
        columns = inventory_projects.c
        query = sa.select(columns.project_id, columns.name, columns.domain_name).where(
            columns.keystone == key
        )
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.project_id: (row.name, row.domain_name) for row in rows}

    async def places(self) -> dict[int, str]:
        """Which Keystone each region has."""
        query = sa.select(inventory_keystones.c.region_id, inventory_keystones.c.keystone)
        async with self.database.read() as connection:
            return {row.region_id: row.keystone for row in await connection.execute(query)}

    async def place(self, region_id: int, key: str) -> None:
        """Note which Keystone a region has."""
        async with self.database.write() as connection:
            if await connection.scalar(sa.select(regions.c.id).where(regions.c.id == region_id)) is None:
                return
            row = {"region_id": region_id, "keystone": key}
            await upsert(connection, inventory_keystones, ("region_id",), [row])

    async def replace(
        self, key: str, before: Mapping[str, tuple[str, str]], now: Mapping[str, tuple[str, str]]
    ) -> None:
        """Write what differs, and rename the projects of the items that are stored."""
        changed = {identity: names for identity, names in now.items() if before.get(identity) != names}
        gone = sorted(before.keys() - now.keys())
        if not changed and not gone:
            return
        columns, items = inventory_projects.c, inventory_items.c
        here = sa.select(inventory_keystones.c.region_id).where(inventory_keystones.c.keystone == key)
        async with self.database.write() as connection:
            for some in sliced(gone):
                await connection.execute(
                    sa.delete(inventory_projects).where(columns.keystone == key, columns.project_id.in_(some))
                )
            rows = [
                {"keystone": key, "project_id": identity, "name": name, "domain_name": domain}
                for identity, (name, domain) in sorted(changed.items())
            ]
            for slice_ in sliced(rows):
                await upsert(connection, inventory_projects, ("keystone", "project_id"), slice_)
            for identity, (name, _) in changed.items():
                await connection.execute(
                    sa.update(inventory_items)
                    .where(
                        items.project_id == identity, items.region_id.in_(here), items.project_name != name
                    )
                    .values(project_name=name)
                )


@dataclass(slots=True)
class Projects:
    """Keeps the names of projects; lives on the region loop."""

    store: ProjectStore
    clock: Clock
    leases: Leases | None = None
    _names: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _plain: dict[str, Names] = field(default_factory=dict)
    _places: dict[int, str] | None = None
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _held: dict[str, Lease] = field(default_factory=dict)

    async def of(self, region_id: int, key: str, client: RegionClient) -> Names:
        """The names of the projects of a region by their ids, read anew when they are old."""
        if self._places is None:
            self._places = await self.store.places()
        if self._places.get(region_id) != key:
            await self.store.place(region_id, key)
            self._places[region_id] = key
        async with self._locks.setdefault(key, asyncio.Lock()):
            if key not in self._names:
                self._keep(key, await self.store.names(key))
            if self.clock.monotonic() >= self._due.get(key, float("-inf")):
                await self._refresh(key, client)
        return self._plain[key]

    def _keep(self, key: str, names: dict[str, tuple[str, str]]) -> None:
        self._names[key] = names
        self._plain[key] = {identity: name for identity, (name, _) in names.items()}

    async def _ours(self, key: str) -> bool:
        """Whether this process lists the projects of a Keystone."""
        if self.leases is None:
            return True
        if key not in self._held:
            digest = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
            self._held[key] = self.leases(f"projects:{digest}")
        return await self._held[key].hold()

    async def _refresh(self, key: str, client: RegionClient) -> None:
        if not await self._ours(key):
            self._keep(key, await self.store.names(key))
            self._due[key] = self.clock.monotonic() + RETRY
            return
        try:
            listed = await keystone.projects(client, disabled=True)
            now = {each.id: (each.name, each.domain_name or "") for each in _proper(listed)}
        except RegionCallError as error:
            LOG.info("the projects of %s cannot be listed: %s", key, error.detail)
            self._due[key] = self.clock.monotonic() + RETRY
            return
        except GARBAGE as error:
            LOG.warning("the projects of %s are not what Keystone sends: %s", key, error)
            self._due[key] = self.clock.monotonic() + RETRY
            return
        if await self._ours(key):  # still: whoever stood still has an old list
            await self.store.replace(key, await self.store.names(key), now)
            self._keep(key, now)
        self._due[key] = self.clock.monotonic() + INTERVAL


def _proper(listed: Sequence[keystone.Project]) -> list[keystone.Project]:
    """The projects with texts for names, of the lengths that Keystone allows."""
    return [
        each
        for each in listed
        if all(
            isinstance(text, str) and len(text) <= longest and "\x00" not in text
            for text, longest in ((each.id, 64), (each.name, 255), (each.domain_name or "", 255))
        )
    ]
