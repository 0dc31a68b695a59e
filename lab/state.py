"""What the lab remembers between two commands: its layout, size and ports.

`.lab/<layout>/lab.json` is written by the first `up` of a layout and says how many regions it
has and from which port it counts. `.lab/current` names the layout that was used last. Commands
that change something hold a lock, so that two of them never do it at the same time.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab import install
from lab.console import Progress
from lab.errors import LabError
from lab.layout import ALL_REGIONS, DEFAULT_PORT, DEFAULT_REGIONS, LAYOUTS, SHARED, Lab
from lab.processes import STOPPED, Processes

# Neither ports that need privileges, nor those that the kernel hands out (from 32768).
PORTS = range(1024, 32001)


def processes_of(lab: Lab) -> Processes:
    """The processes of a lab."""
    return Processes(lab.run, lab.logs)


def load(root: Path, layout: str | None = None) -> Lab:
    """The lab of a layout as it was last brought up; by default the current one."""
    layout = layout or current_layout(root)
    remembered = _remembered(root, layout)
    if not remembered:
        return Lab(root, layout, base_port=_wanted_port() or DEFAULT_PORT)
    return Lab(root, layout, remembered["regions"], remembered["base_port"])


def _remembered(root: Path, layout: str) -> dict[str, Any]:
    try:
        return dict(json.loads((root / layout / "lab.json").read_text()))
    except FileNotFoundError:
        return {}


def running(root: Path) -> Lab:
    """The lab that is up."""
    lab = load(root)
    if not is_running(lab):
        raise LabError("the lab is not up: run `python -m lab up`")
    return lab


def exists(lab: Lab) -> bool:
    """Whether this layout has been brought up before."""
    return (lab.state / "lab.json").exists()


def current_layout(root: Path) -> str:
    """The layout that was used last."""
    try:
        return (root / "current").read_text().strip()
    except FileNotFoundError:
        return SHARED


def for_up(root: Path, layout: str, regions: int | None) -> Lab:
    """The lab that `up` is to bring up, unless something stands against it."""
    known = load(root, layout)
    wanted = regions or (known.region_count if exists(known) else DEFAULT_REGIONS)
    if not 1 <= wanted <= len(ALL_REGIONS):
        raise LabError(f"the lab can have 1 to {len(ALL_REGIONS)} regions, not {wanted}")
    if exists(known) and wanted < known.region_count:
        raise LabError(f"the lab has {known.region_count} regions; to get {wanted}, run `destroy` first")
    port = _wanted_port()
    if exists(known) and port not in {None, known.base_port}:
        raise LabError(
            f"the lab counts its ports from {known.base_port}; to move it to {port}, run `destroy` first"
        )
    if exists(known) and _remembered(root, layout).get("versions", install.versions()) != install.versions():
        raise LabError(
            "requirements/lab.txt has changed since the databases of the lab were made: run `destroy` first"
        )
    for other in LAYOUTS:
        if other != layout and is_running(load(root, other)):
            raise LabError(f"the lab runs in the layout `{other}`: `down` is needed first")
    return Lab(root, layout, wanted, known.base_port)


def save(lab: Lab) -> None:
    """Remember a lab, and that it is the current one."""
    lab.state.mkdir(parents=True, exist_ok=True)
    remembered = {
        "regions": lab.region_count,
        "base_port": lab.base_port,
        "versions": install.versions(),
    }
    (lab.state / "lab.json").write_text(json.dumps(remembered))
    (lab.root / "current").write_text(lab.layout)


def is_running(lab: Lab) -> bool:
    """Whether any process of a lab is alive."""
    processes = processes_of(lab)
    return any(processes.state(name) != STOPPED for name in processes.names())


@contextlib.contextmanager
def locked(root: Path, progress: Progress) -> Iterator[None]:
    """Hold the lab's lock; wait for another command that holds it."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("waiting for another command of the lab to end")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _wanted_port(environment: Mapping[str, str] = os.environ) -> int | None:
    text = environment.get("MULTISITE_LAB_PORT")
    if not text:
        return None
    if not text.isdigit() or int(text) not in PORTS:
        raise LabError(f"MULTISITE_LAB_PORT must be a port from {PORTS[0]} to {PORTS[-1]}, not {text!r}")
    return int(text)
