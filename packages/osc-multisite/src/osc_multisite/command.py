"""What the multisite commands have in common.

Human columns (`columns.py`) stay for tables only. cliff would write a column's value to csv as text, and
`None` as the word; here machine formats get the bare values, so that numbers are numbers and unknown is
empty. Formats of flat cells get a mapping as JSON, which more than Python reads. In tables, numbers are
padded so that they stand on the right.
"""

import argparse
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from cliff.columns import FormattableColumn
from osc_lib.command import command

from osc_multisite.columns import Measure, in_words, plain

#: Formats that programs read, with values as they are, and with cells that hold one word or number.
NESTED_FORMATS = {"json", "yaml"}
FLAT_FORMATS = {"csv", "value", "shell"}
#: How a text begins that a spreadsheet takes for a formula.
FORMULA = re.compile(r"[\t\r]|\s*[=+@＝＋－＠-]")
#: How many regions a note names before it only counts them.
NAMED = 10

Rows = list[tuple[Any, ...]]
Table = tuple[Sequence[str], Rows]


class Command(command.Command):
    """A command that prints nothing."""

    log: logging.Logger

    @property
    def multisite(self) -> Any:
        """The proxy of the multisite service, a `sdk.MultisiteProxy`."""
        client_manager: Any = self.app.client_manager  # which gets an attribute from each plugin
        return client_manager.multisite


class Lister(Command, command.Lister):
    """A command that prints rows."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the rows as the format's readers want them."""
        rows = [readable(row, parsed_args.formatter) for row in data]
        pad(rows)
        return super().produce_output(parsed_args, column_names, rows)


class ShowOne(Command, command.ShowOne):
    """A command that prints the fields of one thing."""

    def produce_output(self, parsed_args: argparse.Namespace, column_names: Any, data: Any) -> Any:
        """Print the fields as the format's readers want them."""
        return super().produce_output(parsed_args, column_names, readable(data, parsed_args.formatter))


def readable(row: Iterable[Any], formatter: str) -> tuple[Any, ...]:
    """The cells for a format: bare values for programs, columns for people."""
    cells = tuple(row)
    if formatter not in NESTED_FORMATS | FLAT_FORMATS:
        return tuple(plain(cell) if isinstance(cell, str) else cell for cell in cells)
    values = (cell.machine_readable() if isinstance(cell, FormattableColumn) else cell for cell in cells)
    if formatter in NESTED_FORMATS:
        return tuple(values)
    flat = (json.dumps(value) if isinstance(value, dict | list) else value for value in values)
    return tuple(map(harmless, flat)) if formatter == "csv" else tuple(flat)


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: as in the API's CSV, an apostrophe stands before it.

    Names are what tenants choose, and CSV is what spreadsheets read.
    """
    return f"'{value}" if isinstance(value, str) and FORMULA.match(value) else value


def pad(rows: Rows) -> None:
    """Give the numbers of a column one width."""
    for column in zip(*rows, strict=True):
        measures = [cell for cell in column if isinstance(cell, Measure)]
        width = max((len(cell.human_readable()) for cell in measures), default=0)
        for cell in measures:
            cell.width = width


def add_region_filter(parser: argparse.ArgumentParser) -> None:
    """`--region NAME`, repeatable."""
    parser.add_argument(
        "--region",
        metavar="<name>",
        action="append",
        default=[],
        dest="regions",
        help="Only this region (repeat the option for several)",
    )


def add_fresh(parser: argparse.ArgumentParser) -> None:
    """`--fresh`."""
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="Read the regions now instead of answering from the last sweep",
    )


def missing_sentence(
    missing: Iterable[dict[str, Any]],
    opening: str = "Totals are incomplete; not in them",
    *,
    regions_in_all: int | None = None,
) -> str:
    """What totals do not contain, region by region: `RegionTwo (compute, volume unreachable)`.

    `regions_in_all` is the number of regions where `missing` names the first of them only.
    """
    regions: dict[str, dict[str, str]] = defaultdict(dict)
    for part in missing:
        regions[part["region"]][part["service"]] = part["state"]
    named = [f"{region} ({in_words(states)})" for region, states in list(regions.items())[:NAMED]]
    rest = (len(regions) if regions_in_all is None else regions_in_all) - len(named)
    if rest:
        named.append(f"and {rest} more region{'s' if rest > 1 else ''}")
    return f"{opening}: {', '.join(named)}"
