"""Cells that read well in a table and are plain values everywhere else.

`--format table` shows "1.5 TiB", "3 min" or "unlimited"; json, yaml, csv and value give the number that
the API gave, in the unit that docs/reference/commands.md names, and null for what is not known. Unknown
values are `-` in a table and sort last.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cliff.columns import FormattableColumn

UNLIMITED = -1


def plain(text: str) -> str:
    """A text as a terminal may show it: what would command it, or turn the line around, is spelt out.

    Names are what tenants choose, and operators read them.
    """
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


class Cell(FormattableColumn[Any]):
    """A value that may be unknown."""

    def human_readable(self) -> str:
        """What a table shows."""
        return "-" if self._value is None else plain(self.text(self._value))

    def text(self, value: Any) -> str:
        """What a table shows for a known value."""
        return str(value)

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Cell):
            return NotImplemented
        if self._value is None or other._value is None:
            return self._value is not None
        return bool(self._value < other._value)


class Measure(Cell):
    """A number, on the right of its column in a table."""

    width = 0

    def human_readable(self) -> str:
        """What a table shows, padded to the width of the column."""
        return super().human_readable().rjust(self.width)


class Age(Measure):
    """Seconds since something was read."""

    def text(self, value: float) -> str:
        """The two greatest units."""
        minutes, seconds = divmod(round(value), 60)
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
        first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
        return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count) or "0 s"


class _Size(Measure):
    """An amount of bytes, counted in some unit."""

    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    unit = "B"

    def text(self, value: float) -> str:
        """The amount in the greatest unit of which there is at least one."""
        units = self.units[self.units.index(self.unit) :]
        amount, step = float(value), 0
        while abs(amount) >= 1024 and step < len(units) - 1:  # noqa: PLR2004 - binary units
            amount, step = amount / 1024, step + 1
        return f"{amount:.{0 if amount.is_integer() else 1}f} {units[step]}"


class Bytes(_Size):
    """Bytes."""


class Mebibytes(_Size):
    """MiB, as Nova and Placement count memory."""

    unit = "MiB"


class Gibibytes(_Size):
    """GiB, as Cinder counts volumes and Placement disks; Cinder may also say `infinite` or `unknown`."""

    unit = "GiB"

    def text(self, value: float | str) -> str:
        """The amount, or Cinder's word for it."""
        return value if isinstance(value, str) else super().text(value)


class Limit(Measure):
    """A limit, of which -1 says that there is none; it reads like the amounts it bounds."""

    def __init__(self, value: int | None, unit: type[Measure] = Measure) -> None:
        super().__init__(value)
        self.unit = unit

    def text(self, value: int) -> str:
        """The limit, in words where there is none."""
        return "unlimited" if value == UNLIMITED else self.unit(value).human_readable()


class Labels(Cell):
    """Labels, or another flat mapping."""

    def text(self, value: Mapping[str, Any]) -> str:
        """`key=value` pairs in the order of the keys."""
        return ", ".join(f"{key}={value[key]}" for key in sorted(value)) or "-"


class Maintenance(Cell):
    """Planned work in a region."""

    def text(self, value: Mapping[str, Any]) -> str:
        """The reason, and the end if one is set."""
        end = value.get("ends_at")
        return f"{value['reason']} (until {end})" if end else str(value["reason"])


class Sentence(Cell):
    """What a service said: cut to what a table bears; programs get all of it."""

    longest = 100

    def text(self, value: str) -> str:
        """The beginning, on one line."""
        line = " ".join(value.split())
        return line if len(line) <= self.longest else f"{line[: self.longest - 1]}…"


class CallError(Sentence):
    """Why a call to a region failed."""

    def text(self, value: Any) -> str:
        """The code, and the sentence that operators get."""
        detail = value.get("detail")
        return super().text(f"{value['code']}: {detail}" if detail else value["code"])


class WholeCallError(CallError):
    """Why a call to a region failed, in full."""

    longest = 10_000


def in_words(states: Mapping[str, str]) -> str:
    """Services by their state: `compute, volume unreachable; image stale`."""
    services: dict[str, list[str]] = defaultdict(list)
    for service, state in states.items():
        services[state].append(service)
    return "; ".join(f"{', '.join(names)} {state}" for state, names in services.items())


class ServiceStates(Cell):
    """The state of each service of a region: a mapping of service to state."""

    def text(self, value: Mapping[str, str]) -> str:
        """The services that are not well, or what they all are."""
        present = {name: value[name] for name in sorted(value) if value[name] != "absent"}
        if len(set(present.values())) == 1:
            return f"all {next(iter(present.values()))}"
        return in_words({name: state for name, state in present.items() if state != "fresh"}) or "-"


class Services(Cell):
    """The freshness of each service of a region, a service a line."""

    def text(self, value: Mapping[str, Mapping[str, Any]]) -> str:
        """State, age and error of each service."""
        return "\n".join(self._line(name, value[name]) for name in sorted(value)) or "-"

    @staticmethod
    def _line(name: str, freshness: Mapping[str, Any]) -> str:
        line = f"{name}: {freshness['state']}"
        if freshness.get("age") is not None:
            line += f", read {Age(freshness['age']).human_readable()} ago"
        if freshness.get("error"):
            line += f", {CallError(freshness['error']).human_readable()}"
        return line


class Words(Cell):
    """Several values."""

    def text(self, value: list[Any]) -> str:
        """One after the other; what is no plain value as JSON."""
        return ", ".join(each if isinstance(each, str) else json.dumps(each) for each in value) or "-"
