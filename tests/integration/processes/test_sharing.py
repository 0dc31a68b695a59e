"""Several processes share the regions, whatever happens to them."""

import signal
import time
from pathlib import Path

from tests import postgresql
from tests.benchmarks.simulated import Simulation
from tests.integration.processes.conftest import REGIONS
from tests.integration.processes.fleet import BEAT, INTERVAL, TTL, Fleet, Process

#: Seconds for which sweeps are counted, and how many of one region one process makes in that time.
WINDOW = 6.0
MOST = WINDOW / INTERVAL + 2
#: Seconds that a loaded machine may add to each bound.
SLACK = 1.5


def three(fleet: Fleet) -> list[Process]:
    started = [fleet.launch() for _ in range(3)]
    fleet.until(lambda: all(each.health().get("database") == "ok" for each in started), 60)
    fleet.until(lambda: fleet.shared(4, 4, 2) or fleet.shared(4, 3, 3))
    return started


def executor_of(fleet: Fleet, process: Process) -> str:
    (name,) = (name for name in fleet.parts() if f":{process.popen.pid}:" in name)
    return name


def test_each_region_is_swept_by_exactly_one_of_three_and_a_dead_ones_move(fleet: Fleet) -> None:
    processes = three(fleet)
    assert sum(each.health()["regions"] for each in processes) == REGIONS
    swept = fleet.sweeps(WINDOW)
    assert set(swept) == set(fleet.simulation.regions)
    assert min(swept.values()) >= 2, swept
    assert max(swept.values()) <= MOST, swept

    dead = processes[0]
    dead.signal(signal.SIGKILL)
    took = fleet.until(lambda: fleet.shared(5, 5))
    print(f"kill -9: the regions moved in {took:.2f} s (ttl {TTL} + beat {BEAT})")  # noqa: T201
    assert took <= TTL + BEAT + SLACK

    fourth = fleet.launch()
    fleet.until(lambda: fourth.health().get("database") == "ok", 60)
    took = fleet.until(lambda: fleet.shared(4, 4, 2) or fleet.shared(4, 3, 3))
    print(f"a new process had its part {took:.2f} s after it answered")  # noqa: T201
    assert took <= 2 * BEAT + SLACK
    swept = fleet.sweeps(WINDOW)
    assert max(swept.values()) <= MOST, swept


def test_one_that_ends_gives_its_regions_up_at_once(fleet: Fleet) -> None:
    processes = three(fleet)
    assert processes[0].end() == -signal.SIGTERM
    took = fleet.until(lambda: fleet.shared(5, 5))
    print(f"after a tidy end the regions moved in {took:.2f} s")  # noqa: T201
    assert took <= 2 * BEAT + SLACK


def test_one_that_stood_still_writes_nothing_more_of_what_it_lost(fleet: Fleet) -> None:
    processes = three(fleet)
    still = processes[0]
    name = executor_of(fleet, still)
    lost = [region for region, executor in fleet.holders().items() if executor == name]
    fleet.simulation.set(kind="latency", seconds=1.0)  # so that it is stopped in the middle of sweeps
    time.sleep(2 * INTERVAL)
    still.signal(signal.SIGSTOP)
    fleet.until(lambda: fleet.shared(5, 5))
    fleet.simulation.clear()
    for region in lost:  # what nobody but the sleeper can write any more
        fleet.ask(f"UPDATE regions SET enabled = false WHERE name = '{region}'")  # noqa: S608
    fleet.until(lambda: not set(lost) & set(fleet.holders()))
    time.sleep(2 * INTERVAL)
    before = observed(fleet, lost)
    still.signal(signal.SIGCONT)
    fleet.until(lambda: "taken for dead" in still.log.read_text())
    fleet.until(lambda: len(fleet.parts()) == 3)
    time.sleep(2 * INTERVAL)
    assert observed(fleet, lost) == before


def observed(fleet: Fleet, regions: list[str]) -> list[object]:
    names = ", ".join(f"'{each}'" for each in regions)
    query = (
        "SELECT name, service, observed_at, failed_at FROM observations JOIN regions ON id = region_id "  # noqa: S608
        f"WHERE name IN ({names}) ORDER BY name, service"
    )
    return fleet.ask(query)


def test_the_database_is_restarted_in_mid_work_and_nobody_needs_to_be(
    simulated: Simulation, tmp_path: Path
) -> None:
    with postgresql.cluster() as server:
        fleet = Fleet(simulated, server.upgraded(), tmp_path)
        fleet.register()
        try:
            processes = three(fleet)
            server.stop()
            time.sleep(2 * TTL)
            assert [each.health()["database"] for each in processes] == ["unavailable"] * 3
            server.start()
            took = fleet.until(lambda: sum(fleet.parts().values()) == REGIONS and len(fleet.parts()) == 3)
            print(f"{took:.2f} s after the database was back all regions had a process")  # noqa: T201
            fleet.until(lambda: sorted(fleet.parts().values()) in ([2, 4, 4], [3, 3, 4]))
            time.sleep(2 * BEAT)
            swept = fleet.sweeps(WINDOW)
            assert min(swept.values()) >= 2, swept
            assert max(swept.values()) <= MOST, swept
            assert [each.popen.poll() for each in processes] == [None] * 3
            assert all("stumbled" not in each.log.read_text() for each in processes)
        finally:
            fleet.end()
