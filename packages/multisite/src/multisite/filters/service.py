"""Saved filters, for users: each has its own and sees no others."""

from collections.abc import Sequence

from multisite.clock import Clock
from multisite.filters.model import MOST, SavedFilter, TooManyFilters, proper_name, proper_query
from multisite.filters.store import FilterStore
from multisite.requester import Requester


class FilterService:
    """Saved filters of the one who asks, whatever the project of the token."""

    def __init__(self, store: FilterStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(self, requester: Requester) -> Sequence[SavedFilter]:
        """One's own filters, by name."""
        return await self._store.select(requester.user_id)

    async def save(self, requester: Requester, name: str, kind: str, query: str) -> SavedFilter:
        """Save a filter, in place of one of the same name.

        Raises `BadRequest` for a name that is none, `TooManyFilters`.
        """
        saved = SavedFilter(proper_name(name), kind, proper_query(query))
        if not await self._store.put(requester.user_id, saved, self._clock.now(), MOST):
            raise TooManyFilters(f"you have {MOST} saved filters; delete one first")
        return saved

    async def delete(self, requester: Requester, name: str) -> None:
        """Forget a filter; nothing happens where there is none of that name."""
        await self._store.delete(requester.user_id, name)
