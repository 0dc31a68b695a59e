"""A fixture for tests of other projects: `pytest_plugins = ["multisite.sim.pytest_plugin"]`."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from multisite.sim.listening import Running, running
from multisite.sim.plan import Plan


@pytest.fixture
def simulated_cloud() -> Iterator[Callable[..., Running]]:
    """Something that makes clouds, which end with the test; it takes the fields of `Plan`."""
    with ExitStack() as clouds:

        def make(*, own_ports: bool = False, **plan: object) -> Running:
            return clouds.enter_context(running(Plan(**plan), own_ports=own_ports))  # type: ignore[arg-type]

        yield make
