"""Several processes of the service on one PostgreSQL, over simulated regions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.simulated import Simulation, simulation
from tests.integration.processes.fleet import Fleet
from tests.postgresql import Server

REGIONS = 10


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    folder = tmp_path_factory.mktemp("simulation")
    with simulation(folder, regions=REGIONS, servers=2, projects=1) as made:
        yield made


@pytest.fixture
def fleet(simulated: Simulation, postgresql: Server, tmp_path: Path) -> Iterator[Fleet]:
    url = postgresql.upgraded()
    made = Fleet(simulated, url, tmp_path)
    made.register()
    try:
        yield made
    finally:
        made.end()
        simulated.clear()
        postgresql.drop(url)
