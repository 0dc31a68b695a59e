"""What is asked of the inventory, as values: filters, an order, and the place where a page begins."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from multisite.errors import BadRequest
from multisite.inventory.addresses import Wanted
from multisite.inventory.kinds import SHARED_KINDS, Kind


class Sort(StrEnum):
    """What a listing may be sorted by."""

    NAME = "name"
    REGION = "region"
    STATUS = "status"
    PROJECT = "project"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class Direction(StrEnum):
    """Which way."""

    ASC = "asc"
    DESC = "desc"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A project of the home Keystone, by its id there, and by its name elsewhere."""

    project_id: str
    name: str | None
    domain_name: str | None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which items are wanted.

    `tenant` sees its own items, with `visible` also those that others show it; `project` is a filter for
    operators. `name` is part of a name in any case.
    """

    kind: Kind
    regions: tuple[str, ...] = ()
    tenant: Tenant | None = None
    visible: bool = False
    project: Tenant | None = None
    status: str | None = None
    name: str | None = None
    address: Wanted | None = None

    @property
    def sees_others(self) -> bool:
        """Whether items of other projects are wanted that those show the tenant."""
        return self.visible and self.kind.name in SHARED_KINDS


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in an order: the rows after it are the next page, whatever happens to it meanwhile."""

    value: str | datetime
    region: str
    id: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order; equal values are ordered by region and id, so that every row has one place."""

    sort: Sort = Sort.NAME
    direction: Direction = Direction.ASC

    def marker(self, place: Place) -> str:
        """The place as text for the next page's link."""
        value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
        document = json.dumps([self.sort, value, place.region, place.id])
        return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")

    def place(self, marker: str) -> Place:
        """The place that a marker names. Raises `BadRequest` for one of another order, or of none."""
        try:
            padded = marker + "=" * (-len(marker) % 4)
            document: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            return self._place(*document)
        except (ValueError, TypeError, RecursionError, binascii.Error) as error:
            raise BadRequest("marker: it is not one of a page's links in this order") from error

    def _place(self, sort: Any, value: Any, region: Any, identity: Any) -> Place:
        parts = (sort, value, region, identity)
        if sort != self.sort or not all(isinstance(part, str) and "\x00" not in part for part in parts):
            raise ValueError("a marker of another order")
        timed = self.sort in {Sort.CREATED_AT, Sort.UPDATED_AT}
        return Place(_time(value) if timed else value, region, identity)


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a time without a zone")
    return time
