"""What belongs to an item, and which project a name means: reads for the page of an item.

Neutron's ports name their server, floating IPs their port, subnets their network: columns with an index each.
A volume names its servers in its attachments, for which there is no column; it is looked for among the
volumes of its project in that region.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from multisite.db.engine import Database
from multisite.db.tables import inventory_items, inventory_keystones, inventory_projects, regions
from multisite.errors import BadRequest
from multisite.inventory.conditions import PORTS, in_enabled_region, visible_to
from multisite.inventory.kinds import BY_NAME
from multisite.inventory.listing import StoredItem, item_of, wanted
from multisite.inventory.model import InventoryRow
from multisite.inventory.queries import Tenant
from multisite.inventory.service import InventoryService
from multisite.regions.model import Identity
from multisite.requester import Requester

#: So many items around another are answered.
MOST = 200

_I = inventory_items.c


class Relations:
    """Items around another one, and projects by name."""

    def __init__(self, database: Database, inventory: InventoryService) -> None:
        self._database = database
        self._inventory = inventory

    async def around(self, requester: Requester, row: InventoryRow) -> Sequence[InventoryRow]:
        """The items that belong to one or are attached to it, as far as the requester may see them."""
        tenant = self._inventory.tenant(requester)
        found = await self._belonging(tenant, row)
        if row.kind == "server":
            found += await self._volumes(tenant, row)
        kinds = [BY_NAME[name] for name in dict.fromkeys(item.kind for item in found)]
        if not kinds:
            return ()
        fresh = await self._inventory.freshness(kinds, [row.region], found)
        return self._inventory.rows(requester, found, fresh)

    async def id_of(self, requester: Requester, text: str) -> str:
        """The id of the project that an operator means by a name or an id.

        A name means the project of the home Keystone. Raises `BadRequest` where there is none or several.
        """
        self._inventory.tenant(requester)
        columns, keystones = inventory_projects.c, inventory_keystones.c
        query = (
            sa.select(columns.project_id, columns.name, columns.domain_name, regions.c.identity)
            .join(inventory_keystones, keystones.keystone == columns.keystone)
            .join(regions, regions.c.id == keystones.region_id)
            .where(sa.or_(columns.project_id == text, columns.name == text))
            .distinct()
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        if any(each.project_id == text for each in found):
            return text
        at_home = [each for each in found if each.identity == Identity.HOME.value]
        domains = {each.domain_name: str(each.project_id) for each in at_home or found}
        if len(domains) > 1:
            raise BadRequest(
                f"project: {len(domains)} are called {text!r}, in the domains "
                f"{', '.join(sorted(domains))}; write the id of one"
            )
        if not domains:
            raise BadRequest(f"project: there is none with the name or id {text!r}")
        return next(iter(domains.values()))

    async def _belonging(self, tenant: Tenant | None, row: InventoryRow) -> list[StoredItem]:
        """Items whose parent or device it is; of a server also the floating IPs of its ports."""
        here = [_I.region == row.region, in_enabled_region(inventory_items)]
        belonging = [_I.parent_id == row.id, _I.device_id == row.id]
        if row.kind == "server":
            ports = sa.select(PORTS.c.id).where(PORTS.c.device_id == row.id, PORTS.c.region == row.region)
            belonging.append((_I.kind == "floating_ip") & _I.parent_id.in_(ports))
        found = []
        for each in belonging:
            found += await self._select(tenant, [*here, each])
        return found[:MOST]

    async def _volumes(self, tenant: Tenant | None, row: InventoryRow) -> list[StoredItem]:
        where = [
            _I.kind == "volume",
            _I.project_id == (row.project_id or ""),
            _I.region == row.region,
            in_enabled_region(inventory_items),
            sa.cast(_I.attributes, sa.Text).contains(row.id, autoescape=True),
        ]
        return [item for item in await self._select(tenant, where) if _has(item, row.id)]

    async def _select(
        self, tenant: Tenant | None, where: Sequence[sa.ColumnElement[bool]]
    ) -> list[StoredItem]:
        query = wanted(inventory_items).where(*where).order_by(_I.kind, _I.folded_name, _I.id).limit(MOST)
        if tenant is not None:
            query = query.where(visible_to(inventory_items, tenant, others=True))
        async with self._database.read() as connection:
            return [item_of(row) for row in (await connection.execute(query)).mappings()]


def _has(volume: StoredItem, server_id: str) -> bool:
    attachments = volume.attributes.get("attachments")
    return any(
        isinstance(each, dict) and each.get("server_id") == server_id
        for each in (attachments if isinstance(attachments, list) else [])
    )
