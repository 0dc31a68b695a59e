"""Reading the logs of a unit, each line with the process it comes from."""

import time
from collections.abc import Iterator
from pathlib import Path

from lab import infrastructure, state, units
from lab.layout import Lab
from lab.processes import tail

POLL_SECONDS = 0.5


def of(lab: Lab, unit: str | None, lines: int, *, follow: bool) -> Iterator[str]:
    """The last lines of each log of a unit (or of all), then what is added."""
    files = _files(lab, unit)
    positions = {file: file.stat().st_size for file in files}
    for file in files:
        for line in tail(file, lines).splitlines():
            yield f"{file.stem}: {line}"
    while follow:
        time.sleep(POLL_SECONDS)
        for file in files:
            with file.open(errors="replace") as stream:
                stream.seek(positions[file])
                for line in stream:
                    yield f"{file.stem}: {line.rstrip()}"
                positions[file] = stream.tell()


def _files(lab: Lab, unit: str | None) -> list[Path]:
    if unit is None:
        return sorted(lab.logs.glob("*.log"))
    names = units.process_names(lab, unit)
    if unit == infrastructure.RABBITMQ:
        names.append("rabbitmq-node")
    processes = state.processes_of(lab)
    return [log for name in names if (log := processes.log(name)).exists()]
