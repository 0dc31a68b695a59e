"""The list of operations: what runs, what ran, what came of it; the newest first, live.

Filters and the place in the list are in the address. Operators can begin a test of all regions from here.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.model import Operation, State, Wanted
from multisite.errors import BadRequest, NotFound
from multisite.regions import policies
from multisite.requester import Requester
from multisite.web.csrf import read_form, require_own_form
from multisite.web.inventory.services import Policy
from multisite.web.rendering import Renderer
from multisite.web.services import OperationService, RegionService
from multisite.web.snapshots import Snapshot, dated_fragment
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor
from multisite.web.wall import trouble

ROWS = 50
FRAME = ('<tbody id="operations" hx-swap-oob="true">', "</tbody>")


@dataclass(frozen=True, slots=True)
class KindWords:
    """A kind of operation as people call it, and what its parts are."""

    name: str
    part: str = "Region"
    parts: str = "Regions"


KINDS = {
    "region-test": KindWords("Test of regions"),
    "region-discover": KindWords("Discovery of regions", "Credential", "Credentials"),
    "quota-balance": KindWords("Balance of a quota", "Project", "Projects"),
    "quota-write": KindWords("Writing of a quota", "Project", "Projects"),
}
#: The icon and the look of each state: those of a region that is as well.
LOOKS = {
    State.QUEUED: "stale",
    State.RUNNING: "running",
    State.UNDOING: "degraded",
    State.SUCCEEDED: "fresh",
    State.FAILED: "unreachable",
    State.CANCELLED: "disabled",
    State.ROLLBACK_FAILED: "unreachable",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for; hashable, so that all who ask the same share one computation."""

    kind: str = ""
    state: str = ""
    region: str = ""
    after: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        """From an address."""
        return cls(
            kind=query.get("kind", "")[:255],
            state=query.get("state", "")[:255],
            region=query.get("region", "").strip()[:255],
            after=query.get("after", "")[:64],
        )

    @property
    def narrows(self) -> bool:
        """Whether it leaves operations out."""
        return bool(self.kind or self.state or self.region)

    @property
    def wanted(self) -> Wanted:
        """As the service wants it. Raises `BadRequest` for a state that is none."""
        if self.state and self.state not in set(State):
            raise BadRequest(f"state: there is no state {self.state!r}; there are: {', '.join(State)}")
        return Wanted(
            kinds=(self.kind,) if self.kind else (),
            states=(State(self.state),) if self.state else (),
            region=self.region or None,
        )

    def query(self, **changes: str) -> dict[str, str]:
        """The fields of the address, with some of them changed."""
        fields = {"kind": self.kind, "state": self.state, "region": self.region, "after": self.after}
        return fields | changes


@dataclass(frozen=True, slots=True)
class OperationsPage:
    """Operations as a live list."""

    operations: OperationService
    regions: RegionService
    policy: Policy
    renderer: Renderer

    def key(self, request: Request, visitor: Visitor) -> Hashable:
        """Operators share a list; a project's members share theirs."""
        project = None if visitor.operator else visitor.requester.project_id
        return "operations", Urls.of(request), Asked.of(request.query_params), visitor.operator, project

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        urls, asked = Urls.of(request), Asked.of(request.query_params)
        snapshot, following = await self._read(urls, visitor, asked)
        query = {"view": "operations", **asked.query(), "have": snapshot.digest}
        context = {
            "visitor": visitor,
            "here": "operations",
            "snapshot": snapshot,
            "asked": asked,
            "kinds": {name: words_of(name).name for name in self.operations.kinds_for(visitor.requester)},
            "states": list(State),
            "older": urls.page("operations", asked.query(after=following)) if following else "",
            "newest": urls.page("operations", asked.query(after="")) if asked.after else "",
            "may_test": self.policy.allows(visitor.requester, policies.TEST),
            "events": urls.page("events", query),
            "address": urls.page("operations", asked.query()),
        }
        return self.renderer.page(request, "operations/listing.html", context)

    async def snapshot(self, request: Request, visitor: Visitor) -> Snapshot:
        """The list now."""
        return (await self._read(Urls.of(request), visitor, Asked.of(request.query_params)))[0]

    async def test(self, request: Request, visitor: Visitor) -> Response:
        """Begin to test all regions, and show how far that is."""
        requester = await sent_by(request, visitor)
        operation = await self.regions.test_all(requester)
        return RedirectResponse(Urls.of(request).operation(operation.id), 303)

    async def _read(self, urls: Urls, visitor: Visitor, asked: Asked) -> tuple[Snapshot, str | None]:
        problem, following = "", None
        found: Sequence[Operation] = ()
        try:
            found, following = await self.operations.list(
                visitor.requester, asked.wanted, ROWS, asked.after or None
            )
        except (BadRequest, NotFound) as error:  # what is asked for does not exist: said above an empty list
            problem = error.detail
        rows = {
            f"operation-{each.id}": dated_fragment(
                f"operation-{each.id}",
                self.renderer.fragment(
                    "operations/_row.html", urls, **shown(each), operator=visitor.operator
                ),
            )
            for each in found
        }
        told = self.renderer.fragment(
            "operations/_told.html", urls, count=len(rows), asked=asked, problem=problem
        )
        parts = {"told": dated_fragment("told", told), "trouble": trouble("")}
        return Snapshot(parts, rows, frame=FRAME), following


async def sent_by(request: Request, visitor: Visitor) -> Requester:
    """Who sent a form of our own page, and in which request. Raises `ForeignForm`, `BadRequest`."""
    fields = await read_form(request)
    require_own_form(request, sent=fields.get("form_token"), expected=visitor.session.form_token)
    return visitor.acting_in(request)


def words_of(kind: str) -> KindWords:
    """A kind in words; those of other programs say their name."""
    return KINDS.get(kind) or KindWords(kind.replace("-", " ").capitalize())


def shown(operation: Operation) -> dict[str, Any]:
    """What templates need to show an operation."""
    return {
        "operation": operation,
        "kind": words_of(operation.kind),
        "looks": LOOKS,
        "counts": [
            (state, operation.parts_by_state[state]) for state in State if state in operation.parts_by_state
        ],
    }
