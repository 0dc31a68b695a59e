"""Figures as people read them: pure functions from numbers to short texts.

Everything that a template prints as a quantity goes through here, so that the same figure looks the
same on every page. Texts use a no-break space before the unit; digits are grouped by a narrow one.
"""

from datetime import UTC, datetime

_NARROW = "\u202f"
_SPACE = "\u00a0"
_KIBI = 1024
_TOO_LONG = 10**13
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNKNOWN = "–"


def count(number: float | None) -> str:
    """`12 480`; at most one decimal; `1.84 × 10¹⁹` for IPv6's figures; a dash for what is not known."""
    if number is None:
        return _UNKNOWN
    if abs(number) >= _TOO_LONG:
        digits, _, exponent = f"{float(number):.2e}".partition("e+")
        return f"{digits}{_SPACE}×{_SPACE}10{exponent.lstrip('0').translate(_RAISED)}"
    text = f"{number:,.1f}" if isinstance(number, float) and not number.is_integer() else f"{int(number):,}"
    return text.replace(",", _NARROW)


def from_bytes(number: float | None) -> str:
    """`1.5 GiB` from bytes, with three digits at most where there are more than three."""
    return _binary(number, 0)


def from_mebibytes(number: float | None) -> str:
    """`1.5 GiB` from MiB (memory, as Placement and Nova count it)."""
    return _binary(number, 2)


def from_gibibytes(number: float | None) -> str:
    """`1.5 TiB` from GiB (disks and volumes, as Placement and Cinder count them)."""
    return _binary(number, 3)


def _binary(number: float | None, unit: int) -> str:
    if number is None:
        return _UNKNOWN
    value = float(number)
    while abs(value) >= _KIBI and unit < len(_UNITS) - 1:
        value /= _KIBI
        unit += 1
    digits = f"{value:.0f}" if value.is_integer() or abs(value) >= 100 else f"{value:.1f}"  # noqa: PLR2004
    return f"{digits.removesuffix('.0')}{_SPACE}{_UNITS[unit]}"


def share(part: float, whole: float) -> float:
    """`part` of `whole` in percent, between 0 and 100; 0 of nothing."""
    if whole <= 0:
        return 100.0 if part > 0 else 0.0
    return min(100.0, max(0.0, 100.0 * part / whole))


def percent(value: float | None) -> str:
    """`37 %`; never rounds a rest away: `<1 %` is not nothing, `>99 %` is not all."""
    if value is None:
        return _UNKNOWN
    if 0 < value < 1:
        return f"<1{_SPACE}%"
    if 99 < value < 100:  # noqa: PLR2004
        return f">99{_SPACE}%"
    return f"{value:.0f}{_SPACE}%"


def span(seconds: float) -> str:
    """`12 s`, `3 min`, `2 h 5 min`, `4 d 3 h`: the two largest units that matter."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole}{_SPACE}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}{_SPACE}min"
    if whole < _DAY:
        return _two(whole // _HOUR, "h", whole % _HOUR // _MINUTE, "min")
    return _two(whole // _DAY, "d", whole % _DAY // _HOUR, "h")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = f" {small}{_SPACE}{small_unit}" if small else ""
    return f"{large}{_SPACE}{large_unit}{rest}"


def ago(seconds: float | None) -> str:
    """`12 s ago`; `never` for what was never read."""
    return "never" if seconds is None else f"{span(seconds)} ago"


def milliseconds(value: float | None) -> str:
    """`42 ms`, `1.3 s`."""
    if value is None:
        return _UNKNOWN
    if value >= 1000:  # noqa: PLR2004
        return f"{value / 1000:.1f}{_SPACE}s"
    return f"{value:.0f}{_SPACE}ms"


def skew(seconds: float | None) -> str:
    """A clock's difference to ours with its sign: `+0.2 s`, `−3.0 s`."""
    if seconds is None:
        return _UNKNOWN
    sign = "−" if seconds < 0 else "+"
    return f"{sign}{abs(seconds):.1f}{_SPACE}s"


def moment(at: datetime | None) -> str:
    """`2026-11-22 14:02:11 UTC`."""
    if at is None:
        return _UNKNOWN
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}{_SPACE}UTC"
