"""A live view as fragments, and which of them a browser lacks.

A view is a few fixed parts (counts, totals) and a list of items (tiles, rows), each an element with an
id. The page that a browser loads is made of the same fragments as the events that it gets later. A
fragment's *mark* is what has to differ for it to be sent again: its HTML without the ages, which
change by themselves. Ages travel as tiny fragments of their own, marked by the time that they count from,
so that a sweep which found nothing new costs a viewer a hundred bytes per region and not a whole tile.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from markupsafe import Markup

_COUNTED = re.compile(r'<time data-age="\d+"([^>]*)>[^<]*</time>')
#: What is inside of an item and travels by itself.
_OWN = re.compile(r'<time data-age=.*?</time>|<figure class="trend".*?</figure>', re.DOTALL)
_ORDER: Final = "(order)"


@dataclass(frozen=True, slots=True)
class Fragment:
    """An element with an id; `mark` changes when browsers have to get it anew."""

    id: str
    html: str
    mark: str


def fragment(identifier: str, html: str) -> Fragment:
    """A fragment that is marked by its HTML without the ages and trends."""
    return Fragment(identifier, html, hashlib.sha256(_OWN.sub("", html).encode()).hexdigest()[:16])


def dated_fragment(identifier: str, html: str) -> Fragment:
    """A fragment that is also sent anew when a moment that it tells the age of is another one."""
    return Fragment(identifier, html, hashlib.sha256(_COUNTED.sub(r"\1", html).encode()).hexdigest()[:16])


def _parcel(html: str) -> str:
    """Rows of a table within a template: behind any other element a parser drops them."""
    return f"<template>{html}</template>" if html.startswith(("<tr", "<tbody")) else html


@dataclass(frozen=True)
class Snapshot:
    """A view at one moment.

    `frame` is the start and the end tag around the items; it is sent with all of them when items came,
    went or moved. `trends` and `ages` are elements inside items; only ages change by themselves.
    """

    parts: Mapping[str, Fragment]
    items: Mapping[str, Fragment]
    ages: Mapping[str, Fragment] = field(default_factory=dict)
    frame: tuple[str, str] = ("", "")
    trends: Mapping[str, Fragment] = field(default_factory=dict)

    @cached_property
    def marks(self) -> dict[str, str]:
        """What a browser has that has this snapshot."""
        order = hashlib.sha256("\n".join(self.items).encode()).hexdigest()[:16]
        everything: Iterator[Fragment] = (f for group in self._groups() for f in group.values())
        return {_ORDER: order} | {each.id: each.mark for each in everything}

    @cached_property
    def digest(self) -> str:
        """Names the content without the ages: equal digests, equal views."""
        lasting = sorted((key, mark) for key, mark in self.marks.items() if key not in self.ages)
        return hashlib.sha256(repr(lasting).encode()).hexdigest()[:16]

    @property
    def list_html(self) -> Markup:
        """The items within their frame."""
        return self._framed(each.html for each in self.items.values())

    def part(self, identifier: str) -> Markup:
        """The HTML of a part."""
        return Markup(self.parts[identifier].html)  # noqa: S704 - rendered by our templates, escaped there

    def news_for(self, marks: Mapping[str, str]) -> str:
        """The HTML of the fragments that a browser with `marks` lacks; empty when it lacks none."""
        wanted: list[str] = [each.html for each in self.parts.values() if marks.get(each.id) != each.mark]
        if marks.get(_ORDER) != self.marks[_ORDER]:
            wanted.append(str(self.list_html))
        else:
            for group in (self.items, self.trends, self.ages):
                wanted += [each.html for each in group.values() if marks.get(each.id) != each.mark]
        return "".join(_parcel(html) for html in wanted)

    def with_part(self, changed: Fragment) -> "Snapshot":
        """The same with another part."""
        return replace(self, parts={**self.parts, changed.id: changed})

    def marks_known_by(self, digest: str | None) -> Mapping[str, str]:
        """The marks of a browser that names the digest it has: all but the ages, or none."""
        if digest != self.digest:
            return {}
        return {key: mark for key, mark in self.marks.items() if key not in self.ages}

    def _groups(self) -> Iterable[Mapping[str, Fragment]]:
        return (self.parts, self.items, self.trends, self.ages)

    def _framed(self, items: Iterable[str]) -> Markup:
        return Markup("".join([self.frame[0], *items, self.frame[1]]))  # noqa: S704 - as in part()
