"""Checking tokens: those that were given back, and the connections that it takes."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from multisite import settings
from multisite.api.auth import THREADS, Authenticator, Environ
from multisite.clock import FixedClock
from multisite.errors import Unauthenticated

CACHED = 30


@pytest.fixture
def authenticator(tmp_path: Path, clock: FixedClock) -> Iterator[Authenticator]:
    file = tmp_path / "multisite.conf"
    file.write_text(
        f"[keystone_authtoken]\nauth_type = none\ntoken_cache_time = {CACHED}\n", encoding="utf-8"
    )
    made = Authenticator(settings.load(files=[file]).oslo, clock)
    yield made
    made.close()


@pytest.fixture
def accepting(authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch) -> Authenticator:
    """As while keystonemiddleware remembers every token."""

    def check(environ: Environ) -> None:
        environ["HTTP_X_PROJECT_ID"] = "p"

    monkeypatch.setattr(authenticator, "_check", check)
    return authenticator


async def test_a_token_that_was_given_back_is_refused_while_it_is_remembered(
    accepting: Authenticator, clock: FixedClock
) -> None:
    assert (await accepting.authenticate("t1")).project_id == "p"
    accepting.refuse("t1")
    with pytest.raises(Unauthenticated):
        await accepting.authenticate("t1")
    assert (await accepting.authenticate("t2")).project_id == "p"

    clock.advance(timedelta(seconds=CACHED))
    with pytest.raises(Unauthenticated):
        await accepting.authenticate("t1")


@pytest.mark.parametrize("token", ["bad\x7f", "two words", "t\u00f6ken", "line\n", "\x00", " "])
async def test_what_no_token_looks_like_is_not_for_keystone_to_judge(
    authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """Else anybody could fill the log with failures of the middleware."""

    def check(environ: Environ) -> None:
        raise AssertionError(environ)

    monkeypatch.setattr(authenticator, "_check", check)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(token)
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate("token", service_token=token)


async def test_refused_tokens_are_forgotten_when_keystone_refuses_them_itself(
    accepting: Authenticator, clock: FixedClock
) -> None:
    for number in range(100):
        accepting.refuse(f"t{number}")
    clock.advance(timedelta(hours=1))
    accepting.refuse("last")
    assert len(accepting._refused) == 1
    assert "last" not in str(vars(accepting._refused)), "no token is kept as it is"


def test_every_thread_may_keep_a_connection_to_keystone(authenticator: Authenticator) -> None:
    adapters = authenticator._middleware._session.session.adapters.values()
    assert {adapter.poolmanager.connection_pool_kw["maxsize"] for adapter in adapters} == {THREADS}
