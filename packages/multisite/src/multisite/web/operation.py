"""The page of one operation: how far it is in each region, what it wrote, and its two buttons.

All of it is live. Those who may steer get the buttons that fit the present state, with the token of their own
session in the form: so each session has a computation of its own here.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.model import RETRIED, Operation, Part, State
from multisite.engine.writes import WriteRecord
from multisite.errors import Conflict
from multisite.requester import Requester
from multisite.web.operations import sent_by, shown
from multisite.web.rendering import Renderer
from multisite.web.services import OperationService
from multisite.web.snapshots import Fragment, Snapshot, dated_fragment
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor
from multisite.web.wall import trouble

MOST_ROWS = 500
LIVE_PARTS = ("head", "parts", "writes")
#: What needs somebody to look at it comes first.
_ORDER = (
    *(State.ROLLBACK_FAILED, State.FAILED, State.UNDOING, State.RUNNING, State.QUEUED),
    *(State.CANCELLED, State.SUCCEEDED),
)

Steer = Callable[[Requester, str], Awaitable[Operation]]


@dataclass(frozen=True, slots=True)
class OperationPage:
    """Everything about one operation."""

    operations: OperationService
    renderer: Renderer

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """One session's own."""
        return "operation", Urls.of(request), _id(request), visitor.session.form_token

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        return await self._page(request, visitor)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The operation now."""
        return self._snapshot(Urls.of(request), await self._read(request, visitor))

    async def cancel(self, request: Request, visitor: Visitor) -> Response:
        """Cancel it."""
        return await self._steer(request, visitor, self.operations.cancel)

    async def retry(self, request: Request, visitor: Visitor) -> Response:
        """Try it again."""
        return await self._steer(request, visitor, self.operations.retry)

    async def _steer(self, request: Request, visitor: Visitor, steer: Steer) -> Response:
        requester = await sent_by(request, visitor)
        try:
            operation = await steer(requester, _id(request))
        except Conflict as error:
            return await self._page(request, visitor, error)
        return RedirectResponse(Urls.of(request).operation(operation.id), 303)

    async def _page(self, request: Request, visitor: Visitor, error: Conflict | None = None) -> Response:
        urls, figures = Urls.of(request), await self._read(request, visitor)
        snapshot = self._snapshot(urls, figures)
        query = {"view": "operation", "id": _id(request), "have": snapshot.digest}
        context = {
            **figures,
            "here": "operations",
            "snapshot": snapshot,
            "problem": error.detail if error else "",
            "events": urls.page("events", query),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "operations/show.html", context, status=status)

    async def _read(self, request: Request, visitor: Visitor) -> dict[str, Any]:
        operation, parts = await self.operations.show(visitor.requester, _id(request))
        writes: Sequence[WriteRecord] = await self.operations.writes(
            visitor.requester, operation.id, MOST_ROWS + 1, 0
        )
        may = self.operations.may_steer(visitor.requester, operation)
        return {
            **shown(operation),
            "visitor": visitor,
            "parts": sorted(parts, key=_urgency),
            "writes": writes,
            "most": MOST_ROWS,
            "may_cancel": may and bool({State.QUEUED, State.RUNNING} & operation.parts_by_state.keys()),
            "may_retry": may and operation.state.ended and bool(RETRIED & operation.parts_by_state.keys()),
        }

    def _snapshot(self, urls: Urls, figures: dict[str, Any]) -> Snapshot:
        def part(name: str) -> Fragment:
            return dated_fragment(name, self.renderer.fragment(f"operations/_{name}.html", urls, **figures))

        return Snapshot({**{name: part(name) for name in LIVE_PARTS}, "trouble": trouble("")}, {})


def _id(request: Request) -> str:
    """The operation's id: in the page's own path, or in the query of its stream."""
    return str(request.path_params.get("id") or request.query_params.get("id", ""))


def _urgency(part: Part) -> tuple[int, str]:
    return _ORDER.index(part.state), part.name
