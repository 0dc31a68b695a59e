"""Calls in the name of a user: messages of every service, a token that hides."""

import json

import pytest

from multisite.openstack.users import LONGEST_MESSAGE, UserToken, message_of


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"forbidden": {"code": 403, "message": "Quota exceeded for cores."}}, "Quota exceeded for cores"),
        ({"overLimit": {"code": 413, "message": "Volume limit", "retryAfter": "0"}}, "Volume limit"),
        ({"NeutronError": {"type": "OverQuota", "message": "Quota!", "detail": ""}}, "Quota!"),
        ({"NeutronError": {"type": "X", "message": "", "detail": "more"}}, "more"),
        ({"error": {"code": 401, "title": "Unauthorized", "message": "Log in"}}, "Log in"),
        ({"errors": [{"status": 409, "detail": "a conflict"}]}, "a conflict"),
        ({"message": "lost", "code": "404 Not Found", "title": "Not Found"}, "lost"),
        ({"badRequest": {"code": 400}}, ""),
        ([], ""),
        ({"a": {"message": 7}}, ""),
    ],
)
def test_every_services_way_of_saying_no_is_understood(body: object, said: str) -> None:
    assert message_of(json.dumps(body).encode()) == said


def test_a_message_is_one_plain_short_line() -> None:
    assert message_of(b"<html>no</html>") == ""
    assert message_of(json.dumps({"x": {"message": "a\n\x1b[31mb\r\tc"}}).encode()) == "a [31mb c"
    assert len(message_of(json.dumps({"message": "m" * 9999}).encode())) == LONGEST_MESSAGE
    assert message_of(b"[" * 100_000) == ""


def test_a_token_does_not_show_when_it_is_printed() -> None:
    assert "gAAAA" not in f"{UserToken('gAAAA')} {UserToken('gAAAA')!r} {[UserToken('gAAAA')]}"
