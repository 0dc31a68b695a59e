"""Every error has a stable code, a status and one sentence."""

from collections.abc import Iterator

import pytest

from multisite import errors
from multisite.errors import MultisiteError


def subclasses(kind: type[MultisiteError]) -> Iterator[type[MultisiteError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from subclasses(child)


EVERY = sorted(
    {kind for kind in subclasses(MultisiteError) if kind.__module__ == errors.__name__},
    key=lambda kind: kind.__name__,
)


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in EVERY]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("kind", EVERY)
def test_each_has_a_title_a_status_and_a_code_for_machines(kind: type[MultisiteError]) -> None:
    error = kind()
    assert error.title.endswith(".")
    assert error.detail == error.title
    assert 400 <= kind.status < 600
    assert kind.code == kind.code.lower()
    assert " " not in kind.code


def test_the_detail_is_what_is_said() -> None:
    error = errors.NotFound("there is no region called 'x'")
    assert str(error) == error.detail == "there is no region called 'x'"
    assert error.title == "There is no such resource."
