"""Templates: Jinja with escaping always on, and the filters that print figures and times.

An age is printed as `<time data-age="12" datetime="…">12 s ago</time>`: without a script it is what it
says, with `page.js` it counts on. Ages are the one part of a tile that changes by itself; `live.py`
leaves such elements out when it compares tiles.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from multisite.clock import Clock
from multisite.web import figures
from multisite.web.urls import Urls


def age(at: datetime | None, now: datetime) -> Markup:
    """How long ago something was, as an element that a script keeps counting."""
    if at is None:
        return Markup("never")
    seconds = max(0.0, (now - at).total_seconds())
    return Markup('<time data-age="{}" datetime="{}" title="{}">{}</time>').format(
        int(seconds), at.isoformat(timespec="seconds"), figures.moment(at), figures.ago(seconds)
    )


def web_address(text: str | None) -> str | None:
    """`text` where it is an http(s) address that may become a link, else `None`."""
    return text if text and urlsplit(text).scheme in {"http", "https"} else None


class Renderer:
    """Turns templates into answers and fragments."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._environment = Environment(
            loader=PackageLoader("multisite.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        for text in (
            figures.count,
            figures.from_bytes,
            figures.from_mebibytes,
            figures.from_gibibytes,
            figures.milliseconds,
            figures.skew,
            figures.moment,
        ):
            self._environment.filters[text.__name__] = text
        self._environment.filters["web_address"] = web_address

    def fragment(self, template: str, urls: Urls, **context: Any) -> str:
        """A piece of a page."""
        now = self._clock.now()
        return self._environment.get_template(template).render(
            urls=urls, now=now, age=lambda at: age(at, now), **context
        )

    def page(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """A whole page."""
        text = self.fragment(template, Urls.of(request), **{"visitor": None, "here": "", **context})
        return HTMLResponse(text, status_code=status, headers=headers)
