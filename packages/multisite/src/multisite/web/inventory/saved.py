"""Saved filters: one form that saves the filter of a list under a name, and one that deletes it.

What is saved is the list's address after it was understood, so that an address which somebody made up is
saved as what it means. A filter belongs to a user, whatever the project it logged in with.
"""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.errors import BadRequest
from multisite.filters.model import SavedFilter
from multisite.web.csrf import read_form, require_own_form
from multisite.web.inventory.asked import MOST_REGIONS, Asked
from multisite.web.inventory.services import FilterService
from multisite.web.inventory.words import TITLES
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class SavedPage:
    """Forms without a page: both lead back to a list."""

    filters: FilterService

    async def save(self, request: Request, visitor: Visitor) -> Response:
        """Save, and show the list that was saved."""
        form = await _own_form(request, visitor)
        kind = form.get("kind", "")
        if kind not in TITLES:
            raise BadRequest(f"There is no list of {kind!r}.")
        query = fields_of(kind, form.get("query", ""), operator=visitor.operator)
        await self.filters.save(visitor.requester, form.get("name", ""), kind, urlencode(query))
        return RedirectResponse(Urls.of(request).page(f"inventory/{kind}", query), 303)

    async def delete(self, request: Request, visitor: Visitor) -> Response:
        """Delete, and show the list from which it was deleted."""
        form = await _own_form(request, visitor)
        await self.filters.delete(visitor.requester, form.get("name", ""))
        kind = form.get("kind", "")
        query = fields_of(kind, form.get("query", ""), operator=visitor.operator) if kind in TITLES else {}
        return RedirectResponse(
            Urls.of(request).page(f"inventory/{kind if kind in TITLES else 'servers'}", query), 303
        )


def fields_of(kind: str, query: str, *, operator: bool) -> dict[str, str]:
    """The fields of a list's address that mean something."""
    return Asked.of(kind, parse_qsl(query, max_num_fields=MOST_REGIONS + 40), operator=operator).filters()


def href_of(urls: Urls, saved: SavedFilter, *, operator: bool) -> str:
    """The address of a saved filter."""
    return urls.page(f"inventory/{saved.kind}", fields_of(saved.kind, saved.query, operator=operator))


async def _own_form(request: Request, visitor: Visitor) -> dict[str, str]:
    form = await read_form(request)
    require_own_form(request, sent=form.get("form_token"), expected=visitor.session.form_token)
    return form
