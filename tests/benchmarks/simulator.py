"""How fast the simulator is: GETs a second of a list of 5 servers, and memory of 1,000 regions × 50.

`python -m tests.benchmarks.simulator SECONDS` prints one line of JSON. `wrk`
takes a core of its own, so this wants two.
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from multisite.sim.plan import password
from tests.benchmarks.simulated import Simulation, simulation


def token(cloud: Simulation) -> str:
    """A token of the administrator."""
    user = {"name": "admin", "domain": {"name": "Default"}, "password": password("admin")}
    scope = {"project": {"name": "admin", "domain": {"name": "Default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    request = urllib.request.Request(
        f"{cloud.url}/identity/v3/auth/tokens",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.headers["X-Subject-Token"])


def speed(folder: Path, seconds: int) -> dict[str, Any]:
    """GETs a second, and how many of them failed."""
    with simulation(folder, regions=1000, servers=5) as cloud:
        url = f"{cloud.url}/{cloud.regions[0]}/compute/v2.1/servers/detail?all_tenants=1"
        done = subprocess.run(
            ["wrk", "-t1", "-c50", f"-d{seconds}", "-H", f"X-Auth-Token: {token(cloud)}", url],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    return {
        "per_second": float(rate[1]) if rate else 0.0,
        "failed": "Non-2xx" in done.stdout,
    }


def memory(folder: Path) -> float:
    """Megabytes that 1,000 regions with 50 servers each take, once each was asked for something."""
    with simulation(folder, regions=1000, servers=50, projects=200) as cloud:
        held = token(cloud)
        for name in cloud.regions:
            request = urllib.request.Request(
                f"{cloud.url}/{name}/compute/v2.1/servers?limit=1", headers={"X-Auth-Token": held}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
        status = Path(f"/proc/{cloud.process_id}/status").read_text(encoding="ascii")
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) / 1024 if peak else 0.0


def main() -> int:
    """Measure once, and print the figures."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        figures = speed(Path(one), int(sys.argv[1])) | {"memory": memory(Path(other))}
    print(json.dumps(figures))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
