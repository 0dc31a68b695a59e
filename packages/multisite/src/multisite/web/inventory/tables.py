"""A list as the template prints it: heads, rows of cells, and what is missing in words."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from multisite.inventory.keypairs import Keypair
from multisite.inventory.model import InventoryRow, MissingKind
from multisite.inventory.queries import Direction, Sort
from multisite.regions.states import State
from multisite.web.inventory import cells
from multisite.web.inventory.asked import Asked
from multisite.web.inventory.cells import Cell, Cells
from multisite.web.inventory.columns import columns_of
from multisite.web.inventory.words import WITH_ADDRESSES, tone
from multisite.web.urls import Urls

_MOST_ADDRESSES = 6


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column: a link that sorts, where one can sort by it."""

    label: str
    href: str | None = None
    direction: str = "none"
    numeric: bool = False
    time: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One item; `key` is its name in the page. `values` stand between the project and the times."""

    key: str
    name: Cell
    id: str
    status: str | None
    tone: str
    project: Cell | None
    region: Cell
    state: State | None
    dashboard_url: str | None
    values: tuple[tuple[str, bool, Cells], ...]
    updated_at: datetime | None
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """A list: its heads (name, status, region, project stand first) and rows."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    has_status: bool
    has_project: bool
    has_times: bool = True


def table_of(
    urls: Urls, asked: Asked, rows: Iterable[InventoryRow], *, operator: bool, has_status: bool
) -> Table:
    """The table of the items of one kind."""
    own = columns_of(asked.kind, operator=operator)
    with_addresses = asked.kind in WITH_ADDRESSES
    has_project = operator or asked.visible

    def sorting(label: str, sort: Sort) -> Head:
        href = urls.page(f"inventory/{asked.kind}", asked.sorted_by(sort))
        if sort is not asked.sort:
            return Head(label, href)
        return Head(label, href, "ascending" if asked.direction is Direction.ASC else "descending")

    heads = [
        sorting("Name", Sort.NAME),
        *([sorting("Status", Sort.STATUS)] if has_status else []),
        sorting("Region", Sort.REGION),
        *([sorting("Project", Sort.PROJECT)] if has_project else []),
        *(Head(column.label, numeric=column.numeric) for column in own),
        *([Head("Addresses")] if with_addresses else []),
        replace(sorting("Changed", Sort.UPDATED_AT), time=True),
        Head("Read", time=True),
    ]

    def row_of(row: InventoryRow) -> Row:
        values = [(column.label, column.numeric, column.show(urls, row)) for column in own]
        if with_addresses:
            values.append(("Addresses", False, addresses(row.addresses)))
        return Row(
            key=key_of(row.region, row.id),
            name=Cell(row.name or cells.short(row.id), urls.item(asked.kind, row.region, row.id), row.id),
            id=row.id,
            status=row.status,
            tone=tone(row.status),
            project=_project(urls, asked, row, operator=operator) if has_project else None,
            region=region_cell(urls, row.region, operator=operator),
            state=row.state,
            dashboard_url=row.dashboard_url,
            values=tuple(values),
            updated_at=row.updated_at,
            observed_at=row.observed_at,
        )

    return Table(tuple(heads), tuple(row_of(row) for row in rows), has_status, has_project)


def keypair_table(urls: Urls, keypairs: Iterable[Keypair], *, operator: bool) -> Table:
    """The table of keypairs, which have neither page, status nor times."""
    heads = (Head("Name"), Head("Region"), Head("Type"), Head("Fingerprint"))
    rows = tuple(
        Row(
            key=key_of(each.region, each.name),
            name=Cell(each.name, title=each.public_key[:200]),
            id=each.name,
            status=None,
            tone="",
            project=None,
            region=region_cell(urls, each.region, operator=operator),
            state=None,
            dashboard_url=None,
            values=(
                ("Type", False, cells.said(each.type)),
                ("Fingerprint", False, cells.said(each.fingerprint)),
            ),
            updated_at=None,
            observed_at=None,
        )
        for each in keypairs
    )
    return Table(heads, rows, has_status=False, has_project=False, has_times=False)


def key_of(region: str, identity: str) -> str:
    """What a row is called in the page: regions and ids may hold what no selector takes."""
    return f"row-{hashlib.blake2b(f'{region}/{identity}'.encode(), digest_size=8).hexdigest()}"


def region_cell(urls: Urls, name: str, *, operator: bool) -> Cell:
    """A link to a region: its own page, or what the project uses in it."""
    return Cell(name, urls.region(name) if operator else urls.page("project", {"region": name}))


def addresses(found: Sequence[str]) -> Cells:
    """Addresses, of many the first."""
    shown = tuple(Cell(each) for each in found[:_MOST_ADDRESSES])
    more = len(found) - len(shown)
    return (*shown, Cell(f"and {more} more", title=" ".join(found)[:1000])) if more else shown


def by_region(missing: Iterable[MissingKind]) -> Mapping[str, list[MissingKind]]:
    """What a list lacks, region by region."""
    found: dict[str, list[MissingKind]] = {}
    for each in missing:
        found.setdefault(each.region, []).append(each)
    return found


def _project(urls: Urls, asked: Asked, row: InventoryRow, *, operator: bool) -> Cell:
    if row.project_id is None:
        return Cell("–")
    text = row.project_name or cells.short(row.project_id)
    if not operator:
        return Cell(text, title=row.project_id)
    href = urls.page(f"inventory/{asked.kind}", asked.filters(project=row.project_id))
    return Cell(text, href, row.project_id)
