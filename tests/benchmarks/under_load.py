"""`GET /v1/capacity` under load, while the regions are swept.

`python -m tests.benchmarks.under_load REGIONS SECONDS` runs the real service over a simulated cloud, and
Debian's `wrk` against it; it prints requests a second and latencies (milliseconds) as one line of JSON.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import openstack

from demo.cloud import Cloud
from demo.service import Service
from tests.benchmarks.simulated import Simulation, simulation

CONNECTIONS = 10
SETTINGS: dict[str, dict[str, object]] = {"sweep": {"interval": 30}, "inventory": {"enabled": False}}
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


def measure(simulated: Simulation, folder: Path, seconds: int) -> dict[str, Any]:
    """Start the service, wait until all is read, and ask as fast as it answers."""
    cloud = Cloud(
        simulated.regions, f"{simulated.url}/identity/v3", simulated.clouds_file, "sim-admin", ("sim-admin",)
    )
    service = Service(cloud, folder / "service", port=8198, settings=SETTINGS)
    service.prepare()
    service.start()
    try:
        cloud.discover()
        config = openstack.config.OpenStackConfig(
            config_files=[str(cloud.clouds_file)], load_envvars=False
        ).get_one(cloud="sim-admin", region_name=cloud.regions[0])
        token = openstack.connection.Connection(config=config).authorize()
        size = _wait(service, token)
        done = subprocess.run(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}", "--latency", "--timeout", "60s",
             "-H", f"X-Auth-Token: {token}", f"{service.url}/v1/capacity?limit=100"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        service.stop()
    return {
        "regions": len(cloud.regions), "connections": CONNECTIONS, "bytes": size,
        "per_second": float(_find(r"Requests/sec:\s+([\d.]+)", done.stdout)),
        "p50": _milliseconds(_find(r"50%\s+(\S+)", done.stdout)),
        "p99": _milliseconds(_find(r"99%\s+(\S+)", done.stdout)),
        "failed": int(_find(r"Non-2xx or 3xx responses: (\d+)", done.stdout) or 0),
    }  # fmt: skip


def _wait(service: Service, token: str) -> int:
    """Until every region is fresh; the length of an answer (bytes)."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        request = urllib.request.Request(
            f"{service.url}/v1/capacity?limit=100", headers={"X-Auth-Token": token}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            raw = answer.read()
        if json.loads(raw)["totals"]["complete"]:
            return len(raw)
        time.sleep(1)
    raise RuntimeError("the regions did not become fresh")


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return round(float(number) * _UNITS[unit], 1)


def main() -> int:
    """Measure once, and print the figures."""
    if shutil.which("wrk") is None:
        print("under_load needs wrk: apt-get install wrk", file=sys.stderr)  # noqa: T201 - a command
        return 1
    regions, seconds = int(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with simulation(folder, regions=regions, servers=50, projects=20) as cloud:
            print(json.dumps(measure(cloud, folder, seconds)))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
