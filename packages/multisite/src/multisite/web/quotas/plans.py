"""Dry runs as pages show them: a row for each value that would be written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multisite.engine.writes import RegionWrite
from multisite.quotas.model import MissingService
from multisite.web.quotas.sending import Fields

#: Writes that are shown.
MOST_WRITES = 500
#: What the browser sends besides what was typed.
_OURS = frozenset({"form_token", "once", "step", "generation"})


@dataclass(frozen=True, slots=True)
class PlanTable:
    """The first writes of a dry run, how many there are, and what could not be read: service → regions."""

    rows: Sequence[Mapping[str, Any]]
    count: int
    missing: Mapping[str, Sequence[str]]


def plan_table(writes: Sequence[tuple[str, RegionWrite]], missing: Sequence[MissingService]) -> PlanTable:
    """The table of these writes, each with the project that it is for, or nothing where that is clear."""
    rows = [{"project": project, **_write_row(write)} for project, write in writes[:MOST_WRITES]]
    away: dict[str, list[str]] = {}
    for service, region in sorted({(each.service, each.region) for each in missing}):
        away.setdefault(service, []).append(region)
    return PlanTable(rows, len(writes), away)


def again(fields: Fields) -> list[tuple[str, str]]:
    """The fields of a form, to be sent again as they are."""
    return [(name, value) for name, values in fields.items() if name not in _OURS for value in values]


def _write_row(write: RegionWrite) -> dict[str, Any]:
    """One write: each value with what is there before and after it."""
    before, after = write.before, write.after
    if not isinstance(before, Mapping) and not isinstance(after, Mapping):
        values = [("", _plain(before), _plain(after))]
    else:
        old, new = (each if isinstance(each, Mapping) else {} for each in (before, after))
        names = sorted({*old, *new})
        values = [(name, _plain(old.get(name)), _plain(new.get(name))) for name in names]
    return {"write": write, "values": values}


def _plain(value: Any) -> str:
    if value is None:
        return "none of its own"
    return "unlimited" if value == -1 else str(value)
