"""A saved filter as a value, and what may be saved.

A filter is the kind of a list and the fields of its address. Names are what people write, so they are bounded
and visible: two that look alike are the same text, but for letters that only look alike.
"""

import unicodedata
from dataclasses import dataclass

from multisite.errors import BadRequest, Conflict

LONGEST_NAME = 60
LONGEST_QUERY = 2000
#: Filters of one user.
MOST = 50


class TooManyFilters(Conflict):
    """A user has as many saved filters as one may have."""

    code = "too-many-filters"


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A filter under its name; `query` are the fields of the address, as they stand in it."""

    name: str
    kind: str
    query: str


def proper_name(text: str) -> str:
    """The name with single spaces. Raises `BadRequest`."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise BadRequest("name: write under which name the filter shall be saved")
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"name: it has {len(name)} characters; write {LONGEST_NAME} at most")
    if not name.isprintable():
        raise BadRequest("name: it has characters that nobody sees; write plain text")
    return name


def proper_query(text: str) -> str:
    """The fields of an address. Raises `BadRequest` for more than an address should have."""
    if len(text) > LONGEST_QUERY or not text.isprintable():
        raise BadRequest(f"the filter is longer than {LONGEST_QUERY} characters, or no plain text")
    return text
