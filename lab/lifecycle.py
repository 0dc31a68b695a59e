"""Bringing the lab up and down.

`up` looks before each step whether it is needed, so it can be repeated at any time: databases
and catalogs that are complete stay, processes that run are left alone. What is paused is resumed.

The order follows from what waits for what. MariaDB and RabbitMQ start at once; databases are
made as soon as MariaDB answers; Keystone starts when its database is there, and its catalog is
written while the databases of the regions are still being copied; a region starts when its
databases are complete, its Nova when the catalog is. A service that is busy with its imports does
not mind that RabbitMQ is still on its way. What does not wait for each other runs in threads.
"""

import shutil
import signal
import threading
from collections.abc import Iterable

from lab import (
    clouds,
    configuration,
    infrastructure,
    install,
    keystone,
    region,
    schemas,
    services,
    state,
    units,
)
from lab.boot import Boot, Starter
from lab.console import Progress
from lab.layout import Lab, Region
from lab.processes import PAUSED, Processes
from lab.tasks import Task, Tasks

# More copies and migrations at a time than this do not get done earlier on two cores.
DATABASES_AT_A_TIME = 3


def up(lab: Lab, progress: Progress) -> None:
    """Bring every region up, and wait until all of them are ready."""
    install.ensure(lab, progress)
    state.save(lab)
    processes = state.processes_of(lab)
    units.signal_those(processes, processes.names(), PAUSED, signal.SIGCONT)
    infrastructure.start(lab, processes)
    infrastructure.wait_for_mariadb(lab, processes)
    progress.say("MariaDB answers")
    for owner in lab.keystone_owners:
        keystone.write_files(lab, owner)
    for each in lab.regions:
        configuration.write_region(lab, each)
    clouds.write(lab)
    with Tasks(processes) as tasks:
        _Ascent(lab, progress, processes, tasks).climb()
    progress.say(f"{lab.region_count} regions are up; `python -m lab env` prints their clouds.yaml")


class _Ascent:
    """The part of `up` in which several things happen at the same time."""

    def __init__(self, lab: Lab, progress: Progress, processes: Processes, tasks: Tasks) -> None:
        self._lab = lab
        self._progress = progress
        self._processes = processes
        self._tasks = tasks
        self._databases = schemas.Databases(lab)
        self._slots = threading.Semaphore(DATABASES_AT_A_TIME)
        self._starter = Starter(processes, tasks)

    def climb(self) -> None:
        """Make the databases, start each Keystone and each region, and wait for them."""
        lab, tasks = self._lab, self._tasks
        created = {owner: self._create([schemas.of_keystone(lab, owner)]) for owner in lab.keystone_owners}
        # The first region makes the dumps that are missing; the others copy them.
        first, *rest = lab.regions
        ready = {first: self._create(schemas.of_region(lab, first))}
        catalogs = {owner: tasks.submit(self._start_keystone, owner, made) for owner, made in created.items()}
        tasks.wait(ready[first])
        ready |= {each: self._create(schemas.of_region(lab, each)) for each in rest}
        finishing = []
        for each in lab.regions:
            tasks.wait(ready[each])
            self._start_region(each, catalogs[lab.keystone_owner(each)])
            finishing.append(tasks.submit(self._finish_region, each))
        infrastructure.wait_for_rabbitmq(lab, self._processes)
        tasks.wait(finishing)

    def _create(self, wanted: Iterable[schemas.Schema]) -> list[Task]:
        return [
            self._tasks.submit(self._create_one, schema)
            for schema in wanted
            if not self._databases.is_complete(schema.database)
        ]

    def _create_one(self, schema: schemas.Schema) -> None:
        with self._slots:
            self._databases.create(schema)

    def _start_keystone(self, owner: Region, created: list[Task]) -> None:
        self._tasks.wait(created)
        service = services.keystone(self._lab, owner)
        boot = Boot(service, self._processes)
        started = boot.begin()
        boot.wait()
        if started:
            self._progress.say(f"{service.process} answers")
        served = self._lab.served_by(owner)
        if not all(self._databases.is_complete(_catalog(each)) for each in served):
            keystone.write_catalog(self._lab, owner)
            for each in served:
                self._databases.set_complete(_catalog(each))
            self._progress.say(f"{service.process} has its catalog")
        for each in served:
            if each.unified_limits and not self._databases.is_complete(_limits(each)):
                keystone.write_limits(self._lab, each)
                self._databases.set_complete(_limits(each))

    def _start_region(self, each: Region, catalog: Task) -> None:
        started = self._starter.start(services.of_region(self._lab, each), needed=[catalog])
        if started:
            self._progress.say(f"{each.name}: {len(started)} processes started")

    def _finish_region(self, each: Region) -> None:
        wanted = services.of_region(self._lab, each)
        region.wait_until_ready(self._lab, each, wanted, self._processes)
        region.ensure_volume_type(self._lab, each)
        self._progress.say(f"{each.name}: ready")


def _catalog(each: Region) -> str:
    """The name under which the catalog of a region is noted as complete."""
    return f"catalog of {each.name}"


def _limits(each: Region) -> str:
    """The name under which the registered limits of a region are noted as complete."""
    return f"limits of {each.name}"


def down(lab: Lab, progress: Progress) -> None:
    """End the lab's processes: services first, then what they stand on."""
    processes = state.processes_of(lab)
    names = processes.names()
    foundation = [name for name in names if name in infrastructure.NAMES]
    processes.stop([name for name in names if name not in foundation])
    processes.stop(foundation, grace=30)
    for name in names:
        processes.forget(name)
    progress.say(f"the lab ({lab.layout}) is down; its state is kept")


def destroy(lab: Lab, progress: Progress) -> None:
    """End the lab's processes and delete the state of this layout."""
    down(lab, progress)
    shutil.rmtree(lab.state, ignore_errors=True)
    progress.say("its state is deleted; the installation and the dumps are kept")
