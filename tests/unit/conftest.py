"""Unit tests open no socket: what they need comes in as plain values.

`recorded/` holds real answers of the lab's RegionTwo (GETs only), trimmed of what nobody reads.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

RECORDED = Path(__file__).parent / "recorded"


def pytest_runtest_setup() -> None:
    pytest_socket.disable_socket(allow_unix_socket=True)


def pytest_runtest_teardown() -> None:
    pytest_socket.enable_socket()


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """What a real service answered, by the name of its file."""

    def read(name: str) -> Any:
        return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))

    return read
