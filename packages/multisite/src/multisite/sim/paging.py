"""Pages of Nova's and Cinder's listings: `limit`, `marker`, and a link to the next page."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from multisite.sim.http import Call, Json, Refusal

#: The longest page, whatever is asked for.
LONGEST = 1000


class Identified(Protocol):
    """Something with an id."""

    id: str


T = TypeVar("T", bound=Identified)


def page(call: Call, items: Sequence[T]) -> tuple[list[T], bool]:
    """One page of the items, and whether to link to another one. Raises `Refusal` (400) for a bad marker."""
    limit = call.whole("limit", LONGEST)
    marker = call.one("marker")
    start = 0
    if marker:
        start = next((number for number, item in enumerate(items, 1) if item.id == marker), -1)
        if start < 0:
            raise Refusal(400, f"marker [{marker}] not found", kind="badRequest")
    size = min(limit, LONGEST)
    shown = list(items[start : start + size])
    return shown, bool(shown) and len(shown) == size and ("limit" in call.query or len(items) > start + size)


def next_link(call: Call, key: str, last_id: str) -> Json:
    """The listing's link to the page after `last_id`."""
    query = {name: values for name, values in call.query.items() if name != "marker"} | {"marker": [last_id]}
    return {f"{key}_links": [{"rel": "next", "href": call.url(call.path, query)}]}
