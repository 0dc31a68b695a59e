"""The sealed session."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.clock import FixedClock
from multisite.web.session import LARGEST_COOKIE, Session, SessionSealer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SESSION = Session("gAAAA" + "x" * 250, NOW + timedelta(hours=1), "form")
SEALER = SessionSealer(b"k" * 32)


def test_a_session_opens_as_it_was_sealed() -> None:
    assert SEALER.open(SEALER.seal(SESSION), FixedClock(NOW)) == SESSION


def test_the_token_cannot_be_read_in_the_cookie() -> None:
    assert SESSION.token not in SEALER.seal(SESSION)


def test_two_seals_of_one_session_differ() -> None:
    assert SEALER.seal(SESSION) != SEALER.seal(SESSION)


@given(place=st.integers(0, 10_000), change=st.integers(1, 61))
def test_a_changed_character_anywhere_keeps_it_shut(place: int, change: int) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = SEALER.seal(SESSION)
    place %= len(text) - 1  # the last character has bits that base64 does not use
    old = text[place]
    new = alphabet[(alphabet.index(old) + change) % 64] if old in alphabet else "A"
    assert SEALER.open(text[:place] + new + text[place + 1 :], FixedClock(NOW)) is None


@pytest.mark.parametrize(
    "text", [None, "", "v1.", "v1.AAAA", "v2.AAAA", "v1.ä", "nonsense", "v1." + "A" * 9000]
)
def test_nonsense_does_not_open(text: str | None) -> None:
    assert SEALER.open(text, FixedClock(NOW)) is None


def test_a_cut_cookie_does_not_open() -> None:
    assert SEALER.open(SEALER.seal(SESSION)[:-8], FixedClock(NOW)) is None


def test_another_key_does_not_open_it() -> None:
    assert SessionSealer(b"j" * 32).open(SEALER.seal(SESSION), FixedClock(NOW)) is None


def test_it_does_not_open_from_its_expiry_on() -> None:
    text = SEALER.seal(SESSION)
    assert SEALER.open(text, FixedClock(SESSION.expires_at - timedelta(seconds=1))) == SESSION
    assert SEALER.open(text, FixedClock(SESSION.expires_at)) is None


def test_what_was_sealed_for_the_log_in_form_is_no_session_and_the_other_way_round() -> None:
    assert SEALER.open(SEALER.seal_form_token("form"), FixedClock(NOW)) is None
    assert SEALER.open_form_token(SEALER.seal(SESSION)) is None
    assert SEALER.open_form_token(SEALER.seal_form_token("form")) == "form"


def test_a_fernet_token_fits_into_a_cookie() -> None:
    assert len(SEALER.seal(SESSION)) < LARGEST_COOKIE / 4


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        SessionSealer(b"k" * 31)
