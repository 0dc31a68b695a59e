"""The worlds of the demo: six simulated regions of a telco, or the lab's three real ones."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from demo.cloud import Cloud, DemoError
from lab import lifecycle, state
from lab.cloud import cloud_of
from lab.clouds import TENANTS
from lab.configuration import ADMIN_PASSWORD
from lab.console import Progress
from lab.layout import SHARED, root_folder
from lab.populate import populate
from multisite.sim.plan import password

REGIONS = ("lisbon", "porto", "madrid", "lyon", "milan", "azores")
PROJECTS = ("voice-core", "video-cdn", "iot-platform", "billing")
#: The global limits of the first project when the demo starts.
LIMITS = {"compute/cores": 200, "compute/instances": 90, "volume/gigabytes": 2000, "network/floatingip": 20}
SLOW, FAILING = "azores", "milan"
FAULTS: tuple[dict[str, object], ...] = (
    {"kind": "latency", "region": SLOW, "seconds": 1.0, "spread": 1.5},
    {"kind": "status", "region": FAILING, "service": "volume", "status": 503, "every": 90, "lasts": 25},
    {"kind": "hang", "region": FAILING, "service": "compute", "every": 240, "lasts": 40},
)
START_SECONDS = 30


class World(Protocol):
    """Regions to show multisite over, and what to say of them."""

    @property
    def about(self) -> str:
        """A sentence on what they are."""
        ...

    @property
    def people(self) -> tuple[str, ...]:
        """Who can log in."""
        ...

    @property
    def tenant(self) -> str:
        """A tenant's entry of clouds.yaml."""
        ...

    @property
    def limits(self) -> Mapping[str, Mapping[str, int]]:
        """Whose use is limited over all regions when the demo starts: project, resource, limit."""
        ...

    @property
    def breaking(self) -> str:
        """A command that lets a region die."""
        ...

    @property
    def ending(self) -> str:
        """What Ctrl-C ends."""
        ...

    def start(self) -> Cloud:
        """Bring the regions up."""
        ...

    def check(self) -> None:
        """Raise `DemoError` if they ended."""
        ...

    def stop(self) -> None:
        """End what ends with the demo."""
        ...


class SimulatedWorld:
    """The simulator's process; what it writes lies in `folder`, which begins empty."""

    about = f"{SLOW} is slow, {FAILING} fails now and then; the others are well."
    people = (
        f"admin / {password('admin')}   (operator)",
        f"{PROJECTS[0]} / {password(PROJECTS[0])}   (tenant)",
    )
    tenant = f"demo-{PROJECTS[0]}"
    limits: Mapping[str, Mapping[str, int]] = {PROJECTS[0]: LIMITS}
    ending = "all of it"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def start(self) -> Cloud:
        """Start it and wait until it answers."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700, parents=True)  # passwords will be in it
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
        return Cloud(REGIONS, f"{self._url}/identity/v3", clouds, "demo-admin", ("demo-admin",))

    @property
    def breaking(self) -> str:
        """How to let a region die for a minute."""
        fault = json.dumps({"kind": "refuse", "region": REGIONS[1], "lasts": 60})
        return f"curl -X POST {self._url}/_sim/faults -d '{fault}'"

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
        self._url = auth_url.removesuffix("/identity/v3")
        try:
            with urllib.request.urlopen(self._url, timeout=5):
                return True
        except OSError:
            return False


class RealWorld:
    """The lab, which stays up when the demo ends."""

    about = "They are real: Keystone, Nova, Placement, Neutron, Glance, Cinder; the hypervisor is a fake."
    people = (
        f"admin / {ADMIN_PASSWORD}   (operator)",
        *(f"{name} / {secret}   (tenant)" for name, secret in TENANTS.items()),
    )
    tenant = "RegionTwo-alpha"
    #: What is real stays as it is until somebody decides otherwise.
    limits: Mapping[str, Mapping[str, int]] = {}
    breaking = f"{sys.executable} -m lab stop RegionThree      (and: start RegionThree)"
    ending = "multisite; the regions stay up until `make lab-down`"

    def start(self) -> Cloud:
        """Bring the lab up, with something in it."""
        progress = Progress()
        lab = state.for_up(root_folder(), SHARED, None)
        with state.locked(lab.root, progress):
            lifecycle.up(lab, progress)
            populate(lab, progress)
        return cloud_of(lab)

    def check(self) -> None:
        """The lab looks after itself."""

    def stop(self) -> None:
        """Nothing ends with the demo."""
