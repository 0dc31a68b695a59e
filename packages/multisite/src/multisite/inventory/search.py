"""One box for everything: where is this id, this name, this address?

Five questions are asked of the store, each answered by an index: ids that begin with the text, names that
are it, names that contain it, addresses that are meant by it, and the servers that have those addresses.
What is found is ranked (the whole id, name or address before a part of one) and bounded.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from multisite.errors import BadRequest
from multisite.inventory.addresses import wanted
from multisite.inventory.finding import Finder
from multisite.inventory.kinds import BY_NAME, KINDS
from multisite.inventory.listing import StoredItem
from multisite.inventory.model import InventoryRow, MissingKind
from multisite.inventory.service import InventoryService
from multisite.requester import Requester

#: An id is looked for by its beginning from so many characters on.
SHORTEST_ID = 4
#: Found items in one answer, unless the request asks for fewer.
MOST = 200


class Match(StrEnum):
    """By what an item was found."""

    ID = "id"
    NAME = "name"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Found:
    """An item that was found; `exact` by the whole text."""

    match: Match
    exact: bool
    item: InventoryRow


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found, best first; `more` says that there is more than that.

    `missing` names the first of the `missing_regions` that were not read well.
    """

    found: tuple[Found, ...]
    more: bool
    complete: bool
    missing: tuple[MissingKind, ...]
    missing_regions: int


class SearchService:
    """Finds items of all kinds."""

    def __init__(self, finder: Finder, inventory: InventoryService) -> None:
        self._finder = finder
        self._inventory = inventory

    async def search(self, requester: Requester, text: str, *, limit: int = MOST) -> SearchResult:
        """What a text may mean. Raises `BadRequest` for an empty one."""
        tenant = self._inventory.tenant(requester)
        text = text.strip()
        if not text:
            raise BadRequest("q: write an id or its beginning, a part of a name, or an address")
        folded, address = text.casefold(), wanted(text)
        found: dict[tuple[int, str, str], tuple[tuple[Any, ...], Match, StoredItem]] = {}

        def add(match: Match, items: Iterable[StoredItem], *, exactly: bool | None = None) -> None:
            for item in items:
                exact = exactly if exactly is not None else _is(match, item, folded)
                rank = (not exact, _order(match, item, folded), _KIND_ORDER[item.kind], item.region, item.id)
                key = (item.region_id, item.kind, item.id)
                if key not in found or rank < found[key][0]:
                    found[key] = (rank, match, item)

        if len(text) >= SHORTEST_ID:
            add(Match.ID, await self._finder.by_id(tenant, text.lower(), limit + 1))
        if address is not None:
            items = await self._finder.by_address(tenant, address, limit + 1)
            add(Match.ADDRESS, items, exactly=address.exact is not None)
        add(Match.NAME, await self._finder.by_name(tenant, folded, limit + 1, whole=True))
        if len(found) <= limit:
            add(Match.NAME, await self._finder.by_name(tenant, folded, limit + 1, whole=False))
        ranked = sorted(found.values(), key=lambda each: each[0])
        shown = await self._finder.with_addresses([item for _, _, item in ranked[:limit]])
        return await self._result(requester, ranked[:limit], shown, more=len(ranked) > limit)

    async def _result(
        self,
        requester: Requester,
        ranked: Sequence[tuple[tuple[Any, ...], Match, StoredItem]],
        shown: Sequence[StoredItem],
        *,
        more: bool,
    ) -> SearchResult:
        fresh = await self._inventory.freshness(KINDS, (), shown)
        rows = self._inventory.rows(requester, shown, fresh)
        missing = self._inventory.missing(requester, fresh)
        found = tuple(
            Found(match, not rank[0], row) for (rank, match, _), row in zip(ranked, rows, strict=True)
        )
        return SearchResult(found, more, not missing.regions, missing.named, missing.regions)


_KIND_ORDER = {name: number for number, name in enumerate(BY_NAME)}


def _is(match: Match, item: StoredItem, folded: str) -> bool:
    return (item.id.lower() if match is Match.ID else item.folded_name) == folded


def _order(match: Match, item: StoredItem, folded: str) -> int:
    """Among parts, the beginning of a name comes before its middle."""
    return int(match is Match.NAME and not item.folded_name.startswith(folded))
