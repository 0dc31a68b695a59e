"""What the addresses of the pages of quotas ask for, as values that can be shared by who asks the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from multisite.errors import BadRequest
from multisite.quotas.model import ProjectQuotaRow, State
from multisite.quotas.requests.model import RequestState
from multisite.web.filters import one_of
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.history import SPANS
from multisite.web.quotas.words import worst

#: Projects on a page of the list.
ROWS = 100


@dataclass(frozen=True, slots=True)
class AskedList:
    """A list: a part of a name, id, domain or class; a state; the resource that sorts; the place."""

    text: str = ""
    state: str = ""
    sort: str = ""
    after: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "AskedList":
        """From an address."""
        return cls(*(plain_text(query.get(name, "")) for name in ("text", "state", "sort", "after")))

    @property
    def narrows(self) -> bool:
        """Whether it leaves projects out."""
        return bool(self.text or self.state)

    def query(self, **changes: str) -> dict[str, str]:
        """The fields of the address, with some of them changed."""
        return {"text": self.text, "state": self.state, "sort": self.sort, "after": self.after} | changes

    def choose(self, rows: Iterable[ProjectQuotaRow]) -> tuple[Sequence[ProjectQuotaRow], str]:
        """The rows of the page, and the place of the next one, empty at the end.

        Raises `BadRequest` for a state that there is not, and for a place that is gone.
        """
        if self.state and self.state not in set(State):
            raise BadRequest(f"state: there is no state {self.state!r}; there are: {', '.join(State)}")
        fitting = [row for row in rows if self._fits(row)]
        begin = 0
        if self.after:
            places = [number for number, row in enumerate(fitting) if row.project_id == self.after]
            if not places:
                raise BadRequest(f"after: project {self.after!r} is not in this list any more; begin it anew")
            begin = places[0] + 1
        shown = fitting[begin : begin + ROWS]
        return shown, shown[-1].project_id if len(fitting) > begin + ROWS else ""

    def _fits(self, row: ProjectQuotaRow) -> bool:
        if self.state and worst(each["state"] for each in row.resources.values()) != self.state:
            return False
        names = (row.project_name, row.project_id, row.domain_name, row.class_name)
        return any(self.text.casefold() in name.casefold() for name in names if name)


@dataclass(frozen=True, slots=True)
class AskedRequests:
    """Requests for more: in a state, of a project (its name or id; for operators), the place."""

    state: str = ""
    project: str = ""
    after: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "AskedRequests":
        """From an address."""
        return cls(*(plain_text(query.get(name, "")) for name in ("state", "project", "after")))

    @property
    def narrows(self) -> bool:
        """Whether it leaves requests out."""
        return bool(self.state or self.project)

    @property
    def states(self) -> Sequence[RequestState]:
        """The states as the service wants them. Raises `BadRequest` for one that there is not."""
        if self.state and self.state not in set(RequestState):
            there = ", ".join(RequestState)
            raise BadRequest(f"state: there is no state {self.state!r}; there are: {there}")
        return (RequestState(self.state),) if self.state else ()

    def query(self, **changes: str) -> dict[str, str]:
        """The fields of the address, with some of them changed."""
        return {"state": self.state, "project": self.project, "after": self.after} | changes


@dataclass(frozen=True, slots=True)
class AskedQuota:
    """One project: whose regions are shown, the event after which the list goes on, what is followed."""

    project_id: str
    resource: str = ""
    before: int | None = None
    operation: str = ""
    span: str = "day"

    @classmethod
    def of(cls, project_id: str, query: Mapping[str, str]) -> "AskedQuota":
        """From an address. Raises `BadRequest` for a place among events, or a span, that is none."""
        before = query.get("before", "")
        if before and (not before.isascii() or not before.isdigit() or not 0 < int(before[:11]) < 2**31):
            raise BadRequest(f"before: {before[:20]!r} is no place in the list of events; begin it anew")
        return cls(
            plain_text(project_id),
            plain_text(query.get("resource", ""), 300),
            int(before) if before else None,
            plain_text(query.get("operation", ""), 64),
            one_of(query, "span", tuple(SPANS)) or "day",
        )

    def query(self, **changes: str) -> dict[str, str]:
        """The fields of the address, with some of them changed."""
        before = str(self.before) if self.before else ""
        fields = {"resource": self.resource, "before": before, "operation": self.operation}
        return {**fields, "span": "" if self.span == "day" else self.span, **changes}
