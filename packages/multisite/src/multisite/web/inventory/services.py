# ruff: noqa: D102 - what the fields mean is said where the real classes are
"""What the pages of the inventory need from the rest of the service, as the shapes that they rely on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from multisite.actions.bodies import ActionBody
from multisite.actions.model import Acted, Action
from multisite.actions.offers import Offers
from multisite.filters.model import SavedFilter
from multisite.inventory.keypairs import Keypairs
from multisite.inventory.model import InventoryRow
from multisite.inventory.queries import Order
from multisite.inventory.search import SearchResult
from multisite.inventory.service import Export, InventoryPage, Question
from multisite.openstack.users import UserToken
from multisite.requester import Requester


class ItemService(Protocol):
    """Items of all regions."""

    async def list(
        self,
        requester: Requester,
        plural: str,
        question: Question,
        order: Order,
        *,
        limit: int,
        marker: str | None = None,
    ) -> InventoryPage: ...

    async def export(self, requester: Requester, plural: str, question: Question, order: Order) -> Export: ...

    async def show(
        self, requester: Requester, plural: str, region: str, identity: str, *, fresh: bool = False
    ) -> InventoryRow:
        """One item. Raises `NotFound`."""
        ...


class RelationService(Protocol):
    """Items that belong to another one, and projects by what people call them."""

    async def around(self, requester: Requester, row: InventoryRow) -> Sequence[InventoryRow]:
        """The items that belong to one, or are attached to it."""
        ...


class ProjectNames(Protocol):
    """Projects by name or id."""

    async def id_of(self, requester: Requester, text: str) -> str:
        """The id of the project. Raises `BadRequest` where a name belongs to none, or to several."""
        ...


class SearchService(Protocol):
    """Finds items of all kinds."""

    async def search(self, requester: Requester, text: str, *, limit: int = ...) -> SearchResult: ...


class KeypairService(Protocol):
    """Keypairs, read when asked."""

    async def list(
        self, requester: Requester, user_id: str | None = None, names: Sequence[str] = ()
    ) -> Keypairs: ...


class FilterService(Protocol):
    """Saved filters of the one who asks."""

    async def list(self, requester: Requester) -> Sequence[SavedFilter]: ...

    async def save(self, requester: Requester, name: str, kind: str, query: str) -> SavedFilter:
        """Save one. Raises `BadRequest`, `TooManyFilters`."""
        ...

    async def delete(self, requester: Requester, name: str) -> None: ...


class ActionService(Protocol):
    """Acts in regions, as the user."""

    async def act(  # noqa: PLR0913 - as the real one
        self,
        requester: Requester,
        token: UserToken,
        action: Action,
        region_name: str,
        item_id: str = "",
        body: ActionBody | None = None,
        *,
        key: str | None = None,
    ) -> Acted:
        """Do it in the region. Raises what the region refused, as an error of ours."""
        ...


class OfferService(Protocol):
    """What regions offer for something new."""

    async def show(self, requester: Requester, token: UserToken, name: str) -> Offers: ...


class Policy(Protocol):
    """Who may do what."""

    def allows(self, requester: Requester, rule: str, target: Mapping[str, Any] | None = None) -> bool: ...


@dataclass(frozen=True, slots=True)
class InventoryServices:
    """Everything that the pages of the inventory ask."""

    items: ItemService
    relations: RelationService
    projects: ProjectNames
    search: SearchService
    keypairs: KeypairService
    filters: FilterService
    actions: ActionService
    offers: OfferService
    policy: Policy
