"""What all tests share: a clock that stands still."""

import warnings
from datetime import UTC, datetime

import pytest

from multisite.clock import FixedClock

with warnings.catch_warnings():
    # keystonemiddleware imports WebOb, which imports the deprecated `cgi`: no test of ours is to blame.
    warnings.simplefilter("ignore", DeprecationWarning)
    import webob  # noqa: F401


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
