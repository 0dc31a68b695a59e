"""`multisite serve --workers`, and why SQLite has one process only."""

import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from multisite.db import schema
from multisite.engine import durable
from tests.benchmarks.simulated import Simulation
from tests.integration.processes.fleet import Fleet, Process


def children(process: Process) -> list[int]:
    listed = Path(f"/proc/{process.popen.pid}/task/{process.popen.pid}/children").read_text()
    return [int(pid) for pid in listed.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def swept_by(process: Process, worker: int) -> float:
    address = f"http://127.0.0.1:{process.metrics_port + worker}/metrics"
    with urllib.request.urlopen(address, timeout=5) as answer:
        (line,) = (
            each
            for each in answer.read().decode().splitlines()
            if each.startswith("multisite_sweep_regions ")
        )
    return float(line.split()[1])


def test_workers_share_the_work_start_anew_when_they_die_and_end_with_their_parent(fleet: Fleet) -> None:
    process = fleet.start("--workers", "2")
    fleet.until(lambda: fleet.shared(5, 5))
    assert [swept_by(process, worker) for worker in (0, 1)] == [5, 5]
    first, second = children(process)

    os.kill(first, signal.SIGKILL)
    fleet.until(lambda: len(fleet.parts()) == 2 and not any(f":{first}:" in name for name in fleet.parts()))
    fleet.until(lambda: fleet.shared(5, 5))
    assert process.health()["status"] == "ok"
    assert second in children(process)
    assert "worker 0 ended by signal 9; another one starts in 1 s" in process.log.read_text()

    workers = children(process)
    assert process.end() == -signal.SIGTERM
    assert not any(alive(pid) for pid in workers)
    assert fleet.parts() == {}, "they gave everything up"


def test_workers_end_when_their_parent_is_killed(fleet: Fleet) -> None:
    process = fleet.start("--workers", "2")
    workers = children(process)
    process.signal(signal.SIGKILL)
    fleet.until(lambda: not any(alive(pid) for pid in workers))


def test_a_worker_that_cannot_start_ends_all_with_one_sentence(fleet: Fleet) -> None:
    (fleet.folder / "page.key").write_text("no key")
    (fleet.folder / "page.key").chmod(0o600)
    process = fleet.launch("--workers", "2")
    assert process.popen.wait(60) == 1
    assert "secret_file" in process.log.read_text()
    assert "Traceback" not in process.log.read_text()


@pytest.fixture
def on_sqlite(simulated: Simulation, tmp_path: Path) -> Fleet:
    url = f"sqlite:///{tmp_path}/multisite.sqlite"
    schema.upgrade(url)
    durable.migrate(url)
    return Fleet(simulated, url, tmp_path)


def refusal(process: Process) -> str:
    """The one sentence with which it ended."""
    assert process.popen.wait(60) == 1
    text = process.log.read_text()
    assert "Traceback" not in text
    (said,) = (line for line in text.splitlines() if line.startswith("multisite: "))
    return said


def test_sqlite_serves_no_workers(on_sqlite: Fleet) -> None:
    assert "--workers 2: SQLite serves one process" in refusal(on_sqlite.launch("--workers", "2"))


def test_sqlite_serves_no_second_process_until_the_first_is_gone(on_sqlite: Fleet) -> None:
    first = on_sqlite.launch()
    try:
        on_sqlite.until(lambda: first.health().get("database") == "ok", 60)
        said = refusal(on_sqlite.launch())
        assert f"(process {first.popen.pid})" in said
        assert "SQLite serves one process; for several set [database] connection to postgresql://" in said
        configuration = str(on_sqlite.folder / "multisite-0.conf")
        upgrade = subprocess.run(
            [sys.executable, "-m", "multisite", "db", "upgrade", "--config-file", configuration],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert upgrade.returncode == 1
        assert "stop it before the upgrade" in upgrade.stderr

        first.signal(signal.SIGKILL)
        first.popen.wait()
        third = on_sqlite.launch()
        on_sqlite.until(lambda: third.health().get("database") == "ok", 60)
        with sqlite3.connect(on_sqlite.folder / "multisite.sqlite") as database:
            assert database.execute("SELECT count(*) FROM executors").fetchall() == [(1,)]
    finally:
        on_sqlite.end()
