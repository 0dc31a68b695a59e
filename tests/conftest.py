"""What all tests share: a clock that stands still."""

from datetime import UTC, datetime

import pytest
from multisite.clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
