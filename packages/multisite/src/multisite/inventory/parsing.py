"""From a service's answer to an `Item`, distrusting every field.

A region may be wrong or lie: a row whose fields are not what OpenStack sends is `Malformed`, with one
sentence that names it; rows beside it are not touched.
"""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any

from multisite.inventory.kinds import Kind, Raw
from multisite.inventory.model import UNKNOWN_TIME, Item
from multisite.openstack.failures import GARBAGE

#: Longest texts that are believed; OpenStack's own bound for names is 255.
LONGEST_NAME = 1024
LONGEST_ID = 255
LONGEST_WORD = 64
#: Bytes of an item's attributes.
LARGEST_ATTRIBUTES = 256 * 1024
_ID = re.compile(r"[A-Za-z0-9._:\-]{1,255}")
#: A NUL in JSON, which PostgreSQL does not take; not one after a backslash that is itself escaped.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Malformed(Exception):
    """A row that is not what OpenStack sends."""


def parse(kind: Kind, raw: Any) -> Item:
    """One row of a listing. Raises `Malformed`."""
    if not isinstance(raw, dict):
        raise Malformed(f"a {kind.name} is no object")
    identity = identity_of(kind, raw)
    try:
        return _item(kind, raw, identity)
    except Malformed as error:
        raise Malformed(f"{kind.name} {identity}: {error}") from error
    except (*GARBAGE, RecursionError) as error:
        raise Malformed(f"{kind.name} {identity}: {type(error).__name__} {str(error)[:80]}") from error


def identity_of(kind: Kind, raw: Any) -> str:
    """The id of a row. Raises `Malformed`."""
    identity = raw.get("id") if isinstance(raw, dict) else None
    if not isinstance(identity, str) or not _ID.fullmatch(identity):
        raise Malformed(f"a {kind.name} has no proper id")
    return identity


def version_of(raw: Raw) -> str:
    """Neutron's mark of a row's revision; empty where it does not tell one.

    The time is in it because some changes (a subnet's name servers) move only the time, not the number.
    """
    number = raw.get("revision_number")
    if not isinstance(number, int):
        return ""
    return f"{number}/{raw.get('updated_at')}"[:LONGEST_WORD]


def _item(kind: Kind, raw: Raw, identity: str) -> Item:
    attributes = {attribute.name: attribute.value(raw) for attribute in kind.attributes}
    name = _text(raw, "name", LONGEST_NAME)
    if kind.name == "floating_ip":
        name = name or str(raw["floating_ip_address"])
    created = _time(raw, kind.created) or UNKNOWN_TIME
    core = (
        name,
        _text(raw, "status", LONGEST_WORD),
        _text(raw, kind.project, LONGEST_WORD),
        _text(raw, "user_id", LONGEST_ID),
        created,
        _time(raw, kind.updated) or created,
        bool(kind.shared(raw)),
        _text(raw, kind.parent, LONGEST_ID) or None,
        _text(raw, kind.device, LONGEST_ID) or None,
        version_of(raw),
        tuple({each.address: each for each in kind.addresses(raw)}.values()),
    )
    document = json.dumps([str(core), attributes], sort_keys=True, ensure_ascii=True)
    if len(document) > LARGEST_ATTRIBUTES:
        raise Malformed(f"its attributes are larger than {LARGEST_ATTRIBUTES} bytes")
    if "\\u0000" in document and _NUL.search(document):  # the expression alone was a fifth of the work
        raise Malformed("it has a NUL character")
    digest = hashlib.blake2b(document.encode(), digest_size=12).hexdigest()
    return Item(identity, *core, attributes, digest)


def _text(raw: Raw, field: str | None, longest: int) -> str:
    value = raw.get(field) if field else None
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f"{field} is no text")
    if "\x00" in value:
        raise Malformed(f"{field} has a NUL character")
    if len(value) > longest:
        raise Malformed(f"{field} has {len(value)} characters")
    return value


def _time(raw: Raw, field: str) -> datetime | None:
    value = _text(raw, field, LONGEST_WORD)
    if not value:
        return None
    time = datetime.fromisoformat(value)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
