"""Answers and refusals of services, as one kind of error with stable codes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.openstack.client import _date_skew
from multisite.openstack.clouds import Credential
from multisite.openstack.failures import CODES, RegionCallError
from multisite.openstack.transport import Answer, _context, _parse, _refusal, _seconds
from multisite.regions.health import _TOKEN_FAILURES

GET = "GET http://h/x"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "unexpected-answer"),
        (401, "token-rejected"),
        (403, "forbidden"),
        (404, "not-found"),
        (429, "rate-limited"),
        (302, "unexpected-answer"),
        (499, "unexpected-answer"),
        (500, "server-error"),
        (503, "server-error"),
    ],
)
def test_a_status_becomes_a_code(status: int, code: str) -> None:
    error = _refusal(GET, status, {}, b"")
    assert (error.code, error.status, error.detail) == (code, status, f"{GET}: HTTP {status}")


def test_413_is_a_rate_limit_only_with_retry_after() -> None:
    assert _refusal(GET, 413, {}, b"").code == "unexpected-answer"
    limited = _refusal(GET, 413, {"Retry-After": "2"}, b"")
    assert (limited.code, limited.retry_after) == ("rate-limited", 2.0)


def test_what_the_service_said_is_told_in_one_short_line() -> None:
    error = _refusal(GET, 500, {}, b"<html>\n broken " + b"x" * 1000)
    assert "\n" not in error.detail
    assert len(error.detail) < 300
    assert error.detail.startswith(f"{GET}: HTTP 500: <html>")


@given(st.binary(max_size=300))
def test_whatever_it_said_the_detail_can_be_stored_and_printed(raw: bytes) -> None:
    detail = _refusal(GET, 500, {}, raw).detail
    assert "\x00" not in detail
    assert all(char.isprintable() for char in detail)
    detail.encode()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3", 3.0), ("-1", 0.0), (None, None), ("", None), ("Wed, 21 Oct 2026 07:28 GMT", None)],
)
def test_retry_after_is_read_where_it_is_seconds(text: str | None, seconds: float | None) -> None:
    assert _seconds(text) == seconds


def test_an_empty_answer_is_an_empty_object() -> None:
    assert _parse(b"", GET) == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"<html>",
        b"[1]",
        b'"x"',
        b"\xff\xfe",
        b"{",
        b'{"total": NaN}',
        b'{"total": -Infinity}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"name": "\\ud800"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"total": ' + b"9" * 5000 + b"}",
    ],
)
def test_garbage_is_an_unexpected_answer_and_nothing_worse(raw: bytes) -> None:
    with pytest.raises(RegionCallError) as caught:
        _parse(raw, GET)
    assert caught.value.code == "unexpected-answer"


def test_names_in_any_script_are_read() -> None:
    body = {"name": "Bodø 🇳🇴"}
    assert _parse(json.dumps(body).encode(), GET) == body
    assert _parse(json.dumps(body, ensure_ascii=False).encode(), GET) == body


def test_only_known_codes_can_be_raised() -> None:
    with pytest.raises(ValueError, match="is not a failure code"):
        RegionCallError("sleepy", "x")


def test_refusals_prove_life_and_only_some_failures_are_worth_a_second_try() -> None:
    answered = {code for code in CODES if RegionCallError(code, "").answered}
    transient = {code for code in CODES if RegionCallError(code, "").transient}

    assert answered == {"forbidden", "not-found", "rate-limited"}
    assert transient == {"connection-refused", "connection-failed", "rate-limited"}
    assert [status for status in (500, 501, 502, 503, 504) if _refusal(GET, status, {}, b"").transient] == [
        502,
        503,
        504,
    ]
    assert set(CODES) >= _TOKEN_FAILURES


def test_tls_files_that_are_not_there_are_named_without_a_traceback(tmp_path: Path) -> None:
    credential = Credential("lab", "k", "https://k", None, str(tmp_path / "no.pem"), None, None, "public")
    with pytest.raises(RegionCallError, match="TLS files of entry 'lab' cannot be read") as caught:
        _context(credential)
    assert caught.value.code == "credential-unusable"


def test_tls_is_checked_unless_the_entry_says_otherwise() -> None:
    assert _context(Credential("lab", "k", "https://k", None, True, None, None, "public")) is True
    assert _context(Credential("lab", "k", "https://k", None, False, None, None, "public")) is False


def skew(date: str, latency: float = 0.0) -> float | None:
    from datetime import UTC, datetime

    return _date_skew(Answer(200, {}, latency, {"Date": date}), datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


def test_the_date_header_tells_the_clock_skew_from_the_middle_of_the_call() -> None:
    assert skew("Sun, 22 Nov 2026 12:00:00 GMT") == 0.5
    assert skew("Sun, 22 Nov 2026 12:01:00 GMT", latency=1000.0) == 61.0
    assert skew("") is None


@pytest.mark.parametrize(
    "date",
    [
        "yesterday",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 99 Foo 0 99:99:99 +9999",
        "0",
        "\x00",
    ],
)
def test_a_date_that_is_none_is_unknown(date: str) -> None:
    assert skew(date) is None
