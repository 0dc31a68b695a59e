"""A lab that is up, as an object: for tests that hurt it from Python."""

import dataclasses

from lab import lifecycle, services, state, status, units
from lab.cloud import Regions
from lab.console import Progress
from lab.layout import SHARED, Lab, root_folder
from lab.populate import populate
from lab.processes import RUNNING


@dataclasses.dataclass(frozen=True)
class RunningLab(Regions):
    """The regions, and the ways to break and to mend them."""

    lab: Lab
    progress: Progress

    def stop(self, unit: str) -> None:
        """End a unit: connections to it are refused."""
        self._act("stop", unit)

    def start(self, unit: str) -> None:
        """Start a unit again, and wait until it is ready."""
        self._act("start", unit)

    def pause(self, unit: str) -> None:
        """Freeze a unit: connections to it hang."""
        self._act("pause", unit)

    def resume(self, unit: str) -> None:
        """Let a paused unit go on."""
        self._act("resume", unit)

    def status(self) -> list[status.Row]:
        """Each process and whether its API answers."""
        return status.rows(self.lab)

    def process_ids(self) -> dict[str, int]:
        """The process id of everything that runs."""
        processes = state.processes_of(self.lab)
        found = processes.members_of(processes.names())
        return {name: members[0].pid for name, members in found.items() if members}

    def mend(self) -> None:
        """Start what is stopped and resume what is paused."""
        processes = state.processes_of(self.lab)
        expected = {service.process for _, service in services.everything(self.lab)}
        if any(processes.state(name) != RUNNING for name in expected.union(processes.names())):
            with state.locked(self.lab.root, self.progress):
                lifecycle.up(self.lab, self.progress)

    def _act(self, action: str, unit: str) -> None:
        with state.locked(self.lab.root, self.progress):
            units.act(self.lab, action, unit, self.progress)


def bring_up(layout: str = SHARED) -> RunningLab:
    """The lab of this repository (or of MULTISITE_LAB), up and populated."""
    progress = Progress()
    root = root_folder()
    with state.locked(root, progress):
        lab = state.for_up(root, layout, None)
        lifecycle.up(lab, progress)
        populate(lab, progress)
    return RunningLab(lab, progress)
