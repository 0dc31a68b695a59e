"""Dry runs of quotas: the exact writes that a change would make now."""

import argparse
import logging
from collections.abc import Iterable
from typing import Any

from osc_multisite.columns import Cell, Labels
from osc_multisite.command import Rows

Json = dict[str, Any]

_FIELDS = ("region", "service", "method", "path", "before", "after")
TITLES = tuple(name.title() for name in _FIELDS)


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """`--dry-run`."""
    parser.add_argument(
        "--dry-run", action="store_true", help="Only show the exact writes that would be made now"
    )


def rows_of(writes: Iterable[Json]) -> Rows:
    """One row per write."""
    return [tuple(_cell(write[name]) for name in _FIELDS) for write in writes]


def warn_of(missing: Iterable[Json], log: logging.Logger) -> None:
    """Say what could not be read, once each."""
    for service, region in sorted({(each["service"], each["region"]) for each in missing}):
        log.warning(
            "%s of region %s could not be read: what is to be written there is found when it answers",
            service,
            region,
        )


def _cell(value: Any) -> Cell:
    return Labels(value) if isinstance(value, dict) else Cell(value)
