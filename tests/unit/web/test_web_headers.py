"""What holds for every answer: headers, nothing inline, nothing from elsewhere, any root path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from multisite import web

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser, World

ROOT = Path(web.__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PUBLIC = ["/", "/login", "/wall", "/events?view=wall", "/static/page.css", "/static/icon.svg"]
SIGNED_IN = ["/", "/wall", "/regions", "/project", "/wall/regions/RegionOne", "/wall/regions/nowhere"]
SIGNED_IN += ["/operations", "/operations/nowhere"]


@pytest.fixture
async def signed_in(world: World, browser: Browser) -> Browser:
    world.project({}, RegionOne=True, RegionTwo=True)
    await browser.log_in("root")
    return browser


def check(answer: Answer, path: str) -> None:
    assert answer.headers.get("content-security-policy") == POLICY, path
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("path", PUBLIC)
async def test_answers_before_the_log_in_are_secured(browser: Browser, path: str) -> None:
    check(await browser.get(path), path)


@pytest.mark.parametrize("path", SIGNED_IN)
async def test_answers_after_the_log_in_are_secured(signed_in: Browser, path: str) -> None:
    answer = await signed_in.get(path)
    check(answer, path)
    assert answer.headers["cache-control"] == "no-store"


async def test_failures_are_secured(world: World, signed_in: Browser) -> None:
    world.away = True
    for path in ("/", "/wall", "/events?view=wall"):
        answer = await signed_in.get(path)
        assert answer.status == 503
        check(answer, path)


@pytest.mark.parametrize("path", SIGNED_IN)
async def test_nothing_is_inline_and_nothing_comes_from_elsewhere(signed_in: Browser, path: str) -> None:
    text = (await signed_in.get(path)).text
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)\s*=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "<style" not in text
    assert not re.search(r'(src|href|action|sse-connect)="(?!/|#|\?|")', text)


def test_no_file_of_the_page_names_another_host() -> None:
    files = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/*.*")]
    assert len(files) > 10
    for file in files:
        found = re.findall(r"(?:https?:)?//[a-z][\w.-]+", file.read_text(encoding="utf-8"))
        assert set(found) <= {"http://www.w3.org"}, file


async def test_assets_may_be_kept_when_their_address_names_their_content(browser: Browser) -> None:
    login = (await browser.get("/login")).text
    address = re.search(r'href="(/static/page.css\?v=[0-9a-f]{12})"', login)
    assert address
    assert "immutable" in (await browser.get(address.group(1))).headers["cache-control"]
    assert (await browser.get("/static/page.css")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("digest", ["0123456789ab", ""])
async def test_an_asset_under_another_digest_is_not_kept(browser: Browser, digest: str) -> None:
    answer = await browser.get(f"/static/page.css?v={digest}")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("path", ["/static/../__init__.py", "/static/nothing.css", "/static//etc/passwd"])
async def test_only_assets_are_assets(browser: Browser, path: str) -> None:
    assert (await browser.get(path)).status == 404


async def test_every_link_is_below_the_root_path(world: World, below: Browser) -> None:
    world.project({}, RegionOne=True, RegionTwo=True)
    assert (await below.log_in("root", "/multisite")).headers["location"] == "/multisite/wall"
    session = next(iter(below.cookies))
    assert session == "multisite_session"
    for path in ("/wall", "/regions", "/project", "/wall/regions/RegionOne", "/login"):
        answer = await below.get(f"/multisite{path}")
        assert answer.status == 200
        links = re.findall(r'(?:href|src|action|sse-connect|data-login)="(/[^"]*)"', answer.text)
        assert len(links) >= 3
        assert [link for link in links if not link.startswith("/multisite/")] == []


async def test_cookies_belong_to_the_root_path(below: Browser) -> None:
    cookies = (await below.log_in("root", "/multisite")).cookies
    assert any("multisite_session=" in cookie and "Path=/multisite;" in cookie for cookie in cookies)


async def test_without_a_session_the_way_to_the_log_in_is_below_the_root_path(below: Browser) -> None:
    answer = await below.get("/multisite/wall?name=x")
    assert answer.headers["location"] == "/multisite/login?next=%2Fmultisite%2Fwall%3Fname%3Dx"
