"""The processes of a region: what runs, with which arguments, on which port.

Each API runs under uwsgi in a process of its own: several in one would share one global
configuration, or break in sub-interpreters. A response closes its connection, because six threads
serve an API and an idle client must not hold one of them. Bodies of unknown length need the
`chunked` options, without which Glance refuses what Nova and Cinder upload.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from lab.configuration import compute_folder
from lab.install import SBIN
from lab.layout import HOST, Lab, Region
from lab.processes import Command

UWSGI_OPTIONS = (
    "--processes=1",
    "--threads=6",
    "--enable-threads",
    "--lazy-apps",
    "--need-app",
    "--die-on-term",
    "--disable-logging",
    "--buffer-size=65535",
    "--http-chunked-input",
    "--chunked-input-limit=268435456",
    "--chunked-input-timeout=60",
    "--add-header=Connection: close",
)
NOT_INHERITED = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"}


@dataclasses.dataclass(frozen=True)
class Api:
    """How an API finds its configuration; `{folder}` is that of its service."""

    module: str
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    probe: str = "/"


APIS = {
    "keystone": Api(
        "keystone.wsgi.api",
        {"OS_KEYSTONE_CONFIG_FILES": "{folder}/keystone.conf"},
        probe="/v3",
    ),
    "placement": Api("placement.wsgi.api", {"OS_PLACEMENT_CONFIG_DIR": "{folder}"}),
    "nova": Api(
        "nova.wsgi.osapi_compute",
        {"OS_NOVA_CONFIG_DIR": "{folder}", "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf"},
    ),
    "neutron": Api(
        "neutron.wsgi.api",
        {"OS_NEUTRON_CONFIG_DIR": "{folder}", "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2_conf.ini"},
    ),
    "glance": Api("glance.wsgi.api", {"OS_GLANCE_CONFIG_DIR": "{folder}"}),
    # Cinder reads no variable; it takes its file from the command line.
    "cinder": Api("cinder.wsgi.api", arguments=("--pyargv=--config-file {folder}/cinder.conf",)),
}


@dataclasses.dataclass(frozen=True)
class Service:
    """One process of a region; `port` is that of an API, `probe` a path that it answers."""

    name: str
    service: str
    command: Command
    port: int | None = None
    probe: str = "/"
    host: str | None = None
    """The name under which a compute is known to Nova."""

    @property
    def process(self) -> str:
        """The name of the process, unique in the lab."""
        return self.command.name

    @property
    def binary(self) -> str:
        """The name without the number of a compute."""
        return self.name.rstrip("0123456789")


def environment(lab: Lab, **extra: str) -> dict[str, str]:
    """The environment of the lab's processes; Python may write bytecode in it."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_INHERITED and not name.startswith("OS_")
    }
    path = os.pathsep.join((str(lab.bin), os.environ.get("PATH", ""), *SBIN))
    return inherited | {"PATH": path, "LANG": "C.UTF-8", "NO_PROXY": HOST, "no_proxy": HOST} | extra


def keystone(lab: Lab, owner: Region) -> Service:
    """The Keystone of a region; with a shared one, all regions give the same."""
    return _api(lab, owner, "keystone")


def of_region(lab: Lab, region: Region) -> tuple[Service, ...]:
    """Every process of a region in the order in which they start.

    Nova waits for Placement, a compute for the conductor; Cinder's workers fill the time. All
    workers report only some seconds after they have started, so the APIs that nobody waits for
    come last.
    """
    return (
        *(() if lab.shares_keystone else (keystone(lab, region),)),
        _api(lab, region, "placement"),
        _worker(lab, region, "cinder-volume"),
        _worker(lab, region, "cinder-scheduler"),
        _worker(lab, region, "cinder-backup"),
        _worker(lab, region, "nova-conductor"),
        _api(lab, region, "nova"),
        *_computes(lab, region),
        _worker(lab, region, "nova-scheduler"),
        _api(lab, region, "cinder"),
        _api(lab, region, "neutron"),
        _api(lab, region, "glance"),
    )


def everything(lab: Lab) -> tuple[tuple[str, Service], ...]:
    """Every service with the name of its region; that of a shared Keystone is empty."""
    shared = [("", keystone(lab, lab.regions[0]))] if lab.shares_keystone else []
    regional = [(region.name, service) for region in lab.regions for service in of_region(lab, region)]
    return (*shared, *regional)


def _api(lab: Lab, region: Region, service: str) -> Service:
    api = APIS[service]
    folder = lab.folder(region, service)
    port = lab.port(region, service)
    variables = {name: value.format(folder=folder) for name, value in api.variables.items()}
    arguments = (
        str(lab.bin / "uwsgi"),
        f"--http-socket={HOST}:{port}",
        f"--module={api.module}:application",
        *UWSGI_OPTIONS,
        *(argument.format(folder=folder) for argument in api.arguments),
    )
    name = service if service == "keystone" else f"{service}-api"
    process = name if service == "keystone" and lab.shares_keystone else f"{region.name}-{name}"
    command = Command(process, arguments, environment(lab, **variables))
    return Service(name, service, command, port, api.probe)


def _worker(lab: Lab, region: Region, name: str) -> Service:
    service = name.partition("-")[0]
    settings = lab.folder(region, service) / f"{service}.conf"
    return Service(name, service, _command(lab, region, name, name, settings))


def _computes(lab: Lab, region: Region) -> tuple[Service, ...]:
    settings = lab.folder(region, "nova") / "nova.conf"
    found = []
    for number, compute in enumerate(region.computes, start=1):
        own_settings = compute_folder(lab, region, compute) / "compute.conf"
        name = f"nova-compute{number}"
        command = _command(lab, region, name, "nova-compute", settings, own_settings)
        found.append(Service(name, "nova", command, host=compute.name))
    return tuple(found)


def _command(lab: Lab, region: Region, name: str, program: str, *settings: Path) -> Command:
    files = (f"--config-file={path}" for path in settings)
    return Command(f"{region.name}-{name}", (str(lab.bin / program), *files), environment(lab))
