"""What users ask of items, and who may see them, as SQL conditions over a selection of items.

A condition is about `items`: the table itself, or some of its rows. SQLite knows nothing of how rare a value
is, and takes any index that fits; `off_index` hides a column from its indexes, so that the order of a listing
or a filter that is known to leave few rows decides (`plans.py`). Other databases have statistics.
"""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from multisite.db.tables import (
    inventory_addresses,
    inventory_grants,
    inventory_items,
    inventory_keystones,
    inventory_projects,
    regions,
)
from multisite.inventory.addresses import Range, Wanted
from multisite.inventory.kinds import ADDRESSED, SHARED_KINDS, Kind
from multisite.inventory.model import EVERYONE
from multisite.inventory.queries import Filters, Tenant
from multisite.regions.model import Identity

Condition = sa.ColumnElement[bool]

#: The addresses of an item, and the ports of a server, beside the items of a listing.
ADDRESSES, PORTS = inventory_addresses.alias("a"), inventory_items.alias("ports")
#: Kinds whose items have addresses, of their own or by their ports.
HAVING_ADDRESSES = ADDRESSED | {"server"}


def kinds_with_addresses_of(kind: Kind) -> Collection[str]:
    """The kinds in whose addresses those of a kind stand."""
    return ("port", "floating_ip") if kind.name == "server" else (kind.name,)


class off_index(FunctionElement[Any]):  # noqa: N801 - reads like a function of SQL
    """The column, by which SQLite must not choose an index."""

    inherit_cache = True
    name = "off_index"

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


class position(FunctionElement[int]):  # noqa: N801 - reads like a function of SQL
    """Where a text has another one, from 1; 0 where it does not. Several times as fast as LIKE."""

    inherit_cache = True
    name = "position"
    type = sa.Integer()


@compiles(off_index)
def _hidden_nowhere(element: off_index, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(off_index, "sqlite")
def _hidden(element: off_index, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(position)
def _strpos(element: position, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


@compiles(position, "sqlite")
def _instr(element: position, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


def conditions(items: sa.FromClause, filters: Filters) -> list[Condition]:
    """The filters; only the kind is left to the choice of an index."""
    column = items.c
    found: list[Condition] = [column.kind == filters.kind.name, in_enabled_region(items)]
    if filters.regions:
        found.append(off_index(column.region).in_(filters.regions))
    if filters.tenant is not None:
        found.append(visible_to(items, filters.tenant, others=filters.sees_others))
    if filters.project is not None:
        found.append(visible_to(items, filters.project, others=False, by_id_anywhere=True))
    if filters.status is not None:
        found.append(off_index(column.status) == filters.status)
    if filters.name:
        found.append(contains(column.folded_name, filters.name))
    if filters.address is not None:
        found.append(has_address(items, filters.kind, filters.address))
    return found


def contains(column: sa.ColumnElement[str], text: str) -> Condition:
    """Whether a folded text contains `text`."""
    return position(column, sa.literal(text.casefold())) > 0


def begins(column: sa.ColumnElement[str], text: str) -> Condition:
    """Whether a text begins with `text`, in a form for which every database uses an index."""
    return (column >= text) & (column < text + "\U0010ffff")


def in_enabled_region(items: sa.FromClause) -> Condition:
    """Whether an item's region is enabled; by its name, which is in the indexes that are searched."""
    return items.c.region.not_in(sa.select(regions.c.name).where(regions.c.enabled.is_(False)))


def matches(addresses: sa.FromClause, wanted: Wanted) -> Condition:
    """Whether a stored address is one that is looked for; no index is chosen by it."""
    if wanted.ranges is None:
        return begins(off_index(addresses.c.address), wanted.prefix or "")
    return _among(off_index(addresses.c.packed), wanted.ranges)


def found_by(addresses: sa.FromClause, wanted: Wanted, kinds: Collection[str]) -> Condition:
    """The same, of items of some kinds: by the index of their values, or that of the text."""
    if not wanted.ranges:
        text = begins(addresses.c.address, wanted.prefix or "") if wanted.ranges is None else sa.false()
        return text & off_index(addresses.c.kind).in_(sorted(kinds))
    packed: sa.ColumnElement[str] = addresses.c.packed
    whole = addresses.c.kind.in_(sorted(kinds)) & _among(
        packed, [(wanted.ranges[0][0], wanted.ranges[-1][1])]
    )
    return whole if len(wanted.ranges) == 1 else whole & matches(addresses, wanted)


def _among(packed: sa.ColumnElement[str], ranges: Sequence[Range]) -> Condition:
    # Not BETWEEN: PostgreSQL takes no COLLATE in it.
    return sa.or_(sa.false(), *((packed >= first) & (packed <= last) for first, last in ranges))


def has_address(items: sa.FromClause, kind: Kind, wanted: Wanted) -> Condition:
    """Whether an item has such an address; a server has those of its ports, and their floating IPs."""
    if kind.name not in HAVING_ADDRESSES:
        return sa.false()
    query = sa.select(sa.literal(1)).where(matches(ADDRESSES, wanted))
    if kind.name != "server":
        mine = (ADDRESSES.c.region_id == items.c.region_id) & (ADDRESSES.c.kind == items.c.kind)
        # That there is a text is always true: with it SQLite takes the key, not the kind's half of an index.
        query = query.where(mine, ADDRESSES.c.id == items.c.id, ADDRESSES.c.address > "")
        return query.correlate(items).exists()
    served = (PORTS.c.device_id == items.c.id) & (off_index(PORTS.c.region_id) == items.c.region_id)
    at_port = (ADDRESSES.c.port_id == PORTS.c.id) & (off_index(ADDRESSES.c.region_id) == PORTS.c.region_id)
    return query.where(served, at_port).correlate(items).exists()


def project_ids(tenant: Tenant) -> sa.CompoundSelect[Any]:
    """The ids that a project may have: its own, and those of its namesakes in other Keystones."""
    mine = sa.select(sa.literal(tenant.project_id))
    return sa.union_all(mine, sa.select(_elsewhere(tenant).subquery().c.project_id))


def visible_to(
    items: sa.FromClause, tenant: Tenant, *, others: bool, by_id_anywhere: bool = False
) -> Condition:
    """Whether an item is a project's own; with `others` also whether others show it to that project.

    In a region that shares the home Keystone's data a project is its id; elsewhere it is what has its name
    in the domain of that name, in the region's own Keystone. `by_id_anywhere` also takes the id for one of
    any Keystone, as operators mean it who read it in a listing.
    """
    column = items.c
    whose = _is_tenant(tenant, column.region_id, column.project_id)
    if by_id_anywhere:
        whose |= off_index(column.project_id) == tenant.project_id
    own = off_index(column.project_id).in_(project_ids(tenant)) & whose
    return own | shown_to(items, tenant) if others else own


def shown_to(items: sa.FromClause, tenant: Tenant) -> Condition:
    """Whether others show an item to a project."""
    column, granted = items.c, inventory_grants.c
    to_tenant = _is_tenant(tenant, granted.region_id, granted.project_id)
    shown = sa.select(granted.region_id, granted.kind, granted.id).where(
        sa.or_(granted.project_id == EVERYONE, to_tenant)
    )
    region_id, kind = off_index(column.region_id), off_index(column.kind)
    return kind.in_(sorted(SHARED_KINDS)) & sa.or_(
        column.shared.is_(True),
        sa.tuple_(region_id, kind, off_index(column.id)).in_(shown),
        (kind == "subnet")
        & sa.tuple_(region_id, sa.literal("network"), off_index(column.parent_id)).in_(shown),
    )


def _is_tenant(
    tenant: Tenant, region_id: sa.ColumnElement[int], project_id: sa.ColumnElement[str]
) -> Condition:
    at_home = sa.select(regions.c.id).where(regions.c.identity == Identity.HOME.value)
    hidden = off_index(region_id), off_index(project_id)
    here = (hidden[1] == tenant.project_id) & hidden[0].in_(at_home)
    return sa.or_(here, sa.tuple_(*hidden).in_(_elsewhere(tenant)))


def _elsewhere(tenant: Tenant) -> sa.Select[Any]:
    """What the project is in regions with Keystones of their own: (region_id, project_id)."""
    keystones, projects = inventory_keystones.c, inventory_projects.c
    return (
        sa.select(keystones.region_id, projects.project_id)
        .join(inventory_projects, projects.keystone == keystones.keystone)
        .join(regions, regions.c.id == keystones.region_id)
        .where(
            regions.c.identity == Identity.OWN.value,
            projects.name == (tenant.name or ""),
            projects.domain_name == (tenant.domain_name or ""),
        )
    )
