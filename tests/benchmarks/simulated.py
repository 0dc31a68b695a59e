"""A simulator in a process of its own, so that its work is not in what is measured."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60


@dataclass(frozen=True)
class Simulation:
    """Where the simulator answers, and the clouds.yaml for it."""

    url: str
    clouds_file: Path
    regions: tuple[str, ...]
    process_id: int

    def calls(self) -> int:
        """How many calls were made to regions and Keystone since the last reset."""
        return int(self._ask("GET", "/_sim/calls")["total"])

    def reset_calls(self) -> None:
        """Count from nothing again."""
        self._ask("DELETE", "/_sim/calls")

    def set(self, **fault: Any) -> None:
        """Set a fault."""
        self._ask("POST", "/_sim/faults", fault)

    def clear(self) -> None:
        """Take all faults back."""
        self._ask("DELETE", "/_sim/faults")

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data)
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        return json.loads(raw) if raw else None


@contextlib.contextmanager
def simulation(folder: Path, **plan: object) -> Iterator[Simulation]:
    """A simulator with these options of `multisite sim`, as long as the block lasts."""
    clouds = folder / "clouds.yaml"
    words = [f"--{name.replace('_', '-')}={value}" for name, value in plan.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "multisite", "sim", "--port=0", f"--clouds-file={clouds}", *words],
        stdout=subprocess.DEVNULL,
    )
    try:
        url = _wait(process, clouds)
        with urllib.request.urlopen(url, timeout=60) as answer:
            names = tuple(json.load(answer)["regions"])
        yield Simulation(url, clouds, names, process.pid)
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], clouds: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if clouds.exists() and clouds.stat().st_size:
            entries = json.loads(clouds.read_text())["clouds"]
            url = str(entries["sim-admin"]["auth"]["auth_url"]).removesuffix("/identity/v3")
            with contextlib.suppress(urllib.error.URLError), urllib.request.urlopen(url, timeout=60):
                return url
        time.sleep(0.1)
    raise RuntimeError("the simulator did not start")
