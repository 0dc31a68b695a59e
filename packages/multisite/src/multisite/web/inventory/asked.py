"""What a list's address asks for: filters, an order, and the place of a page in it.

All of it is in the address, so that it can be bookmarked and saved under a name. What means nothing there is
a mistake that is told (`check`): a list, or a CSV, of more than was asked for would be believed.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from multisite.errors import BadRequest
from multisite.inventory.kinds import BY_PLURAL, SHARED_KINDS
from multisite.inventory.queries import Direction, Order, Sort
from multisite.web.inventory.words import STATUSES, TITLES, WITH_ADDRESSES

LONGEST_TEXT = 255
LONGEST_MARKER = 8000
_TEXTS = ("project", "status", "name", "address")
#: What fields of an address there are, those of forms among them that are no filters.
_FIELDS = frozenset(
    {*_TEXTS, "region", "visible", "sort", "direction", "after", "before", "format", "done", "seal"}
)
#: Regions of one question; an address has room for so many.
MOST_REGIONS = 64


def plain_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text without control characters, and cut: databases do not take all of them."""
    kept = "".join(each for each in text if unicodedata.category(each) not in {"Cc", "Cs"})
    return kept.strip()[:longest]


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of one list. `project` is a name or an id; `after` and `before` are markers of places.

    Regions stand in an address as one field with commas between them (no name has one), or as several.
    """

    kind: str
    regions: tuple[str, ...] = ()
    project: str = ""
    status: str = ""
    name: str = ""
    address: str = ""
    visible: bool = False
    sort: Sort = Sort.NAME
    direction: Direction = Direction.ASC
    after: str = ""
    before: str = ""
    mistake: str = ""

    @classmethod
    def of(cls, kind: str, fields: Iterable[tuple[str, str]], *, operator: bool) -> "Asked":
        """From the fields of an address; what cannot be asked is left out, and a mistake."""
        given = list(fields)
        query = dict(given)
        regions = _regions([value for name, value in given if name == "region"])
        texts = {name: plain_text(query.get(name, "")) for name in _TEXTS}
        if not operator:
            texts["project"] = ""
        if kind not in STATUSES:
            texts["status"] = ""
        if kind not in WITH_ADDRESSES:
            texts["address"] = ""
        sort, direction = query.get("sort", ""), query.get("direction", "")
        known: Mapping[str, Collection[str]] = {"sort": tuple(Sort), "direction": tuple(Direction)}
        mistakes = [
            f"there is no filter {name!r}; {_there_are(kind)}" for name in query if name not in _FIELDS
        ]
        mistakes += [f"region: {len(regions)} are more than {MOST_REGIONS}"] * (len(regions) > MOST_REGIONS)
        mistakes += [
            f"{name}: {odd}" for name in _TEXTS if (odd := _what_is_odd(query.get(name, "").strip()))
        ]
        mistakes += [
            f"{TITLES[kind].lower()} cannot be filtered by {name}"
            for name, text in texts.items()
            if not text and plain_text(query.get(name, ""))
        ]
        mistakes += [
            f"{name}: there is no {query[name]!r}; there are: {', '.join(words)}"
            for name, words in known.items()
            if query.get(name) and query[name] not in words
        ]
        return cls(
            kind,
            regions=regions[:MOST_REGIONS],
            **texts,
            visible=bool(query.get("visible")) and not operator and may_be_shared(kind),
            sort=Sort(sort) if sort in set(Sort) else Sort.NAME,
            direction=Direction(direction) if direction in set(Direction) else Direction.ASC,
            after=query.get("after", "")[:LONGEST_MARKER],
            before=query.get("before", "")[:LONGEST_MARKER],
            mistake=next(iter(mistakes), ""),
        )

    def check(self) -> None:
        """Raise `BadRequest` if the address asks for what there is not."""
        if self.mistake:
            raise BadRequest(self.mistake)

    @property
    def order(self) -> Order:
        """The order of the rows."""
        return Order(self.sort, self.direction)

    @property
    def narrows(self) -> bool:
        """Whether it leaves rows out."""
        return bool(self.regions) or any(getattr(self, name) for name in _TEXTS)

    def filters(self, **changes: str) -> dict[str, str]:
        """The fields of its address without a place; what is usual, or empty, is left out."""
        fields = {
            "region": ",".join(self.regions),
            **{name: str(getattr(self, name)) for name in _TEXTS},
            "visible": "1" if self.visible else "",
            "sort": "" if self.sort is Sort.NAME else self.sort.value,
            "direction": "" if self.direction is Direction.ASC else self.direction.value,
        }
        return {name: value for name, value in (fields | changes).items() if value}

    def sorted_by(self, sort: Sort) -> dict[str, str]:
        """The address that sorts by a column: the other way round where it is sorted by it already."""
        turned = sort is self.sort and self.direction is Direction.ASC
        return self.filters(
            sort="" if sort is Sort.NAME else sort.value,
            direction=Direction.DESC.value if turned else "",
        )


def _what_is_odd(text: str) -> str:
    """Why nothing can be called that: what `plain_text` would leave out of it."""
    if plain_text(text, len(text)) != text:
        return "it holds a control character; write plain text"
    return f"write {LONGEST_TEXT} characters at most" if len(text) > LONGEST_TEXT else ""


def _regions(values: Iterable[str]) -> tuple[str, ...]:
    """The names in some fields, each once, in their order."""
    names = (plain_text(name) for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def _there_are(kind: str) -> str:
    """The filters that a list has."""
    names = ["name", "region"]
    names += ["status"] if kind in STATUSES else []
    names += ["address"] if kind in WITH_ADDRESSES else []
    names += ["visible"] if may_be_shared(kind) else []
    return f"there are: {', '.join([*names, 'project', 'sort', 'direction'])}"


def may_be_shared(kind: str) -> bool:
    """Whether others may show a project items of a kind."""
    return kind in BY_PLURAL and BY_PLURAL[kind].name in SHARED_KINDS
