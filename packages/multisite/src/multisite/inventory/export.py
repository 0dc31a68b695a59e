"""Rows as CSV, for spreadsheets.

A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@` or a tab for a formula, some of them also after
spaces or in full width, and names of servers are what tenants choose: such texts get an apostrophe before
them. Numbers stay numbers.
"""

import csv
import io
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Any

from multisite.inventory.model import InventoryRow
from multisite.inventory.service import Export

COLUMNS = (
    *("region", "id", "name", "status", "project_id", "project_name", "user_id", "addresses"),
    *("created_at", "updated_at", "observed_at", "state"),
)
_FORMULA = re.compile(r"[\t\r]|\s*[=+@＝＋－＠-]")


async def lines(export: Export) -> AsyncIterator[str]:
    """The export, a slice of rows at a time; first the names of the columns."""
    attributes = [
        attribute.name for attribute in export.kind.attributes if export.operator or not attribute.operators
    ]
    yield _written([[*COLUMNS, *attributes]])
    async for rows in export.slices:
        yield _written(_cells(row, attributes) for row in rows)


def cell(value: Any) -> str | float | int:
    """One value as a spreadsheet may have it."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if _FORMULA.match(text) else text


def _cells(row: InventoryRow, attributes: Sequence[str]) -> list[str | float | int]:
    fixed = [getattr(row, name) for name in COLUMNS]
    fixed[COLUMNS.index("addresses")] = " ".join(row.addresses)
    return [cell(value) for value in (*fixed, *(row.attributes.get(name) for name in attributes))]


def _written(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
