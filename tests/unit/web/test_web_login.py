"""Logging in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from multisite.web.csrf import LARGEST_FORM, own_path

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser, World


async def test_an_operator_lands_on_the_wall_and_a_tenant_on_its_project(browser: Browser) -> None:
    assert (await browser.log_in("root")).headers["location"] == "/wall"
    assert (await browser.log_in("alice")).headers["location"] == "/project"
    assert (await browser.get("/")).headers["location"] == "/project"


async def test_a_system_reader_is_an_operator_too(world: World, browser: Browser) -> None:
    world.person("auditor", "reader", system_scope=True)
    assert (await browser.log_in("auditor")).headers["location"] == "/wall"
    assert "belongs to no project" in (await browser.get("/project")).words


async def test_the_session_cookie_is_out_of_reach(browser: Browser) -> None:
    cookie = next(c for c in (await browser.log_in("root")).cookies if c.startswith("multisite_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert "token-root" not in cookie
    browser.scheme = "https"
    assert all("Secure" in c for c in (await browser.get("/login")).cookies)
    cookie = next(c for c in (await browser.log_in("root")).cookies if c.startswith("multisite_session="))
    assert "Secure" in cookie


async def test_project_and_domains_reach_keystone(world: World, browser: Browser) -> None:
    await browser.log_in("root", project="alpha", project_domain="Other")
    await browser.log_in("root")
    assert world.logins == [
        {"user_domain": "Default", "project": "alpha", "project_domain": "Other"},
        {"user_domain": "Default", "project": None, "project_domain": "Default"},
    ]


async def test_wrong_user_wrong_password_and_wrong_domain_look_the_same(browser: Browser) -> None:
    answers = [
        await browser.log_in("nobody"),
        await browser.log_in("root", password="wrong"),
        await browser.log_in("root", domain="Elsewhere"),
    ]
    sentence = "User name, domain or password is wrong, or the project is not one of yours."
    for answer in answers:
        assert answer.status == 401
        assert sentence in answer.words
        assert "multisite_session" not in browser.cookies
        assert "wrong" not in answer.field("user")
    assert 'value="right"' not in answers[0].text, "the password is never sent back"


async def test_what_was_typed_stays_but_for_the_password(browser: Browser) -> None:
    answer = await browser.log_in("nobody", domain="Elsewhere", project="alpha")
    assert 'value="nobody"' in answer.text
    assert 'value="Elsewhere"' in answer.text
    assert 'value="alpha"' in answer.text


async def test_each_failure_has_its_sentence(world: World, browser: Browser) -> None:
    assert "You have no role in the project beta." in (await browser.log_in("root", project="beta")).words
    assert "Give your user name and your password." in (await browser.log_in("root", password="")).words
    world.away = True
    away = await browser.log_in("root")
    assert away.status == 503
    assert "Keystone does not answer." in away.words


async def test_a_form_without_its_token_does_not_log_in(browser: Browser) -> None:
    answer = await browser.log_in("root", form_token="guessed")
    assert answer.status == 403
    assert "multisite_session" not in browser.cookies


async def test_a_form_whose_cookie_is_missing_does_not_log_in(browser: Browser) -> None:
    form = await browser.get("/login")
    browser.cookies.clear()
    answer = await browser.post(
        "/login", {"form_token": form.field("form_token"), "user": "root", "password": "right"}
    )
    assert answer.status == 403
    assert "multisite_session" not in browser.cookies


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
async def test_a_form_from_another_site_does_not_log_in(browser: Browser, headers: dict[str, str]) -> None:
    form = await browser.get("/login")
    fields = {"form_token": form.field("form_token"), "user": "root", "password": "right"}
    answer = await browser.post("/login", fields, **headers)
    assert answer.status == 403
    assert "another site" in answer.words
    assert "multisite_session" not in browser.cookies


async def test_two_log_in_tabs_both_work(browser: Browser) -> None:
    first = await browser.get("/login")
    await browser.get("/login")
    fields = {"form_token": first.field("form_token"), "user": "root", "password": "right"}
    assert (await browser.post("/login", fields)).status == 303


async def test_a_form_of_another_kind_or_too_large_is_refused(browser: Browser) -> None:
    assert (await browser.post("/login", {}, content_type="application/json")).status == 400
    assert (await browser.post("/login", {"user": "x" * LARGEST_FORM})).status == 400
    assert (await browser.post("/login", {str(n): "x" for n in range(30)})).status == 400


async def test_the_log_in_leads_back(browser: Browser) -> None:
    sent_away = await browser.get("/wall?order=name")
    assert sent_away.status == 303
    assert sent_away.headers["location"] == "/login?next=%2Fwall%3Forder%3Dname"
    form = await browser.get(sent_away.headers["location"])
    assert form.field("next") == "/wall?order=name"
    answer = await browser.log_in("root", next="/wall?order=name")
    assert answer.headers["location"] == "/wall?order=name"


HOSTILE = [
    "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "/wall\r\nSet-Cookie: a=b", "/\t/evil.example", "wall", "", "/login", "/logout", "/../wall", "http:/wall",
]  # fmt: skip


@pytest.mark.parametrize("wanted", HOSTILE)
async def test_it_leads_nowhere_else(browser: Browser, wanted: str) -> None:
    assert own_path(wanted, "") is None
    assert (await browser.log_in("root", next=wanted)).headers["location"] == "/wall"


def test_under_a_root_path_it_leads_only_below_it() -> None:
    assert own_path("/multisite/wall", "/multisite") == "/multisite/wall"
    assert own_path("/wall", "/multisite") is None
    assert own_path("/multisitex/wall", "/multisite") is None
    assert own_path("/multisite/../horizon", "/multisite") is None


async def test_logging_out_revokes_the_token_and_ends_the_session(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    copied = browser.cookies["multisite_session"]
    wall = await browser.get("/wall")
    answer = await browser.post("/logout", {"form_token": wall.field("form_token")})
    assert answer.headers["location"] == "/login?reason=out"
    assert "multisite_session" not in browser.cookies
    assert world.revoked == ["token-root"]
    browser.cookies["multisite_session"] = copied
    assert (await browser.get("/wall")).status == 303


async def test_nobody_else_can_log_one_out(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    token = (await browser.get("/wall")).field("form_token")
    assert (await browser.post("/logout", {"form_token": "guessed"})).status == 403
    assert (await browser.post("/logout", {"form_token": token}, origin="https://evil.example")).status == 403
    assert (await browser.get("/logout")).status == 405
    assert world.revoked == []
    assert (await browser.get("/wall")).status == 200


async def test_logging_out_works_while_keystone_is_away(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    token = (await browser.get("/wall")).field("form_token")
    world.away = True
    answer = await browser.post("/logout", {"form_token": token})
    assert "multisite_session" not in browser.cookies
    assert "Keystone did not answer" in (await browser.get(answer.headers["location"])).words


@pytest.mark.parametrize("damage", ["tampered", "expired", "revoked"])
async def test_a_session_that_does_not_hold_leads_to_the_log_in(
    world: World, browser: Browser, damage: str
) -> None:
    await browser.log_in("root")
    if damage == "tampered":
        browser.cookies["multisite_session"] = browser.cookies["multisite_session"][:-9] + "AAAAAAAAA"
    elif damage == "expired":
        world.clock.advance(timedelta(hours=1))
    else:
        world.revoked.append("token-root")
    answer = await browser.get("/wall")
    assert answer.status == 303
    assert answer.headers["location"] == "/login?next=%2Fwall&reason=ended"


async def test_keystone_away_is_no_reason_to_log_in_again(world: World, browser: Browser) -> None:
    await browser.log_in("root")
    world.away = True
    answer = await browser.get("/wall")
    assert answer.status == 503
    assert "keystone-unavailable" in answer.words
    world.away = False
    assert (await browser.get("/wall")).status == 200


@pytest.mark.parametrize("away", [False, True])
async def test_a_copied_cookie_is_worthless_at_once(world: World, browser: Browser, *, away: bool) -> None:
    await browser.log_in("root")
    copied = browser.cookies["multisite_session"]
    token = (await browser.get("/wall")).field("form_token")
    world.remembered.append("token-root")  # as keystonemiddleware does, whatever Keystone says
    world.away = away
    await browser.post("/logout", {"form_token": token})
    world.away = False

    browser.cookies["multisite_session"] = copied
    assert (await browser.get("/wall")).headers["location"].startswith("/login")


async def test_a_log_out_that_was_sent_by_another_page_refuses_nothing(
    world: World, browser: Browser
) -> None:
    await browser.log_in("root")
    await browser.post("/logout", {"form_token": "guessed"})
    assert world.refused == []
