"""Figures as regions write them, looked at before they are believed.

A region that is broken may write anything, and one such figure spoils every total it goes into. What cannot
be is refused here, with a sentence that names the field, so that the last good figures stay. What only looks
odd is let through: more may be used than there is, or than the limit, after an operator lowered either.
"""

UNLIMITED = -1
#: What counts and sizes in bytes fit in.
LARGEST = 2**63 - 1
#: GiB whose bytes still fit in 64 bits: file systems without an end report about this much.
LARGEST_GIB = 2**34


class Impossible(ValueError):
    """A figure that cannot be; its text is a sentence that names the field."""


def natural(value: object, name: str, *, largest: int = LARGEST) -> int:
    """A count or a size. Raises `ValueError` for what is no whole number, less than nothing, or too large."""
    try:
        number = int(str(value))
    except ValueError:
        raise Impossible(f"the answer has {name} {str(value)[:40]!r}, which is no whole number") from None
    if number < 0:
        raise Impossible(f"the answer has {name} {number}, which is less than nothing")
    if number > largest:
        raise Impossible(f"the answer has {name} {number:.3g}, which is more than there can be")
    return number


def limit(value: object, name: str) -> int:
    """A limit: a count, or -1 for unlimited. Raises as `natural`."""
    return UNLIMITED if str(value) == str(UNLIMITED) else natural(value, name)


def gib(number: float, name: str) -> float:
    """A size in GiB. Raises `ValueError` for less than nothing, and for more than there is anywhere."""
    if number < 0:
        raise Impossible(f"the answer has {name} {number:g}, which is less than nothing")
    if number > LARGEST_GIB:
        raise Impossible(f"the answer has {name} {number:g}, which is more than there can be")
    return number
