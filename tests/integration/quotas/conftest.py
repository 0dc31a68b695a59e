"""Simulated clouds whose quotas are balanced."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from multisite.settings import QuotaSettings
from multisite.sim.listening import running
from multisite.sim.plan import Plan
from tests.integration.quotas.balanced import SETTINGS, Balanced

Make = Callable[..., Balanced]


@pytest.fixture
def balanced(tmp_path: Path) -> Iterator[Make]:
    """Makes clouds of empty regions with one tenant's project that is balanced; they end with the test."""
    numbers = itertools.count()
    with ExitStack() as stack:

        def make(regions: int = 3, settings: QuotaSettings = SETTINGS, **plan: object) -> Balanced:
            values: dict[str, object] = {"regions": regions, "servers": 0, "projects": 1, "networks": 1}
            cloud = stack.enter_context(running(Plan(**{**values, **plan})))  # type: ignore[arg-type]
            folder = tmp_path / f"cloud-{next(numbers)}"
            folder.mkdir()
            made = Balanced(cloud, folder, settings)
            stack.callback(made.close)
            return made

        yield make
