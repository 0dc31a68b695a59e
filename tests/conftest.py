"""What all tests share: a clock that stands still, a PostgreSQL, and the choice of a world."""

import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from multisite.clock import FixedClock
from tests import postgresql as postgresqls

with warnings.catch_warnings():
    # keystonemiddleware imports WebOb, which imports the deprecated `cgi`: no test of ours is to blame.
    warnings.simplefilter("ignore", DeprecationWarning)
    import webob  # noqa: F401

# The packages `demo` and `lab` lie in the root of the repository, which pytest does not look into.
sys.path.insert(0, str(Path(__file__).parents[1]))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--world", choices=("lab", "sim"), default="lab", help="real regions, or their simulated twin"
    )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresqls.Server]:
    """A server of PostgreSQL for databases of tests; a test that wants it is skipped where there is none."""
    try:
        with postgresqls.server() as made:
            yield made
    except postgresqls.NoPostgresql as error:
        postgresqls.do_without(error)
