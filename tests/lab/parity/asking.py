"""What is asked and answered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `to` is a service; with `root` the path begins where its catalog's address does not go.

    `by`: `admin`, `tenant` (parity-a), `other` (parity-b), `reader` (of parity-a), `nobody`, or `forged` for
    a token that no Keystone gave out. `body` is JSON, or text that is sent as it is.
    """

    to: str
    method: str
    path: str
    by: str = "tenant"
    version: str = ""
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    root: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is JSON as it was parsed, or the text."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Case:
    """One request. `exact`: the answer is about things that both worlds were told in the same words."""

    request: Request
    exact: bool = False

    def __str__(self) -> str:
        return written(self.request)


def written(ask: Request) -> str:
    """A request in a line."""
    words = [
        ask.to,
        ask.method,
        ask.path or "/",
        f"as {ask.by}",
        ask.version,
        "at the root" if ask.root else "",
    ]
    if ask.method != "GET" and ask.body is not None:
        words.append(str(ask.body)[:60])
    return " ".join(word for word in words if word)
