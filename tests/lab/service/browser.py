"""A person at the page: Debian's chromium, driven by Playwright, with what is in a tab as plain values.

A `Tab` has a browser profile of its own. It takes note of what nobody may see: errors in the console, and
requests to anything but the service; the fixture that opened it fails the test that caused one.

Playwright's synchronous calls run an event loop in the thread of the tests, so they belong into tests that
are not coroutines, and the browser ends with its module.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Request, expect, sync_playwright

from multisite.api.secrets import page_key
from multisite.clock import SystemClock
from multisite.web.session import SessionSealer
from tests.lab.service.conftest import Cloud

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PEOPLE = {"admin": "admin-lab", "alpha": "alpha-lab", "beta": "beta-lab"}
#: The machine may be busy; what is prompt is measured elsewhere.
PATIENCE_MILLISECONDS = 30_000

IMAGES = Path(__file__).parents[3] / "docs" / "images"
#: Below this a text is hard to read (WCAG 2.2, 1.4.3, level AA).
LEAST_CONTRAST = 4.5


def installed_chromium() -> str:
    """Where chromium is; installs Debian's package where it is missing."""
    if not Path(CHROMIUM).exists():
        command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
        as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        if shutil.which("apt-get"):
            subprocess.run([*as_root, *command], check=False, capture_output=True)
    if not Path(CHROMIUM).exists():
        pytest.fail(f"The browser tests need {CHROMIUM}: apt-get install --no-install-recommends chromium")
    return CHROMIUM


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A browser."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def take_picture(tab: "Tab", name: str, *, whole: bool = False) -> None:
    """A picture for the documents, where MULTISITE_SCREENSHOTS asks for them."""
    if os.environ.get("MULTISITE_SCREENSHOTS"):
        IMAGES.mkdir(exist_ok=True)
        tab.page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)


class Tab:
    """One browser profile with one page in it."""

    def __init__(self, browser: Browser, cloud: Cloud, **context: Any) -> None:
        context.setdefault("viewport", {"width": 1280, "height": 720})
        self.cloud = cloud
        self.context = browser.new_context(base_url=cloud.service.url, **context)
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self.context.on("console", self._on_console)
        self.context.on("weberror", lambda error: self.errors.append(str(error.error)))
        self.context.on("request", self._on_request)
        self.page = self.context.new_page()

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data" and parts.netloc != urlsplit(self.cloud.service.url).netloc:
            self.foreign.append(request.url)

    def forgive(self, status: int) -> None:
        """Take out what the browser itself says of an answer that the test expected."""
        self.errors = [error for error in self.errors if f"status of {status}" not in error]

    def fill_in(self, user: str, password: str) -> None:
        """Fill in the log-in form and send it."""
        self.page.goto("/login")
        self.page.get_by_label("User name").fill(user)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()

    def log_in(self, user: str) -> None:
        """Log in; ends on the user's own first page."""
        self.fill_in(user, PEOPLE[user])
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()

    def go(self, path: str) -> int:
        """Load a page; answers its status."""
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status

    @property
    def path(self) -> str:
        """Where the browser is."""
        return urlsplit(self.page.url).path

    @property
    def session_cookie(self) -> Any:
        """The cookie of the session, with its attributes."""
        return next((each for each in self.context.cookies() if each["name"] == "multisite_session"), None)

    @property
    def token(self) -> str:
        """The Keystone token in the session, opened with the service's own key."""
        assert self.session_cookie is not None
        key = page_key(self.cloud.service.folder / "page.key")
        session = SessionSealer(key).open(self.session_cookie["value"], SystemClock())
        assert session is not None
        return session.token

    def tile(self, region: str) -> Locator:
        """A region on the wall."""
        return self.page.locator(f"#tile-{region}")

    def bars(self, where: Locator) -> dict[str, str]:
        """`{"VCPU": "3 of 64"}` of everything with bars."""
        return {
            bar.locator("dt").inner_text(): bar.locator(".figures").inner_text().strip()
            for bar in where.locator(".bar").all()
        }

    def remember_the_document(self) -> None:
        """Leave a mark that a reload would wipe away."""
        self.page.evaluate("window.neverReloaded = true")

    def assert_never_reloaded(self) -> None:
        """The document is still the one that was marked."""
        assert self.page.evaluate("window.neverReloaded === true"), "the page was loaded again"

    def assert_no_sideways_scroll(self) -> None:
        """Nothing sticks out of the window."""
        width, window = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= window, f"{self.path} is {width} wide in a window of {window}"

    def focused(self) -> dict[str, Any]:
        """What has the focus, and whether one can see that."""
        found: dict[str, Any] = self.page.evaluate(_FOCUSED)
        return found

    def hard_to_read(self) -> list[dict[str, Any]]:
        """Texts with too little contrast to what is behind them."""
        found: list[dict[str, Any]] = self.page.evaluate(_HARD_TO_READ, LEAST_CONTRAST)
        return found

    def ground_luminance(self) -> float:
        """How bright the ground of the page is, from 0 to 1."""
        return float(self.page.evaluate(_GROUND))


_FOCUSED = """() => {
  const element = document.activeElement;
  const box = element.getBoundingClientRect();
  const drawn = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return {
    tag: element.tagName.toLowerCase(),
    text: (element.name || element.innerText || "").trim(),
    ring: drawn(getComputedStyle(element)) || drawn(getComputedStyle(element, "::after")),
    inView: box.width > 0 && box.height > 0 && box.bottom > 0 && box.right > 0
      && box.top >= 0 && box.top < innerHeight,
  };
}"""

_COLOURS = """
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((c) => linear(c / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
"""

_GROUND = (
    "() => {"
    + _COLOURS
    + "return luminance(parse(getComputedStyle(document.documentElement).backgroundColor)); }"
)

# The ground of a text is the nearest opaque colour around it; where that is a pattern, each of its colours.
_HARD_TO_READ = (
    "(least) => {"
    + _COLOURS
    + """
  const grounds = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") {
        const drawn = (style.backgroundImage.match(/rgba?\\([^)]*\\)/g) || []).map(parse);
        const solid = drawn.filter((colour) => colour.length === 3 || colour[3] === 1);
        if (solid.length) return solid;
      }
      const colour = parse(style.backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return [colour];
    }
    return [[255, 255, 255]];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    if (!text || box.width < 2 || box.height < 2 || !element.checkVisibility()) continue;
    const ink = luminance(parse(getComputedStyle(element).color));
    for (const ground of grounds(element).map(luminance)) {
      const contrast = (Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05);
      if (contrast < least) found.push({ text: text.slice(0, 60), contrast: Math.round(contrast * 10) / 10 });
    }
  }
  return found;
}"""
)


#: Opens a tab, and logs a user in where one is named.
OpenTab = Callable[..., Tab]


@contextmanager
def opened_tabs(browser: Browser, cloud: Cloud) -> Iterator[OpenTab]:
    """Open tabs; at the end, none of them may have seen an error or asked anybody but the service."""
    tabs: list[Tab] = []

    def open_one(user: str | None = None, **context: Any) -> Tab:
        tabs.append(Tab(browser, cloud, **context))
        if user is not None:
            tabs[-1].log_in(user)
        return tabs[-1]

    yield open_one
    for tab in tabs:
        tab.context.close()
    assert [error for tab in tabs for error in tab.errors] == []
    assert [url for tab in tabs for url in tab.foreign] == []
