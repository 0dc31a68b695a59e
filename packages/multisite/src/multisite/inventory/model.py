"""The inventory as values: items, what was read of them, what users see.

An **item** is a thing in a region, of a **kind** (`kinds.py`). `Item` is what a region told of it, in one
form for all kinds; `InventoryRow` is what the API answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from multisite.regions.states import State

#: Stands in the database where a service tells no time: columns that are sorted by are never empty.
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)

#: So many regions that are missing from an answer are named in it.
MOST_NAMED = 20

#: Stands for every project in a grant.
EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Address:
    """An address of an item: an IP address, a MAC address, or the gateway of a subnet.

    `packed` orders addresses by their value, `port_id` is the port that has the address.
    """

    address: str
    packed: str
    port_id: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One item as its region told it.

    Empty texts stand for what the region does not tell. `version` is the region's own mark of the item's
    revision, where it has one; `digest` is equal for equal items. `parent_id` is the network of a subnet or
    port, the volume of a snapshot or backup, the port of a floating IP; `device_id` what a port is for.
    """

    id: str
    name: str
    status: str
    project_id: str
    user_id: str
    created_at: datetime
    updated_at: datetime
    shared: bool
    parent_id: str | None
    device_id: str | None
    version: str
    addresses: tuple[Address, ...]
    attributes: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Known:
    """What of a stored item is needed to tell whether it changed."""

    digest: str
    version: str


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """An item of another project that `project_id` (or `EVERYONE`) may see."""

    kind: str
    id: str
    project_id: str


@dataclass(frozen=True, slots=True)
class Sync:
    """How far one kind of one region has been read; `since` is the mark that the region itself told."""

    observed_at: datetime | None = None
    full_at: datetime | None = None
    failed_at: datetime | None = None
    error_code: str | None = None
    error_detail: str | None = None
    malformed: int = 0
    since: str | None = None


@dataclass(slots=True)
class Reading:
    """What one read of one kind of one region gave, as the difference to what is stored.

    `full` says that every item was listed. `grants` (`None`: not read) replace those of `granted_kinds`, or
    of the items `granted_ids` only.
    """

    at: datetime
    full: bool
    changed: dict[str, Item] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    since: str | None = None
    malformed: list[str] = field(default_factory=list)
    grants: frozenset[Grant] | None = None
    granted_kinds: tuple[str, ...] = ()
    granted_ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class InventoryRow:
    """One item, as users see it.

    `observed_at` is when its kind was last read in its region, or it alone after that, by an action; `state`
    says what that is worth; `dashboard_url` is the region's.
    """

    region: str
    kind: str
    id: str
    name: str
    project_id: str | None
    project_name: str | None
    user_id: str | None
    status: str | None
    addresses: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None
    observed_at: datetime | None
    state: State
    dashboard_url: str | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MissingKind:
    """A (region, service) whose items a listing lacks, or shows as they were: why, by a stable code.

    `detail` is for operators.
    """

    region: str
    service: str
    state: State
    code: str | None = None
    detail: str | None = None

    def for_tenant(self) -> "MissingKind":
        """Without the detail, which may hold internal addresses."""
        return MissingKind(self.region, self.service, self.state, self.code)


@dataclass(frozen=True, slots=True)
class Missing:
    """What an answer over regions lacks: all services of the first regions, and of how many regions.

    With thousands of regions away the names of all of them would be longer than the answer.
    """

    named: tuple[MissingKind, ...] = ()
    regions: int = 0

    @classmethod
    def of(cls, found: Sequence[MissingKind]) -> "Missing":
        """The first `MOST_NAMED` regions of those that were found, in their order."""
        names = list(dict.fromkeys(each.region for each in found))
        first = frozenset(names[:MOST_NAMED])
        return cls(tuple(each for each in found if each.region in first), len(names))

    def for_tenant(self) -> "Missing":
        """Without the details."""
        return Missing(tuple(each.for_tenant() for each in self.named), self.regions)
