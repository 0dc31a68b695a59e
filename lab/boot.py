"""Starting services, a few at a time.

Starting a service is mostly imports, so processors are what it waits for. With all of them at once
each takes as long as all do, and those that wait for others run into their timeouts. So only a
few are under way at any moment; the next begins when one has come up.
"""

import os
import threading
from collections.abc import Iterable

from lab.processes import Processes
from lab.rest import answers
from lab.services import Service
from lab.tasks import Task, Tasks

BOOTS_PER_CORE = 2
BOOT_SECONDS = 240.0
# Nova's workers ask for Placement's address when they start, and end when they do not get it.
DEPENDENT = "nova"
NEEDED = ("keystone", "placement")
SIGN_OF_WORK = b" node (version "


class Boot:
    """A service on its way up.

    An API has come up when it answers, a worker when it says in its log that it starts its work.
    """

    def __init__(self, service: Service, processes: Processes) -> None:
        self.service = service
        self._processes = processes
        self._log = processes.log(service.process)
        self._offset = self._log.stat().st_size if self._log.exists() else 0

    def begin(self) -> bool:
        """Start the process; say whether it was not running before."""
        return self._processes.start(self.service.command)

    def wait(self) -> None:
        """Wait until the process has come up."""
        name = self.service.process
        self._processes.wait_until(self._is_up, f"starting {name}", [name], timeout=BOOT_SECONDS)

    def _is_up(self) -> bool:
        if self.service.port is not None:
            return answers(self.service.port, self.service.probe)
        with self._log.open("rb") as stream:
            stream.seek(self._offset)
            return SIGN_OF_WORK in stream.read()


class Starter:
    """Starts services in their order and keeps the number of those under way small."""

    def __init__(self, processes: Processes, tasks: Tasks) -> None:
        self._processes = processes
        self._tasks = tasks
        self._gate = threading.Semaphore(BOOTS_PER_CORE * (os.cpu_count() or 1))

    def start(self, wanted: Iterable[Service], needed: Iterable[Task] = ()) -> list[Service]:
        """Start what does not run; return when the last of it is under way, with all of it.

        Nova waits for `needed`, and for the Keystone and the Placement among what is started.
        """
        started = []
        needed = list(needed)
        for service in wanted:
            if service.service == DEPENDENT:
                self._tasks.wait(needed)
            self._gate.acquire()
            self._tasks.check()
            boot = Boot(service, self._processes)
            if not boot.begin():
                self._gate.release()
                continue
            started.append(service)
            task = self._tasks.submit(self._watch, boot)
            if service.service in NEEDED:
                needed.append(task)
        return started

    def _watch(self, boot: Boot) -> None:
        try:
            boot.wait()
        finally:
            self._gate.release()
