"""Guessing passwords becomes slow, and nobody is locked out for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from multisite.web.attempts import MOST_WAITING, ROOM, Attempts, place_of

if TYPE_CHECKING:
    from multisite.clock import FixedClock
    from multisite.web.pages import Pages
    from tests.unit.web.conftest import Answer, Browser, World

HERE, THERE = "192.0.2.1", "198.51.100.1"


@pytest.fixture
def attempts(clock: FixedClock) -> Attempts:
    return Attempts(clock)


def fail(attempts: Attempts, times: int, user: str = "anna", address: str = HERE) -> list[float]:
    return [attempts.begin(address, user) for _ in range(times)]


def test_three_are_free_and_then_the_wait_doubles(attempts: Attempts, clock: FixedClock) -> None:
    waits = []
    assert fail(attempts, 3) == [0, 0, 0]
    for _ in range(12):
        wait = attempts.begin(HERE, "anna")
        waits.append(wait)
        clock.advance(timedelta(seconds=wait))
        assert attempts.begin(HERE, "anna") == 0

    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_asking_while_one_has_to_wait_makes_it_no_longer(attempts: Attempts, clock: FixedClock) -> None:
    fail(attempts, 50)
    clock.advance(timedelta(seconds=2))
    assert attempts.begin(HERE, "anna") == 0


def test_many_at_the_same_moment_are_no_way_around(attempts: Attempts) -> None:
    assert fail(attempts, 1000).count(0) == 3


def test_a_stranger_elsewhere_does_not_keep_a_user_out(attempts: Attempts) -> None:
    for number in range(5000):
        attempts.begin(f"10.1.{number % 250}.{number // 250}", "anna")
    assert attempts.begin(THERE, "anna") == 0
    assert attempts.delay("anna") == 5, "only a wrong password is answered later"


def test_an_address_that_tries_many_names_has_to_wait_too(attempts: Attempts) -> None:
    waits = [attempts.begin(HERE, f"user-{number}") for number in range(30)]

    assert waits[:10] == [0] * 10
    assert all(wait > 0 for wait in waits[10:])
    assert attempts.begin(THERE, "user-29") == 0


def test_a_right_password_forgives_the_user_and_not_the_address(
    attempts: Attempts, clock: FixedClock
) -> None:
    for number in range(12):
        clock.advance(timedelta(seconds=60))
        attempts.begin(HERE, f"user-{number}")
    clock.advance(timedelta(seconds=60))
    assert attempts.begin(HERE, "anna") == 0
    attempts.succeeded(HERE, "anna")
    assert attempts.begin(HERE, "user-13") > 0
    clock.advance(timedelta(seconds=60))
    assert fail(attempts, 1) == [0]


def test_a_keystone_that_is_away_is_nobodys_fault(attempts: Attempts) -> None:
    for _ in range(50):
        assert attempts.begin(HERE, "anna") == 0
        attempts.undecided(HERE, "anna")
    assert attempts.delay("anna") == 0


def test_a_quarter_of_an_hour_of_rest_forgives(attempts: Attempts, clock: FixedClock) -> None:
    fail(attempts, 4)
    clock.advance(timedelta(minutes=16))
    assert fail(attempts, 3) == [0, 0, 0]


def test_its_memory_is_bounded(attempts: Attempts) -> None:
    for number in range(ROOM + 500):
        attempts.begin(f"2001:db8:{number:x}::1", f"user-{number}")
    for counts in (attempts._here, attempts._addresses, attempts._users):
        assert len(counts.entries) == ROOM


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1%eth0", "2001:db8::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_one_machine_is_one_place(address: str, place: str) -> None:
    assert place_of(address) == place


def test_not_everybody_waits(attempts: Attempts) -> None:
    fail(attempts, 20)
    attempts.waiting = MOST_WAITING
    assert attempts.delay("anna") == 0


# -- at the form ------------------------------------------------------------------------


async def wrong(browser: Browser, user: str = "root") -> Answer:
    return await browser.log_in(user, password="wrong")


async def test_the_form_says_how_long_to_wait_and_keystone_is_not_asked(
    world: World, browser: Browser
) -> None:
    for _ in range(3):
        assert (await wrong(browser)).status == 401
    asked = len(world.logins)
    answer = await browser.log_in("root")

    assert (answer.status, answer.headers["retry-after"]) == (429, "2")
    assert "Too many log-ins failed from where you are. Try again in 2 s." in answer.words
    assert len(world.logins) == asked
    world.clock.advance(timedelta(seconds=2))
    assert (await browser.log_in("root")).status == 303


@pytest.mark.parametrize(("trusted", "status"), [("127.0.0.1", 401), ("192.0.2.9", 429)])
async def test_behind_a_proxy_the_address_is_the_browsers_if_the_proxy_is_trusted(
    browser: Browser, trusted: str, status: int
) -> None:
    """As `multisite serve` has uvicorn do with `[api] forwarded_allow_ips`."""
    inner, forwarded = browser.app, [HERE]

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        header = (b"x-forwarded-for", forwarded[0].encode())
        await inner(scope | {"headers": [*scope["headers"], header]}, receive, send)

    inner = ProxyHeadersMiddleware(inner, trusted_hosts=trusted)
    browser.app = proxy
    for _ in range(4):
        await wrong(browser)
    assert (await wrong(browser)).status == 429
    forwarded[0] = THERE
    assert (await wrong(browser)).status == status


async def test_the_same_user_in_other_letters_is_the_same_user(world: World, browser: Browser) -> None:
    for user in ("root", " ROOT", "Root"):
        await wrong(browser, user)
    assert (await wrong(browser, "rOOt ")).status == 429
    assert (await wrong(browser, "alice")).status == 401
    assert world.logins


async def test_a_wrong_password_for_a_user_that_many_guess_is_answered_late(
    pages: Pages, world: World, browser: Browser
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    login = next(route for route in pages.routes if route.path == "/login" and "POST" in route.methods)  # type: ignore[attr-defined]
    form = login.endpoint.__self__  # type: ignore[attr-defined]
    object.__setattr__(form, "sleep", sleep)
    for number in range(8):
        form.attempts.begin(f"198.51.100.{number}", "root in default")
    assert (await wrong(browser)).status == 401
    assert slept == [5.0]
    assert (await browser.log_in("root")).status == 303
    assert len(slept) == 1
    assert world.logins


async def test_a_keystone_away_costs_nothing(world: World, browser: Browser) -> None:
    world.away = True
    for _ in range(20):
        assert (await wrong(browser)).status == 503
    world.away = False
    assert (await browser.log_in("root")).status == 303
