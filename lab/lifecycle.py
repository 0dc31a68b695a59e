"""Bringing the lab up and down.

`up` looks at each step before it takes it, so it can be repeated at any time: databases that
are complete stay, processes that run are left alone, a catalog that is complete is not written.
What is paused is resumed.

The order follows from what waits for what. MariaDB and RabbitMQ start at once; databases are
made as soon as MariaDB answers; Keystone starts when its database is there, and the catalog is
written while the databases of the regions are still being copied; a region starts when its
databases and the catalog are complete. Steps that do not wait for each other run in threads.
"""

import shutil
import signal
from concurrent.futures import Future, ThreadPoolExecutor

from lab import clouds, configuration, infrastructure, install, keystone, region, schemas, services, state
from lab.console import Progress
from lab.layout import Lab, Region
from lab.processes import PAUSED, Processes

# Dumps are copied by MariaDB and migrations are one process each: as many as cores help.
DATABASE_THREADS = 3


def up(lab: Lab, progress: Progress) -> None:
    """Bring every region up, and wait until all of them are ready."""
    install.ensure(lab, progress)
    state.save(lab)
    processes = state.processes_of(lab)
    for name in processes.names():
        if processes.state(name) == PAUSED:
            processes.signal(name, signal.SIGCONT)
    infrastructure.start(lab, processes)
    infrastructure.wait_for_mariadb(lab, processes)
    progress.say("MariaDB answers")
    for owner in lab.keystone_owners:
        keystone.write_files(lab, owner)
    for each in lab.regions:
        configuration.write_region(lab, each)
    clouds.write(lab)
    with ThreadPoolExecutor(DATABASE_THREADS) as databases, ThreadPoolExecutor() as others:
        _Ascent(lab, progress, processes, databases, others).climb()
    progress.say(f"all {lab.region_count} regions are up; `python -m lab env` prints their clouds.yaml")


class _Ascent:
    """The part of `up` in which several things happen at the same time."""

    def __init__(
        self,
        lab: Lab,
        progress: Progress,
        processes: Processes,
        databases: ThreadPoolExecutor,
        others: ThreadPoolExecutor,
    ) -> None:
        self._lab = lab
        self._progress = progress
        self._processes = processes
        self._databases = databases
        self._others = others

    def climb(self) -> None:
        lab = self._lab
        complete = schemas.prepare(lab)
        keystones = {
            owner: self._create([schemas.of_keystone(lab, owner)], complete) for owner in lab.keystone_owners
        }
        # The first region makes the dumps that are missing; the others copy them.
        first, *rest = lab.regions
        ready = {first: self._create(schemas.of_region(lab, first), complete)}
        catalogs = {
            owner: self._others.submit(self._start_keystone, owner, created)
            for owner, created in keystones.items()
        }
        _wait(ready[first])
        for each in rest:
            ready[each] = self._create(schemas.of_region(lab, each), complete)
        infrastructure.wait_for_rabbitmq(lab, self._processes)
        self._progress.say("RabbitMQ answers")
        starting = []
        for each in lab.regions:
            owner = lab.regions[0] if lab.shares_keystone else each
            _wait(ready[each])
            _wait([catalogs[owner]])
            starting.append(self._others.submit(self._start_region, each))
        _wait(starting)

    def _create(
        self, wanted: tuple[schemas.Schema, ...] | list[schemas.Schema], complete: set[str]
    ) -> list[Future[None]]:
        return [
            self._databases.submit(schemas.create, self._lab, schema)
            for schema in wanted
            if schema.database not in complete
        ]

    def _start_keystone(self, owner: Region, created: list[Future[None]]) -> None:
        _wait(created)
        service = services.keystone(self._lab, owner)
        started = self._processes.start(service.command)
        region.wait_for_api(service, self._processes)
        if started:
            keystone.write_catalog(self._lab, owner)
            self._progress.say(f"{service.process} answers, its catalog is complete")

    def _start_region(self, each: Region) -> None:
        lab, processes = self._lab, self._processes
        started = region.start(lab, each, processes)
        if started:
            self._progress.say(f"{each.name}: {len(started)} processes started")
        region.wait_for_apis(lab, each, processes)
        if started:
            self._progress.say(f"{each.name}: every API answers")
        region.wait_for_workers(lab, each, processes)
        self._progress.say(f"{each.name}: ready")


def _wait(futures: list[Future[None]]) -> None:
    for future in futures:
        future.result()


def down(lab: Lab, progress: Progress) -> None:
    """End the lab's processes: services first, then what they stand on."""
    processes = state.processes_of(lab)
    names = processes.names()
    foundation = [name for name in names if name in infrastructure.NAMES]
    processes.stop([name for name in names if name not in foundation])
    processes.stop(foundation, grace=30)
    for name in names:
        processes.forget(name)
    progress.say("the lab is down; its state is kept")


def destroy(lab: Lab, progress: Progress) -> None:
    """End the lab's processes and delete the state of this layout."""
    down(lab, progress)
    shutil.rmtree(lab.state, ignore_errors=True)
    progress.say("its state is deleted; the installation and the dumps are kept")
