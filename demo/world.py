"""The demo's world: six regions of a telco, as one process of the simulator."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from demo.cloud import Cloud, DemoError
from multisite.sim.plan import password

__all__ = ["FAILING", "PROJECTS", "REGIONS", "SLOW", "Simulation", "password"]

REGIONS = ("lisbon", "porto", "madrid", "lyon", "milan", "azores")
PROJECTS = ("voice-core", "video-cdn", "iot-platform", "billing")
SLOW, FAILING = "azores", "milan"
FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "latency", "region": SLOW, "seconds": 1.0, "spread": 1.5},
    {"kind": "status", "region": FAILING, "service": "volume", "status": 503, "every": 90, "lasts": 25},
    {"kind": "hang", "region": FAILING, "service": "compute", "every": 240, "lasts": 40},
)
START_SECONDS = 30


class Simulation:
    """The simulator's process; what it writes lies in `folder`, which begins empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> Cloud:
        """Start it and wait until it answers."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        clouds = self._folder / "clouds.yaml"
        words = ["sim", "--port", "0", "--regions", str(len(REGIONS)), "--names", ",".join(REGIONS)]
        words += ["--projects", str(len(PROJECTS)), "--project-names", ",".join(PROJECTS), "--seed", "2026"]
        words += ["--own-ports", "--build-seconds", "5", "--load", "0.05", "--clouds-file", str(clouds)]
        words += ["--clouds-prefix", "demo"]
        for fault in FAULTS:
            words += ["--fault", json.dumps(fault)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "multisite", *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_SECONDS
        while not clouds.exists() or not self._answers(clouds):
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(
                    f"the simulator did not answer within {START_SECONDS} s; its log: {self._log}"
                )
            time.sleep(0.1)
        return Cloud(REGIONS, f"{self.url}/identity/v3", clouds, "demo-admin", ("demo-admin",))

    def check(self) -> None:
        """Raise `DemoError` if it ended."""
        if self._process is not None and self._process.poll() is not None:
            words = self._log.read_text(errors="replace").strip().splitlines()
            raise DemoError(f"the simulator ended: {words[-1] if words else 'it said nothing'}")

    def stop(self) -> None:
        """End it."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(10)
        self._process = None

    @property
    def _log(self) -> Path:
        return self._folder / "simulator.log"

    def _answers(self, clouds: Path) -> bool:
        auth_url = json.loads(clouds.read_text())["clouds"]["demo-admin"]["auth"]["auth_url"]
        self.url = auth_url.removesuffix("/identity/v3")
        try:
            with urllib.request.urlopen(self.url, timeout=5):
                return True
        except OSError:
            return False
