"""Cinder's listings: which rows a token sees, filters, order, pages.

Traps of the real one that are kept: a time filter is known for volumes only and from 3.31 on; filters
that nobody knows are refused to tenants and find nothing for administrators; `with_count` makes the last page
link to another one.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from multisite.sim.http import Call, Json, Refusal, parse_stamp
from multisite.sim.paging import LONGEST, Identified, next_link

T = TypeVar("T", bound=Identified)

_FILTERS = {
    "volume": {
        "name", "status", "metadata", "bootable", "migration_status", "availability_zone", "group_id", "size",
        "created_at", "updated_at", "consumes_quota",
    },
    "snapshot": {"name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"},
    "backup": {"name", "status", "volume_id"},
}  # fmt: skip
_NO_FILTERS = {"limit", "marker", "offset", "sort", "sort_key", "sort_dir", "with_count", "all_tenants"}
_ATTRIBUTES = {
    "availability_zone": "zone",
    "created_at": "created",
    "updated_at": "updated",
    "display_name": "name",
}
_COMPARISONS: Mapping[str, Callable[[int, float], bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "eq": lambda left, right: left == right,
    "neq": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}
#: From this microversion on unknown filters are refused.
_STRICT = (3, 31)


def chosen(call: Call, kind: str, items: Mapping[str, T]) -> list[T]:
    """The rows that a listing is about, in its order. Raises `Refusal` (400)."""
    everywhere = call.token.admin and call.one("all_tenants", "0").lower() in {"1", "true", ""}
    rows: list[Any] = [
        item for item in items.values() if everywhere or _project(item) == call.token.project_id
    ]
    for name in call.query:
        if name not in _NO_FILTERS:
            rows = _filtered(call, kind, name, rows)
    return _sorted(call, rows)


def _project(item: Any) -> str:
    return str(item.project_id)


def _filtered(call: Call, kind: str, name: str, rows: list[Any]) -> list[Any]:  # noqa: PLR0911 - a filter has many fates
    value = call.one(name)
    known = name.rstrip("~") in _FILTERS[kind]
    if not call.token.admin and not known:
        if call.version >= _STRICT:
            raise Refusal(400, f"Invalid filters {name} are found in query options.")
        return rows
    if name in {"created_at", "updated_at"}:
        if kind != "volume":
            return []
        return _compared(name, value, rows) if call.version >= _STRICT else rows
    if name in {"metadata", "bootable", "migration_status", "group_id", "consumes_quota"}:
        return rows  # nothing of that differs here
    attribute = _ATTRIBUTES.get(name.rstrip("~"), name.rstrip("~"))
    if not rows or not hasattr(rows[0], attribute):
        return []
    if name.endswith("~") and call.version >= (3, 34):
        return [row for row in rows if value in str(getattr(row, attribute))]
    return [row for row in rows if str(getattr(row, attribute)) == value]


def _compared(name: str, value: str, rows: list[Any]) -> list[Any]:
    for part in value.split(","):
        word, _, text = part.partition(":")
        compare = _COMPARISONS.get(word)
        if compare is None:
            raise Refusal(400, f"Invalid {word} operator")
        try:
            at = parse_stamp(text)
        except Refusal:
            raise Refusal(400, f"Invalid {text} value") from None
        rows = [row for row in rows if compare(int(getattr(row, _ATTRIBUTES[name])), at)]
    return rows


def _sorted(call: Call, rows: list[Any]) -> list[Any]:
    asked = call.one("sort") or f"{call.one('sort_key', 'created_at')}:{call.one('sort_dir', 'desc')}"
    for part in reversed(asked.split(",")):
        name, _, direction = part.partition(":")
        attribute = _ATTRIBUTES.get(name, name)
        if rows and not hasattr(rows[0], attribute):
            raise Refusal(400, f"Invalid input received: Sort key {name} is invalid")
        if direction not in {"", "asc", "desc"}:
            raise Refusal(400, "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.")
        reverse = direction != "asc"
        rows = sorted(rows, key=lambda row: _sort_value(getattr(row, attribute), row.id), reverse=reverse)
    return rows


def _sort_value(value: Any, row_id: str) -> tuple[Any, str]:
    """Times count to the second; rows that are alike are told apart by their ids."""
    if isinstance(value, float):
        return (int(value), row_id)
    return (
        (str(value) if value is not None else "", row_id) if not isinstance(value, int) else (value, row_id)
    )


def listing(call: Call, key: str, rows: list[T], show: Callable[[T], Json]) -> Json:
    """One page of the rows. Raises `Refusal`: a bad limit (400), a marker that is not there (404)."""
    limit = _limit(call)
    start = _number(call, "offset")
    marker = call.one("marker")
    if marker:
        after = next((number for number, row in enumerate(rows, 1) if row.id == marker), None)
        if after is None:
            raise Refusal(404, f"{key.rstrip('s').capitalize()} {marker} could not be found.")
        start += after
    shown = rows[start : start + limit]
    body: Json = {key: [show(row) for row in shown]}
    counted = call.version >= (3, 45) and call.one("with_count").lower() in {"true", "1"}
    if shown and limit <= (len(rows) if counted else len(shown)):
        body |= next_link(call, key, shown[-1].id)
    return body | ({"count": len(rows)} if counted else {})


def _limit(call: Call) -> int:
    return min(_number(call, "limit"), LONGEST) if "limit" in call.query else LONGEST


def _number(call: Call, name: str) -> int:
    text = call.one(name, "0")
    if not text.lstrip("-").isdigit():
        raise Refusal(400, f"{name} param must be an integer")
    if int(text) < 0:
        raise Refusal(400, f"{name} param must be positive")
    return int(text)
